"""What the pump does for jobs of all tenants: say when they will be done, write manifests that a crash prevented."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.dispatch.foresee import Awaited, foresee
from domain.dispatch.model import Step, StepDep
from domain.dispatch.stats import PRIOR_SPREAD, Remaining, Worked, cautions, pace, ratios
from domain.production.manifest import NAME
from domain.production.model import ArtifactRef, Job
from tenants.model import Tenant
from tenants.unit import Units

ACTIVE = ("queued", "running")
KNOWN = ("blocked", "ready", "running", "delayed", "succeeded")
MAKING_S_PER_FILM_S = 0.8
"""Seconds of one slot per second of film, for work that is not planned yet."""
PIECE_S = 20.0
"""About so long takes a piece of a film that is rendered by itself."""
SPREAD = 1.0 + PRIOR_SPREAD
ENOUGH = 20
"""From so many finished jobs on, their own lateness says how cautious a promise must be."""
STILL_S = 1.0
"""Estimates that moved less than this are not written again."""


@dataclass(frozen=True)
class Forecast:
    """When a job will be done: the middle and the cautious estimate."""

    p50: datetime
    p90: datetime


async def update_forecasts(units: Units, slots: int) -> int:
    """Write the forecasts of all active jobs that have moved; answer how many."""
    async with units.system("upkeep") as unit:
        session = unit.session
        now = (await session.execute(select(func.clock_timestamp()))).scalar_one()
        rows = select(Job, Tenant.weight, Tenant.max_running).join(Tenant, Tenant.id == Job.tenant_id)
        found = (await session.execute(rows.where(Job.state.in_(ACTIVE)))).all()
        if not found:
            return 0
        steps = await _remaining(session, [row[0] for row in found], now)
        planned = await _planned(session, [row[0].id for row in found])
        waiting = [
            Awaited(
                job.id,
                job.tenant_id,
                (job.priority, job.seq),
                [*steps.get(job.id, ()), *([] if job.id in planned else unplanned(job.spec))],
                float(weight),
                limit,
            )
            for job, weight, limit in found
        ]
        ends = await asyncio.to_thread(foresee, waiting, slots)
        wary = caution_of(await _ended(session)) or max((await cautions(session)).values(), default=SPREAD)
        changed = 0
        for job, _, _ in found:
            new = forecast(now, ends[job.id], wary)
            if _moved(job, new):
                changed += 1
                await _write(session, job, new)
    return changed


def forecast(now: datetime, left_s: float, caution: float = SPREAD) -> Forecast:
    """A job's end when it is done after about `left_s` seconds; the cautious one `caution` times as late."""
    return Forecast(now + timedelta(seconds=left_s), now + timedelta(seconds=left_s * caution))


def unplanned(spec: Mapping[str, Any]) -> list[Remaining]:
    """Stand-ins for the steps that a job will have once it is planned, in pieces as a plan has them."""
    seconds = float(spec.get("seconds", 0)) * MAKING_S_PER_FILM_S
    kinds = {step["kind"] for step in spec.get("recipe", {}).get("steps", ())}
    if not seconds or "render" not in kinds:
        return []
    pieces = max(1, round(seconds / PIECE_S))
    return [Remaining(f"unplanned-{n}", seconds / pieces) for n in range(pieces)]


async def _write(session: AsyncSession, job: Job, new: Forecast) -> None:
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


def _moved(job: Job, new: Forecast) -> bool:
    if job.eta_p50 is None:
        return True
    return abs((job.eta_p50 - new.p50).total_seconds()) > max(STILL_S, 0.01 * (new.p50 - _utc_now()).total_seconds())


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def _remaining(session: AsyncSession, jobs: Sequence[Job], now: datetime) -> Mapping[UUID, Sequence[Remaining]]:
    """What is left of each job, at the pace at which its own frames have come so far."""
    profiles = {job.id: str(job.spec.get("profile", "")) for job in jobs}
    rows = await session.execute(select(Step).where(Step.job_id.in_(list(profiles)), Step.state.in_(KNOWN)))
    by_job: dict[UUID, list[Step]] = defaultdict(list)
    for step in rows.scalars():
        by_job[step.job_id].append(step)
    undone = [step.id for steps in by_job.values() for step in steps if step.state != "succeeded"]
    deps = await session.execute(select(StepDep).where(StepDep.step_id.in_(undone)))
    needs: dict[UUID, list[str]] = defaultdict(list)
    for dep in deps.scalars():
        needs[dep.step_id].append(str(dep.needs_id))
    learnt = {profile: await ratios(session, profile) for profile in set(profiles.values())}
    return {job: remaining_of(steps, needs, now, learnt[profiles[job]]) for job, steps in by_job.items()}


def remaining_of(
    steps: Sequence[Step],
    needs: Mapping[UUID, Sequence[str]],
    now: datetime,
    learnt: Mapping[str, float] = MappingProxyType({}),
) -> list[Remaining]:
    """The unfinished steps of a job, each with its estimate corrected by what this job has shown of its kind.

    `learnt`: factors by kind as they are known now; the job may have been ordered when less was known.
    """

    def thought(step: Step) -> float:
        return step.guess * learnt.get(step.kind, 1.0) if step.guess > 0 else step.cost_est

    worked: dict[str, list[Worked]] = defaultdict(list)
    for step in steps:
        done, took = _share(step), _took(step, now)
        if done > 0 and took > 0 and not step.reused:
            worked[step.kind].append(Worked(thought(step) * done, took))
    paces = {kind: pace(seen) for kind, seen in worked.items()}
    return [
        Remaining(str(step.id), thought(step) * paces.get(step.kind, 1.0), _share(step), needs.get(step.id, ()))
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
        return truth_of(await _ended(unit.session, last))


async def _ended(session: AsyncSession, last: int = 200) -> Sequence[Any]:
    """When the last jobs to succeed were ordered, promised (p50, p90) and done."""
    rows = await session.execute(
        select(Job.created_at, Job.promised_p50, Job.promised_p90, Job.finished_at)
        .where(Job.state == "succeeded", Job.promised_p50.is_not(None), Job.finished_at.is_not(None))
        .order_by(Job.finished_at.desc())
        .limit(last)
    )
    return [tuple(row) for row in rows]


def caution_of(ended: Sequence[Any]) -> float | None:
    """The factor by which nine of ten jobs stayed below: from the middle promise to the end; None with too few."""
    if len(ended) < ENOUGH:
        return None
    late = sorted(
        (finished - created).total_seconds() / max((p50 - created).total_seconds(), 1.0)
        for created, p50, _, finished in ended
    )
    return float(min(max(late[int(len(late) * 0.9)], 1.1), 3.0))


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
