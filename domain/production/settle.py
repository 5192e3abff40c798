"""How an attempt's end changes job and steps: each function is one short, fenced transaction in the step's tenant.

All raise `Replaced` when the step is no longer ours; then nothing has been written.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from domain.dispatch.claim import Claim
from domain.dispatch.enqueue import Placed, place
from domain.dispatch.flows import open_flows
from domain.dispatch.model import Step, StepDep
from domain.dispatch.settle import Ending, Replaced, close, hold, leave, pools_around, release_dependants
from domain.dispatch.states import after_crash, after_failure
from domain.dispatch.watch import Lost
from domain.production.artifacts import Kept, record_refs
from domain.production.cache import FoundStep, record_step
from domain.production.jobs import key_of, lock_job, refresh
from domain.production.model import Approval, Job
from domain.production.pipeline.base import StepResult
from tenants.principal import worker_principal
from tenants.unit import Unit, Units


@dataclass(frozen=True)
class Spawned:
    """A step to be added to the job; `found` when its result is known already."""

    placed: Placed
    found: FoundStep | None = None


@dataclass(frozen=True)
class Success:
    """Everything a successful attempt leaves behind. `counts`: parts made and reused, calls made and found.

    `ask`: a person must look at the result first, although the step has no gate of its own.
    """

    result: StepResult
    files: Sequence[Kept]
    key: str | None
    reused: bool
    spawned: Sequence[Spawned] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    profile: str = ""
    ask: bool = False


@dataclass
class _Open:
    """A settlement under way: the locked job, and the seconds the step ran."""

    unit: Unit
    job: Job
    seconds: float
    state: str | None = None


@asynccontextmanager
async def _settling(units: Units, claim: Claim, more_pools: Sequence[str] = ()) -> Any:
    async with units.open(worker_principal(claim.tenant_id)) as unit:
        pools = await pools_around(unit.session, claim.tenant_id, claim.step_id)
        seconds = await hold(unit.session, claim, pools | set(more_pools))
        await leave(unit.session, claim, seconds)
        job = await lock_job(unit.session, claim.tenant_id, claim.job_id)
        settling = _Open(unit, job, seconds)
        yield settling
        settling.state = await refresh(unit.session, unit.emit, job)


def _emit(settling: _Open, claim: Claim, event_type: str, **data: Any) -> None:
    settling.unit.emit(
        event_type,
        job_id=claim.job_id,
        project_id=claim.project_id,
        step=claim.kind,
        shard=claim.shard,
        step_id=str(claim.step_id),
        attempt=claim.attempt,
        **data,
    )


# ── Success ───────────────────────────────────────────────────────────────────────────────────────────────
async def succeed(units: Units, claim: Claim, success: Success) -> str | None:
    """Settle a success; answer the job's new state, or None when it stays."""
    claim = replace(claim, gate=claim.gate or success.ask)
    async with _settling(units, claim, [one.placed.pool for one in success.spawned]) as settling:
        unit, job = settling.unit, settling.job
        ending = Ending(
            state="waiting_approval" if claim.gate else "succeeded",
            outcome="succeeded",
            outputs=dict(success.result.outputs),
            input_hash=success.key,
            reused=success.reused,
        )
        await close(unit.session, claim, ending)
        await record_refs(unit.session, claim.tenant_id, claim.job_id, claim.step_id, success.files)
        if success.key and not success.reused and not success.result.lesser:
            found = FoundStep(success.key, success.result, success.files)
            await record_step(
                unit.session, claim.tenant_id, claim.job_id, claim.kind, success.key, found, settling.seconds
            )
        if job.control != "cancel":
            await _spawn(unit, job, claim, success)
        await _go_on(unit, job, claim, success.key)
        data: dict[str, Any] = {"seconds": round(settling.seconds, 3), "reused": success.reused}
        data |= {"units": success.result.units, "lesser": success.result.lesser}
        _emit(settling, claim, "step.waiting" if claim.gate else "step.succeeded", **data, **success.counts)
    return settling.state  # type: ignore[no-any-return]


async def _go_on(unit: Unit, job: Job, claim: Claim, key: str | None) -> None:
    if claim.gate:
        approval = {"job_id": job.id, "step_id": claim.step_id, "state": "waiting", "seen_version": key or ""}
        await unit.session.execute(insert(Approval).values(tenant_id=claim.tenant_id, **approval))
        unit.send("approval.waiting", {"job_id": str(job.id), "number": job.number, "step": claim.kind})
        return
    await release_dependants(unit.session, claim.tenant_id, claim.step_id, paused=job.control == "pause")


