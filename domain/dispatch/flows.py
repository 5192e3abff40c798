"""Counters and virtual times of flows: the rows behind domain/dispatch/policy.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.dispatch.model import SchedFlow
from domain.dispatch.policy import TIERS
from tenants.model import Tenant

_ADD = text("SELECT app.add_ready(:tenant, :pool, :many)")


async def open_flows(session: AsyncSession, tenant_id: UUID, pools: Iterable[str]) -> None:
    """Make sure the tenant has a flow in each pool, with its present weight and limit."""
    mine = select(Tenant.weight, Tenant.max_running, Tenant.tier).where(Tenant.id == tenant_id)
    tenant = (await session.execute(mine)).one()
    boost = TIERS[tenant.tier].boost_s if tenant.tier in TIERS else 0.0
    share = {"weight": tenant.weight, "max_running": tenant.max_running, "boost_s": boost}
    rows = [{"tenant_id": tenant_id, "pool": pool, **share} for pool in sorted(set(pools))]
    statement = upsert(SchedFlow).values(rows)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "pool"],
            set_={name: statement.excluded[name] for name in share},
        )
    )


async def add_ready(session: AsyncSession, tenant_id: UUID, ready: Mapping[str, int]) -> None:
    """Count steps that became ready, by pool; a flow that was idle wakes at the pool's clock."""
    for pool, count in sorted(ready.items()):
        if not count:
            continue
        await session.execute(_ADD, {"tenant": tenant_id, "pool": pool, "many": count})


async def drop_ready(session: AsyncSession, tenant_id: UUID, gone: Mapping[str, int]) -> None:
    """Count steps that are no longer ready, by pool."""
    for pool, count in sorted(gone.items()):
        if count:
            await session.execute(
                update(SchedFlow)
                .where(SchedFlow.tenant_id == tenant_id, SchedFlow.pool == pool)
                .values(ready=SchedFlow.ready - count)
            )
