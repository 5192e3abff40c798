"""The saved views that a person sees: their own, and those that are shared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select

from domain.catalog.model import Project
from domain.production.model import OpeningView, SavedView
from domain.production.saved_views import may_change
from domain.production.visible import only_visible
from tenants.unit import Unit

MOST_FOUND = 500


@dataclass(frozen=True)
class ViewLine:
    """A saved view as lists show it; `opening`: the job list opens with it for this person."""

    id: UUID
    name: str
    wanted: Mapping[str, str]
    shared: bool
    own: bool
    made_by_name: str
    version: int
    opening: bool
    may_change: bool


@dataclass(frozen=True)
class FoundView:
    """A saved view with its address."""

    id: UUID
    name: str
    shared: bool
    project: str
    project_name: str


async def views_of(unit: Unit, project_id: UUID) -> list[ViewLine]:
    """The views of a project that this person sees: their own first, then by name."""
    unit.principal.require("jobs:read", project_id)
    me = unit.principal.actor_id
    opens = and_(
        OpeningView.tenant_id == SavedView.tenant_id,
        OpeningView.project_id == SavedView.project_id,
        OpeningView.view_id == SavedView.id,
        OpeningView.user_id == me,
    )
    found = await unit.session.execute(
        select(SavedView, OpeningView.view_id)
        .outerjoin(OpeningView, opens)
        .where(SavedView.project_id == project_id, seen_by(me))
        .order_by(SavedView.user_id != me, func.lower(SavedView.name), SavedView.id)
    )
    return [
        ViewLine(
            id=row.id,
            name=row.name,
            wanted=row.wanted,
            shared=row.shared,
            own=row.user_id == me,
            made_by_name=row.made_by_name,
            version=row.version,
            opening=opening is not None,
            may_change=may_change(unit.principal, project_id, row.user_id, row.shared),
        )
        for row, opening in found
    ]


async def find_views(unit: Unit) -> list[FoundView]:
    """The views of all projects that this person sees, by name."""
    unit.principal.require("jobs:read")
    rows = await unit.session.execute(
        select(SavedView.id, SavedView.name, SavedView.shared, Project.slug, Project.name.label("project_name"))
        .join(Project, (Project.tenant_id == SavedView.tenant_id) & (Project.id == SavedView.project_id))
        .where(
            Project.archived_at.is_(None),
            seen_by(unit.principal.actor_id),
            *only_visible(unit.principal, SavedView.project_id),
        )
        .order_by(func.lower(SavedView.name), SavedView.id)
        .limit(MOST_FOUND)
    )
    return [FoundView(*row) for row in rows]


def seen_by(person: UUID | None) -> ColumnElement[bool]:
    """Whether a view is a person's own, or shared."""
    return or_(SavedView.shared, SavedView.user_id == person)
