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
from domain.dispatch.stats import Remaining, seconds_left
from domain.production.manifest import NAME
from domain.production.model import ArtifactRef, Job
from tenants.unit import Units

ACTIVE = ("queued", "running")
UNDONE = ("blocked", "ready", "running", "delayed")
SPREAD = 1.6
"""The cautious estimate (p90) as a multiple of the middle one (p50)."""
MAKING_S_PER_FILM_S = 0.8
"""Seconds of one slot per second of film, for work that is not planned yet."""
STILL_S = 2.0
"""Estimates that moved less than this are not written again."""


@dataclass(frozen=True)
class Forecast:
    """When a job will be done: the middle and the cautious estimate."""

    p50: datetime
    p90: datetime


def forecast(now: datetime, steps: Sequence[Remaining], unplanned_s: float, slots: int, active_jobs: int) -> Forecast:
    """Estimate a job's end when the slots are shared evenly between the jobs at work."""
    share = max(1, slots // max(1, active_jobs))
    crowd = max(1.0, active_jobs / max(1, slots))
    left = (seconds_left(steps, share) + unplanned_s / share) * crowd
    return Forecast(now + timedelta(seconds=left), now + timedelta(seconds=left * SPREAD))


async def update_forecasts(units: Units, slots: int) -> int:
    """Write the forecasts of all active jobs that have moved; answer how many."""
    async with units.system("upkeep") as unit:
        session = unit.session
        now = (await session.execute(select(func.clock_timestamp()))).scalar_one()
        jobs = (await session.execute(select(Job).where(Job.state.in_(ACTIVE)))).scalars().all()
        if not jobs:
            return 0
        steps = await _remaining(session, [job.id for job in jobs])
        planned = await _planned(session, [job.id for job in jobs])
        changed = 0
        for job in jobs:
            unplanned = 0.0 if job.id in planned else float(job.spec.get("seconds", 0)) * MAKING_S_PER_FILM_S
            new = forecast(now, steps.get(job.id, ()), unplanned, slots, len(jobs))
            if _moved(job, new):
                changed += 1
                await session.execute(
                    update(Job)
                    .where(Job.tenant_id == job.tenant_id, Job.id == job.id, Job.state.in_(ACTIVE))
                    .values(eta_p50=new.p50, eta_p90=new.p90)
                )
    return changed


def _moved(job: Job, new: Forecast) -> bool:
    if job.eta_p50 is None:
        return True
    return abs((job.eta_p50 - new.p50).total_seconds()) > max(STILL_S, 0.02 * (new.p50 - _utc_now()).total_seconds())


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def _remaining(session: AsyncSession, jobs: Sequence[UUID]) -> Mapping[UUID, Sequence[Remaining]]:
    rows = await session.execute(select(Step).where(Step.job_id.in_(list(jobs)), Step.state.in_(UNDONE)))
    steps = rows.scalars().all()
    deps = await session.execute(select(StepDep).where(StepDep.step_id.in_([step.id for step in steps])))
    needs: dict[UUID, list[str]] = defaultdict(list)
    for dep in deps.scalars():
        needs[dep.step_id].append(str(dep.needs_id))
    found: dict[UUID, list[Remaining]] = defaultdict(list)
    for step in steps:
        done = step.done / step.total if step.total else 0.0
        found[step.job_id].append(Remaining(str(step.id), step.cost_est, done, needs[step.id]))
    return found


async def _planned(session: AsyncSession, jobs: Sequence[UUID]) -> set[UUID]:
    """Jobs whose fan-out is known: they have steps with a shard."""
    rows: Any = await session.execute(
        select(Step.job_id).where(Step.job_id.in_(list(jobs)), Step.shard != "").distinct()
    )
    return set(rows.scalars())


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
