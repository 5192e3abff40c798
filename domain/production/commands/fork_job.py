"""Fork a job: a new one with the same choices that makes one step anew and takes over all that stands before it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select

from domain.catalog.model import Project
from domain.dispatch.model import Step, StepDep
from domain.production.commands.create_job import NewJob, enter_job, find_keyed, key_taken
from domain.production.commands.redo_step import INSTRUCTION_LIMIT
from domain.production.errors import NotFound, WrongState
from domain.production.graph import upstream
from domain.production.jobs import find_job
from domain.production.model import Job
from domain.production.pipeline import STEP_KINDS
from domain.production.pipeline.base import StepKind
from domain.production.spec import JobSpec
from tenants.records import uuid7
from tenants.unit import Unit


async def fork_job(
    unit: Unit,
    job_id: UUID,
    step_id: UUID,
    instruction: str = "",
    *,
    idem_key: str | None = None,
    kinds: Mapping[str, StepKind] = STEP_KINDS,
) -> Job:
    """Make a new job that begins to differ at `step_id`; the earlier job stays as it is.

    Everything before the step is found again by its key, so it is neither made nor paid twice. The same `idem_key`
    answers the job made before. Raises NotFound, Forbidden, WrongState.
    """
    unit.principal.require("jobs:run")
    earlier = await find_job(unit.session, unit.tenant_id, job_id)
    unit.principal.require("jobs:run", earlier.project_id)
    steps = {step.id: step for step in await _steps(unit, earlier.id)}
    if step_id not in steps:
        raise NotFound("step")
    step = steps[step_id]
    if step.shard:
        raise WrongState(f"A part of {step.kind} cannot be the beginning; fork from the step that plans it.")
    if (made := await find_keyed(unit, idem_key)) is not None:
        if (made.forked_from or {}).get("job") != earlier.number or (made.forked_from or {}).get("step") != step.kind:
            raise key_taken(made)
        return made
    project = await unit.session.get(Project, (unit.tenant_id, earlier.project_id))
    assert project is not None
    spec = JobSpec.read(earlier.spec)
    new = NewJob(
        project.slug,
        earlier.recipe_slug,
        spec.topic,
        mode=earlier.mode,
        cost_limit=earlier.cost_limit,
        priority=earlier.priority,
        idem_key=idem_key,
    )
    job = await enter_job(unit, project, spec, new, kinds)
    job.forked_from = {"job": earlier.number, "step": step.kind, "instruction": instruction[:INSTRUCTION_LIMIT]}
    before = {steps[UUID(one)].kind for one in upstream(await _needs(unit, earlier.id), str(step.id))}
    await _carry(unit, job, {one.kind: one for one in steps.values() if one.kind in before and not one.shard})
    await _begin_anew(unit, job, step, instruction)
    unit.emit(
        "job.forked", job_id=job.id, project_id=project.id, number=job.number, base=earlier.number, step=step.kind
    )
    await unit.session.flush()
    return job


async def _steps(unit: Unit, job_id: UUID) -> list[Step]:
    return list((await unit.session.execute(select(Step).where(Step.job_id == job_id))).scalars())


async def _needs(unit: Unit, job_id: UUID) -> dict[str, list[str]]:
    of_job = select(Step.id).where(Step.job_id == job_id)
    rows = await unit.session.execute(select(StepDep).where(StepDep.step_id.in_(of_job)))
    needs: dict[str, list[str]] = {}
    for dep in rows.scalars():
        needs.setdefault(str(dep.step_id), []).append(str(dep.needs_id))
    return needs


async def _carry(unit: Unit, job: Job, wishes: Mapping[str, Step]) -> None:
    """Give the steps before the fork the instructions and salts of the earlier ones, so that their keys are equal."""
    for step in await _steps(unit, job.id):
        if step.kind in wishes:
            was = wishes[step.kind]
            step.instruction = was.instruction
            if "salt" in was.spec:
                step.spec = {**step.spec, "salt": was.spec["salt"]}


async def _begin_anew(unit: Unit, job: Job, step: Step, instruction: str) -> None:
    """The fork's own step: a number that nobody had makes it and all after it new."""
    for fresh in await _steps(unit, job.id):
        if fresh.kind == step.kind:
            fresh.instruction = instruction.strip()[:INSTRUCTION_LIMIT] or step.instruction
            fresh.spec = {**fresh.spec, "salt": str(uuid7().int)}
