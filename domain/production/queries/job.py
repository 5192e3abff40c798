"""One job: all that its page shows, and the cheap fingerprint that tells whether it has changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import bindparam, func, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by

from domain.catalog.model import CatalogItem, Project
from domain.dispatch.model import Attempt, Step, StepDep
from domain.production.model import Artifact, ArtifactRef, Job
from domain.production.states import FINAL
from domain.usage.model import Effect
from tenants.model import Event
from tenants.unit import Unit


@dataclass(frozen=True)
class Output:
    """A named output of a job with what is known of its content."""

    name: str
    role: str
    position: int
    step_id: UUID
    sha256: str
    size: int
    media_type: str
    facts: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True)
class Spent:
    """What one kind of step has paid one provider; `unknown` calls have no known price."""

    step_kind: str
    provider: str
    calls: int
    micro_dollars: int
    unknown: int


@dataclass(frozen=True)
class Parts:
    """How many parts a step has made, and how many it has found made before."""

    made: int
    found: int


@dataclass(frozen=True)
class JobDetail:
    """A job with all that its page shows; `seq` is the last event that this reading includes.

    `recipe` is the recipe's name, archived or not; `parts` (by kind and shard of a step) is read once the job has
    ended; `reroutes` tells which kinds of steps were moved to other pools, because their own had no worker in time.
    """

    job: Job
    steps: tuple[Step, ...]
    outputs: tuple[Output, ...]
    spent: tuple[Spent, ...]
    seq: int
    recipe: str = ""
    parts: Mapping[tuple[str, str], Parts] = field(default_factory=dict)
    reroutes: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Pulse:
    """A cheap fingerprint of a job: when it is equal, the page has not changed."""

    state: str
    control: str
    version: int
    log_lines: int
    seq: int
    steps: tuple[int, ...]
    eta: datetime | None


_JOB_BY_ADDRESS = (
    select(Job)
    .join(Project, (Project.tenant_id == Job.tenant_id) & (Project.id == Job.project_id))
    .where(
        Project.slug == bindparam("project"),
        Project.archived_at.is_(None),
        Job.number == bindparam("number"),
    )
)
_NEWEST_EVENT = select(func.max(Event.seq)).where(Event.job_id == bindparam("job"))
_RECIPE_NAME = select(CatalogItem.name).where(CatalogItem.kind == "recipe", CatalogItem.slug == bindparam("recipe"))
_REROUTES = select(func.jsonb_agg(aggregate_order_by(Event.data, Event.seq))).where(
    Event.job_id == bindparam("job"), Event.type == "step.rerouted"
)
_FRAME = select(_NEWEST_EVENT.scalar_subquery(), _RECIPE_NAME.scalar_subquery(), _REROUTES.scalar_subquery())
_STEPS = select(Step).where(Step.job_id == bindparam("job")).order_by(Step.ordinal, Step.kind, Step.shard)
# These are built once: building a statement costs as much as running it.


async def find_job(unit: Unit, project_slug: str, number: int) -> Job | None:
    """A job by its address, or None: missing, foreign and out of one's projects are the same answer."""
    found = await unit.session.execute(_JOB_BY_ADDRESS, {"project": project_slug, "number": number})
    job = found.scalar_one_or_none()
    return job if job is not None and unit.principal.can("jobs:read", job.project_id) else None


async def job_detail(unit: Unit, job: Job) -> JobDetail:
    """Read a job's page in five statements at most; the event number is read first, so replay never misses a change."""
    unit.principal.require("jobs:read", job.project_id)
    seq, recipe, reroutes = (await unit.session.execute(_FRAME, {"job": job.id, "recipe": job.recipe_slug})).one()
    steps = (await unit.session.execute(_STEPS, {"job": job.id})).scalars()
    outputs = await outputs_of(unit, job.id)
    parts = await _parts(unit, job.id) if job.state in FINAL else {}
    spent = await _spent(unit, job.id)
    moved = tuple(reroutes or ())
    return JobDetail(job, tuple(steps), outputs, spent, seq or 0, recipe or job.recipe_slug, parts, moved)


async def pulse(unit: Unit, job_id: UUID) -> Pulse | None:
    """Read the fingerprint of a job in one statement."""
    here = select(Step).where(Step.job_id == job_id).subquery("here")
    newest = select(func.coalesce(func.max(Event.seq), 0)).where(Event.job_id == job_id).scalar_subquery()
    counts = (
        select(
            func.count(),
            func.count().filter(here.c.state == "succeeded"),
            func.count().filter(here.c.state == "running"),
            func.coalesce(func.sum(here.c.attempt), 0),
            func.coalesce(func.sum(here.c.done), 0),
            func.coalesce(func.sum(here.c.total), 0),
        )
        .select_from(here)
        .subquery("counts")
    )
    columns = (Job.state, Job.control, Job.version, Job.log_lines, Job.eta_p50, newest, *counts.c)
    # The counts are one row, whatever the job.
    statement = select(*columns).join(counts, true()).where(Job.id == job_id)
    row = (await unit.session.execute(statement)).one_or_none()
    if row is None:
        return None
    state, control, version, lines, eta, seq, *steps = cast("tuple[Any, ...]", row)
    return Pulse(state, control, version, lines, int(seq), tuple(int(count) for count in steps), eta)


