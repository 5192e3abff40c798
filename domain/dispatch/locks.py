"""The locks of the queue, in the one order that everybody keeps.

Pools → tenant → project → flow → job → steps → counter of events.

Every change of a step to or from `ready` or `running` is made under the advisory lock of its pool.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('pool:' || :pool, 0))")


async def lock_pools(session: AsyncSession, pools: Iterable[str]) -> None:
    """Hold pools until the transaction ends; always in the same order, so that nobody waits in a circle."""
    for pool in sorted(set(pools)):
        await session.execute(_LOCK, {"pool": pool})
