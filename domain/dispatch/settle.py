"""The end of an attempt: every write here is fenced, so a worker that was replaced changes nothing.

The statements live in routines of the database (app.leave_step, app.close_step): pools are locked meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.dispatch.claim import Claim
from domain.dispatch.states import StepState, require


class Replaced(Exception):
    """Raised when a step is no longer ours (lease lost, cancelled, reaped): drop everything and stop."""


@dataclass(frozen=True)
class Ending:
    """How an attempt ended: the step's next state, and what is written to the step and the attempt.

    `outcome` is the attempt's word: succeeded, failed, released, cancelled, crashed. `forgive`: the attempt does not
    count against the step's budget.
    """

    state: StepState
    outcome: str
    outputs: dict[str, Any] | None = None
    input_hash: str | None = None
    reused: bool = False
    error: dict[str, Any] | None = None
    error_class: str | None = None
    delay_s: float = 0.0
    crashed: bool = False
    forgive: bool = False
    cpu_s: float | None = None


@dataclass(frozen=True)
class Held:
    """What a settlement finds once it holds all locks: the seconds the step ran, and its job's state."""

    seconds: float
    state: str
    control: str
    number: int


_LEAVE = text("SELECT * FROM app.leave_step(:tenant, :step, :fence, :pools)")
_CLOSE = text("SELECT app.close_step(:tenant, :step, :fence, :attempt, CAST(:ending AS jsonb))")
_RELEASE = text("SELECT app.release_dependants(:tenant, :step, :paused)")


async def leave(session: AsyncSession, claim: Claim, more_pools: Iterable[str] = ()) -> Held:
    """Lock what the end of a step touches (pools → tenant → project → flow → job) and give its places back.

    Raises Replaced; nothing has been written then.
    """
    values = {"tenant": claim.tenant_id, "step": claim.step_id, "fence": claim.fence, "pools": list(more_pools)}
    row = (await session.execute(_LEAVE, values)).one_or_none()
    if row is None:
        raise Replaced(f"step {claim.step_id} is no longer ours at fence {claim.fence}")
    return Held(*row)


async def close(session: AsyncSession, claim: Claim, ending: Ending, paused: bool = False) -> dict[str, int]:
    """Write the end of the attempt and tell the steps that rest on it; answer the job's steps by state.

    Raises Replaced when the fence has moved on.
    """
    require("running", ending.state)
    body = {**asdict(ending), "paused": paused}
    values = {"tenant": claim.tenant_id, "step": claim.step_id, "fence": claim.fence, "attempt": claim.attempt}
    counts = (await session.execute(_CLOSE, {**values, "ending": json.dumps(body)})).scalar_one()
    if counts is None:
        raise Replaced(f"step {claim.step_id} is no longer ours at fence {claim.fence}")
    return dict(counts)


async def release_dependants(session: AsyncSession, tenant_id: UUID, step_id: UUID, paused: bool) -> None:
    """Tell the steps that rest on a finished step; those that need nothing more become ready, or held when paused."""
    await session.execute(_RELEASE, {"tenant": tenant_id, "step": step_id, "paused": paused})
