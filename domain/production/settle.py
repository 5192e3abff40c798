"""How an attempt's end changes job and steps: each function is one short, fenced transaction in the step's tenant.

All raise `Replaced` when the step is no longer ours; then nothing has been written.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from domain.dispatch.claim import Claim
from domain.dispatch.enqueue import Placed, place
from domain.dispatch.flows import open_flows
from domain.dispatch.model import Step, StepDep
from domain.dispatch.settle import Ending, Held, Replaced, close, leave
from domain.dispatch.states import after_crash, after_failure
from domain.dispatch.watch import Lost
from domain.production.artifacts import record_refs
from domain.production.cache import FoundStep, record_step
from domain.production.jobs import key_of, lock_job, refresh
from domain.production.model import Approval, Job
from domain.production.settle_at_once import Success, ending_of, is_kept, settle_at_once
from domain.production.states import Control, derive
from tenants.principal import worker_principal
from tenants.unit import Unit, Units

APPROVAL_DAYS = 14
"""A question at a gate that nobody has answered for this long expires, and its job ends."""


@dataclass
class _Open:
    """A settlement under way: all locks are held. `state` is the job's new state, or None when it stays."""

    unit: Unit
    claim: Claim
    held: Held
    counts: dict[str, int] = field(default_factory=dict)
    state: str | None = None
    _job: Job | None = None

    @property
    def control(self) -> str:
        return self.held.control

    async def job(self) -> Job:
        """The job's row; most settlements change nothing of it and do without."""
        if self._job is None:
            self._job = await lock_job(self.unit.session, self.claim.tenant_id, self.claim.job_id)
        return self._job

    async def close(self, ending: Ending) -> None:
        self.counts = await close(self.unit.session, self.claim, ending, paused=self.control == "pause")

    async def refresh(self) -> None:
        """Bring the job's state up to date."""
        control: Control = self.control  # type: ignore[assignment]
        if derive(control, self.counts) != self.held.state:
            self.state = await refresh(self.unit.session, self.unit.emit, await self.job(), self.counts)


@asynccontextmanager
async def _settling(units: Units, claim: Claim, more_pools: Sequence[str] = ()) -> AsyncIterator[_Open]:
    async with units.open(worker_principal(claim.tenant_id)) as unit:
        settling = _Open(unit, claim, await leave(unit.session, claim, more_pools))
        yield settling
        await settling.refresh()


def _emit(settling: _Open, event_type: str, **data: Any) -> None:
    claim = settling.claim
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
    edited = claim.spec.get("approved")
    claim = replace(claim, gate=(claim.gate and not edited) or success.ask)
    if not (claim.gate or edited or success.spawned):
        answer = await settle_at_once(units, claim, success)
        if answer != "long":
            return "succeeded" if answer == "ended" else None
    async with _settling(units, claim, [one.placed.pool for one in success.spawned]) as settling:
        session = settling.unit.session
        await record_refs(session, claim.tenant_id, claim.job_id, claim.step_id, success.files)
        if is_kept(success):
            found = FoundStep(str(success.key), success.result, success.files)
            made_in = settling.held.seconds
            await record_step(session, claim.tenant_id, claim.job_id, claim.kind, found.key, found, made_in)
        if settling.control != "cancel" and success.spawned:
            await _spawn(settling.unit, await settling.job(), claim, success)
        await settling.close(ending_of(claim, success))
        if claim.gate:
            await ask_approval(settling.unit, claim, settling.held.number, success.key or "")
        elif edited:
            await _sign_edit(settling.unit, UUID(str(edited)), success.key or "")
        data: dict[str, Any] = {"seconds": round(settling.held.seconds, 3), "reused": success.reused}
        data |= {"units": success.result.units, "lesser": success.result.lesser}
        _emit(settling, "step.waiting" if claim.gate else "step.succeeded", **data, **success.counts)
    return settling.state


