"""Decide at a gate: let the job go on, or ask for changes."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from sqlalchemy import func, select, update

from domain.dispatch.model import Step
from domain.dispatch.settle import release_dependants
from domain.production.commands.control_job import hold_job
from domain.production.commands.redo_step import redo_step
from domain.production.errors import NotFound, WrongState
from domain.production.jobs import refresh
from domain.production.model import Approval, Job
from tenants.unit import Unit

NOTE_LIMIT = 2000
_DECIDED = {
    "expired": "The time to decide this has passed; the job has been cancelled.",
    "void": "There is a newer version of this result. Reload to see it.",
}


async def decide_gate(
    unit: Unit,
    job_id: UUID,
    approval_id: UUID,
    decision: Literal["approved", "changes"],
    seen_version: str = "",
    note: str = "",
) -> Job:
    """Approve a step's result, or have it made again with `note` as instruction.

    `seen_version` is the input hash of what the person saw; another one means it has changed since.
    Raises NotFound, Forbidden, WrongState.
    """
    unit.principal.require("approvals:decide")
    job = await hold_job(unit, job_id)
    approval = await unit.session.get(Approval, (unit.tenant_id, approval_id), with_for_update=True)
    if approval is None or approval.job_id != job.id:
        raise NotFound("approval")
    if approval.state != "waiting":
        raise WrongState(_DECIDED.get(approval.state, "This has been decided already."))
    if decision == "changes" and len(note.strip()) > NOTE_LIMIT:
        raise WrongState(f"The note is longer than {NOTE_LIMIT:,} characters. Shorten it.")
    if seen_version and seen_version != approval.seen_version:
        raise WrongState("The result has changed since you looked at it. Reload and decide again.")
    approval.state, approval.note = decision, note.strip()[:NOTE_LIMIT]
    approval.decided_at, approval.decided_by = func.clock_timestamp(), unit.principal.actor_id
    approval.decided_by_name = unit.principal.name
    unit.audit(f"approval.{decision}", "step", approval.step_id, after={"job": job.number, "note": note[:200]})
    await unit.session.flush()
    if decision == "changes":
        return await redo_step(unit, job_id, approval.step_id, note)
    await _let_through(unit, job, approval.step_id)
    return job


async def _let_through(unit: Unit, job: Job, step_id: UUID) -> None:
    step = (await unit.session.execute(select(Step).where(Step.id == step_id))).scalar_one()
    if step.state != "waiting_approval":
        raise WrongState(f"The step {step.kind} is not waiting for a decision.")
    await unit.session.execute(
        update(Step)
        .where(Step.id == step_id)
        .values(state="succeeded", finished_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )
    await release_dependants(unit.session, unit.tenant_id, step_id, paused=job.control == "pause")
    unit.emit("step.approved", job_id=job.id, project_id=job.project_id, step=step.kind, by=unit.principal.name)
    await refresh(unit.session, unit.emit, job)