async def outputs_of(unit: Unit, job_id: UUID) -> tuple[Output, ...]:
    """A job's outputs in the order of their steps."""
    return tuple(_output(row) for row in await unit.session.execute(_OUTPUTS, {"job": job_id}))


async def find_output(unit: Unit, job: Job, name: str) -> Output | None:
    """One output of a job by name."""
    unit.principal.require("artifacts:read", job.project_id)
    row = (await unit.session.execute(_OUTPUTS.where(ArtifactRef.name == name), {"job": job.id})).one_or_none()
    return None if row is None else _output(row)


_OUTPUTS = (
    select(
        ArtifactRef.name,
        ArtifactRef.role,
        ArtifactRef.position,
        ArtifactRef.step_id,
        ArtifactRef.sha256,
        Artifact.size,
        Artifact.media_type,
        Artifact.facts.label("content_facts"),
        ArtifactRef.facts,
        ArtifactRef.created_at,
    )
    .join(Artifact, (Artifact.tenant_id == ArtifactRef.tenant_id) & (Artifact.sha256 == ArtifactRef.sha256))
    .where(ArtifactRef.job_id == bindparam("job"))
    .order_by(ArtifactRef.created_at, ArtifactRef.position, ArtifactRef.name)
)


def _output(row: Any) -> Output:
    return Output(
        name=row.name,
        role=row.role,
        position=row.position,
        step_id=row.step_id,
        sha256=row.sha256,
        size=row.size,
        media_type=row.media_type,
        facts={**row.content_facts, **row.facts},
        created_at=row.created_at,
    )


_COUNTED = (
    select(Event.data)
    .where(Event.job_id == bindparam("job"), Event.type.in_(("step.succeeded", "step.waiting")))
    .order_by(Event.seq)
)


async def _parts(unit: Unit, job_id: UUID) -> dict[tuple[str, str], Parts]:
    """Read what steps have counted at their last success."""
    rows = await unit.session.execute(_COUNTED, {"job": job_id})
    return {
        (str(data["step"]), str(data.get("shard", ""))): Parts(int(data.get("made", 0)), int(data.get("found", 0)))
        for data in rows.scalars()
        if "step" in data
    }


_PAID = func.coalesce(func.sum(Effect.micro_dollars), 0)
_SPENT = (
    select(
        Effect.step_kind,
        Effect.provider,
        func.count(),
        _PAID,
        func.count().filter(Effect.unpriced > 0),
    )
    .where(Effect.job_id == bindparam("job"))
    .group_by(Effect.step_kind, Effect.provider)
    .order_by(_PAID.desc(), Effect.step_kind, Effect.provider)
)


async def _spent(unit: Unit, job_id: UUID) -> tuple[Spent, ...]:
    return tuple(
        Spent(kind, provider, calls, int(paid or 0), unknown)
        for kind, provider, calls, paid, unknown in await unit.session.execute(_SPENT, {"job": job_id})
    )


@dataclass(frozen=True)
class Tries:
    """The attempts of a job's steps and what each step needs, for the waterfall."""

    attempts: Mapping[UUID, tuple[Attempt, ...]]
    needs: Mapping[UUID, tuple[UUID, ...]]


async def tries_of(unit: Unit, job_id: UUID) -> Tries:
    """Read attempts and dependencies of a job in two statements."""
    of_job = select(Step.id).where(Step.job_id == job_id)
    rows = await unit.session.execute(
        select(Attempt).where(Attempt.step_id.in_(of_job)).order_by(Attempt.step_id, Attempt.number)
    )
    attempts: dict[UUID, list[Attempt]] = {}
    for attempt in rows.scalars():
        attempts.setdefault(attempt.step_id, []).append(attempt)
    needs: dict[UUID, list[UUID]] = {}
    pairs = select(StepDep.step_id, StepDep.needs_id).where(StepDep.step_id.in_(of_job))
    for step_id, needs_id in await unit.session.execute(pairs):
        needs.setdefault(step_id, []).append(needs_id)
    return Tries({k: tuple(v) for k, v in attempts.items()}, {k: tuple(v) for k, v in needs.items()})
