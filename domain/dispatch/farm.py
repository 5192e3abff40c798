"""Who works here: worker rows, pools, heart-beats and the leader's lease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Update, case, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.dispatch.model import LeaderLease, SchedFlow, SchedPool, Step, Worker
from tenants.model import Tenant
from tenants.records import uuid7
from tenants.unit import Units

SILENT_S = 60
"""A worker that has not been heard of for this long is taken for gone."""


@dataclass(frozen=True)
class PoolLoad:
    """A pool at this moment: steps that limits would let start, steps that run, and slots of living workers."""

    eligible: int
    running: int
    slots: int


def pool_entry(pool: str, slots: int) -> str:
    """How a worker's row says that it serves a pool: `cpu:2`."""
    return f"{pool}:{slots}"


def slots_of(entries: Sequence[str]) -> dict[str, int]:
    """The slots by pool that a worker's row names."""
    parted = (entry.rpartition(":") for entry in entries)
    return {pool: int(count) for pool, _, count in parted}


async def join_farm(units: Units, host: str, boot_id: str, pid: int, slots: Mapping[str, int], version: str) -> UUID:
    """Write a new worker's row and make sure that its pools exist; answer its id."""
    worker_id = uuid7()
    async with units.system("farm") as unit:
        await unit.session.execute(
            upsert(SchedPool).values([{"pool": pool} for pool in sorted(slots)]).on_conflict_do_nothing()
        )
        unit.session.add(
            Worker(
                id=worker_id,
                host=host,
                boot_id=boot_id,
                pid=pid,
                pools=[pool_entry(pool, count) for pool, count in sorted(slots.items())],
                slots=sum(slots.values()),
                version=version,
            )
        )
    return worker_id


async def set_worker_state(units: Units, worker_id: UUID, state: str) -> None:
    """Write that a worker is active, draining or gone."""
    async with units.system("farm") as unit:
        await unit.session.execute(
            update(Worker).where(Worker.id == worker_id).values(state=state, seen_at=func.clock_timestamp())
        )


async def lead(units: Units, name: str, holder: str, ttl_s: float = 10.0) -> int | None:
    """Take or keep the leader's lease of a routine; answer its fence, or None while another holds it."""
    until: Any = func.clock_timestamp() + timedelta(seconds=ttl_s)
    fresh = upsert(LeaderLease).values(name=name, holder=holder, fence=1, expires_at=until)
    mine = LeaderLease.holder == holder
    async with units.system("farm") as unit:
        taken = await unit.session.execute(
            fresh.on_conflict_do_update(
                index_elements=["name"],
                set_={
                    "holder": holder,
                    "expires_at": until,
                    "fence": LeaderLease.fence + case((mine, 0), else_=1),
                },
                where=or_(mine, LeaderLease.expires_at < func.clock_timestamp()),
            ).returning(LeaderLease.fence)
        )
        return taken.scalar_one_or_none()


async def resign(units: Units, name: str, holder: str) -> None:
    """Give the leader's lease up, so that another need not wait for its end."""
    async with units.system("farm") as unit:
        await unit.session.execute(
            update(LeaderLease)
            .where(LeaderLease.name == name, LeaderLease.holder == holder)
            .values(expires_at=func.clock_timestamp())
        )


async def pool_loads(units: Units) -> dict[str, PoolLoad]:
    """Measure every pool; also marks workers that have long been silent as gone."""
    async with units.system("farm") as unit:
        await unit.session.execute(
            update(Worker)
            .where(Worker.state != "gone", Worker.seen_at < func.clock_timestamp() - timedelta(seconds=SILENT_S))
            .values(state="gone")
        )
        room = func.least(SchedFlow.max_running - SchedFlow.running, Tenant.max_running - Tenant.running)
        open_flow = ~SchedFlow.paused & Tenant.paused_at.is_(None)
        startable = func.greatest(func.least(SchedFlow.ready, room), 0)
        flows = await unit.session.execute(
            select(
                SchedFlow.pool,
                func.coalesce(func.sum(startable).filter(open_flow), 0),
                func.sum(SchedFlow.running),
            )
            .join(Tenant, Tenant.id == SchedFlow.tenant_id)
            .group_by(SchedFlow.pool)
        )
        counted = {pool: (int(eligible), int(running)) for pool, eligible, running in flows}
        workers = await unit.session.execute(select(Worker.pools).where(Worker.state == "active"))
        slots: dict[str, int] = {}
        for (entries,) in workers:
            for pool, count in slots_of(entries).items():
                slots[pool] = slots.get(pool, 0) + count
    return {
        pool: PoolLoad(*counted.get(pool, (0, 0)), slots.get(pool, 0)) for pool in sorted(counted.keys() | slots.keys())
    }


def renew_leases(held: Sequence[tuple[UUID, UUID, int]], lease_s: float) -> Update:
    """The statement that renews leases of (tenant, step, fence); it answers (step, job) of those still held."""
    return (
        update(Step)
        .where(tuple_(Step.tenant_id, Step.id, Step.fence).in_(held), Step.state == "running")
        .values(lease_expires=func.clock_timestamp() + timedelta(seconds=lease_s))
        .returning(Step.id, Step.job_id)
    )


def beat(worker_id: UUID, memory: int | None = None) -> Update:
    """The statement that says a worker lives and what it holds (bytes); it answers who has told it to drain.

    A worker that was taken for gone (an outage, a clock jump) is back.
    """
    state = case((Worker.state == "gone", "active"), else_=Worker.state)
    return (
        update(Worker)
        .where(Worker.id == worker_id)
        .values(seen_at=func.clock_timestamp(), state=state, memory=func.coalesce(memory, Worker.memory))
        .returning(Worker.drain_by)
    )
