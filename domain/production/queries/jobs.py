"""The list of a project's jobs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from domain.dispatch.model import Step
from domain.production.model import Job
from domain.production.queries.job_filter import JobFilter as JobFilter
from domain.production.queries.job_filter import matching
from domain.usage.model import Effect
from tenants.unit import Unit

PAGE = 50


@dataclass(frozen=True)
class StageCount:
    """The steps of one kind in one state, of one job."""

    kind: str
    state: str
    count: int
    ordinal: int


@dataclass(frozen=True)
class JobLine:
    """One row of the job list. `micro_dollars` None = a price is unknown."""

    number: int
    title: str
    state: str
    recipe_slug: str
    recipe_version: int
    made_by_name: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    recipe_kinds: tuple[str, ...]
    stages: tuple[StageCount, ...]
    micro_dollars: int | None
    priority: int = 0
    position: int | None = None
    ahead: int | None = None
    waiting: Mapping[str, Any] | None = None
    eta_p50: datetime | None = None
    eta_p90: datetime | None = None


@dataclass(frozen=True)
class JobList:
    """One page of jobs, newest first; `next_before` continues it, `total` counts what matches."""

    lines: tuple[JobLine, ...]
    next_before: int | None
    total: int
    any_at_all: bool
    newest: int


async def list_jobs(unit: Unit, project_id: UUID, wanted: JobFilter, limit: int = PAGE) -> JobList:
    """Answer a page of a project's jobs in five statements."""
    unit.principal.require("jobs:read", project_id)
    wanted_jobs = matching(project_id, wanted)
    total = await unit.session.scalar(select(func.count()).select_from(wanted_jobs.subquery())) or 0
    newest = await unit.session.scalar(select(func.max(Job.number)).where(Job.project_id == project_id)) or 0
    page = wanted_jobs.order_by(Job.number.desc()).limit(limit + 1)
    if wanted.before is not None:
        page = page.where(Job.number < wanted.before)
    jobs = (await unit.session.execute(page)).scalars().all()
    more, jobs = len(jobs) > limit, jobs[:limit]
    ids = [job.id for job in jobs]
    stages, costs = await _stages_of(unit, ids), await costs_of(unit, ids)
    lines = tuple(_line(job, stages.get(job.id, ()), costs.get(job.id, 0)) for job in jobs)
    return JobList(lines, lines[-1].number if more else None, total, newest > 0, newest)


def _line(job: Job, stages: Sequence[StageCount], micro_dollars: int | None) -> JobLine:
    return JobLine(
        number=job.number,
        title=job.title,
        state=job.state,
        recipe_slug=job.recipe_slug,
        recipe_version=job.recipe_version,
        made_by_name=job.made_by_name,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        recipe_kinds=recipe_kinds(job.spec),
        stages=tuple(stages),
        micro_dollars=micro_dollars,
        priority=job.priority,
        position=job.position,
        ahead=job.ahead,
        waiting=job.waiting,
        eta_p50=job.eta_p50,
        eta_p90=job.eta_p90,
    )


def recipe_kinds(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The step kinds of the recipe, in its order."""
    return tuple(str(step["kind"]) for step in spec.get("recipe", {}).get("steps", ()))


async def _stages_of(unit: Unit, ids: Sequence[UUID]) -> dict[UUID, list[StageCount]]:
    statement = (
        select(Step.job_id, Step.kind, Step.state, func.count(), func.min(Step.ordinal))
        .where(Step.job_id.in_(ids))
        .group_by(Step.job_id, Step.kind, Step.state)
    )
    answer: dict[UUID, list[StageCount]] = {}
    for job_id, kind, state, count, ordinal in await unit.session.execute(statement):
        answer.setdefault(job_id, []).append(StageCount(kind, state, count, ordinal))
    return answer


async def costs_of(unit: Unit, ids: Sequence[UUID]) -> dict[UUID, int | None]:
    """Sum of what was paid, by job; None where a finished call has no price."""
    statement = (
        select(
            Effect.job_id,
            func.sum(Effect.micro_dollars),
            func.count().filter(Effect.unpriced > 0),
        )
        .where(Effect.job_id.in_(ids))
        .group_by(Effect.job_id)
    )
    return {
        job_id: None if unknown else int(paid or 0) for job_id, paid, unknown in await unit.session.execute(statement)
    }


async def newest_number(unit: Unit, project_id: UUID) -> int:
    """The highest job number of a project."""
    unit.principal.require("jobs:read", project_id)
    return await unit.session.scalar(select(func.max(Job.number)).where(Job.project_id == project_id)) or 0


async def jobs_for(
    unit: Unit, project_id: UUID, wanted: JobFilter, states: Collection[str], most: int
) -> tuple[int, list[tuple[UUID, int, str]]]:
    """The jobs of a filter that are in one of these states: how many, and the oldest of them as (id, number, title)."""
    unit.principal.require("jobs:read", project_id)
    found = matching(project_id, wanted).where(Job.state.in_(states))
    total = await unit.session.scalar(select(func.count()).select_from(found.subquery())) or 0
    rows = await unit.session.execute(found.order_by(Job.number).limit(most))
    return total, [(job.id, job.number, job.title) for job in rows.scalars()]
