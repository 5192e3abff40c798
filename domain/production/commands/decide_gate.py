"""Decide at a gate: let the job go on, ask for changes, have another version made, or go on with an edited text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, select, update

from domain.dispatch.model import Step
from domain.dispatch.settle import release_dependants
from domain.production.commands.control_job import hold_job
from domain.production.commands.edit_script import check_edits
from domain.production.commands.redo_step import redo_step, run_again
from domain.production.errors import Decided, Fault, InvalidInput, NotFound, WrongState
from domain.production.jobs import refresh
from domain.production.model import Approval, Job
from domain.production.pipeline import STEP_KINDS
from domain.production.pipeline.base import StepKind
from tenants.unit import Unit

NOTE_LIMIT = 2000
Decision = Literal["approved", "changes", "again"]
DECISIONS: tuple[Decision, ...] = ("approved", "changes", "again")


async def decide_gate(
    unit: Unit,
    job_id: UUID,
    approval_id: UUID,
    decision: Decision,
    seen_version: str = "",
    note: str = "",
    kinds: Mapping[str, StepKind] = STEP_KINDS,
) -> Job:
    """Approve a step's result, have it changed with `note` as instruction, or have another version made.

    `seen_version` is the input hash of what the person saw; another one means it has changed since.
    Raises NotFound, Forbidden, InvalidInput (no note, or too long a one), WrongState (Decided: somebody was faster).
    """
    unit.principal.require("approvals:decide")
    _check_note(decision, note)
    job = await hold_job(unit, job_id)
    approval = await _answer(unit, job, approval_id, decision, seen_version, note)
    if decision == "approved":
        approval.decided_version = approval.seen_version
        await _let_through(unit, job, approval.step_id)
        return job
    return await redo_step(unit, job_id, approval.step_id, note.strip(), kinds)


async def edit_at_gate(
    unit: Unit,
    job_id: UUID,
    approval_id: UUID,
    edits: Mapping[str, Sequence[str]],
    seen_version: str = "",
    kinds: Mapping[str, StepKind] = STEP_KINDS,
) -> Job:
    """Go on with a script in which the sentences of some scenes (by scene id) are replaced.

    The edit is laid over what the writer wrote, so nobody is asked or paid again. Raises NotFound, Forbidden,
    InvalidInput, WrongState (Decided: somebody was faster).
    """
    unit.principal.require("approvals:decide")
    if faults := check_edits(edits):
        raise InvalidInput(faults)
    job = await hold_job(unit, job_id)
    approval = await _answer(unit, job, approval_id, "edited", seen_version, "")
    texts = {scene: [text.strip() for text in sentences] for scene, sentences in edits.items()}

    def change(step: Step) -> dict[str, Any]:
        if step.kind != "script":
            raise WrongState("Only a script can be edited here.", "edit-other")
        edited = {**step.spec.get("edits", {}), **texts}
        return {"spec": {**step.spec, "edits": edited, "approved": str(approval.id)}}

    job, step = await run_again(unit, job_id, approval.step_id, change, "", kinds)
    # The earlier answers are void now; this one stands for the text that comes of it.
    await unit.session.execute(update(Approval).where(Approval.id == approval.id).values(voided_at=None))
    unit.emit("step.edited", job_id=job.id, project_id=job.project_id, step=step.kind, by=unit.principal.name)
    await refresh(unit.session, unit.emit, job)
    return job


async def _answer(unit: Unit, job: Job, approval_id: UUID, decision: str, seen_version: str, note: str) -> Approval:
    """Sign the question of a locked job; exactly one of several people gets through."""
    # What this session has read before it held the job's lock may be out of date.
    approval = await unit.session.get(
        Approval, (unit.tenant_id, approval_id), with_for_update=True, populate_existing=True
    )
    if approval is None or approval.job_id != job.id:
        raise NotFound("approval")
    unit.principal.require("approvals:decide", job.project_id)
    if approval.state != "waiting":
        raise Decided(approval.state, approval.decided_by_name, approval.decided_at)
    if seen_version and seen_version != approval.seen_version:
        raise Decided("changed")
    approval.state, approval.note = decision, note.strip()[:NOTE_LIMIT]
    approval.decided_at, approval.decided_by = func.clock_timestamp(), unit.principal.actor_id
    approval.decided_by_name = unit.principal.name
    signed = {"job": job.number, "version": approval.seen_version, "note": note.strip()[:200]}
    unit.audit(f"approval.{decision}", "step", approval.step_id, after=signed)
    told = {"approval": str(approval.id), "decision": decision, "by": unit.principal.name}
    unit.emit("approval.decided", job_id=job.id, project_id=job.project_id, **told)
    await unit.session.flush()
    return approval


def _check_note(decision: str, note: str) -> None:
    if decision == "changes" and not note.strip():
        message, fix = "The note is empty.", "Say what should be different, or have another version made."
        raise InvalidInput([Fault("note", message, fix)])
    if len(note.strip()) > NOTE_LIMIT:
        message = f"The note is longer than {NOTE_LIMIT:,} characters."
        raise InvalidInput([Fault("note", message, "Shorten it.")])


async def _let_through(unit: Unit, job: Job, step_id: UUID) -> None:
    step = (await unit.session.execute(select(Step).where(Step.id == step_id))).scalar_one()
    if step.state != "waiting_approval":
        sentence = f"The step {step.kind} is not waiting for a decision."
        raise WrongState(sentence, "gate-open", step=step.kind)
    await unit.session.execute(
        update(Step)
        .where(Step.id == step_id)
        .values(state="succeeded", finished_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )
    await release_dependants(unit.session, unit.tenant_id, step_id, paused=job.control == "pause")
    unit.emit("step.approved", job_id=job.id, project_id=job.project_id, step=step.kind, by=unit.principal.name)
    await refresh(unit.session, unit.emit, job)
