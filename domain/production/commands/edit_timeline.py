"""Change a job's timeline operation by operation, take changes back, and make the film again with what is left."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.catalog.model import Project
from domain.production.commands.create_job import NO_TARIFFS, enter_job, find_keyed, key_taken
from domain.production.commands.fork_job import carry_steps
from domain.production.commands.new_job import NewJob
from domain.production.cutting import Changes, Cut, known_operations, read_changes, redone, sit_down
from domain.production.errors import Outdated, WrongState
from domain.production.jobs import find_job
from domain.production.model import Job
from domain.production.pipeline import STEP_KINDS
from domain.production.spec import JobSpec, TimelineChange
from domain.studio.history import left_behind, next_redo, next_undo
from domain.studio.model import TimelineDraft, TimelineEdit
from domain.usage.quote import Tariffs
from tenants.unit import Unit
from timeline.editing.applying import apply_operation
from timeline.editing.draft import Draft
from timeline.editing.operations import AnyOperation, write_operation

MOST_EDITS = 2000
"""Changes of one draft, taken back ones included."""
MADE_AGAIN = ("compose", "render", "mux", "check", "package")
"""Kinds of steps that an edited timeline is made with; what stands before them is found made."""


async def change_timeline(
    unit: Unit, job_id: UUID, cut: Cut, seen: int, operation: AnyOperation, after: Draft | None = None
) -> int:
    """Do one operation on a job's timeline and answer the draft's new version. `seen`: the version the person saw.

    `after`: that version after the operation, where it has been worked out already. Raises NotFound, Forbidden,
    Outdated, TimelineError (what is wrong with it); nothing is written then.
    """
    job, changes = await _hold(unit, job_id, seen)
    if len(changes.edits) >= MOST_EDITS:
        sentence = f"The timeline has {MOST_EDITS:,} changes; make the film with them, then go on there."
        raise WrongState(sentence, "timeline-full", most=MOST_EDITS)
    after = after or apply_operation(sit_down(cut, changes).draft, operation)
    behind = set(left_behind(changes.edits))
    for edit in changes.edits:
        if edit.number in behind:
            _mark(unit, edit, "dropped", seen + 1)
    edit = TimelineEdit(
        job_id=job.id,
        number=max((edit.number for edit in changes.edits), default=0) + 1,
        operation=write_operation(operation),
        state="done",
        version=seen + 1,
        made_by=unit.principal.actor_id,
        made_by_name=unit.principal.name,
        changed_by_name=unit.principal.name,
        changed_at=func.clock_timestamp(),
    )
    unit.session.add(edit)
    await _write(unit, job, cut, seen + 1, after)
    unit.emit("timeline.edited", job_id=job.id, project_id=job.project_id, op=operation.op, edit=edit.number)
    return seen + 1


async def undo_timeline(unit: Unit, job_id: UUID, cut: Cut, seen: int, after: Draft | None = None) -> int:
    """Take the last change back; answer the new version. `after` as above.

    Raises NotFound, Forbidden, Outdated, WrongState.
    """
    return await _step(unit, job_id, cut, seen, "undone", after)


async def redo_timeline(unit: Unit, job_id: UUID, cut: Cut, seen: int, after: Draft | None = None) -> int:
    """Do the last change taken back again; answer the new version. `after` as above.

    Raises NotFound, Forbidden, Outdated, WrongState.
    """
    return await _step(unit, job_id, cut, seen, "done", after)


def stepped(cut: Cut, changes: Changes, state: str) -> Draft | None:
    """The draft after an undo or redo (the state that its edit gets); None when there is nothing to do."""
    number = next_undo(changes.edits) if state == "undone" else next_redo(changes.edits)
    if number is None:
        return None
    left = [edit for edit in changes.edits if (edit.state if edit.number != number else state) == "done"]
    return redone(cut, left).draft


async def _step(unit: Unit, job_id: UUID, cut: Cut, seen: int, state: str, after: Draft | None) -> int:
    job, changes = await _hold(unit, job_id, seen)
    number = next_undo(changes.edits) if state == "undone" else next_redo(changes.edits)
    if number is None:
        raise WrongState("There is nothing to undo or redo.", "timeline-nothing")
    edit = next(edit for edit in changes.edits if edit.number == number)
    _mark(unit, edit, state, seen + 1)
    await _write(unit, job, cut, seen + 1, after or redone(cut, changes.done).draft)
    event = "timeline.undone" if state == "undone" else "timeline.redone"
    unit.emit(event, job_id=job.id, project_id=job.project_id, edit=number)
    return seen + 1


async def _hold(unit: Unit, job_id: UUID, seen: int) -> tuple[Job, Changes]:
    """Lock a job's draft, which is made with its first change. Raises NotFound, Forbidden, Outdated."""
    unit.principal.require("jobs:run")
    job = await find_job(unit.session, unit.tenant_id, job_id)
    unit.principal.require("jobs:run", job.project_id)
    fresh = upsert(TimelineDraft).values(tenant_id=unit.tenant_id, job_id=job.id)
    await unit.session.execute(fresh.on_conflict_do_nothing())
    changes = await read_changes(unit, job.id, lock=True)
    if changes.version != seen:
        raise Outdated(seen, changes.version)
    return job, changes


