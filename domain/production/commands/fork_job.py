"""Fork a job: a new one with the same choices that makes one step anew and takes over all that stands before it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from domain.catalog.model import Project
from domain.dispatch.model import Step
from domain.production.commands.create_job import NO_TARIFFS, enter_job, find_keyed, key_taken
from domain.production.commands.fork_choices import Changes, changed_spec, made_anew
from domain.production.commands.new_job import NewJob
from domain.production.commands.redo_step import INSTRUCTION_LIMIT, wishes_of
from domain.production.errors import Fault, InvalidInput, NotFound, WrongState
from domain.production.foresight import NO_FORESIGHT, Foreseen
from domain.production.jobs import find_job
from domain.production.model import Job
from domain.production.pipeline import STEP_KINDS
from domain.production.pipeline.base import StepKind
from domain.production.quoting import quote_job
from domain.production.spec import JobSpec
from domain.usage.quote import Quote, Tariffs
from tenants.records import uuid7
from tenants.unit import Unit

NOTHING = Changes()


@dataclass(frozen=True)
class ForkOffer:
    """The kinds of steps a fork makes anew and those it takes over, with the price of the former."""

    anew: tuple[str, ...]
    reused: tuple[str, ...]
    quote: Quote


async def fork_job(
    unit: Unit,
    job_id: UUID,
    step_id: UUID,
    instruction: str = "",
    changes: Changes = NOTHING,
    *,
    idem_key: str | None = None,
    kinds: Mapping[str, StepKind] = STEP_KINDS,
    tariffs: Tariffs = NO_TARIFFS,
    foreseen: Foreseen = NO_FORESIGHT,
) -> Job:
    """Make a new job that begins to differ at `step_id`, with some choices changed; the earlier job stays as it is.

    What neither the step nor a change touches is found again by its key, so it is neither made nor paid twice. The same
    `idem_key` answers the job made before. Raises NotFound, Forbidden, InvalidInput, WrongState.
    """
    earlier, step, project = await find_fork(unit, job_id, step_id)
    lineage = {"job": earlier.number, "step": step.kind, "instruction": instruction.strip()[:INSTRUCTION_LIMIT]}
    if (made := await find_keyed(unit, idem_key)) is not None:
        if {name: (made.forked_from or {}).get(name) for name in lineage} != lineage:
            raise key_taken(made)
        return made
    spec = await changed_spec(unit, project, earlier, changes, kinds)
    new = NewJob(
        project.slug,
        spec.recipe_ref.slug,
        spec.topic,
        mode=earlier.mode,
        cost_limit=earlier.cost_limit,
        priority=earlier.priority,
        idem_key=idem_key,
    )
    _require_step(spec, step)
    anew = made_anew(JobSpec.read(earlier.spec), spec, step.kind, kinds)
    job = await enter_job(unit, project, spec, new, kinds, tariffs, foreseen, only=anew)
    job.forked_from = lineage
    await carry_steps(unit, job, earlier, anew)
    await _begin_anew(unit, job, step, instruction)
    unit.emit(
        "job.forked", job_id=job.id, project_id=project.id, number=job.number, base=earlier.number, step=step.kind
    )
    await unit.session.flush()
    return job


async def quote_fork(
    unit: Unit,
    job_id: UUID,
    step_id: UUID,
    changes: Changes,
    tariffs: Tariffs,
    kinds: Mapping[str, StepKind] = STEP_KINDS,
    foreseen: Foreseen = NO_FORESIGHT,
) -> ForkOffer:
    """What a fork would make anew, reuse and cost; nothing is written.

    Raises NotFound, Forbidden, InvalidInput, WrongState.
    """
    spec, anew = await draft_fork(unit, job_id, step_id, changes, kinds)
    reused = [one.kind for one in spec.recipe.steps if one.kind not in anew]
    return ForkOffer(
        tuple(anew), tuple(reused), await quote_job(unit, spec, tariffs, kinds, foreseen=foreseen, only=anew)
    )


async def draft_fork(
    unit: Unit, job_id: UUID, step_id: UUID, changes: Changes, kinds: Mapping[str, StepKind] = STEP_KINDS
) -> tuple[JobSpec, Collection[str]]:
    """The specification a fork would have, and the kinds of steps it would make anew.

    Raises NotFound, Forbidden, InvalidInput, WrongState.
    """
    earlier, step, project = await find_fork(unit, job_id, step_id)
    spec = await changed_spec(unit, project, earlier, changes, kinds)
    _require_step(spec, step)
    return spec, made_anew(JobSpec.read(earlier.spec), spec, step.kind, kinds)


async def find_fork(unit: Unit, job_id: UUID, step_id: UUID) -> tuple[Job, Step, Project]:
    """A job and the step it may be forked at. Raises NotFound, Forbidden, WrongState (a part of a step)."""
    unit.principal.require("jobs:run")
    earlier = await find_job(unit.session, unit.tenant_id, job_id)
    unit.principal.require("jobs:run", earlier.project_id)
    step = next((one for one in await _steps(unit, earlier.id) if one.id == step_id), None)
    if step is None:
        raise NotFound("step")
    if step.shard:
        sentence = f"A part of {step.kind} cannot be the beginning; fork from the step that plans it."
        raise WrongState(sentence, "fork-part", step=step.kind)
    project = await unit.session.get(Project, (unit.tenant_id, earlier.project_id))
    assert project is not None
    return earlier, step, project


def _require_step(spec: JobSpec, step: Step) -> None:
    if step.kind not in {one.kind for one in spec.recipe.steps}:
        message = f"The recipe “{spec.recipe_ref.slug}” has no step {step.kind}."
        raise InvalidInput([Fault("recipe", message, "Choose another recipe, or fork from another step.")])


async def _steps(unit: Unit, job_id: UUID) -> list[Step]:
    return list((await unit.session.execute(select(Step).where(Step.job_id == job_id))).scalars())


async def carry_steps(unit: Unit, job: Job, earlier: Job, anew: Collection[str]) -> None:
    """Give the steps what people have asked of the earlier ones, so that the keys of what does not change are equal.

    What is taken over has passed its gate in the earlier job; nobody is asked about the same version twice.
    """
    wishes = {one.kind: one for one in await _steps(unit, earlier.id) if not one.shard}
    for step in await _steps(unit, job.id):
        if step.kind in wishes:
            was = wishes[step.kind]
            step.instruction = was.instruction
            step.spec = {**step.spec, **wishes_of(was)}
            step.gate = step.gate and (step.kind in anew or was.state != "succeeded")


async def _begin_anew(unit: Unit, job: Job, step: Step, instruction: str) -> None:
    """The fork's own step: a number that nobody had makes it and all after it new."""
    for fresh in await _steps(unit, job.id):
        if fresh.kind == step.kind:
            fresh.instruction = instruction.strip()[:INSTRUCTION_LIMIT] or step.instruction
            fresh.spec = {"salt": str(uuid7().int)}
