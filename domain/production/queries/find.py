"""Finding jobs of every project a person may see, for the command palette."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select

from domain.catalog.model import Project
from domain.production.model import Job
from domain.production.visible import only_visible
from tenants.unit import Unit

MOST = 8


@dataclass(frozen=True)
class FoundJob:
    """A job with its address."""

    number: int
    title: str
    state: str
    project: str
    project_name: str


async def find_jobs(unit: Unit, text: str, limit: int = MOST) -> list[FoundJob]:
    """The newest jobs whose title holds the text or whose number it is; without a text simply the newest."""
    unit.principal.require("jobs:read")
    statement = (
        select(Job.number, Job.title, Job.state, Project.slug, Project.name)
        .join(Project, (Project.tenant_id == Job.tenant_id) & (Project.id == Job.project_id))
        .where(Project.archived_at.is_(None), *only_visible(unit.principal, Job.project_id))
        .order_by(Job.created_at.desc(), Job.id.desc())
        .limit(limit)
    )
    if text:
        found = Job.title.icontains(text, autoescape=True)
        number = text.removeprefix("#")
        is_number = number.isascii() and number.isdigit() and len(number) < 10
        statement = statement.where(or_(found, Job.number == int(number)) if is_number else found)
    return [FoundJob(*row) for row in await unit.session.execute(statement)]
