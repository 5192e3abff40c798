"""Counters and virtual times of flows: the rows behind domain/dispatch/policy.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import Double, case, cast, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement

from domain.dispatch.model import SchedFlow, SchedPool
from tenants.model import Tenant


def _vclock(pool: str) -> ColumnElement[float]:
    found = select(SchedPool.vclock).where(SchedPool.pool == pool).scalar_subquery()
    return func.coalesce(found, cast(0, Double))


async def open_flows(session: AsyncSession, tenant_id: UUID, pools: Iterable[str]) -> None:
    """Make sure the tenant has a flow in each pool, with its present weight and limit."""
    tenant = (await session.execute(select(Tenant.weight, Tenant.max_running).where(Tenant.id == tenant_id))).one()
    rows = [
        {"tenant_id": tenant_id, "pool": pool, "weight": tenant.weight, "max_running": tenant.max_running}
        for pool in sorted(set(pools))
    ]
    statement = upsert(SchedFlow).values(rows)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "pool"],
            set_={"weight": statement.excluded.weight, "max_running": statement.excluded.max_running},
        )
    )


async def add_ready(session: AsyncSession, tenant_id: UUID, ready: Mapping[str, int]) -> None:
    """Count steps that became ready, by pool; a flow that was idle wakes at the pool's clock."""
    for pool, count in sorted(ready.items()):
        if not count:
            continue
        idle = SchedFlow.ready == 0
        await session.execute(
            update(SchedFlow)
            .where(SchedFlow.tenant_id == tenant_id, SchedFlow.pool == pool)
            .values(
                ready=SchedFlow.ready + count,
                vtime=case((idle, func.greatest(SchedFlow.vtime, _vclock(pool))), else_=SchedFlow.vtime),
                oldest_ready_at=case((idle, func.clock_timestamp()), else_=SchedFlow.oldest_ready_at),
            )
        )


async def drop_ready(session: AsyncSession, tenant_id: UUID, gone: Mapping[str, int]) -> None:
    """Count steps that are no longer ready, by pool."""
    for pool, count in sorted(gone.items()):
        if count:
            await session.execute(
                update(SchedFlow)
                .where(SchedFlow.tenant_id == tenant_id, SchedFlow.pool == pool)
                .values(ready=SchedFlow.ready - count)
            )


async def leave_slot(session: AsyncSession, tenant_id: UUID, pool: str, drift: float) -> None:
    """Give back a flow's running place; `drift` = actual − estimated seconds of the step.

    A flow that stood at its limit reopens at the pool's clock: being capped earns no credit.
    """
    corrected = SchedFlow.vtime + drift / SchedFlow.weight
    capped = SchedFlow.running >= SchedFlow.max_running
    await session.execute(
        update(SchedFlow)
        .where(SchedFlow.tenant_id == tenant_id, SchedFlow.pool == pool)
        .values(
            running=SchedFlow.running - 1,
            vtime=case((capped, func.greatest(corrected, _vclock(pool))), else_=corrected),
        )
    )
