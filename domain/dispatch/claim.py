"""The claim: one short transaction that gives a free slot the step that should run next.

Late binding: nothing is decided before a slot asks. All times are the database's clock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Double, cast, extract, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.model import Project
from domain.dispatch.locks import lock_pools
from domain.dispatch.model import Attempt, SchedFlow, SchedPool, Step
from domain.dispatch.policy import AGING_S, BOOST_S, Flow, advanced, charged, ranked, start_tag
from tenants.model import Tenant
from tenants.unit import SystemUnit, Units

CANDIDATES = 16
"""Flows looked at in one claim; more only matter when as many tenants are at a limit that spans pools."""


@dataclass(frozen=True)
class Claim:
    """A step in our hands: `fence` proves it. `estimate` in seconds of one slot."""

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


@dataclass(frozen=True)
class Hooks:
    """What the owner of jobs does in the claim's transaction.

    `before` (unit, tenant, job) runs after the flow and before the step changes: the place to lock the job's row.
    `after` (unit, claim) runs when the step has started.
    """

    before: Callable[[SystemUnit, UUID, UUID], Awaitable[None]]
    after: Callable[[SystemUnit, Claim], Awaitable[None]]


async def claim_next(units: Units, pool: str, worker_id: UUID | None, lease_s: float, hooks: Hooks) -> Claim | None:
    """Claim the best step of a pool, or answer None when no limit lets one start."""
    async with units.system("claim") as unit:
        session = unit.session
        await lock_pools(session, [pool])
        vclock = await _vclock(session, pool)
        for flow in ranked(await _flows(session, pool, vclock), vclock):
            step = await _choose_step(session, flow.tenant_id, pool)
            if step is None or not await _enter(session, step):
                continue
            await _charge(session, pool, flow, vclock, step.cost_est)
            await hooks.before(unit, step.tenant_id, step.job_id)
            claim = await _start(session, step, worker_id, lease_s)
            await hooks.after(unit, claim)
            return claim
    return None


async def _vclock(session: AsyncSession, pool: str) -> float:
    found = await session.execute(select(SchedPool.vclock).where(SchedPool.pool == pool))
    return found.scalar_one_or_none() or 0.0


async def _flows(session: AsyncSession, pool: str, vclock: float) -> Sequence[Flow]:
    start = func.greatest(SchedFlow.vtime, vclock - BOOST_S)
    rows = await session.execute(
        select(SchedFlow, Tenant.running, Tenant.max_running)
        .join(Tenant, Tenant.id == SchedFlow.tenant_id)
        .where(
            SchedFlow.pool == pool,
            SchedFlow.ready > 0,
            SchedFlow.running < SchedFlow.max_running,
            ~SchedFlow.paused,
            Tenant.paused_at.is_(None),
            Tenant.running < Tenant.max_running,
        )
        .order_by(start, SchedFlow.oldest_ready_at, SchedFlow.tenant_id)
        .limit(CANDIDATES)
    )
    return [
        Flow(
            tenant_id=flow.tenant_id,
            weight=flow.weight,
            max_running=flow.max_running,
            ready=flow.ready,
            running=flow.running,
            vtime=flow.vtime,
            oldest=flow.oldest_ready_at.timestamp() if flow.oldest_ready_at else 0.0,
            paused=flow.paused,
            tenant_running=running,
            tenant_cap=cap,
        )
        for flow, running, cap in rows
    ]


async def _choose_step(session: AsyncSession, tenant_id: UUID, pool: str) -> Step | None:
    waited = extract("epoch", func.clock_timestamp() - Step.ready_at)
    urgency = Step.priority - func.floor(cast(waited, Double) / AGING_S)
    found = await session.execute(
        select(Step)
        .join(Project, (Project.tenant_id == Step.tenant_id) & (Project.id == Step.project_id))
        .where(
            Step.tenant_id == tenant_id,
            Step.pool == pool,
            Step.state == "ready",
            or_(Project.max_running.is_(None), Project.running < Project.max_running),
        )
        .order_by(urgency, Step.job_seq, Step.ordinal, Step.id)
        .limit(1)
    )
    return found.scalar_one_or_none()


async def _enter(session: AsyncSession, step: Step) -> bool:
    """Take a place under the limits that span pools; the conditional updates hold them, not the pool's lock."""
    tenant = await session.execute(
        update(Tenant)
        .where(Tenant.id == step.tenant_id, Tenant.running < Tenant.max_running, Tenant.paused_at.is_(None))
        .values(running=Tenant.running + 1)
        .returning(Tenant.id)
    )
    if tenant.scalar_one_or_none() is None:
        return False
    project = await session.execute(
        update(Project)
        .where(
            Project.tenant_id == step.tenant_id,
            Project.id == step.project_id,
            or_(Project.max_running.is_(None), Project.running < Project.max_running),
        )
        .values(running=Project.running + 1)
        .returning(Project.id)
    )
    if project.scalar_one_or_none() is None:
        await session.execute(update(Tenant).where(Tenant.id == step.tenant_id).values(running=Tenant.running - 1))
        return False
    return True


async def _charge(session: AsyncSession, pool: str, flow: Flow, vclock: float, cost: float) -> None:
    start = start_tag(flow.vtime, vclock)
    now = advanced(vclock, start)
    await session.execute(
        upsert(SchedPool)
        .values(pool=pool, vclock=now)
        .on_conflict_do_update(index_elements=["pool"], set_={"vclock": now})
    )
    await session.execute(
        update(SchedFlow)
        .where(SchedFlow.tenant_id == flow.tenant_id, SchedFlow.pool == pool)
        .values(ready=SchedFlow.ready - 1, running=SchedFlow.running + 1, vtime=charged(start, cost, flow.weight))
    )


async def _start(session: AsyncSession, step: Step, worker_id: UUID | None, lease_s: float) -> Claim:
    now = func.clock_timestamp()
    lease = now + timedelta(seconds=lease_s)
    started = await session.execute(
        update(Step)
        .where(Step.tenant_id == step.tenant_id, Step.id == step.id, Step.state == "ready")
        .values(
            state="running",
            fence=Step.fence + 1,
            attempt=Step.attempt + 1,
            worker_id=worker_id,
            lease_expires=lease,
            started_at=now,
            finished_at=None,
            done=0,
            total=0,
            stage="",
            error=None,
            error_class=None,
        )
        .returning(Step.fence, Step.attempt)
        .execution_options(synchronize_session=False)
    )
    fence, attempt = started.one()
    await session.execute(
        insert(Attempt).values(
            tenant_id=step.tenant_id, step_id=step.id, number=attempt, fence=fence, worker_id=worker_id
        )
    )
    return Claim(
        tenant_id=step.tenant_id,
        step_id=step.id,
        job_id=step.job_id,
        project_id=step.project_id,
        pool=step.pool,
        kind=step.kind,
        shard=step.shard,
        attempt=attempt,
        fence=fence,
        estimate=step.cost_est,
        max_attempts=step.max_attempts,
        gate=step.gate,
        spec=step.spec,
        instruction=step.instruction or "",
    )
