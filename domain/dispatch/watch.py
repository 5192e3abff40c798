"""What the pump looks for across tenants: leases that ran out, workers that vanished, delays that are over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.dispatch.claim import Claim
from domain.dispatch.flows import add_ready
from domain.dispatch.locks import lock_pools
from domain.dispatch.model import SchedFlow, Step, Worker
from domain.dispatch.reroute import overdue
from tenants.model import OutboxMessage
from tenants.principal import worker_principal
from tenants.unit import Units

Alive = Callable[[int, datetime], bool]
"""Answers whether the process with this number, started about then, still lives on this host."""


@dataclass(frozen=True)
class Lost:
    """A running step whose worker is gone, as it was claimed."""

    claim: Claim
    crash_count: int
    max_crashes: int
    worker_id: UUID | None = None


@dataclass(frozen=True)
class Glance:
    """What there is to do at all, found in one cheap look: unsent messages, delays over, leases over, ready pools.

    `stuck`: steps whose pool has kept them waiting too long.
    """

    unsent: bool
    due: bool
    expired: bool
    stuck: bool
    ready: frozenset[str]


async def glance(units: Units) -> Glance:
    """Look once; everything after is only done when this says that there is something to do."""
    now = func.clock_timestamp()
    async with units.system("watch") as unit:
        row = await unit.session.execute(
            select(
                exists().where(OutboxMessage.sent_at.is_(None)),
                exists().where(Step.state == "delayed", Step.not_before <= now),
                exists().where(Step.state == "running", Step.lease_expires < now),
                exists().where(*overdue()),
                select(func.array_agg(SchedFlow.pool.distinct()))
                .where(SchedFlow.ready > 0, ~SchedFlow.paused)
                .scalar_subquery(),
            )
        )
        unsent, due, expired, stuck, ready = row.one()
    return Glance(unsent, due, expired, stuck, frozenset(ready or ()))


async def expired_leases(units: Units, limit: int = 50) -> list[Lost]:
    """Running steps whose lease has ended on the database's clock."""
    async with units.system("watch") as unit:
        return await _lost(unit.session, _running().where(Step.lease_expires < func.clock_timestamp()).limit(limit))


async def running_steps(units: Units) -> frozenset[str]:
    """The ids of all steps that run, as folders of unfinished files are named."""
    async with units.system("watch") as unit:
        return frozenset(map(str, await unit.session.scalars(select(Step.id).where(Step.state == "running"))))


async def orphans(units: Units, host: str, boot_id: str, alive: Alive) -> list[Lost]:
    """Running steps of workers of this host that are no more; marks those workers as gone."""
    async with units.system("watch") as unit:
        rows = await unit.session.execute(select(Worker).where(Worker.host == host, Worker.state != "gone"))
        gone = [row.id for row in rows.scalars() if row.boot_id != boot_id or not alive(row.pid, row.started_at)]
        if not gone:
            return []
        await unit.session.execute(update(Worker).where(Worker.id.in_(gone)).values(state="gone"))
        return await _lost(unit.session, _running().where(Step.worker_id.in_(gone)))


def _running() -> Select[Any]:
    return select(Step).where(Step.state == "running").order_by(Step.lease_expires)


async def _lost(session: AsyncSession, statement: Select[Any]) -> list[Lost]:
    rows: Sequence[Step] = (await session.execute(statement)).scalars().all()
    return [Lost(_claim_of(step), step.crash_count, step.max_crashes, step.worker_id) for step in rows]


def _claim_of(step: Step) -> Claim:
    return Claim(
        tenant_id=step.tenant_id,
        step_id=step.id,
        job_id=step.job_id,
        project_id=step.project_id,
        pool=step.pool,
        kind=step.kind,
        shard=step.shard,
        attempt=step.attempt,
        fence=step.fence,
        estimate=step.cost_est,
        max_attempts=step.max_attempts,
        gate=step.gate,
        spec=step.spec,
        instruction=step.instruction or "",
    )


async def wake_delayed(units: Units) -> dict[str, int]:
    """Turn delayed steps whose time has come ready; answer how many, by pool."""
    async with units.system("watch") as unit:
        due = await unit.session.execute(
            select(Step.tenant_id, Step.pool)
            .where(Step.state == "delayed", Step.not_before <= func.clock_timestamp())
            .distinct()
        )
        flows = [(row.tenant_id, row.pool) for row in due]
    woken: dict[str, int] = {}
    for tenant_id, pool in flows:
        woken[pool] = woken.get(pool, 0) + await _wake(units, tenant_id, pool)
    return woken


async def _wake(units: Units, tenant_id: UUID, pool: str) -> int:
    async with units.open(worker_principal(tenant_id)) as unit:
        await lock_pools(unit.session, [pool])
        now: Any = func.clock_timestamp()
        rows = await unit.session.execute(
            update(Step)
            .where(Step.tenant_id == tenant_id, Step.pool == pool, Step.state == "delayed", Step.not_before <= now)
            .values(state="ready", ready_at=now, not_before=None)
            .returning(Step.id)
            .execution_options(synchronize_session=False)
        )
        count = len(rows.all())
        await add_ready(unit.session, tenant_id, {pool: count})
        return count
