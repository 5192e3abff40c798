"""The locks of the queue, in the one order that everybody keeps.

Pools → tenant → project → flow → job → steps → counter of events.

Every change of a step to or from `ready` or `running` is made under the advisory lock of its pool; that is why the
claim may take a ready step before its job. Claims and settlements share that lock, so that settlements reach the disk
together; a lock of their own keeps two claims of a pool apart, and each begins with its tenant's row. Everybody else
holds the pool alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_LOCK = text("SELECT app.lock_pools(:pools)")


async def lock_pools(session: AsyncSession, pools: Iterable[str]) -> None:
    """Hold pools until the transaction ends; always in the same order, so that nobody waits in a circle."""
    await session.execute(_LOCK, {"pools": sorted(set(pools))})
