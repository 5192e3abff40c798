"""Reads for the wizard: what waits at a job's gates, what was decided, earlier runs of steps, relatives of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, cast, select

from domain.dispatch.model import Step, StepDep
from domain.production.model import Approval, Job, StepRun
from domain.production.outlook import Line
from domain.production.queries.job import JobDetail
from tenants.unit import Unit


@dataclass(frozen=True)
class Decision:
    """One question of a job with its answer, if it has one, and the step it is about."""

    approval: Approval
    kind: str
    shard: str


async def decisions_of(unit: Unit, job_id: UUID) -> list[Decision]:
    """All questions of a job, the oldest first."""
    rows = await unit.session.execute(
        select(Approval, Step.kind, Step.shard)
        .join(Step, (Step.tenant_id == Approval.tenant_id) & (Step.id == Approval.step_id))
        .where(Approval.job_id == job_id)
        .order_by(Approval.created_at, Approval.id)
    )
    return [Decision(row, kind, shard) for row, kind, shard in rows]


async def job_of_question(unit: Unit, approval_id: UUID) -> UUID | None:
    """The job of a question that this principal may see, whether it waits or is answered."""
    rows = await unit.session.execute(
        select(Job.id, Job.project_id)
        .join(Approval, (Approval.tenant_id == Job.tenant_id) & (Approval.job_id == Job.id))
        .where(Approval.id == approval_id)
    )
    found = rows.one_or_none()
    return found.id if found is not None and unit.principal.can("jobs:read", found.project_id) else None


async def line_of(unit: Unit, detail: JobDetail) -> Line:
    """A job's steps with what they rest on, for an outlook."""
    of_job = select(Step.id).where(Step.job_id == detail.job.id)
    needs: dict[UUID, list[UUID]] = {}
    pairs = select(StepDep.step_id, StepDep.needs_id).where(StepDep.step_id.in_(of_job))
    for step_id, needs_id in await unit.session.execute(pairs):
        needs.setdefault(step_id, []).append(needs_id)
    return Line(detail.job.spec, detail.job.quote, detail.steps, needs)


async def runs_of(unit: Unit, step_id: UUID) -> list[StepRun]:
    """Earlier runs of a step, the newest first."""
    rows = await unit.session.scalars(
        select(StepRun).where(StepRun.step_id == step_id).order_by(StepRun.number.desc()).limit(50)
    )
    return list(rows)


async def find_run(unit: Unit, job: Job, run_id: UUID) -> StepRun | None:
    """An earlier run of one of a job's steps."""
    unit.principal.require("artifacts:read", job.project_id)
    run = await unit.session.get(StepRun, (unit.tenant_id, run_id))
    return run if run is not None and run.job_id == job.id else None


@dataclass(frozen=True)
class Relative:
    """A job made from this one: at which step it began to differ."""

    number: int
    title: str
    state: str
    origin: Mapping[str, Any]


async def forks_of(unit: Unit, job: Job) -> Sequence[Relative]:
    """The jobs that were made from this one, the newest first."""
    rows = await unit.session.execute(
        select(Job.number, Job.title, Job.state, Job.forked_from)
        .where(
            Job.project_id == job.project_id,
            Job.forked_from.is_not(None),
            cast(Job.forked_from["job"].astext, Integer) == job.number,
        )
        .order_by(Job.number.desc())
        .limit(50)
    )
    return [Relative(number, title, state, origin or {}) for number, title, state, origin in rows]
