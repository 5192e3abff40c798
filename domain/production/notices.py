"""Notices about jobs to people who want them; the letters themselves are handed in by the web server."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from domain.catalog.model import Project
from domain.dispatch.model import Step
from domain.production.model import Approval, Job
from tenants.letters import mail_deciders
from tenants.model import Tenant
from tenants.principal import worker_principal
from tenants.unit import Units


async def tell_question(units: Units, tenant_id: UUID, approval_id: UUID) -> int:
    """Queue letters about an open question to those who may decide it and want to be told; answer how many.

    A question that has been answered meanwhile is told to nobody.
    """
    async with units.open(worker_principal(tenant_id)) as unit:
        rows = await unit.session.execute(
            select(Approval.expires_at, Job.number, Job.title, Project.id, Project.slug, Step.kind, Tenant.slug)
            .join(Job, (Job.tenant_id == Approval.tenant_id) & (Job.id == Approval.job_id))
            .join(Project, (Project.tenant_id == Job.tenant_id) & (Project.id == Job.project_id))
            .join(Step, (Step.tenant_id == Approval.tenant_id) & (Step.id == Approval.step_id))
            .join(Tenant, Tenant.id == Approval.tenant_id)
            .where(Approval.id == approval_id, Approval.state == "waiting")
        )
        found = rows.one_or_none()
    if found is None:
        return 0
    until, number, title, project_id, project, kind, workspace = found
    data = {
        "number": number,
        "title": title,
        "step": kind,
        "until": until.isoformat() if until else "",
        "path": f"/w/{workspace}/p/{project}/jobs/{number}?from=inbox#gates",
    }
    return await mail_deciders(units, tenant_id, project_id, f"approval:{approval_id}", data)
