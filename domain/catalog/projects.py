"""Commands and reads of projects: rename, archive, bring back, remember visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.catalog.model import Project, ProjectVisit
from tenants.unit import Unit


class ProjectGone(LookupError):
    """Raised when the workspace has no such project, or none that this principal may see."""


@dataclass(frozen=True)
class ProjectCard:
    """A project on the page of all projects, archived ones too."""

    id: UUID
    slug: str
    name: str
    tagline: str
    languages: tuple[str, ...]
    created_at: datetime
    archived_at: datetime | None


async def all_projects(unit: Unit) -> list[ProjectCard]:
    """Every project this principal may see: archived ones last, then by name. Raises Forbidden."""
    unit.principal.require("jobs:read")
    rows = await unit.session.scalars(
        select(Project).order_by(Project.archived_at.is_not(None), func.lower(Project.name), Project.id)
    )
    return [
        ProjectCard(row.id, row.slug, row.name, row.tagline, tuple(row.languages), row.created_at, row.archived_at)
        for row in rows
        if unit.principal.can("jobs:read", row.id)
    ]


async def edit_project(unit: Unit, slug: str, *, name: str, tagline: str, languages: Sequence[str]) -> None:
    """Change a project's name, line and languages; its address stays. Raises Forbidden and ProjectGone."""
    project = await _own(unit, slug)
    before = {"name": project.name, "tagline": project.tagline, "languages": list(project.languages)}
    project.name, project.tagline, project.languages = name, tagline, list(languages)
    after = {"name": name, "tagline": tagline, "languages": list(languages)}
    unit.audit("project.changed", "project", project.id, before=before, after=after)
    unit.emit("project.changed", project_id=project.id)


async def archive_project(unit: Unit, slug: str) -> None:
    """Take a project out of all menus; its jobs and films stay. Raises Forbidden and ProjectGone."""
    project = await _own(unit, slug)
    if project.archived_at is None:
        project.archived_at = func.now()
        unit.audit("project.archived", "project", project.id)
        unit.emit("project.changed", project_id=project.id)


async def restore_project(unit: Unit, slug: str) -> None:
    """Bring an archived project back. Raises Forbidden and ProjectGone."""
    project = await _own(unit, slug)
    if project.archived_at is not None:
        project.archived_at = None
        unit.audit("project.restored", "project", project.id)
        unit.emit("project.changed", project_id=project.id)


async def note_project(unit: Unit, project_id: UUID) -> None:
    """Remember that this person works in a project now."""
    if unit.principal.actor_id is None:
        return
    values = {"tenant_id": unit.tenant_id, "user_id": unit.principal.actor_id, "project_id": project_id}
    await unit.session.execute(
        upsert(ProjectVisit)
        .values(values)
        .on_conflict_do_update(index_elements=["tenant_id", "user_id", "project_id"], set_={"at": func.now()})
    )


async def _own(unit: Unit, slug: str) -> Project:
    unit.principal.require("projects:manage")
    project = await unit.session.scalar(select(Project).where(Project.slug == slug))
    if project is None or not unit.principal.can("projects:manage", project.id):
        raise ProjectGone(slug)
    return project
