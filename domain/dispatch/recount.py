"""The auditor: counts what runs and waits from the steps themselves, repairs the counters, reports the drift."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.model import Project
from domain.dispatch.locks import lock_pools
from domain.dispatch.model import SchedFlow, SchedPool, Step
from tenants.model import Tenant
from tenants.unit import Units


async def recount(units: Units) -> int:
    """Recount all counters under all pools' locks; answer how many were wrong (they must be none)."""
    async with units.system("recount") as unit:
        pools = (await unit.session.execute(select(SchedPool.pool))).scalars().all()
        await lock_pools(unit.session, pools)
        return await _tenants(unit.session) + await _projects(unit.session) + await _flows(unit.session)


async def _flows(session: AsyncSession) -> int:
    counted = (
        select(
            SchedFlow.tenant_id,
            SchedFlow.pool,
            func.count(Step.id).filter(Step.state == "ready").label("ready"),
            func.count(Step.id).filter(Step.state == "running").label("running"),
        )
        .outerjoin(Step, (Step.tenant_id == SchedFlow.tenant_id) & (Step.pool == SchedFlow.pool))
        .group_by(SchedFlow.tenant_id, SchedFlow.pool)
        .subquery()
    )
    repaired = await session.execute(
        update(SchedFlow)
        .where(
            SchedFlow.tenant_id == counted.c.tenant_id,
            SchedFlow.pool == counted.c.pool,
            (SchedFlow.ready != counted.c.ready) | (SchedFlow.running != counted.c.running),
        )
        .values(ready=counted.c.ready, running=counted.c.running)
        .returning(SchedFlow.pool)
        .execution_options(synchronize_session=False)
    )
    return len(repaired.all())


async def _tenants(session: AsyncSession) -> int:
    running = select(func.count()).where(Step.tenant_id == Tenant.id, Step.state == "running").scalar_subquery()
    repaired = await session.execute(
        update(Tenant)
        .where(Tenant.running != running)
        .values(running=running)
        .returning(Tenant.id)
        .execution_options(synchronize_session=False)
    )
    return len(repaired.all())


async def _projects(session: AsyncSession) -> int:
    running = (
        select(func.count())
        .where(Step.tenant_id == Project.tenant_id, Step.project_id == Project.id, Step.state == "running")
        .scalar_subquery()
    )
    repaired = await session.execute(
        update(Project)
        .where(Project.running != running)
        .values(running=running)
        .returning(Project.id)
        .execution_options(synchronize_session=False)
    )
    return len(repaired.all())
