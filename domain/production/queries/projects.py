"""Projects, and the recipes that can be run in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, bindparam, case, func, or_, select

from domain.catalog.model import CatalogItem, CatalogVersion, Project, ProjectVisit
from domain.production.model import Job
from domain.production.states import OPEN
from tenants.unit import Unit


@dataclass(frozen=True)
class ProjectLine:
    """A project as lists show it; `open_jobs` counts unfinished jobs, `questions` those that ask a person."""

    id: UUID
    slug: str
    name: str
    tagline: str
    languages: tuple[str, ...]
    palette: str
    open_jobs: int
    questions: int = 0
    paused_reason: str | None = None
    paused_by: str | None = None


@dataclass(frozen=True)
class RecipeLine:
    """A recipe that can be run in a project, with the defaults of its current version."""

    slug: str
    name: str
    number: int
    description: str
    language: str
    seconds: int
    profile: str


async def projects_of(unit: Unit) -> list[ProjectLine]:
    """The projects this principal may see: the ones they worked in last first, then by name."""
    unit.principal.require("jobs:read")
    return [
        ProjectLine(
            row.id,
            row.slug,
            row.name,
            row.tagline,
            tuple(row.languages),
            row.palette,
            row.n,
            row.asked,
            row.paused_reason,
            row.paused_by,
        )
        for row in await unit.session.execute(_PROJECTS, {"person": unit.principal.actor_id})
        if unit.principal.can("jobs:read", row.id)
    ]


async def slugs_of(unit: Unit, ids: Iterable[UUID]) -> list[str]:
    """The short names of some projects, in their order."""
    rows = await unit.session.scalars(select(Project.slug).where(Project.id.in_(list(ids))).order_by(Project.slug))
    return list(rows)


_BUSY = (
    select(
        Job.project_id,
        func.count().label("n"),
        func.count().filter(Job.state == "waiting_approval").label("asked"),
    )
    .where(Job.state.in_(OPEN))
    .group_by(Job.project_id)
    .subquery("busy")
)
_PROJECTS = (
    select(
        Project.id,
        Project.slug,
        Project.name,
        Project.tagline,
        Project.languages,
        Project.palette,
        func.coalesce(_BUSY.c.n, 0).label("n"),
        func.coalesce(_BUSY.c.asked, 0).label("asked"),
        case((Project.paused_at.is_not(None), Project.paused_reason)).label("paused_reason"),
        Project.paused_by,
    )
    .outerjoin(_BUSY, _BUSY.c.project_id == Project.id)
    .outerjoin(
        ProjectVisit,
        (ProjectVisit.tenant_id == Project.tenant_id)
        & (ProjectVisit.project_id == Project.id)
        & (ProjectVisit.user_id == bindparam("person", type_=Uuid())),
    )
    .where(Project.archived_at.is_(None))
    .order_by(ProjectVisit.at.desc().nulls_last(), Project.name, Project.id)
)


async def recipes_of(unit: Unit, project_id: UUID) -> list[RecipeLine]:
    """The recipes a project can run: the workspace's and its own."""
    unit.principal.require("catalog:read", project_id)
    statement = (
        select(CatalogItem, CatalogVersion)
        .join(
            CatalogVersion,
            (CatalogVersion.tenant_id == CatalogItem.tenant_id)
            & (CatalogVersion.item_id == CatalogItem.id)
            & (CatalogVersion.number == CatalogItem.current),
        )
        .where(
            CatalogItem.kind == "recipe",
            CatalogItem.archived_at.is_(None),
            or_(CatalogItem.project_id.is_(None), CatalogItem.project_id == project_id),
        )
        .order_by(CatalogItem.name, CatalogItem.id)
    )
    return [
        RecipeLine(
            slug=item.slug,
            name=item.name,
            number=version.number,
            description=str(version.body.get("description", "")),
            language=str(version.body.get("language", "en")),
            seconds=int(version.body.get("seconds", 60)),
            profile=str(version.body.get("profile", "")),
        )
        for item, version in await unit.session.execute(statement)
    ]


async def recipe_names(unit: Unit, project_id: UUID) -> dict[str, str]:
    """The names of a project's recipes, archived ones too, by short name; its own go before the workspace's."""
    rows = await unit.session.execute(
        select(CatalogItem.slug, CatalogItem.name)
        .where(
            CatalogItem.kind == "recipe", or_(CatalogItem.project_id.is_(None), CatalogItem.project_id == project_id)
        )
        .order_by(CatalogItem.project_id.nulls_first())
    )
    return {row.slug: row.name for row in rows}
