"""Reads for programs: what a key can reach, jobs over all projects, and events in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from domain.catalog.model import Project
from domain.dispatch.model import Step
from domain.production.model import Approval, Job
from domain.production.queries.job_filter import JobFilter, conditions
from domain.production.queries.jobs import costs_of
from domain.production.visible import only_visible
from tenants.model import Event
from tenants.principal import Principal
from tenants.unit import Unit


async def reach_project(unit: Unit, slug: str) -> Project | None:
    """A project that is not archived and within the principal's narrowing, or None."""
    found = await unit.session.scalars(
        select(Project).where(
            Project.slug == slug, Project.archived_at.is_(None), *only_visible(unit.principal, Project.id)
        )
    )
    return found.one_or_none()


async def reach_job(unit: Unit, job_id: UUID) -> tuple[Job, str] | None:
    """A job by its id with its project's short name, or None: missing, foreign and out of reach are the same."""
    row = (await unit.session.execute(_jobs(unit.principal).where(Job.id == job_id))).one_or_none()
    return None if row is None else (row[0], row[1])


async def reach_step(unit: Unit, job: Job, name: str) -> Step | None:
    """A step of a job by its kind, and its part after a dot; None when there is none."""
    kind, _, shard = name.partition(".")
    found = await unit.session.scalars(
        select(Step).where(Step.job_id == job.id, Step.kind == kind, Step.shard == shard)
    )
    return found.one_or_none()


async def reach_question(unit: Unit, approval_id: UUID) -> UUID | None:
    """The job of a question at a gate, whether it waits or is answered; None when there is none."""
    return await unit.session.scalar(select(Approval.job_id).where(Approval.id == approval_id))


def _jobs(principal: Principal) -> Select[Job, str]:
    return (
        select(Job, Project.slug)
        .join(Project, (Project.tenant_id == Job.tenant_id) & (Project.id == Job.project_id))
        .where(Project.archived_at.is_(None), *only_visible(principal, Job.project_id))
    )


# ── Jobs ──────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class FoundJob:
    """A job of a list. `micro_dollars` None = a price is unknown."""

    job: Job
    project: str
    micro_dollars: int | None


async def find_program_jobs(
    unit: Unit, wanted: JobFilter, project_id: UUID | None, before: UUID | None, limit: int
) -> tuple[list[FoundJob], bool]:
    """Jobs of all projects within reach, the newest first, and whether there are more. Raises Forbidden."""
    unit.principal.require("jobs:read", project_id)
    page = _jobs(unit.principal).where(*conditions(wanted)).order_by(Job.id.desc()).limit(limit + 1)
    if project_id is not None:
        page = page.where(Job.project_id == project_id)
    if before is not None:
        page = page.where(Job.id < before)
    rows = (await unit.session.execute(page)).all()
    costs = await costs_of(unit, [row[0].id for row in rows[:limit]])
    return [FoundJob(job, slug, costs.get(job.id, 0)) for job, slug in rows[:limit]], len(rows) > limit


# ── Events ────────────────────────────────────────────────────────────────────────────────────────────────
HINTS = ("log",)
"""Types that only tell pages to read on; nothing has happened."""


@dataclass(frozen=True)
class FoundEvent:
    """Something that happened to a job."""

    seq: int
    type: str
    at: datetime
    job_id: UUID
    number: int
    project: str
    data: Mapping[str, Any]


async def find_events(unit: Unit, after: int, limit: int, job_id: UUID | None = None) -> list[FoundEvent]:
    """Events of jobs within reach after a number of the workspace, in their order. Raises Forbidden."""
    unit.principal.require("jobs:read")
    statement = (
        select(Event, Job.id, Job.number, Project.slug)
        .join(Job, (Job.tenant_id == Event.tenant_id) & (Job.id == Event.job_id))
        .join(Project, (Project.tenant_id == Job.tenant_id) & (Project.id == Job.project_id))
        .where(
            Event.seq > after,
            Event.type.not_in(HINTS),
            Project.archived_at.is_(None),
            *only_visible(unit.principal, Job.project_id),
        )
        .order_by(Event.seq)
        .limit(limit)
    )
    if job_id is not None:
        statement = statement.where(Event.job_id == job_id)
    return [
        FoundEvent(event.seq, event.type, event.at, of_job, number, slug, event.data)
        for event, of_job, number, slug in await unit.session.execute(statement)
    ]


async def newest_event(unit: Unit) -> int:
    """The number of the workspace's newest event; 0 before the first. Raises Forbidden."""
    unit.principal.require("jobs:read")
    return await unit.session.scalar(select(func.max(Event.seq)).where(Event.tenant_id == unit.tenant_id)) or 0
