"""Reads for the inbox: gates of all projects that wait for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain.catalog.model import Project
from domain.dispatch.model import Step
from domain.production.model import Approval, Job
from domain.production.visible import only_visible
from tenants.unit import Unit

MOST = 100


@dataclass(frozen=True)
class Question:
    """A gate that waits for a person."""

    id: UUID
    job_id: UUID
    number: int
    title: str
    project: str
    project_name: str
    kind: str
    seen_version: str
    instruction: str
    asked_at: datetime
    expires_at: datetime | None
    may_decide: bool
    spec: Mapping[str, Any]


async def inbox(unit: Unit) -> list[Question]:
    """The questions of all projects this principal may see, oldest first."""
    unit.principal.require("jobs:read")
    rows = await unit.session.execute(
        select(
            Approval,
            Job.number,
            Job.title,
            Job.project_id,
            Project.slug,
            Project.name,
            Step.kind,
            Step.instruction,
            Job.spec["providers"].label("providers"),
        )
        .join(Job, (Job.tenant_id == Approval.tenant_id) & (Job.id == Approval.job_id))
        .join(Project, (Project.tenant_id == Job.tenant_id) & (Project.id == Job.project_id))
        .join(Step, (Step.tenant_id == Approval.tenant_id) & (Step.id == Approval.step_id))
        .where(Approval.state == "waiting", *only_visible(unit.principal, Job.project_id))
        .order_by(Approval.created_at, Approval.id)
        .limit(MOST)
    )
    return [
        Question(
            id=row.id,
            job_id=row.job_id,
            number=number,
            title=title,
            project=slug,
            project_name=name,
            kind=kind,
            seen_version=row.seen_version,
            instruction=instruction or "",
            asked_at=row.created_at,
            expires_at=row.expires_at,
            may_decide=unit.principal.can("approvals:decide", project_id),
            spec={"providers": providers},
        )
        for row, number, title, project_id, slug, name, kind, instruction, providers in rows
    ]
