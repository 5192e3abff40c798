"""Reads for the queue page: what runs, waits, is tried again or has failed in this workspace, and who works on it.

Of other workspaces nothing is told: pools have totals of workers and slots, and workers that do nothing for this
workspace are only counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import aliased

from domain.catalog.model import Project
from domain.dispatch.crew import done_lately
from domain.dispatch.farm import slots_of
from domain.dispatch.model import SchedFlow, SchedPool, Step, Worker
from domain.production.model import Job, Schedule
from domain.production.states import FINAL
from domain.production.visible import only_visible
from tenants.model import Tenant
from tenants.unit import Unit

MOST = 100
"""Rows of one list; the page says when there are more."""


@dataclass(frozen=True)
class QueueWish:
    """What a reader narrowed the page to; failed steps also by kind and class of error."""

    project_id: UUID | None = None
    kind: str = ""
    error: str = ""


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
    paused_by: str


@dataclass(frozen=True)
class StepLine:
    """A step with its job's address. `letter`: its job has failed, so the step can be replayed or discarded."""

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
    error_class: str
    worker_id: UUID | None
    letter: bool


@dataclass(frozen=True)
class WaitingLine:
    """A job of which nothing runs although it could."""

    job_id: UUID
    number: int
    title: str
    project: str
    state: str
    priority: int
    position: int | None
    ahead: int | None
    waiting: Mapping[str, Any] | None
    eta_p50: datetime | None
    eta_p90: datetime | None
    since: datetime


@dataclass(frozen=True)
class WorkerLine:
    """A worker that runs steps of this workspace. `memory` in bytes, with all that it has started."""

    id: UUID
    state: str
    pools: tuple[str, ...]
    memory: int | None
    seen_at: datetime
    steps: tuple[StepLine, ...]


@dataclass(frozen=True)
class Hold:
    """A pause: of the workspace, or of the project the page is narrowed to; `reason` empty = none."""

    reason: str = ""
    by: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class Queue:
    """The whole page. Totals count what the lists show the first of."""

    running: int
    limit: int
    hold: Hold
    project_hold: Hold
    pools: tuple[PoolLine, ...]
    waiting: tuple[WaitingLine, ...]
    workers: tuple[WorkerLine, ...]
    other_workers: int
    delayed: tuple[StepLine, ...]
    dead: tuple[StepLine, ...]
    totals: Mapping[str, int]
    schedules: tuple[tuple[Schedule, str], ...]
    now: datetime


async def read_queue(unit: Unit, wish: QueueWish = QueueWish()) -> Queue:
    """Read the queue page in a dozen statements."""
    unit.principal.require("jobs:read", wish.project_id)
    session = unit.session
    now = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    tenant = (await session.execute(select(Tenant))).scalar_one()
    project = await session.get(Project, (unit.tenant_id, wish.project_id)) if wish.project_id else None
    running = await _steps(unit, wish, "running")
    workers = (await session.execute(select(Worker).where(Worker.state != "gone").order_by(Worker.id))).scalars().all()
    mine = tuple(line for row in workers if (line := _worker(row, running)).steps)
    return Queue(
        running=tenant.running,
        limit=tenant.max_running,
        hold=_hold(tenant),
        project_hold=_hold(project) if project else Hold(),
        pools=await _pools(unit, workers),
        waiting=await _waiting(unit, wish),
        workers=mine,
        other_workers=len(workers) - len(mine),
        delayed=tuple(await _steps(unit, wish, "delayed")),
        dead=tuple(await _steps(unit, wish, "dead")),
        totals=await _totals(unit, wish),
        schedules=await next_schedules(unit, wish.project_id),
        now=now,
    )


def _hold(row: Tenant | Project) -> Hold:
    return Hold(row.paused_reason or "", row.paused_by or "", row.paused_at) if row.paused_at else Hold()


async def _pools(unit: Unit, workers: Sequence[Worker]) -> tuple[PoolLine, ...]:
    pools = (await unit.session.execute(select(SchedPool).order_by(SchedPool.pool))).scalars().all()
    flows = {row.pool: row for row in (await unit.session.execute(select(SchedFlow))).scalars()}
    seen = only_visible(unit.principal, Step.project_id)
    hour = {str(pool): int(count) for pool, count in await unit.session.execute(done_lately().where(*seen))}
    oldest_of = select(Step.pool, func.min(Step.ready_at)).where(Step.state == "ready", *seen).group_by(Step.pool)
    oldest = {str(pool): moment for pool, moment in await unit.session.execute(oldest_of)}
    entries = [slots_of(worker.pools) for worker in workers if worker.state == "active" and not worker.drain_by]
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
            paused_by=(row.paused_by or "") if row.paused_at else "",
        )
        for row in pools
    )


def narrowed(statement: Any, unit: Unit, wish: QueueWish) -> Any:
    """Leave the steps that the principal may see and the reader wants."""
    statement = statement.where(Project.archived_at.is_(None), *only_visible(unit.principal, Step.project_id))
    if wish.project_id is not None:
        statement = statement.where(Step.project_id == wish.project_id)
    return statement


def wanted_letters(statement: Any, wish: QueueWish) -> Any:
    """Leave the failed steps of the wanted kind and class of error."""
    statement = statement.where(Step.state == "dead")
    if wish.kind:
        statement = statement.where(Step.kind == wish.kind)
    if wish.error:
        statement = statement.where(Step.error_class == wish.error)
    return statement


