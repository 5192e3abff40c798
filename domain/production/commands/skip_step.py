"""Skip a failed step where the recipe allows it: a person takes the responsibility, and the job goes on."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select, update

from domain.dispatch.model import Step
from domain.dispatch.settle import release_dependants
from domain.production.commands.control_job import hold_job, set_aside_again
from domain.production.errors import NotFound, WrongState
from domain.production.graph import may_skip
from domain.production.jobs import refresh
from domain.production.model import Job
from domain.production.states import FINAL
from tenants.unit import Unit


async def skip_step(unit: Unit, job_id: UUID, step_id: UUID) -> Job:
    """Let the job go on without a failed step. Raises NotFound, Forbidden, WrongState (not failed, or not optional)."""
    unit.principal.require("jobs:control")
    job = await hold_job(unit, job_id)
    step = (
        await unit.session.execute(select(Step).where(Step.job_id == job.id, Step.id == step_id))
    ).scalar_one_or_none()
    if step is None:
        raise NotFound("step")
    if step.state != "dead":
        sentence = f"The step {step.kind} has not failed; there is nothing to skip."
        raise WrongState(sentence, "skip-sound", step=step.kind)
    if not may_skip(job.spec, step.kind):
        sentence = f"The recipe does not allow skipping {step.kind}: what follows needs its result."
        raise WrongState(sentence, "skip-needed", step=step.kind)
    if job.state in FINAL:
        await set_aside_again(unit, job)
    said = step.error or {}
    skipped = {"skipped": True, "by": unit.principal.name, "because": str(said.get("sentence", ""))[:500]}
    await unit.session.execute(
        update(Step)
        .where(Step.id == step.id)
        .values(state="succeeded", outputs=skipped, error=None, error_class=None, finished_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )
    job.error = None
    await release_dependants(unit.session, unit.tenant_id, step.id, paused=job.control == "pause")
    unit.audit("step.skipped", "step", step.id, after={"job": job.number, "step": step.kind, **skipped})
    unit.emit("step.skipped", job_id=job.id, project_id=job.project_id, step=step.kind, by=unit.principal.name)
    await refresh(unit.session, unit.emit, job)
    return job
