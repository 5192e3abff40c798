"""Steps whose pool has kept them waiting too long go to their fallback, all of one kind of a job together.

Once one of them has begun, the others stay where it ran: parts of one film come from one class of workers, so that
what is joined later was encoded alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.dispatch.flows import add_ready, drop_ready, open_flows
from domain.dispatch.locks import lock_pools
from domain.dispatch.model import Step
from tenants.principal import worker_principal
from tenants.unit import Units

WAITING = ("blocked", "ready", "delayed", "held")


@dataclass(frozen=True)
class Stuck:
    """The steps of one kind of a job that have waited long enough for their pool."""

    tenant_id: UUID
    job_id: UUID
    project_id: UUID
    kind: str
    pool: str
    fallback: str


def overdue() -> tuple[ColumnElement[bool], ...]:
    """What makes a waiting step due for its fallback."""
    late = Step.ready_at + func.make_interval(0, 0, 0, 0, 0, 0, Step.fallback_after_s)
    return Step.state == "ready", Step.fallback.is_not(None), late < func.clock_timestamp()


async def reroute(units: Units, limit: int = 100) -> int:
    """Move what is due; answer how many steps were moved."""
    columns = (Step.tenant_id, Step.job_id, Step.project_id, Step.kind, Step.pool, Step.fallback)
    async with units.system("reroute") as unit:
        rows = await unit.session.execute(select(*columns).where(*overdue()).distinct().limit(limit))
        found = [Stuck(*row[:5], row[5] or "") for row in rows]
    return sum([await _move(units, stuck) for stuck in found])


async def _move(units: Units, stuck: Stuck) -> int:
    alike = (Step.tenant_id == stuck.tenant_id, Step.job_id == stuck.job_id, Step.kind == stuck.kind)
    here = (*alike, Step.pool == stuck.pool, Step.fallback == stuck.fallback, Step.state.in_(WAITING))
    async with units.open(worker_principal(stuck.tenant_id)) as unit:
        session = unit.session
        await lock_pools(session, [stuck.pool, stuck.fallback])
        if await session.scalar(select(exists().where(*alike, Step.attempt > 0))):
            await _write(session, here, fallback=None)
            return 0
        await open_flows(session, stuck.tenant_id, [stuck.fallback])
        ready = await session.scalar(select(func.count()).where(*here, Step.state == "ready")) or 0
        await drop_ready(session, stuck.tenant_id, {stuck.pool: ready})
        moved = await _write(session, here, pool=stuck.fallback, fallback=None)
        await add_ready(session, stuck.tenant_id, {stuck.fallback: ready})
        told = {"step": stuck.kind, "pool": stuck.fallback, "before": stuck.pool, "count": moved}
        unit.emit("step.rerouted", job_id=stuck.job_id, project_id=stuck.project_id, **told)
        return moved


async def _write(session: AsyncSession, here: Sequence[ColumnElement[bool]], **values: str | None) -> int:
    rows = await session.execute(
        update(Step).where(*here).values(**values).returning(Step.id).execution_options(synchronize_session=False)
    )
    return len(rows.all())
