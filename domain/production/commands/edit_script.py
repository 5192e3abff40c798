"""Change what scenes say: a new job with the same choices, in which only what the change touches is made."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from domain.catalog.model import Project
from domain.dispatch.model import Step
from domain.production.commands.create_job import NO_TARIFFS, enter_job, find_keyed, key_taken
from domain.production.commands.new_job import NewJob
from domain.production.commands.redo_step import wishes_of
from domain.production.errors import Fault, InvalidInput
from domain.production.jobs import find_job
from domain.production.model import Job
from domain.production.pipeline import STEP_KINDS
from domain.production.pipeline.base import StepKind
from domain.production.spec import JobSpec, SceneEdit
from domain.usage.quote import Tariffs
from tenants.unit import Unit

SENTENCE_LIMIT = 1000
SENTENCES_LIMIT = 60


async def edit_script(
    unit: Unit,
    job_id: UUID,
    edits: Mapping[str, Sequence[str]],
    *,
    note: str = "",
    idem_key: str | None = None,
    kinds: Mapping[str, StepKind] = STEP_KINDS,
    tariffs: Tariffs = NO_TARIFFS,
) -> Job:
    """Make a new job from an earlier one with the sentences of some scenes (by scene id) replaced.

    The earlier job stays as it is, with its film and manifest. The same `idem_key` answers the job made before.
    Raises NotFound, Forbidden, InvalidInput, WrongState (key used for something else).
    """
    unit.principal.require("jobs:run")
    earlier = await find_job(unit.session, unit.tenant_id, job_id)
    unit.principal.require("jobs:run", earlier.project_id)
    if faults := check_edits(edits):
        raise InvalidInput(faults)
    project = await unit.session.get(Project, (unit.tenant_id, earlier.project_id))
    assert project is not None
    spec = JobSpec.read(earlier.spec)
    changed = {
        scene: SceneEdit(sentences=[text.strip() for text in texts], note=note) for scene, texts in edits.items()
    }
    edits_now = {**spec.script_edits, **await _gate_edits(unit, earlier), **changed}
    spec = spec.model_copy(update={"script_edits": edits_now, "edited_from": earlier.number})
    if (made := await find_keyed(unit, idem_key)) is not None:
        if made.spec != spec.model_dump(mode="json"):
            raise key_taken(made)
        return made
    new = NewJob(
        project.slug,
        earlier.recipe_slug,
        spec.topic,
        mode=earlier.mode,
        cost_limit=earlier.cost_limit,
        idem_key=idem_key,
    )
    job = await enter_job(unit, project, spec, new, kinds, tariffs)
    job.forked_from = {"job": earlier.number, "step": "script", "edited": True}
    await _carry_wishes(unit, earlier, job)
    unit.emit(
        "job.edited", job_id=job.id, project_id=project.id, number=job.number, base=earlier.number, scenes=sorted(edits)
    )
    return job


async def _carry_wishes(unit: Unit, earlier: Job, job: Job) -> None:
    """Give the new steps the instructions and salts of steps that were made again.

    The edit is a change to what they have made, so their keys must stay the same.
    """
    rows = await unit.session.execute(select(Step).where(Step.job_id == earlier.id, Step.shard == ""))
    wishes = {step.kind: step for step in rows.scalars() if step.instruction or wishes_of(step)}
    fresh = await unit.session.execute(select(Step).where(Step.job_id == job.id, Step.kind.in_(list(wishes))))
    for step in fresh.scalars():
        step.instruction = wishes[step.kind].instruction
        # Edits made at a gate are edits of the new job itself.
        carried = {name: value for name, value in wishes_of(wishes[step.kind]).items() if name != "edits"}
        step.spec = {**step.spec, **carried}
    await unit.session.flush()


async def _gate_edits(unit: Unit, earlier: Job) -> dict[str, SceneEdit]:
    """What somebody wrote at the earlier job's gate, by scene."""
    found = select(Step.spec).where(Step.job_id == earlier.id, Step.kind == "script", Step.shard == "")
    spec = await unit.session.scalar(found)
    return {scene: SceneEdit(sentences=texts) for scene, texts in (spec or {}).get("edits", {}).items()}


def _hidden(text: str) -> bool:
    """Whether a text has characters nobody can see; blanks of every width are fine."""
    return any(not sign.isprintable() and unicodedata.category(sign) != "Zs" for sign in text)


def check_edits(edits: Mapping[str, Sequence[str]]) -> list[Fault]:
    """Answer everything wrong with edits."""
    if not edits:
        return [Fault("edits", "No scene is changed.", "Change the text of at least one scene.")]
    faults: list[Fault] = []
    for scene, texts in sorted(edits.items()):
        if not 1 <= len(texts) <= SENTENCES_LIMIT:
            message = f"Scene {scene} has {len(texts)} sentences."
            faults.append(Fault(f"edits.{scene}", message, f"Give 1 to {SENTENCES_LIMIT}."))
        for number, text in enumerate(texts, start=1):
            if not 1 <= len(text.strip()) <= SENTENCE_LIMIT or _hidden(text):
                message = f"Sentence {number} of scene {scene} is empty, too long or has control characters."
                fix = f"Give 1 to {SENTENCE_LIMIT:,} printable characters."
                faults.append(Fault(f"edits.{scene}.{number}", message, fix))
    return faults
