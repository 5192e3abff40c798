"""Where waiting jobs stand, why they wait and when they start; written by the pump, so that pages only read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.model import Project
from domain.dispatch.forward import Line, Turn, run_forward
from domain.dispatch.model import SchedFlow, SchedPool, Step
from domain.dispatch.policy import Flow
from domain.dispatch.waiting import Place, why
from domain.production.model import Job
from tenants.model import Tenant
from tenants.unit import Units

DEEPEST = 500
"""Further back in a workspace's line no place is told."""
STARTS = frozenset({"line", "workspace_limit", "project_limit"})
"""Reasons that pass by themselves; for the others nobody knows a time."""
STILL_S = 10.0
"""A time of start that moved less than this is not told again."""


@dataclass
class Floor:
    """The farm at one moment, as far as waiting jobs need it."""

    pools: dict[str, SchedPool] = field(default_factory=dict)
    flows: dict[tuple[UUID, str], tuple[SchedFlow, Tenant]] = field(default_factory=dict)
    costs: dict[tuple[UUID, str], float] = field(default_factory=dict)
    ends: dict[tuple[UUID, str], list[float]] = field(default_factory=lambda: defaultdict(list))


async def update_positions(units: Units, slots: Mapping[str, int]) -> int:
    """Write place, reason and number of steps before, for jobs with nothing running; answer how many changed."""
    async with units.system("position") as unit:
        session = unit.session
        heads = await _heads(session)
        if not heads:
            return 0
        floor = await _floor(session)
        now: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
        rows = await session.execute(select(Job.id, Job.waiting).where(Job.id.in_([row.job_id for row in heads])))
        told = {row.id: row.waiting for row in rows}
        turns = {pool: _turns(floor, pool, slots.get(pool, 0)) for pool in {row.pool for row in heads}}
        projects = {row.id: row for row in (await session.execute(select(Project))).scalars()}
        changed = 0
        for row in heads:
            if (row.tenant_id, row.pool) not in floor.flows:
                # Counters that a recount has yet to repair: nothing true can be said now.
                continue
            mine = turns[row.pool].get(row.tenant_id, [])
            turn = mine[row.rank - 1] if row.rank <= len(mine) else None
            waiting = why(_place(row, floor, projects[row.project_id], slots.get(row.pool, 0)))
            if turn is not None and waiting["code"] in STARTS:
                waiting["starts_at"] = steady(told.get(row.job_id), now, turn.at)
            changed += await _write(session, row, row.rank, turn.before if turn else None, waiting)
        return changed


def _place(row: Any, floor: Floor, project: Project, slots: int) -> Place:
    """How things stand around a job's first waiting step; of two limits the one with less room is told."""
    flow, tenant = floor.flows[row.tenant_id, row.pool]
    pool = floor.pools.get(row.pool)
    tenant_tighter = tenant.max_running - tenant.running <= flow.max_running - flow.running
    return Place(
        pool=row.pool,
        slots=slots,
        pool_reason=(pool.paused_reason or "") if pool and pool.paused_at else "",
        pool_by=(pool.paused_by or "") if pool else "",
        workspace_reason=(tenant.paused_reason or "") if tenant.paused_at else "",
        workspace_by=tenant.paused_by or "",
        project_reason=(project.paused_reason or "") if project.paused_at else "",
        project_by=project.paused_by or "",
        running=tenant.running if tenant_tighter else flow.running,
        limit=tenant.max_running if tenant_tighter else flow.max_running,
        project_running=project.running,
        project_limit=project.max_running,
        rank=row.rank,
    )


def steady(told: Mapping[str, Any] | None, now: datetime, seconds: float) -> str:
    """When a job will start, as it is written down; what was told before stays while it is about the same."""
    new = now + timedelta(seconds=seconds)
    with suppress(TypeError, ValueError, KeyError):
        old = datetime.fromisoformat(str((told or {})["starts_at"]))
        if abs((old - new).total_seconds()) <= max(STILL_S, seconds / 10):
            return old.isoformat()
    return new.isoformat(timespec="seconds")


