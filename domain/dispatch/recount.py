"""The auditor: counts what runs and waits from the steps themselves, repairs the counters, reports the drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Subquery, func, select, union, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.catalog.model import Project
from domain.dispatch.locks import lock_pools
from domain.dispatch.model import CounterDrift, SchedFlow, SchedPool, Step, StepDep
from tenants.model import Tenant
from tenants.unit import Units


async def recount(units: Units) -> int:
    """Recount all counters under all pools' locks; answer how many were wrong (they must be none)."""
    async with units.system("recount") as unit:
        doubtful = await _wrong_needs(unit.session)
    async with units.system("recount") as unit:
        session = unit.session
        pools = await session.execute(union(select(SchedPool.pool), select(SchedFlow.pool)))
        await lock_pools(session, pools.scalars())
        found = {
            "needs": await _needs(session, doubtful) if doubtful else 0,
            "tenants": await _tenants(session),
            "projects": await _projects(session),
            "flows": await _flows(session),
        }
        await _note(session, found)
    return sum(found.values())


async def read_drift(units: Units) -> Mapping[str, tuple[int, int]]:
    """What the counts have found wrong, by kind of counter: the last one, and all of them together."""
    async with units.system("recount") as unit:
        rows = await unit.session.execute(select(CounterDrift).order_by(CounterDrift.counter))
        return {row.counter: (row.found, row.total) for row in rows.scalars()}


async def _note(session: AsyncSession, found: Mapping[str, int]) -> None:
    now = func.clock_timestamp()
    for counter, wrong in found.items():
        written = upsert(CounterDrift).values(counter=counter, found=wrong, total=wrong, counted_at=now)
        values = {"found": wrong, "total": CounterDrift.total + wrong, "counted_at": now}
        await session.execute(written.on_conflict_do_update(index_elements=["counter"], set_=values))


async def _repaired(session: AsyncSession, statement: Any) -> int:
    rows = await session.execute(statement.execution_options(synchronize_session=False))
    return len(rows.all())


def _busy() -> Subquery:
    """Steps that count, by tenant, project and pool; all that have ended or are blocked are left alone."""
    return (
        select(
            Step.tenant_id,
            Step.project_id,
            Step.pool,
            func.count().filter(Step.state == "ready").label("ready"),
            func.count().filter(Step.state == "running").label("running"),
        )
        .where(Step.state.in_(("ready", "running")))
        .group_by(Step.tenant_id, Step.project_id, Step.pool)
        .subquery()
    )


async def _flows(session: AsyncSession) -> int:
    busy = _busy()
    counted = (
        select(
            SchedFlow.tenant_id,
            SchedFlow.pool,
            func.coalesce(func.sum(busy.c.ready), 0).label("ready"),
            func.coalesce(func.sum(busy.c.running), 0).label("running"),
        )
        .outerjoin(busy, (busy.c.tenant_id == SchedFlow.tenant_id) & (busy.c.pool == SchedFlow.pool))
        .group_by(SchedFlow.tenant_id, SchedFlow.pool)
        .subquery()
    )
    repair = (
        update(SchedFlow)
        .where(SchedFlow.tenant_id == counted.c.tenant_id, SchedFlow.pool == counted.c.pool)
        .where((SchedFlow.ready != counted.c.ready) | (SchedFlow.running != counted.c.running))
        .values(ready=counted.c.ready, running=counted.c.running)
    )
    return await _repaired(session, repair.returning(SchedFlow.pool))


async def _tenants(session: AsyncSession) -> int:
    busy = _busy()
    running = select(func.coalesce(func.sum(busy.c.running), 0)).where(busy.c.tenant_id == Tenant.id)
    counted = select(Tenant.id, running.scalar_subquery().label("running")).subquery()
    repair = update(Tenant).where(Tenant.id == counted.c.id, Tenant.running != counted.c.running)
    return await _repaired(session, repair.values(running=counted.c.running).returning(Tenant.id))


async def _projects(session: AsyncSession) -> int:
    busy = _busy()
    mine = (busy.c.tenant_id == Project.tenant_id, busy.c.project_id == Project.id)
    running = select(func.coalesce(func.sum(busy.c.running), 0)).where(*mine)
    counted = select(Project.id, running.scalar_subquery().label("running")).subquery()
    repair = update(Project).where(Project.id == counted.c.id, Project.running != counted.c.running)
    return await _repaired(session, repair.values(running=counted.c.running).returning(Project.id))


# ── What waiting steps wait for ───────────────────────────────────────────────────────────────────────────
def _left() -> Any:
    need = aliased(Step)
    return (
        select(func.count())
        .select_from(StepDep)
        .join(need, (need.tenant_id == StepDep.tenant_id) & (need.id == StepDep.needs_id))
        .where(StepDep.tenant_id == Step.tenant_id, StepDep.step_id == Step.id, need.state != "succeeded")
        .scalar_subquery()
    )


async def _wrong_needs(session: AsyncSession) -> Sequence[UUID]:
    """Blocked steps whose count looks wrong; looked for before any lock is taken, because there are none."""
    rows = await session.execute(select(Step.id).where(Step.state == "blocked", Step.deps_left != _left()).limit(1000))
    return rows.scalars().all()


async def _needs(session: AsyncSession, doubtful: Sequence[UUID]) -> int:
    """Repair what is still wrong under the locks; a step that waits for nothing would wait for ever."""
    wrong = update(Step).where(Step.id.in_(doubtful), Step.state == "blocked", Step.deps_left != _left())
    repaired = await _repaired(session, wrong.values(deps_left=_left()).returning(Step.id))
    free = update(Step).where(Step.id.in_(doubtful), Step.state == "blocked", Step.deps_left == 0)
    await _repaired(session, free.values(state="ready", ready_at=func.clock_timestamp()).returning(Step.id))
    return repaired
