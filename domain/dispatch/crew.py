"""Who works on the farm and at what, for its operator: workers with their steps, orders to drain, counts by pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update

from domain.dispatch.capacity import BadOrder
from domain.dispatch.model import Attempt, Step, Worker
from tenants.model import Tenant
from tenants.unit import Units

LONGEST = timedelta(hours=24)
"""Attempts that began earlier are not looked for when the last hour is counted."""


@dataclass(frozen=True)
class AtWork:
    """A step that a worker runs; of the workspace nothing but its short name is told."""

    workspace: str
    kind: str
    shard: str
    started_at: datetime | None


@dataclass(frozen=True)
class Hand:
    """A worker unit that is not gone. `memory` in bytes, with all that it has started; `silent_s` since its beat."""

    id: UUID
    host: str
    pid: int
    state: str
    pools: tuple[str, ...]
    slots: int
    memory: int | None
    version: str
    drain_by: str
    started_at: datetime
    seen_at: datetime
    silent_s: float
    steps: tuple[AtWork, ...]

    @property
    def name(self) -> str:
        """How people name it: host and process."""
        return f"{self.host}:{self.pid}"


async def crew(units: Units) -> list[Hand]:
    """Every worker unit that is not gone, by host, with the steps it runs."""
    async with units.system("crew") as unit:
        running = await unit.session.execute(
            select(Step.worker_id, Tenant.slug, Step.kind, Step.shard, Step.started_at)
            .join(Tenant, Tenant.id == Step.tenant_id)
            .where(Step.state == "running")
            .order_by(Step.started_at)
        )
        steps: dict[UUID | None, list[AtWork]] = {}
        for worker_id, slug, kind, shard, started in running:
            steps.setdefault(worker_id, []).append(AtWork(slug, kind, shard, started))
        silent = func.extract("epoch", func.clock_timestamp() - Worker.seen_at)
        rows = await unit.session.execute(
            select(Worker, silent).where(Worker.state != "gone").order_by(Worker.host, Worker.pid, Worker.id)
        )
        return [_hand(row, float(seconds), steps.get(row.id, ())) for row, seconds in rows]


def _hand(row: Worker, silent_s: float, steps: Sequence[AtWork]) -> Hand:
    return Hand(
        id=row.id,
        host=row.host,
        pid=row.pid,
        state="draining" if row.drain_by else row.state,
        pools=tuple(row.pools),
        slots=row.slots,
        memory=row.memory,
        version=row.version,
        drain_by=row.drain_by or "",
        started_at=row.started_at,
        seen_at=row.seen_at,
        silent_s=max(0.0, silent_s),
        steps=tuple(steps),
    )


async def order_drain(units: Units, wanted: str, by: str) -> Hand:
    """Tell a worker (its id, or host:process) to take nothing more and end. Raises BadOrder.

    It hears of it with its next beat; steps that run may finish.
    """
    found = [hand for hand in await crew(units) if wanted in (str(hand.id), hand.name)]
    if len(found) != 1:
        raise BadOrder(f"There is no worker “{wanted[:80]}”. `vfos workers list` names them.", "worker")
    (hand,) = found
    if hand.state != "active":
        raise BadOrder(f"The worker {hand.name} is draining already.", "draining")
    async with units.system("crew") as unit:
        told = update(Worker).where(Worker.id == hand.id, Worker.drain_by.is_(None)).values(drain_by=by[:100])
        if (await unit.session.execute(told.returning(Worker.id))).scalar_one_or_none() is None:
            raise BadOrder(f"The worker {hand.name} is draining already.", "draining")
    return hand


@dataclass(frozen=True)
class PoolCount:
    """A pool in numbers, over all workspaces. `hour`: steps that succeeded in the last hour."""

    ready: int = 0
    delayed: int = 0
    dead: int = 0
    hour: int = 0


async def pool_counts(units: Units) -> dict[str, PoolCount]:
    """Count what waits, is delayed, dead, and was done lately, by pool."""
    async with units.system("crew") as unit:
        states = await unit.session.execute(
            select(Step.pool, _counted("ready"), _counted("delayed"), _counted("dead"))
            .where(Step.state.in_(("ready", "delayed", "dead")))
            .group_by(Step.pool)
        )
        counted = {str(pool): (ready, delayed, dead) for pool, ready, delayed, dead in states}
        hours: dict[str, int] = {str(pool): many for pool, many in await unit.session.execute(done_lately())}
    return {
        pool: PoolCount(*counted.get(pool, (0, 0, 0)), hours.get(pool, 0)) for pool in counted.keys() | hours.keys()
    }


def _counted(state: str) -> ColumnElement[int]:
    return func.count().filter(Step.state == state)


def done_lately() -> Any:
    """The statement that counts, by pool, attempts that succeeded in the last hour."""
    now = func.clock_timestamp()
    mine: ColumnElement[bool] = (Attempt.tenant_id == Step.tenant_id) & (Attempt.step_id == Step.id)
    return (
        select(Step.pool, func.count())
        .join(Attempt, mine)
        .where(
            Attempt.started_at > now - LONGEST,
            Attempt.outcome == "succeeded",
            Attempt.ended_at > now - timedelta(hours=1),
        )
        .group_by(Step.pool)
    )
