"""Make a step again with an instruction; all that rests on it is made again too, from what can be reused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update

from domain.dispatch.flows import add_ready, drop_ready
from domain.dispatch.model import Step, StepDep
from domain.production.commands.control_job import NEW_ATTEMPTS, hold_job, set_aside_again
from domain.production.errors import NotFound, WrongState
from domain.production.graph import downstream
from domain.production.jobs import refresh
from domain.production.model import Approval, Job
from domain.production.pipeline import STEP_KINDS
from domain.production.pipeline.base import StepKind
from domain.production.runs import keep_runs
from domain.production.states import FINAL
from tenants.unit import Unit

INSTRUCTION_LIMIT = 2000
REDOABLE = ("succeeded", "waiting_approval", "dead")


async def redo_step(
    unit: Unit,
    job_id: UUID,
    step_id: UUID,
    instruction: str = "",
    kinds: Mapping[str, StepKind] = STEP_KINDS,
    *,
    scene: str = "",
) -> Job:
    """Regenerate a step, or of its pictures only that of one `scene`. Raises NotFound, Forbidden, WrongState.

    Its present result is put by as an earlier run; decisions about it and about what rests on it are void.
    """
    unit.principal.require("jobs:control")
    job, step = await run_again(
        unit, job_id, step_id, lambda step: _wished(step, instruction, scene), instruction, kinds
    )
    unit.emit(
        "step.redone",
        job_id=job.id,
        project_id=job.project_id,
        step=step.kind,
        shard=step.shard,
        by=unit.principal.name,
        instruction=instruction[:INSTRUCTION_LIMIT],
    )
    await refresh(unit.session, unit.emit, job)
    return job


async def run_again(
    unit: Unit,
    job_id: UUID,
    step_id: UUID,
    change: Callable[[Step], dict[str, Any]],
    instruction: str,
    kinds: Mapping[str, StepKind],
) -> tuple[Job, Step]:
    """Make a step ready once more with what `change` answers, and block all that rests on it.

    Raises NotFound, WrongState.
    """
    job = await hold_job(unit, job_id)
    steps = {step.id: step for step in await _steps(unit, job)}
    if step_id not in steps:
        raise NotFound("step")
    step = steps[step_id]
    needs = await _needs(unit, steps.keys())
    after = downstream({str(k): [str(v) for v in vs] for k, vs in needs.items()}, str(step_id))
    below = [steps[UUID(node)] for node in after]
    _require_redoable(job, step, below)
    if job.state in FINAL:
        await set_aside_again(unit, job)
    await _void(unit, [step.id, *(one.id for one in below)])
    await keep_runs(unit, [step, *(one for one in below if not kinds[one.kind].FAN_OUT)], step.id, instruction)
    await _reset_below(unit, below, _waits(steps, step, below, needs, kinds), kinds)
    await _reopen(unit, job, step, change(step))
    return job, step


async def _steps(unit: Unit, job: Job) -> list[Step]:
    found = await unit.session.execute(select(Step).where(Step.job_id == job.id))
    return list(found.scalars())


async def _needs(unit: Unit, ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    rows = await unit.session.execute(select(StepDep).where(StepDep.step_id.in_(list(ids))))
    needs: dict[UUID, list[UUID]] = {}
    for dep in rows.scalars():
        needs.setdefault(dep.step_id, []).append(dep.needs_id)
    return needs


def _require_redoable(job: Job, step: Step, below: Collection[Step]) -> None:
    if job.control != "none" or job.state in ("cancelled", "cancelling", "paused"):
        sentence = f"Job #{job.number} is {job.state}; a step can be made again only while the job may run."
        raise WrongState(sentence, "redo", number=job.number, state=job.state)
    if step.state not in REDOABLE:
        sentence = f"The step {step.kind} is {step.state.replace('_', ' ')}; wait until it has ended."
        raise WrongState(sentence, "redo-step", step=step.kind, step_state=step.state)
    busy = sorted({one.kind for one in below if one.state == "running"})
    if busy:
        sentence = f"{', '.join(busy)} is running on the present result; wait until it has ended."
        raise WrongState(sentence, "redo-busy", steps=busy)


def _waits(
    steps: Mapping[UUID, Step],
    step: Step,
    below: Collection[Step],
    needs: Mapping[UUID, Collection[UUID]],
    kinds: Mapping[str, StepKind],
) -> dict[UUID, int]:
    """How many steps each step below has to wait for: those made again, and those beside that have not ended yet."""
    shards = {one.id for one in below if kinds[one.kind].FAN_OUT}
    reset = {one.id for one in below} - shards
    beside = {one.id for one in steps.values() if one.state != "succeeded"}
    undone = (reset | beside | {step.id}) - shards
    return {one: len([need for need in needs.get(one, ()) if need in undone]) for one in reset}


async def _reset_below(
    unit: Unit, below: Collection[Step], waits: Mapping[UUID, int], kinds: Mapping[str, StepKind]
) -> None:
    """Block what rests on the step; shards of a fan-out end, because the step's new result spawns its own."""
    shards = {one.id for one in below if kinds[one.kind].FAN_OUT}
    gone = Counter(one.pool for one in below if one.state == "ready")
    await drop_ready(unit.session, unit.tenant_id, gone)
    if shards:
        await unit.session.execute(delete(StepDep).where(StepDep.needs_id.in_(shards)))
        await unit.session.execute(
            update(Step)
            .where(Step.id.in_(shards))
            .values(state="cancelled", fence=Step.fence + 1)
            .execution_options(synchronize_session=False)
        )
    for one in below:
        if one.id in waits:
            await _block(unit, one, waits[one.id])