def _mark(unit: Unit, edit: TimelineEdit, state: str, version: int) -> None:
    edit.state, edit.version = state, version
    edit.changed_by_name, edit.changed_at = unit.principal.name, func.clock_timestamp()


async def _write(unit: Unit, job: Job, cut: Cut, version: int, draft: Draft) -> None:
    row = await unit.session.get(TimelineDraft, (unit.tenant_id, job.id))
    assert row is not None
    row.version, row.base, row.document = version, cut.base, draft.plain
    await unit.session.flush()


# ── The film ──────────────────────────────────────────────────────────────────────────────────────────────
async def make_edited(
    unit: Unit, job_id: UUID, seen: int, *, idem_key: str | None = None, tariffs: Tariffs = NO_TARIFFS
) -> Job:
    """Make a new job from an earlier one with its timeline as edited; the earlier job stays as it is.

    Script, narration and pictures are found made, and so is every segment that the edits do not touch. The same
    `idem_key` answers the job made before. Raises NotFound, Forbidden, Outdated, WrongState, InvalidInput (budget).
    """
    if (made := await find_keyed(unit, idem_key)) is not None:
        unit.principal.require("jobs:run", made.project_id)
        if (made.forked_from or {}).get("timeline") is None:
            raise key_taken(made)
        return made
    earlier, changes = await _hold(unit, job_id, seen)
    if not changes.done:
        raise WrongState("The timeline is as it was composed; there is nothing to make.", "timeline-plain")
    if known_operations(changes.done) is None:
        sentence = (
            "A newer version of the program has made a change that this one does not know. "
            "Make the film there, or take the change back."
        )
        raise WrongState(sentence, "timeline-unknown")
    project = await unit.session.get(Project, (unit.tenant_id, earlier.project_id))
    assert project is not None
    spec = edited_spec(JobSpec.read(earlier.spec), earlier.number, changes.done)
    new = NewJob(
        project.slug,
        earlier.recipe_slug,
        spec.topic,
        mode=earlier.mode,
        cost_limit=earlier.cost_limit,
        priority=earlier.priority,
        idem_key=idem_key,
    )
    job = await enter_job(unit, project, spec, new, STEP_KINDS, tariffs, only=MADE_AGAIN)
    job.forked_from = {"job": earlier.number, "step": "compose", "edited": True, "timeline": len(changes.done)}
    await carry_steps(unit, job, earlier, MADE_AGAIN)
    await _note_made(unit, earlier, job, seen)
    unit.emit(
        "job.edited",
        job_id=job.id,
        project_id=project.id,
        number=job.number,
        base=earlier.number,
        timeline=len(changes.done),
    )
    await unit.session.flush()
    return job


def edited_spec(spec: JobSpec, number: int, edits: Sequence[TimelineEdit]) -> JobSpec:
    """An earlier job's choices with further edits of its timeline: what was done, by whom, when."""
    told = [
        TimelineChange(operation=edit.operation, by=edit.made_by_name, at=edit.created_at.isoformat()) for edit in edits
    ]
    return spec.model_copy(update={"timeline_edits": [*spec.timeline_edits, *told], "edited_from": number})


async def _note_made(unit: Unit, earlier: Job, job: Job, version: int) -> None:
    row = await unit.session.get(TimelineDraft, (unit.tenant_id, earlier.id))
    assert row is not None
    row.made_number, row.made_version = job.number, version
