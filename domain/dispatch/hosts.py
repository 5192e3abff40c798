"""Hosts on which a kind of step keeps failing: they get no more of it for a while, if others are there.

A step of which one host after the other is accused is at fault itself and counts once per host; its own budget of
crashes ends it (domain/dispatch/states.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.dispatch.model import HostFault, Worker
from tenants.unit import Units

ENOUGH = 3
"""So many different steps of a kind must fail on a host, one after the other, before it is shunned."""
SHUN_S = 600.0


@dataclass(frozen=True)
class Shunned:
    """A host that gets no steps of a kind until then; ignored while no other host serves the pool."""

    host: str
    kind: str
    until: datetime


def accused(failed: Sequence[str], step: str) -> list[str]:
    """The steps that failed in a row, after one more; the same step counts once."""
    return [*(one for one in failed if one != step), step][-ENOUGH:]


async def accuse(units: Units, worker_id: UUID | None, kind: str, step_id: UUID) -> bool:
    """Note that a step failed in a way that may be its host's fault; answer whether the host is shunned now."""
    async with units.system("hosts") as unit:
        host = await unit.session.scalar(select(Worker.host).where(Worker.id == worker_id))
        if host is None:
            return False
        await unit.session.execute(upsert(HostFault).values(host=host, kind=kind).on_conflict_do_nothing())
        row = await unit.session.get(HostFault, (host, kind), with_for_update=True)
        assert row is not None
        row.steps = accused(row.steps, str(step_id))
        now = (await unit.session.execute(select(func.clock_timestamp()))).scalar_one()
        row.updated_at = now
        if len(row.steps) < ENOUGH:
            return False
        row.steps, row.blocked_until = [], now + timedelta(seconds=SHUN_S)
        return True


async def acquit(units: Units, worker_id: UUID | None, kinds: Sequence[str]) -> None:
    """Note that steps of these kinds have succeeded on a worker's host."""
    host = select(Worker.host).where(Worker.id == worker_id).scalar_subquery()
    async with units.system("hosts") as unit:
        await unit.session.execute(delete(HostFault).where(HostFault.host == host, HostFault.kind.in_(kinds)))


async def shunned_hosts(units: Units) -> list[Shunned]:
    """All hosts that get no steps of some kind now."""
    async with units.system("hosts") as unit:
        rows = await unit.session.execute(
            select(HostFault.host, HostFault.kind, HostFault.blocked_until)
            .where(HostFault.blocked_until > func.clock_timestamp())
            .order_by(HostFault.host, HostFault.kind)
        )
        return [Shunned(host, kind, until) for host, kind, until in rows if until is not None]