async def ask_approval(unit: Unit, claim: Claim, number: int, seen: str) -> None:
    """Open a gate's question: `seen` is the version that the answer will be signed with."""
    approval = Approval(
        tenant_id=claim.tenant_id,
        job_id=claim.job_id,
        step_id=claim.step_id,
        state="waiting",
        seen_version=seen,
        created_at=func.clock_timestamp(),
        expires_at=func.clock_timestamp() + timedelta(days=APPROVAL_DAYS),
    )
    unit.session.add(approval)
    await unit.session.flush()
    message = {"job_id": str(claim.job_id), "number": number, "step": claim.kind, "approval_id": str(approval.id)}
    unit.send("approval.waiting", message)


async def _sign_edit(unit: Unit, approval_id: UUID, version: str) -> None:
    """The version that came of a person's edit at the gate is the one they have approved."""
    signed = update(Approval).where(Approval.id == approval_id, Approval.state == "edited")
    await unit.session.execute(signed.values(decided_version=version))


async def _spawn(unit: Unit, job: Job, claim: Claim, success: Success) -> None:
    """Add spawned steps; the steps of the kinds in `before` wait for those that are not done."""
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
    cpu_s: float | None = None,
) -> str | None:
    """Settle a failure: wait and try again, or give up. Answers the job's new state, or None."""
    decided = after_failure(claim.attempt, claim.max_attempts, transient, chance or random.Random(), retry_after)  # noqa: S311
    async with _settling(units, claim) as settling:
        state = _instead(settling.control, decided.state)
        await settling.close(
            Ending(
                state=state,
                outcome="failed",
                error=error,
                error_class=error["class"],
                delay_s=decided.delay_s,
                cpu_s=cpu_s,
            )
        )
        if state == "dead":
            await _blame(settling, error)
        wait = {"delay_s": round(decided.delay_s, 1)} if state == "delayed" else {}
        _emit(settling, f"step.{state}", error=error, **wait)
    return settling.state


async def _blame(settling: _Open, error: dict[str, Any]) -> None:
    job = await settling.job()
    job.error = job.error or error


def _instead(control: str, state: str) -> Any:
    """What a step becomes instead of waiting or being ready, when its job is cancelled or paused."""
    if control == "cancel":
        return "cancelled"
    if control == "pause" and state in ("delayed", "ready"):
        return "held"
    return state


async def release(
    units: Units, claim: Claim, error: dict[str, Any] | None = None, cpu_s: float | None = None
) -> str | None:
    """Give a step back without penalty (drain), or end it when its job is cancelled.

    `error`: why a person must decide before it goes on; the job is paused.
    """
    async with _settling(units, claim) as settling:
        state = _instead(settling.control, "ready")
        outcome = "cancelled" if state == "cancelled" else "released"
        told = error["class"] if error else None
        await settling.close(
            Ending(state=state, outcome=outcome, forgive=True, error=error, error_class=told, cpu_s=cpu_s)
        )
        _emit(settling, f"step.{outcome}", **({"error": error} if error else {}))
    return settling.state


async def reap(units: Units, lost: Lost, *, expired: bool) -> bool:
    """Take a step from a worker that is gone; answer whether it was still to be taken.

    With `expired` the lease must have run out on the database's clock; a renewal in the last moment wins.
    """
    claim = lost.claim
    try:
        async with _settling(units, claim) as settling:
            if expired and await _renewed(settling.unit, claim):
                raise Replaced("renewed in the meantime")
            state = _instead(settling.control, after_crash(lost.crash_count + 1, lost.max_crashes))
            error = crash_error(claim, lost.crash_count + 1) if state == "dead" else None
            crashed = Ending(
                state=state, outcome="crashed", error=error, error_class="Crashed", crashed=True, forgive=True
            )
            await settling.close(crashed)
            if error:
                await _blame(settling, error)
            told = {"error": error} if error else {}
            _emit(settling, "step.dead" if error else "step.recovered", crashes=lost.crash_count + 1, **told)
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
        "next": "Check memory and disk of the workers, then retry the job.",
        "attempt": claim.attempt,
        "trace": "",
    }
