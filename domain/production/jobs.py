"""The job's row: locked once, its state derived from its steps in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.dispatch.enqueue import JobKey
from domain.dispatch.model import Step
from domain.production.errors import NotFound
from domain.production.model import Job
from domain.production.money import end_account
from domain.production.states import FINAL, Control, JobState, derive


class Emit(Protocol):
    """Records an event (tenants.unit.Unit.emit)."""

    def __call__(
        self, event_type: str, /, *, job_id: UUID | None = None, project_id: UUID | None = None, **data: Any
    ) -> None: ...


def key_of(job: Job) -> JobKey:
    """The job as the queue knows it."""
    return JobKey(job.tenant_id, job.id, job.project_id, job.seq, job.priority)


async def lock_job(session: AsyncSession, tenant_id: UUID, job_id: UUID) -> Job:
    """Load a job and hold its row until the transaction ends. Raises NotFound."""
    statement = (
        select(Job)
        .where(Job.tenant_id == tenant_id, Job.id == job_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    job = (await session.execute(statement)).scalar_one_or_none()
    if job is None:
        raise NotFound("job")
    return job


async def find_job(session: AsyncSession, tenant_id: UUID, job_id: UUID) -> Job:
    """Load a job. Raises NotFound."""
    job = await session.get(Job, (tenant_id, job_id))
    if job is None:
        raise NotFound("job")
    return job


async def count_states(session: AsyncSession, job: Job) -> dict[str, int]:
    """Count a job's steps in each state."""
    rows = await session.execute(
        select(Step.state, func.count())
        .where(Step.tenant_id == job.tenant_id, Step.job_id == job.id)
        .group_by(Step.state)
    )
    return {state: int(count) for state, count in rows}


async def refresh(
    session: AsyncSession, emit: Emit, job: Job, counts: Mapping[str, int] | None = None
) -> JobState | None:
    """Derive a locked job's state from its steps; answer the new state, or None when it stays.

    A job that comes to its end settles its budget in the same transaction. `counts`: its steps by state, if known.
    """
    await session.flush()
    control: Control = job.control  # type: ignore[assignment]
    state = derive(control, counts if counts is not None else await count_states(session, job))
    if state == job.state:
        return None
    before, job.state = job.state, state
    job.version += 1
    if state == "running" and job.started_at is None:
        job.started_at = func.clock_timestamp()
    job.finished_at = func.clock_timestamp() if state in FINAL else None
    data: dict[str, Any] = {"state": state, "before": before, "number": job.number}
    if state in FINAL:
        data["micro_dollars"] = (await end_account(session, job)).micro_dollars
        job.eta_p50 = job.eta_p90 = None
    if state == "failed":
        data["error"] = job.error
    emit("job.state", job_id=job.id, project_id=job.project_id, **data)
    return state