def of_job(statement: Any) -> Any:
    """Join steps to their jobs and projects."""
    jobs = (Job.tenant_id == Step.tenant_id) & (Job.id == Step.job_id)
    projects = (Project.tenant_id == Step.tenant_id) & (Project.id == Step.project_id)
    return statement.select_from(Step).join(Job, jobs).join(Project, projects)


async def _steps(unit: Unit, wish: QueueWish, state: str) -> list[StepLine]:
    found = narrowed(of_job(select(Step, Job.number, Job.title, Job.state, Project.slug)), unit, wish)
    found = wanted_letters(found, wish) if state == "dead" else found.where(Step.state == state)
    found = found.where(Job.state != "cancelled").order_by(Step.not_before, Step.started_at.desc(), Step.id)
    rows = await unit.session.execute(found.limit(MOST))
    return [_line(*row) for row in rows]


def _line(step: Step, number: int, title: str, job_state: str, project: str) -> StepLine:
    return StepLine(
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
        error_class=step.error_class or "",
        worker_id=step.worker_id,
        letter=step.state == "dead" and job_state == "failed",
    )


async def _totals(unit: Unit, wish: QueueWish) -> Mapping[str, int]:
    counted = narrowed(of_job(select(Step.state, func.count())), unit, wish).where(Job.state != "cancelled")
    rows = await unit.session.execute(
        counted.where(Step.state.in_(("running", "delayed", "ready"))).group_by(Step.state)
    )
    dead = wanted_letters(narrowed(of_job(select(func.count())), unit, wish), wish).where(Job.state != "cancelled")
    return {**{str(state): int(many) for state, many in rows}, "dead": await unit.session.scalar(dead) or 0}


def _worker(row: Worker, steps: Sequence[StepLine]) -> WorkerLine:
    mine = tuple(step for step in steps if step.worker_id == row.id)
    state = "draining" if row.drain_by else row.state
    return WorkerLine(row.id, state, tuple(row.pools), row.memory, row.seen_at, mine)


async def _waiting(unit: Unit, wish: QueueWish) -> tuple[WaitingLine, ...]:
    """Jobs with a ready step and none that runs, in the order in which they will be served."""
    busy = aliased(Step)
    runs = exists().where(busy.tenant_id == Job.tenant_id, busy.job_id == Job.id, busy.state == "running")
    found = narrowed(of_job(select(Job, Project.slug, func.min(Step.ready_at))), unit, wish)
    found = found.where(Step.state == "ready", Job.state.not_in(FINAL), ~runs).group_by(
        Job.tenant_id, Job.id, Project.slug
    )
    rows = await unit.session.execute(found.order_by(Job.position.nulls_last(), Job.priority, Job.seq).limit(MOST))
    return tuple(
        WaitingLine(
            job_id=job.id,
            number=job.number,
            title=job.title,
            project=slug,
            state=job.state,
            priority=job.priority,
            position=job.position,
            ahead=job.ahead,
            waiting=job.waiting,
            eta_p50=job.eta_p50,
            eta_p90=job.eta_p90,
            since=since or job.created_at,
        )
        for job, slug, since in rows
    )


async def next_schedules(
    unit: Unit, project_id: UUID | None = None, most: int = MOST
) -> tuple[tuple[Schedule, str], ...]:
    """Schedules with their project, the next one first."""
    unit.principal.require("jobs:read", project_id)
    found = select(Schedule, Project.slug).join(
        Project, (Project.tenant_id == Schedule.tenant_id) & (Project.id == Schedule.project_id)
    )
    if project_id is not None:
        found = found.where(Schedule.project_id == project_id)
    rows = await unit.session.execute(
        found.where(Project.archived_at.is_(None), *only_visible(unit.principal, Schedule.project_id))
        .order_by(Schedule.next_at.nulls_last(), Schedule.id)
        .limit(most)
    )
    return tuple((row, slug) for row, slug in rows)


async def letter_choices(unit: Unit, project_id: UUID | None = None) -> list[tuple[str, str, int]]:
    """The kinds and classes of error of failed steps, with their numbers, for the page's filters."""
    unit.principal.require("jobs:read", project_id)
    wish = QueueWish(project_id)
    counted = narrowed(of_job(select(Step.kind, func.coalesce(Step.error_class, ""), func.count())), unit, wish)
    rows = await unit.session.execute(
        counted.where(Step.state == "dead", Job.state == "failed")
        .group_by(Step.kind, Step.error_class)
        .order_by(func.count().desc(), Step.kind)
        .limit(MOST)
    )
    return [(kind, error, int(many)) for kind, error, many in rows]


async def letters(unit: Unit, wish: QueueWish, ids: Sequence[UUID] | None = None) -> list[tuple[UUID, str, int, str]]:
    """Failed jobs behind dead letters as (job, project, number, title): those of a filter, or those of `ids`."""
    unit.principal.require("jobs:read", wish.project_id)
    chosen = of_job(select(Job.id, Project.slug, Job.number, Job.title, Job.seq).distinct())
    found = wanted_letters(narrowed(chosen, unit, wish), wish).where(Job.state == "failed")
    if ids is not None:
        found = found.where(Job.id.in_(ids))
    rows = await unit.session.execute(found.order_by(Job.seq))
    return [(job_id, slug, number, title) for job_id, slug, number, title, _ in rows]
