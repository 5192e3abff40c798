"""What the pump does for jobs of all tenants: say when they will be done, write manifests that a crash prevented."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.dispatch.model import Step, StepDep
from domain.dispatch.stats import PRIOR_SPREAD, Remaining, Worked, cautions, pace, seconds_left
from domain.production.manifest import NAME
from domain.production.model import ArtifactRef, Job
from tenants.unit import Units

ACTIVE = ("queued", "running")
KNOWN = ("blocked", "ready", "running", "delayed", "succeeded")
MAKING_S_PER_FILM_S = 0.8
"""Seconds of one slot per second of film, for work that is not planned yet."""
SPREAD = 1.0 + PRIOR_SPREAD
STILL_S = 1.0
"""Estimates that moved less than this are not written again."""


@dataclass(frozen=True)
class Forecast:
    """When a job will be done: the middle and the cautious estimate."""

    p50: datetime
    p90: datetime


def forecast(
    now: datetime,
    steps: Sequence[Remaining],
    unplanned_s: float,
    slots: int,
    active_jobs: int,
    caution: float = SPREAD,
) -> Forecast:
    """Estimate a job's end when the slots are shared evenly between the jobs at work."""
    share = max(1, slots // max(1, active_jobs))
    crowd = max(1.0, active_jobs / max(1, slots))
    left = (seconds_left(steps, share) + unplanned_s / share) * crowd
    return Forecast(now + timedelta(seconds=left), now + timedelta(seconds=left * caution))


async def update_forecasts(units: Units, slots: int) -> int:
    """Write the forecasts of all active jobs that have moved; answer how many."""
    async with units.system("upkeep") as unit:
        session = unit.session
        now = (await session.execute(select(func.clock_timestamp()))).scalar_one()
        jobs = (await session.execute(select(Job).where(Job.state.in_(ACTIVE)))).scalars().all()
        if not jobs:
            return 0
        steps = await _remaining(session, [job.id for job in jobs], now)
        planned = await _planned(session, [job.id for job in jobs])
        factors = await cautions(session)
        wary = max(factors.values(), default=SPREAD)
        changed = 0
        for job in jobs:
            unplanned = 0.0 if job.id in planned else float(job.spec.get("seconds", 0)) * MAKING_S_PER_FILM_S
            new = forecast(now, steps.get(job.id, ()), unplanned, slots, len(jobs), wary)
            if _moved(job, new):
                changed += 1
                await session.execute(
                    update(Job)
                    .where(Job.tenant_id == job.tenant_id, Job.id == job.id, Job.state.in_(ACTIVE))
                    .values(
                        eta_p50=new.p50,
                        eta_p90=new.p90,
                        promised_p50=func.coalesce(Job.promised_p50, new.p50),
                        promised_p90=func.coalesce(Job.promised_p90, new.p90),
                    )
                )
    return changed


def _moved(job: Job, new: Forecast) -> bool:
    if job.eta_p50 is None:
        return True
    return abs((job.eta_p50 - new.p50).total_seconds()) > max(STILL_S, 0.01 * (new.p50 - _utc_now()).total_seconds())


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def _remaining(session: AsyncSession, jobs: Sequence[UUID], now: datetime) -> Mapping[UUID, Sequence[Remaining]]:
    """What is left of each job, at the pace at which its own frames have come so far."""
    rows = await session.execute(select(Step).where(Step.job_id.in_(list(jobs)), Step.state.in_(KNOWN)))
    by_job: dict[UUID, list[Step]] = defaultdict(list)
    for step in rows.scalars():
        by_job[step.job_id].append(step)
    undone = [step.id for steps in by_job.values() for step in steps if step.state != "succeeded"]
    deps = await session.execute(select(StepDep).where(StepDep.step_id.in_(undone)))
    needs: dict[UUID, list[str]] = defaultdict(list)
    for dep in deps.scalars():
        needs[dep.step_id].append(str(dep.needs_id))
    return {job: remaining_of(steps, needs, now) for job, steps in by_job.items()}


def remaining_of(steps: Sequence[Step], needs: Mapping[UUID, Sequence[str]], now: datetime) -> list[Remaining]:
    """The unfinished steps of a job, each with its estimate corrected by what this job has shown of its kind."""
    worked: dict[str, list[Worked]] = defaultdict(list)
    for step in steps:
        done, took = _share(step), _took(step, now)
        if done > 0 and took > 0 and not step.reused:
            worked[step.kind].append(Worked(step.cost_est * done, took))
    paces = {kind: pace(seen) for kind, seen in worked.items()}
    return [
        Remaining(str(step.id), step.cost_est * paces.get(step.kind, 1.0), _share(step), needs.get(step.id, ()))
        for step in steps
        if step.state != "succeeded"
    ]


def _share(step: Step) -> float:
    """How much of a step is done, by the frames (or sentences, or bytes) it has counted."""
    if step.state == "succeeded":
        return 1.0
    return min(step.done / step.total, 1.0) if step.state == "running" and step.total else 0.0


def _took(step: Step, now: datetime) -> float:
    if step.started_at is None:
        return 0.0
    return (
        (step.finished_at if step.state == "succeeded" and step.finished_at else now) - step.started_at
    ).total_seconds()


async def _planned(session: AsyncSession, jobs: Sequence[UUID]) -> set[UUID]:
    """Jobs whose fan-out is known: they have steps with a shard."""
    rows: Any = await session.execute(
        select(Step.job_id).where(Step.job_id.in_(list(jobs)), Step.shard != "").distinct()
    )
    return set(rows.scalars())


@dataclass(frozen=True)
class Truth:
    """How true forecasts were over the last finished jobs: share that ended before p90, median error of p50."""

    jobs: int
    before_p90: float
    median_error: float


async def forecast_truth(units: Units, last: int = 200) -> Truth:
    """Compare the first forecasts of finished jobs with their ends."""
    async with units.system("upkeep") as unit:
        rows = await unit.session.execute(
            select(Job.created_at, Job.promised_p50, Job.promised_p90, Job.finished_at)
            .where(Job.state == "succeeded", Job.promised_p50.is_not(None), Job.finished_at.is_not(None))
            .order_by(Job.finished_at.desc())
            .limit(last)
        )
        return truth_of([tuple(row) for row in rows])


def truth_of(ended: Sequence[Any]) -> Truth:
    """Judge (created, p50, p90, finished) of jobs."""
    if not ended:
        return Truth(0, 0.0, 0.0)
    errors = sorted(
        abs((finished - p50).total_seconds()) / max((finished - created).total_seconds(), 0.001)
        for created, p50, _, finished in ended
    )
    before = sum(finished <= p90 for _, _, p90, finished in ended)
    return Truth(len(ended), before / len(ended), errors[len(errors) // 2])


async def missing_manifests(units: Units, limit: int = 20) -> list[tuple[UUID, UUID]]:
    """Jobs (tenant, job) that have succeeded lately and have no manifest, because a worker was lost just then."""
    present = exists().where(
        ArtifactRef.tenant_id == Job.tenant_id, ArtifactRef.job_id == Job.id, ArtifactRef.name == NAME
    )
    async with units.system("upkeep") as unit:
        rows = await unit.session.execute(
            select(Job.tenant_id, Job.id)
            .where(
                Job.state == "succeeded",
                Job.finished_at.between(
                    func.clock_timestamp() - timedelta(days=1), func.clock_timestamp() - timedelta(seconds=10)
                ),
                ~present,
            )
            .limit(limit)
        )
        return [(tenant_id, job_id) for tenant_id, job_id in rows]