async def _block(unit: Unit, step: Step, waits: int) -> None:
    await unit.session.execute(
        update(Step)
        .where(Step.id == step.id)
        .values(state="blocked", deps_left=waits, fence=Step.fence + 1, reused=False, **_fresh())
        .execution_options(synchronize_session=False)
    )


def _fresh() -> dict[str, Any]:
    return {
        "outputs": None,
        "error": None,
        "error_class": None,
        "finished_at": None,
        "not_before": None,
        "done": 0,
        "total": 0,
        "stage": "",
        "max_attempts": Step.attempt + NEW_ATTEMPTS,
    }


def _wished(step: Step, instruction: str, scene: str) -> dict[str, Any]:
    """What makes a step's next run new: a salt for all of it, or a salt and a wish for one picture."""
    if not scene:
        # A person's edits belong to the text they were made in, and a decision to the version that was seen.
        kept = {name: value for name, value in step.spec.items() if name not in ("edits", "approved")}
        return {
            "instruction": instruction[:INSTRUCTION_LIMIT] or None,
            "spec": {**kept, "salt": next_salt(step.spec.get("salt", "0"))},
        }
    wishes = dict(step.spec.get("pictures", {}))
    number = int(wishes.get(scene, {}).get("salt", "0")) + 1
    wishes[scene] = {"instruction": instruction[:INSTRUCTION_LIMIT], "salt": str(number)}
    return {"spec": {name: value for name, value in step.spec.items() if name != "approved"} | {"pictures": wishes}}


def wishes_of(step: Step) -> dict[str, Any]:
    """What people have asked of a step, as another job's step of this kind needs it to make the same."""
    return {name: step.spec[name] for name in ("salt", "edits", "pictures") if name in step.spec}


def next_salt(salt: Any) -> str:
    """The salt after this one; a fork's salt is a number that nobody had, and the next one is too."""
    return str(int(salt) + 1)


async def _reopen(unit: Unit, job: Job, step: Step, change: Mapping[str, Any]) -> None:
    await unit.session.execute(
        update(Step)
        .where(Step.id == step.id)
        .values(
            state="ready",
            fence=Step.fence + 1,
            ready_at=func.clock_timestamp(),
            **change,
            reused=False,
            **_fresh(),
        )
        .execution_options(synchronize_session=False)
    )
    await add_ready(unit.session, unit.tenant_id, {step.pool: 1})
    job.error = None


async def _void(unit: Unit, step_ids: list[UUID]) -> None:
    """Questions about the present results end; decisions about them stay, and say that they are void."""
    here = update(Approval).where(Approval.step_id.in_(step_ids)).execution_options(synchronize_session=False)
    now = func.clock_timestamp()
    await unit.session.execute(here.where(Approval.state == "waiting").values(state="void", voided_at=now))
    signed = here.where(Approval.state.in_(("approved", "edited")), Approval.voided_at.is_(None))
    await unit.session.execute(signed.values(voided_at=now))
