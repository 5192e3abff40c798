"""The claim: one short transaction that gives a free slot the step that should run next.

Late binding: nothing is decided before a slot asks. All times are the database's clock. The decision is made by
`app.claim_steps`, a routine of the database, because a pool is locked meanwhile and each statement sent under the lock
would make all others wait; domain/dispatch/policy.py says what is decided, and a test holds the two together.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, LiteralString
from uuid import UUID

from domain.dispatch.policy import AGING_S, CREDIT_S
from tenants.unit import Units


@dataclass(frozen=True)
class Claim:
    """A step in our hands: `fence` proves it. `estimate` in seconds of one slot; `along` is what the hook has read."""

    tenant_id: UUID
    step_id: UUID
    job_id: UUID
    project_id: UUID
    pool: str
    kind: str
    shard: str
    attempt: int
    fence: int
    estimate: float
    max_attempts: int
    gate: bool
    spec: dict[str, Any] = field(default_factory=dict)
    instruction: str = ""
    along: Any = None


@dataclass(frozen=True)
class Hooks:
    """What the owner of jobs adds to the claim, in its transaction.

    `claim` is a statement over `app.claim_steps` (parameters pool, worker, lease_s, credit_s, aging_s, most) that
    answers its columns, whatever its owner needs to begin, and the number of the newest event of the step's tenant.
    """

    claim: LiteralString


async def claim_next(units: Units, pool: str, worker_id: UUID | None, lease_s: float, hooks: Hooks) -> Claim | None:
    """Claim the best step of a pool, or answer None when no limit lets one start."""
    claims = await claim_many(units, pool, worker_id, lease_s, hooks, 1)
    return claims[0] if claims else None


async def claim_many(
    units: Units, pool: str, worker_id: UUID | None, lease_s: float, hooks: Hooks, most: int
) -> list[Claim]:
    """Claim up to `most` steps of a pool for one worker, each the best at its turn."""
    wanted = {"pool": pool, "worker": worker_id, "lease_s": lease_s, "most": most}
    rows = await units.routines.call(hooks.claim, {**wanted, "credit_s": CREDIT_S, "aging_s": AGING_S})
    if rows:
        _tell(units, [(row[0], row[-1]) for row in rows])
    return [Claim(*row[:-1]) for row in rows]


_TELLING: set[asyncio.Task[None]] = set()


def _tell(units: Units, events: list[tuple[UUID, int]]) -> None:
    """Say that events were written without keeping the claimed steps waiting; a hint that is lost is made up for."""

    async def say() -> None:
        # What the claimed steps have to begin with goes first.
        await asyncio.sleep(0)
        for tenant_id, newest in events:
            await units.signal.events(tenant_id, newest)

    telling = asyncio.create_task(say())
    _TELLING.add(telling)
    telling.add_done_callback(_TELLING.discard)