async def _spawn(unit: Unit, job: Job, claim: Claim, success: Success) -> None:
    """Add spawned steps; the steps of the kinds in `before` wait for those that are not done."""
    if not success.spawned:
        return
    session, tenant_id = unit.session, claim.tenant_id
    await open_flows(session, tenant_id, {one.placed.pool for one in success.spawned})
    kinds = {one.placed.kind for one in success.spawned}
    stale = (Step.tenant_id == tenant_id, Step.job_id == job.id, Step.kind.in_(kinds), Step.state == "cancelled")
    await session.execute(delete(Step).where(*stale))
    settled = 0 if claim.gate else 1
    placed = [replace(one.placed, needs=(claim.step_id,), settled=settled) for one in success.spawned]
    await place(session, key_of(job), placed, paused=job.control == "pause")
    for one, step in zip(success.spawned, placed, strict=True):
        if one.found:
            await record_refs(session, tenant_id, job.id, step.id, one.found.files)
    await _wait_for(unit, job, success.result.before, placed)


async def _wait_for(unit: Unit, job: Job, kinds: Sequence[str], placed: Sequence[Placed]) -> None:
    here = (Step.tenant_id == job.tenant_id, Step.job_id == job.id, Step.kind.in_(list(kinds)))
    waiting = (await unit.session.execute(select(Step.id).where(*here))).scalars().all()
    if not waiting:
        return
    rows = [{"tenant_id": job.tenant_id, "step_id": one, "needs_id": new.id} for one in waiting for new in placed]
    await unit.session.execute(insert(StepDep), rows)
    undone = sum(1 for one in placed if one.finished is None)
    await unit.session.execute(
        update(Step).where(*here).values(deps_left=Step.deps_left + undone).execution_options(synchronize_session=False)
    )


# ── Other ends ────────────────────────────────────────────────────────────────────────────────────────────
async def fail(
    units: Units,
    claim: Claim,
    error: dict[str, Any],
    *,
    transient: bool,
    retry_after: float | None = None,
    chance: random.Random | None = None,
) -> str | None:
    """Settle a failure: wait and try again, or give up. Answers the job's new state, or None."""
    decided = after_failure(claim.attempt, claim.max_attempts, transient, chance or random.Random(), retry_after)  # noqa: S311
    async with _settling(units, claim) as settling:
        job = settling.job
        state = _instead(job, decided.state)
        ending = Ending(state=state, outcome="failed", error=error, error_class=error["class"], delay_s=decided.delay_s)
        await close(settling.unit.session, claim, ending)
        if state == "dead":
            job.error = job.error or error
        wait = {"delay_s": round(decided.delay_s, 1)} if state == "delayed" else {}
        _emit(settling, claim, f"step.{state}", error=error, **wait)
    return settling.state  # type: ignore[no-any-return]


def _instead(job: Job, state: str) -> Any:
    """What a step becomes instead of waiting or being ready, when its job is cancelled or paused."""
    if job.control == "cancel":
        return "cancelled"
    if job.control == "pause" and state in ("delayed", "ready"):
        return "held"
    return state


async def release(units: Units, claim: Claim, error: dict[str, Any] | None = None) -> str | None:
    """Give a step back without penalty (drain), or end it when its job is cancelled.

    `error`: why a person must decide before it goes on; the job is paused.
    """
    async with _settling(units, claim) as settling:
        state = _instead(settling.job, "ready")
        outcome = "cancelled" if state == "cancelled" else "released"
        told = error["class"] if error else None
        ending = Ending(state=state, outcome=outcome, forgive=True, error=error, error_class=told)
        await close(settling.unit.session, claim, ending)
        _emit(settling, claim, f"step.{outcome}", **({"error": error} if error else {}))
    return settling.state  # type: ignore[no-any-return]


async def reap(units: Units, lost: Lost, *, expired: bool) -> bool:
    """Take a step from a worker that is gone; answer whether it was still to be taken.

    With `expired` the lease must have run out on the database's clock; a renewal in the last moment wins.
    """
    claim = lost.claim
    try:
        async with _settling(units, claim) as settling:
            if expired and await _renewed(settling.unit, claim):
                raise Replaced("renewed in the meantime")
            state = _instead(settling.job, after_crash(lost.crash_count + 1, lost.max_crashes))
            error = crash_error(claim, lost.crash_count + 1) if state == "dead" else None
            await close(
                settling.unit.session,
                claim,
                Ending(state=state, outcome="crashed", error=error, error_class="Crashed", crashed=True, forgive=True),
            )
            if error:
                settling.job.error = settling.job.error or error
            _emit(settling, claim, "step.dead" if state == "dead" else "step.recovered", crashes=lost.crash_count + 1)
    except Replaced:
        return False
    return True


async def _renewed(unit: Unit, claim: Claim) -> bool:
    rows = await unit.session.execute(
        select(Step.id).where(
            Step.tenant_id == claim.tenant_id, Step.id == claim.step_id, Step.lease_expires >= func.clock_timestamp()
        )
    )
    return rows.scalar_one_or_none() is not None


def crash_error(claim: Claim, crashes: int) -> dict[str, Any]:
    """The error of a step that has killed too many workers."""
    return {
        "class": "Crashed",
        "step": claim.kind,
        "shard": claim.shard,
        "provider": "",
        "request_id": "",
        "sentence": f"The worker was lost {crashes} times while it ran this step.",
        "kept": "Everything finished before this step is kept.",
        "next": "Check memory and disk of the workers, then resume the job.",
        "attempt": claim.attempt,
        "trace": "",
    }
