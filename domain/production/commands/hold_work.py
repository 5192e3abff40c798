"""Pause and resume a whole project or workspace, with the reason that everybody sees; change a job's level."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select, update

from domain.catalog.model import Project
from domain.dispatch.model import Step
from domain.dispatch.policy import PRIORITIES
from domain.production.commands.control_job import hold_job
from domain.production.errors import Fault, InvalidInput, NotFound, WrongState
from domain.production.model import Job
from domain.production.states import OPEN
from tenants.model import Tenant
from tenants.unit import Unit

REASON_LIMIT = 300


def check_reason(reason: str) -> str:
    """A reason without blanks around it. Raises InvalidInput."""
    said = " ".join(reason.split())
    if not said:
        raise InvalidInput([Fault("reason", "The reason is empty.", "Say in a few words why; everybody sees it.")])
    if len(said) > REASON_LIMIT or not said.isprintable():
        fix = f"Use at most {REASON_LIMIT} printable characters."
        raise InvalidInput([Fault("reason", "The reason is too long or has control characters.", fix)])
    return said


async def pause_project(unit: Unit, project_id: UUID, reason: str) -> Project:
    """Start no step of a project until it is resumed; what runs may finish. Raises NotFound, Forbidden, WrongState."""
    project = await _project(unit, project_id)
    said = check_reason(reason)
    if project.paused_at is not None:
        raise WrongState(f"The project {project.name} is paused already.", "pause-project", name=project.name)
    project.paused_at, project.paused_reason, project.paused_by = func.clock_timestamp(), said, unit.principal.name
    unit.audit("project.paused", "project", project.id, after={"reason": said})
    unit.emit("project.paused", project_id=project.id, reason=said, by=unit.principal.name)
    return project


async def resume_project(unit: Unit, project_id: UUID) -> Project:
    """Let a paused project go on. Raises NotFound, Forbidden, WrongState."""
    project = await _project(unit, project_id)
    if project.paused_at is None:
        raise WrongState(f"The project {project.name} is not paused.", "resume-project", name=project.name)
    project.paused_at = project.paused_reason = project.paused_by = None
    unit.audit("project.resumed", "project", project.id)
    unit.emit("project.resumed", project_id=project.id, by=unit.principal.name)
    return project


async def _project(unit: Unit, project_id: UUID) -> Project:
    unit.principal.require("queue:operate", project_id)
    project = await unit.session.get(Project, (unit.tenant_id, project_id), with_for_update=True)
    if project is None:
        raise NotFound("project")
    return project


async def pause_workspace(unit: Unit, reason: str) -> None:
    """Start no step of the workspace until it is resumed. Raises Forbidden, InvalidInput, WrongState."""
    unit.principal.require("queue:operate")
    said = check_reason(reason)
    mine = update(Tenant).where(Tenant.id == unit.tenant_id, Tenant.paused_at.is_(None))
    values = {"paused_at": func.clock_timestamp(), "paused_reason": said, "paused_by": unit.principal.name}
    stamped = mine.values(values).returning(Tenant.id)
    if (await unit.session.execute(stamped)).scalar_one_or_none() is None:
        raise WrongState("The workspace is paused already.", "pause-workspace")
    unit.audit("workspace.paused", "tenant", unit.tenant_id, after={"reason": said})
    unit.emit("workspace.paused", reason=said, by=unit.principal.name)


async def resume_workspace(unit: Unit) -> None:
    """Let a paused workspace go on. Raises Forbidden, WrongState."""
    unit.principal.require("queue:operate")
    mine = update(Tenant).where(Tenant.id == unit.tenant_id, Tenant.paused_at.is_not(None))
    cleared = mine.values(paused_at=None, paused_reason=None, paused_by=None).returning(Tenant.id)
    if (await unit.session.execute(cleared)).scalar_one_or_none() is None:
        raise WrongState("The workspace is not paused.", "resume-workspace")
    unit.audit("workspace.resumed", "tenant", unit.tenant_id)
    unit.emit("workspace.resumed", by=unit.principal.name)


async def set_priority(unit: Unit, job_id: UUID, level: str) -> Job:
    """Give a job another level (urgent, standard, batch) inside its workspace.

    Raises NotFound, Forbidden, InvalidInput, WrongState (the job has ended).
    """
    unit.principal.require("jobs:control")
    if level not in PRIORITIES:
        fix = f"Use one of {', '.join(PRIORITIES)}."
        raise InvalidInput([Fault("priority", f"There is no level “{level[:40]}”.", fix)])
    job = await hold_job(unit, job_id)
    if job.state not in OPEN:
        sentence = f"Job #{job.number} is {job.state}; its level no longer matters."
        raise WrongState(sentence, "level", number=job.number, state=job.state)
    job.priority = PRIORITIES[level]
    job.version += 1
    await unit.session.execute(
        update(Step)
        .where(Step.tenant_id == unit.tenant_id, Step.job_id == job.id)
        .values(priority=job.priority)
        .execution_options(synchronize_session=False)
    )
    unit.emit("job.priority", job_id=job.id, project_id=job.project_id, level=level, by=unit.principal.name)
    return job


async def paused_because(unit: Unit, project_id: UUID | None = None) -> str:
    """Why nothing starts now: the workspace's reason, else the project's; empty when neither is paused."""
    tenant = select(Tenant.paused_reason).where(Tenant.id == unit.tenant_id, Tenant.paused_at.is_not(None))
    reason = await unit.session.scalar(tenant)
    if reason is None and project_id is not None:
        project = select(Project.paused_reason).where(Project.id == project_id, Project.paused_at.is_not(None))
        reason = await unit.session.scalar(project)
    return reason or ""