async def _heads(session: AsyncSession) -> Sequence[Any]:
    """The first ready step of each job that has nothing running, with its rank in its workspace and pool."""
    order = func.row_number().over(
        partition_by=(Step.tenant_id, Step.pool), order_by=(Step.priority, Step.job_seq, Step.ordinal, Step.id)
    )
    ranked = (
        select(Step.tenant_id, Step.job_id, Step.project_id, Step.pool, order.label("rank"))
        .where(Step.state == "ready")
        .subquery()
    )
    busy = select(Step.job_id).where(Step.state == "running")
    first = (
        select(
            ranked.c.tenant_id,
            ranked.c.job_id,
            ranked.c.project_id,
            ranked.c.pool,
            func.min(ranked.c.rank).label("rank"),
        )
        .where(ranked.c.rank <= DEEPEST, ranked.c.job_id.not_in(busy))
        .group_by(ranked.c.tenant_id, ranked.c.job_id, ranked.c.project_id, ranked.c.pool)
    )
    return (await session.execute(first)).all()


async def _floor(session: AsyncSession) -> Floor:
    floor = Floor()
    floor.pools = {row.pool: row for row in (await session.execute(select(SchedPool))).scalars()}
    flows = select(SchedFlow, Tenant).join(Tenant, Tenant.id == SchedFlow.tenant_id)
    for flow, tenant in await session.execute(flows.where((SchedFlow.ready > 0) | (SchedFlow.running > 0))):
        floor.flows[flow.tenant_id, flow.pool] = (flow, tenant)
    costs = select(Step.tenant_id, Step.pool, func.avg(Step.cost_est)).where(Step.state == "ready")
    for tenant_id, pool, cost in await session.execute(costs.group_by(Step.tenant_id, Step.pool)):
        floor.costs[tenant_id, pool] = float(cost)
    ran = func.extract("epoch", func.clock_timestamp() - Step.started_at)
    running = select(Step.tenant_id, Step.pool, Step.cost_est, ran).where(Step.state == "running")
    for tenant_id, pool, cost, seconds in await session.execute(running):
        floor.ends[tenant_id, pool].append(max(1.0, cost - float(seconds or 0.0)))
    return floor


def _turns(floor: Floor, pool: str, slots: int) -> dict[UUID, list[Turn]]:
    lines = [
        Line(
            Flow(
                tenant_id=tenant_id,
                weight=flow.weight,
                max_running=flow.max_running,
                ready=flow.ready,
                running=flow.running,
                vtime=flow.vtime,
                oldest=flow.oldest_ready_at.timestamp() if flow.oldest_ready_at else 0.0,
                paused=flow.paused or tenant.paused_at is not None,
                tenant_running=tenant.running,
                tenant_cap=tenant.max_running,
            ),
            floor.costs.get((tenant_id, pool), 1.0),
            tuple(floor.ends.get((tenant_id, pool), ())),
        )
        for (tenant_id, where), (flow, tenant) in floor.flows.items()
        if where == pool
    ]
    known = floor.pools.get(pool)
    if slots == 0 or (known is not None and known.paused_at is not None):
        return {}
    return run_forward(lines, known.vclock if known else 0.0, slots)


async def _write(session: AsyncSession, row: Any, rank: int, before: int | None, waiting: dict[str, Any]) -> int:
    written = await session.execute(
        update(Job)
        .where(
            Job.tenant_id == row.tenant_id,
            Job.id == row.job_id,
            Job.state.in_(("queued", "running")),
            Job.position.is_distinct_from(rank)
            | Job.ahead.is_distinct_from(before)
            | Job.waiting.is_distinct_from(waiting),
        )
        .values(position=rank, ahead=before, waiting=waiting, version=Job.version + 1)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    return len(written.all())
