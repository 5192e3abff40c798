"""The end of an attempt: every write here is fenced, so a worker that was replaced changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, extract, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.model import Project
from domain.dispatch.claim import Claim
from domain.dispatch.flows import add_ready, leave_slot
from domain.dispatch.locks import lock_pools
from domain.dispatch.model import Attempt, Step, StepDep
from domain.dispatch.states import StepState, require
from tenants.model import Tenant


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


async def pools_around(session: AsyncSession, tenant_id: UUID, step_id: UUID) -> set[str]:
    """Pools of the steps that rest on a step; they never change, so no lock is needed to read them."""
    rows = await session.execute(
        select(Step.pool)
        .join(StepDep, (StepDep.tenant_id == Step.tenant_id) & (StepDep.step_id == Step.id))
        .where(StepDep.tenant_id == tenant_id, StepDep.needs_id == step_id)
        .distinct()
    )
    return set(rows.scalars())


async def hold(session: AsyncSession, claim: Claim, more_pools: Iterable[str] = ()) -> float:
    """Lock what the end of a step touches; answer the seconds it ran. Raises Replaced."""
    await lock_pools(session, {claim.pool, *more_pools})
    ran = await session.execute(select(extract("epoch", func.clock_timestamp() - Step.started_at)).where(*_ours(claim)))
    seconds = ran.scalar_one_or_none()
    if seconds is None:
        raise Replaced(f"step {claim.step_id} is no longer ours at fence {claim.fence}")
    return float(seconds)


def _ours(claim: Claim) -> tuple[Any, ...]:
    return (
        Step.tenant_id == claim.tenant_id,
        Step.id == claim.step_id,
        Step.fence == claim.fence,
        Step.state == "running",
    )


async def leave(session: AsyncSession, claim: Claim, seconds: float) -> None:
    """Give back the places the step held: tenant, project, flow (in lock order)."""
    await session.execute(update(Tenant).where(Tenant.id == claim.tenant_id).values(running=Tenant.running - 1))
    await session.execute(
        update(Project)
        .where(Project.tenant_id == claim.tenant_id, Project.id == claim.project_id)
        .values(running=Project.running - 1)
    )
    await leave_slot(session, claim.tenant_id, claim.pool, seconds - claim.estimate)


async def close(session: AsyncSession, claim: Claim, ending: Ending) -> None:
    """Write the end of the attempt. Raises Replaced when the fence has moved on."""
    require("running", ending.state)
    now = func.clock_timestamp()
    values: dict[str, Any] = {
        "state": ending.state,
        "worker_id": None,
        "lease_expires": None,
        "error": ending.error,
        "error_class": ending.error_class,
        "max_attempts": Step.max_attempts + (1 if ending.forgive else 0),
        "crash_count": Step.crash_count + (1 if ending.crashed else 0),
    }
    if ending.state in ("succeeded", "waiting_approval"):
        values |= {"outputs": ending.outputs, "reused": ending.reused, "finished_at": now}
        values |= {"input_hash": ending.input_hash, "done": case((Step.total > 0, Step.total), else_=Step.done)}
    elif ending.state in ("dead", "cancelled"):
        values["finished_at"] = now
    elif ending.state == "delayed":
        values["not_before"] = now + timedelta(seconds=ending.delay_s)
    elif ending.state == "ready":
        values |= {"ready_at": now, "fence": Step.fence + 1}
    closed = await session.execute(
        update(Step)
        .where(*_ours(claim))
        .values(**values)
        .returning(Step.id)
        .execution_options(synchronize_session=False)
    )
    if closed.scalar_one_or_none() is None:
        raise Replaced(f"step {claim.step_id} is no longer ours at fence {claim.fence}")
    await session.execute(
        update(Attempt)
        .where(Attempt.tenant_id == claim.tenant_id, Attempt.step_id == claim.step_id, Attempt.number == claim.attempt)
        .values(ended_at=now, outcome=ending.outcome, error=ending.error, cpu_s=ending.cpu_s)
    )
    if ending.state == "ready":
        await add_ready(session, claim.tenant_id, {claim.pool: 1})


async def release_dependants(session: AsyncSession, tenant_id: UUID, step_id: UUID, paused: bool) -> dict[str, int]:
    """Tell the steps that rest on a finished step; answer how many became ready, by pool."""
    needing = select(StepDep.step_id).where(StepDep.tenant_id == tenant_id, StepDep.needs_id == step_id)
    rows = await session.execute(
        update(Step)
        .where(Step.tenant_id == tenant_id, Step.id.in_(needing), Step.deps_left > 0)
        .values(deps_left=Step.deps_left - 1)
        .returning(Step.id, Step.pool, Step.deps_left, Step.state)
        .execution_options(synchronize_session=False)
    )
    free = {row.id: row.pool for row in rows if row.deps_left == 0 and row.state == "blocked"}
    return await make_ready(session, tenant_id, free, paused)


async def make_ready(session: AsyncSession, tenant_id: UUID, steps: Mapping[UUID, str], paused: bool) -> dict[str, int]:
    """Turn steps (id → pool) ready, or held while their job is paused; answer ready counts by pool."""
    if not steps:
        return {}
    now: Any = func.clock_timestamp()
    await session.execute(
        update(Step)
        .where(Step.tenant_id == tenant_id, Step.id.in_(list(steps)))
        .values(state="held" if paused else "ready", ready_at=now, not_before=None)
        .execution_options(synchronize_session=False)
    )
    if paused:
        return {}
    ready = dict(Counter(steps.values()))
    await add_ready(session, tenant_id, ready)
    return ready
