"""Decide what becomes of a call that may have been paid and whose answer was lost; change what a job may spend."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from sqlalchemy import func, select

from domain.dispatch.model import Step
from domain.production.commands.control_job import hold_job, resume_job, retry_job
from domain.production.errors import Fault, InvalidInput, NotFound, WrongState
from domain.production.model import Job
from domain.production.money import account_of, this_month
from domain.usage.budget import let_go, set_job_cap
from domain.usage.model import Effect
from tenants.unit import Unit

Decision = Literal["repeat", "skip"]


async def decide_call(unit: Unit, job_id: UUID, effect_key: str, decision: Decision, note: str = "") -> Job:
    """Have a call in doubt made once more, or done without; the job goes on when no other decision is open.

    Of two people who decide at once, the second is told that it is decided.
    Raises NotFound, Forbidden, WrongState.
    """
    unit.principal.require("jobs:control")
    job = await hold_job(unit, job_id)
    effect = await _lock_call(unit, job, effect_key)
    if effect.state != "in_doubt":
        raise _decided(effect)
    if job.control == "cancel":
        sentence = f"Job #{job.number} is cancelled; there is nothing to decide any more."
        raise WrongState(sentence, "call-cancelled", number=job.number)
    if decision == "skip" and not effect.fallback:
        sentence = f"Nothing can take the place of {effect.provider} here; repeat the call or cancel the job."
        raise WrongState(sentence, "call-alone", provider=effect.provider)
    drawn = effect.drawn
    effect.state, effect.decision, effect.held, effect.drawn = "failed", decision, 0, 0
    effect.decided_by, effect.decided_by_name = unit.principal.actor_id, unit.principal.name
    effect.decided_at = func.clock_timestamp()
    await unit.session.flush()
    await let_go(unit.session, account_of(job), drawn)
    _tell(unit, job, effect, decision, note)
    await _go_on(unit, job)
    return job


def _decided(effect: Effect) -> WrongState:
    if not effect.decided_by_name:
        return WrongState("This call has been decided already.", "call-decided")
    by = effect.decided_by_name
    return WrongState(f"This call has been decided already by {by}.", "call-decided-by", name=by)


async def _lock_call(unit: Unit, job: Job, effect_key: str) -> Effect:
    found = await unit.session.execute(
        select(Effect)
        .where(Effect.job_id == job.id, Effect.effect_key == effect_key)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    effect = found.scalar_one_or_none()
    if effect is None:
        raise NotFound("call")
    return effect


def _tell(unit: Unit, job: Job, effect: Effect, decision: Decision, note: str) -> None:
    said = {
        "decision": decision,
        "step": effect.step_kind,
        "provider": effect.provider,
        "model": effect.model,
        "likely": effect.likely,
        "fallback": effect.fallback if decision == "skip" else "",
    }
    unit.emit("call.decided", job_id=job.id, project_id=job.project_id, by=unit.principal.name, **said)
    unit.audit(f"call.{decision}", "call", effect.effect_key, after={"job": job.number, "note": note[:200], **said})


async def _go_on(unit: Unit, job: Job) -> None:
    """Resume the job when its last open call is decided and nothing else keeps it waiting."""
    left = await unit.session.scalar(
        select(func.count()).select_from(Effect).where(Effect.job_id == job.id, Effect.state == "in_doubt")
    )
    if left:
        return
    if job.control == "pause" and await _waits_for_call(unit, job):
        await resume_job(unit, job.id)
    elif job.state == "failed":
        await retry_job(unit, job.id)


async def _waits_for_call(unit: Unit, job: Job) -> bool:
    waiting = select(func.count()).select_from(Step)
    found = await unit.session.scalar(
        waiting.where(Step.job_id == job.id, Step.state == "held", Step.error_class == "InDoubt")
    )
    return bool(found)


async def set_cost_limit(unit: Unit, job_id: UUID, cap: int | None, *, go_on: bool = False) -> Job:
    """Set what a job may spend (micro-dollars; None = no limit); with `go_on` a job that had stopped at it resumes.

    Raises NotFound, Forbidden, InvalidInput, WrongState.
    """
    unit.principal.require("jobs:control")
    if cap is not None and cap < 0:
        raise InvalidInput([Fault("cost_limit", "The limit is below zero.", "Give an amount of 0 or more.")])
    job = await hold_job(unit, job_id)
    before, job.cost_limit = job.cost_limit, cap
    job.version += 1
    await unit.session.flush()
    await set_job_cap(unit.session, account_of(job), cap, this_month())
    unit.emit("job.limit", job_id=job.id, project_id=job.project_id, by=unit.principal.name, before=before, limit=cap)
    unit.audit("job.limit", "job", job.id, before={"limit": before}, after={"limit": cap})
    if go_on and job.control == "pause":
        await resume_job(unit, job.id)
    return job
