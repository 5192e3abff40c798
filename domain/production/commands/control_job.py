"""Cancel, pause and resume a job; try a failed one again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from domain.dispatch.flows import add_ready, drop_ready
from domain.dispatch.locks import lock_pools
from domain.dispatch.model import Step
from domain.production.errors import WrongState
from domain.production.jobs import find_job, lock_job, refresh
from domain.production.model import Approval, Job
from domain.production.money import account_of, reserved_at_start, this_month
from domain.production.states import can_cancel, can_pause, can_resume, can_retry
from domain.usage.budget import OverBudget, reopen_account
from domain.usage.effects import allow_again
from tenants.unit import Unit

NEW_ATTEMPTS = 4
NEW_CRASHES = 3


async def hold_job(unit: Unit, job_id: UUID) -> Job:
    """Lock a job with all pools its steps live in. Raises NotFound, Forbidden."""
    job = await find_job(unit.session, unit.tenant_id, job_id)
    unit.principal.require("jobs:control", job.project_id)
    pools = await unit.session.execute(
        select(Step.pool).where(Step.tenant_id == unit.tenant_id, Step.job_id == job_id).distinct()
    )
    await lock_pools(unit.session, pools.scalars())
    return await lock_job(unit.session, unit.tenant_id, job_id)


async def cancel_job(unit: Unit, job_id: UUID, reason: str = "") -> Job:
    """End a job: what waits is cancelled now, what runs is told to stop. Raises NotFound, Forbidden, WrongState."""
    unit.principal.require("jobs:control")
    job = await hold_job(unit, job_id)
    if not can_cancel(job.state, job.control):
        raise _refused(job, "cancel", "and cannot be cancelled")
    _set_control(job, "cancel", reason)
    waiting = ("blocked", "ready", "delayed", "held", "waiting_approval")
    gone = await _move(unit, job, waiting, "cancelled", fence=True)
    await drop_ready(unit.session, unit.tenant_id, gone["ready"])
    await _void_approvals(unit, job)
    unit.emit("job.cancel_requested", job_id=job.id, project_id=job.project_id, by=unit.principal.name, reason=reason)
    unit.send("job.cancel_requested", {"job_id": str(job.id), "number": job.number})
    await refresh(unit.session, unit.emit, job)
    return job


async def pause_job(unit: Unit, job_id: UUID, reason: str = "") -> Job:
    """Hold what waits; what runs may finish. Raises NotFound, Forbidden, WrongState."""
    unit.principal.require("jobs:control")
    job = await hold_job(unit, job_id)
    if not can_pause(job.state, job.control):
        raise _refused(job, "pause", "and cannot be paused")
    _set_control(job, "pause", reason)
    held = await _move(unit, job, ("ready", "delayed"), "held")
    await drop_ready(unit.session, unit.tenant_id, held["ready"])
    unit.emit("job.paused", job_id=job.id, project_id=job.project_id, by=unit.principal.name, reason=reason)
    await refresh(unit.session, unit.emit, job)
    return job


async def resume_job(unit: Unit, job_id: UUID) -> Job:
    """Let a paused job go on. Raises NotFound, Forbidden, WrongState."""
    unit.principal.require("jobs:control")
    job = await hold_job(unit, job_id)
    if not can_resume(job.state, job.control):
        raise WrongState(f"Job #{job.number} is not paused.", "resume", number=job.number)
    _set_control(job, "none", "")
    freed = await _move(unit, job, ("held",), "ready", ready_at=func.clock_timestamp())
    await add_ready(unit.session, unit.tenant_id, freed["held"])
    unit.emit("job.resumed", job_id=job.id, project_id=job.project_id, by=unit.principal.name)
    await refresh(unit.session, unit.emit, job)
    return job


async def retry_job(unit: Unit, job_id: UUID) -> Job:
    """Go on from the failed steps with a new budget of attempts; all that succeeded is kept.

    Calls in doubt stay so: each needs a decision of its own (decide_call).
    Raises NotFound, Forbidden, WrongState.
    """
    unit.principal.require("jobs:control")
    job = await hold_job(unit, job_id)
    if not can_retry(job.state):
        raise WrongState(f"Job #{job.number} has not failed; there is nothing to retry.", "retry", number=job.number)
    _set_control(job, "none", "")
    job.error = None
    await allow_again(unit.session, job.id)
    await set_aside_again(unit, job)
    freed = await _move(
        unit,
        job,
        ("dead", "held"),
        "ready",
        ready_at=func.clock_timestamp(),
        max_attempts=Step.attempt + NEW_ATTEMPTS,
        max_crashes=Step.crash_count + NEW_CRASHES,
        error=None,
        error_class=None,
        finished_at=None,
    )
    await add_ready(unit.session, unit.tenant_id, freed["dead"] + freed["held"])
    unit.emit("job.retried", job_id=job.id, project_id=job.project_id, by=unit.principal.name)
    await refresh(unit.session, unit.emit, job)
    return job


async def discard_job(unit: Unit, job_id: UUID, reason: str = "") -> Job:
    """Give a failed job up for good: it is cancelled, and cannot be resumed. Raises NotFound, Forbidden, WrongState."""
    unit.principal.require("jobs:control")
    job = await hold_job(unit, job_id)
    if job.state != "failed":
        raise WrongState(
            f"Job #{job.number} has not failed; there is nothing to discard.", "discard", number=job.number
        )
    _set_control(job, "cancel", reason)
    gone = await _move(unit, job, ("dead", "blocked", "ready", "delayed", "held"), "cancelled", fence=True)
    await drop_ready(unit.session, unit.tenant_id, gone["ready"])
    unit.emit("job.discarded", job_id=job.id, project_id=job.project_id, by=unit.principal.name, reason=reason)
    await refresh(unit.session, unit.emit, job)
    return job


def _refused(job: Job, refusal: str, why: str) -> WrongState:
    sentence = f"Job #{job.number} is {job.state.replace('_', ' ')} {why}."
    return WrongState(sentence, refusal, number=job.number, state=job.state)


def _set_control(job: Job, control: str, reason: str) -> None:
    job.control = control
    job.control_reason = reason[:500] or None
    job.control_at = func.clock_timestamp()
    job.version += 1


async def _move(
    unit: Unit, job: Job, before: Iterable[str], after: str, *, fence: bool = False, **values: Any
) -> dict[str, Counter[str]]:
    """Move a job's steps from some states to another; answer how many left each state, by pool."""
    states = list(before)
    here = (Step.tenant_id == unit.tenant_id, Step.job_id == job.id, Step.state.in_(states))
    rows = await unit.session.execute(select(Step.state, Step.pool).where(*here))
    moved: dict[str, Counter[str]] = {state: Counter() for state in states}
    for state, pool in rows:
        moved[state][pool] += 1
    await unit.session.execute(
        update(Step)
        .where(*here)
        .values(state=after, fence=Step.fence + 1 if fence else Step.fence, not_before=None, **values)
        .execution_options(synchronize_session=False)
    )
    return moved


async def _void_approvals(unit: Unit, job: Job) -> None:
    await unit.session.execute(
        update(Approval).where(Approval.job_id == job.id, Approval.state == "waiting").values(state="void")
    )


async def set_aside_again(unit: Unit, job: Job) -> None:
    """Reserve what is left of the quote of a job that had ended. Raises WrongState when the budget has no room."""
    try:
        await reopen_account(unit.session, account_of(job), reserved_at_start(job.quote, job.cost_limit), this_month())
    except OverBudget as over:
        raise _over(over) from over


def _over(over: OverBudget) -> WrongState:
    """No room for a job that had ended: its buttons try again, they do not resume."""
    return WrongState(
        f"{over.sentence} {over.advise('try again')}",
        f"over-{over.scope}",
        spent=over.spent,
        reserved=over.reserved,
        limit=over.limit,
        wanted=over.wanted,
    )
