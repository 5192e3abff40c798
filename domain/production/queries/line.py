"""Reads for the queue page and the inbox: what runs, waits, is delayed or dead in this workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from domain.catalog.model import Project
from domain.dispatch.farm import slots_of
from domain.dispatch.model import Attempt, SchedFlow, SchedPool, Step, Worker
from domain.production.model import Approval, Job, Schedule
from domain.production.visible import only_visible
from tenants.model import Tenant
from tenants.unit import Unit

MOST = 100


@dataclass(frozen=True)
class PoolLine:
    """A pool as this workspace sees it. `hour` counts its own steps that succeeded in the last hour."""

    pool: str
    ready: int
    running: int
    limit: int
    slots: int
    workers: int
    hour: int
    oldest: datetime | None
    paused: str


@dataclass(frozen=True)
class StepLine:
    """A step with its job's address."""

    id: UUID
    job_id: UUID
    number: int
    title: str
    project: str
    kind: str
    shard: str
    state: str
    attempt: int
    max_attempts: int
    not_before: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    error: dict[str, Any] | None
    worker_id: UUID | None


@dataclass(frozen=True)
class WorkerLine:
    """A worker of the farm; its step is told only when it is this workspace's."""

    id: UUID
    host: str
    state: str
    pools: tuple[str, ...]
    memory: int | None
    seen_at: datetime
    steps: tuple[StepLine, ...]


@dataclass(frozen=True)
class Queue:
    """The whole page."""

    running: int
    limit: int
    paused: str
    pools: tuple[PoolLine, ...]
    workers: tuple[WorkerLine, ...]
    delayed: tuple[StepLine, ...]
    dead: tuple[StepLine, ...]
    schedules: tuple[tuple[Schedule, str], ...]
    now: datetime


async def read_queue(unit: Unit) -> Queue:
    """Read the queue page in eight statements."""
    unit.principal.require("jobs:read")
    session = unit.session
    now = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    tenant = (await session.execute(select(Tenant))).scalar_one()
    steps = await _steps(unit, ("running", "delayed", "dead"))
    workers = (await session.execute(select(Worker).where(Worker.state != "gone").order_by(Worker.id))).scalars().all()
    return Queue(
        running=tenant.running,
        limit=tenant.max_running,
        paused=(tenant.paused_reason or "") if tenant.paused_at else "",
        pools=await _pools(unit, workers, now),
        workers=tuple(_worker(row, steps) for row in workers),
        delayed=tuple(step for step in steps if step.state == "delayed"),
        dead=tuple(step for step in steps if step.state == "dead"),
        schedules=await _schedules(unit),
        now=now,
    )


async def _pools(unit: Unit, workers: Sequence[Worker], now: datetime) -> tuple[PoolLine, ...]:
    pools = (await unit.session.execute(select(SchedPool).order_by(SchedPool.pool))).scalars().all()
    flows = {row.pool: row for row in (await unit.session.execute(select(SchedFlow))).scalars()}
    done = select(Step.pool, func.count()).join(
        Attempt, (Attempt.tenant_id == Step.tenant_id) & (Attempt.step_id == Step.id)
    )
    seen = only_visible(unit.principal, Step.project_id)
    recent = done.where(Attempt.outcome == "succeeded", Attempt.ended_at > now - timedelta(hours=1), *seen)
    hour = {pool: int(count) for pool, count in await unit.session.execute(recent.group_by(Step.pool))}
    oldest_of = select(Step.pool, func.min(Step.ready_at)).where(Step.state == "ready", *seen).group_by(Step.pool)
    oldest = {str(pool): moment for pool, moment in await unit.session.execute(oldest_of)}
    entries = [slots_of(worker.pools) for worker in workers if worker.state == "active"]
    return tuple(
        PoolLine(
            pool=row.pool,
            ready=flows[row.pool].ready if row.pool in flows else 0,
            running=flows[row.pool].running if row.pool in flows else 0,
            limit=flows[row.pool].max_running if row.pool in flows else 0,
            slots=sum(entry.get(row.pool, 0) for entry in entries),
            workers=sum(row.pool in entry for entry in entries),
            hour=hour.get(row.pool, 0),
            oldest=oldest.get(row.pool),
            paused=(row.paused_reason or "") if row.paused_at else "",
        )
        for row in pools
    )


async def _steps(unit: Unit, states: Sequence[str]) -> list[StepLine]:
    rows = await unit.session.execute(
        select(Step, Job.number, Job.title, Project.slug)
        .join(Job, (Job.tenant_id == Step.tenant_id) & (Job.id == Step.job_id))
        .join(Project, (Project.tenant_id == Step.tenant_id) & (Project.id == Step.project_id))
        .where(Step.state.in_(states), Project.archived_at.is_(None), *only_visible(unit.principal, Step.project_id))
        .order_by(Step.state, Step.not_before, Step.started_at)
        .limit(MOST * 3)
    )
    return [
        StepLine(
            id=step.id,
            job_id=step.job_id,
            number=number,
            title=title,
            project=project,
            kind=step.kind,
            shard=step.shard,
            state=step.state,
            attempt=step.attempt,
            max_attempts=step.max_attempts,
            not_before=step.not_before,
            started_at=step.started_at,
            finished_at=step.finished_at,
            error=step.error,
            worker_id=step.worker_id,
        )
        for step, number, title, project in rows
    ]


def _worker(row: Worker, steps: Sequence[StepLine]) -> WorkerLine:
    mine = tuple(step for step in steps if step.state == "running" and step.worker_id == row.id)
    return WorkerLine(row.id, row.host, row.state, tuple(row.pools), row.memory, row.seen_at, mine)


async def _schedules(unit: Unit) -> tuple[tuple[Schedule, str], ...]:
    rows = await unit.session.execute(
        select(Schedule, Project.slug)
        .join(Project, (Project.tenant_id == Schedule.tenant_id) & (Project.id == Schedule.project_id))
        .where(*only_visible(unit.principal, Schedule.project_id))
        .order_by(Schedule.next_at.nulls_last(), Schedule.id)
        .limit(MOST)
    )
    return tuple((row, slug) for row, slug in rows)


@dataclass(frozen=True)
class Question:
    """A gate that waits for a person."""

    id: UUID
    job_id: UUID
    number: int
    title: str
    project: str
    project_name: str
    kind: str
    seen_version: str
    instruction: str
    asked_at: datetime
    expires_at: datetime | None
    may_decide: bool


async def inbox(unit: Unit) -> list[Question]:
    """The questions of all projects this principal may see, oldest first."""
    unit.principal.require("jobs:read")
    rows = await unit.session.execute(
        select(Approval, Job.number, Job.title, Job.project_id, Project.slug, Project.name, Step.kind, Step.instruction)
        .join(Job, (Job.tenant_id == Approval.tenant_id) & (Job.id == Approval.job_id))
        .join(Project, (Project.tenant_id == Job.tenant_id) & (Project.id == Job.project_id))
        .join(Step, (Step.tenant_id == Approval.tenant_id) & (Step.id == Approval.step_id))
        .where(Approval.state == "waiting", *only_visible(unit.principal, Job.project_id))
        .order_by(Approval.created_at, Approval.id)
        .limit(MOST)
    )
    return [
        Question(
            id=row.id,
            job_id=row.job_id,
            number=number,
            title=title,
            project=slug,
            project_name=name,
            kind=kind,
            seen_version=row.seen_version,
            instruction=instruction or "",
            asked_at=row.created_at,
            expires_at=row.expires_at,
            may_decide=unit.principal.can("approvals:decide", project_id),
        )
        for row, number, title, project_id, slug, name, kind, instruction in rows
    ]
