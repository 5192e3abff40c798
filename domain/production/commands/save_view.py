"""Keep, change and remove named filters of the job list, and choose the one with which it opens."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.catalog.model import Project
from domain.production.errors import NotFound
from domain.production.model import OpeningView, SavedView
from domain.production.queries.saved_views import seen_by
from domain.production.saved_views import MOST, ViewRefused, ViewWish, check_name, may_change, read_wanted
from tenants.principal import Forbidden
from tenants.unit import Unit


async def save_view(unit: Unit, project_id: UUID, wish: ViewWish) -> SavedView:
    """Name a filter of a project's job list; with `shared` all who see the project find it.

    Raises Forbidden, ViewRefused.
    """
    person = _person(unit, project_id)
    if wish.shared:
        unit.principal.require("views:share", project_id)
    wanted = read_wanted(wish.wanted)
    taken = await _lock_names(unit, project_id)
    check_name(wish.name, [name for name, _ in taken])
    if sum(owner == person for _, owner in taken) >= MOST:
        raise ViewRefused("too-many")
    row = SavedView(
        project_id=project_id,
        user_id=person,
        made_by_name=unit.principal.name,
        name=wish.name,
        wanted=wanted,
        shared=wish.shared,
        version=1,
    )
    unit.session.add(row)
    await unit.session.flush()
    if row.shared:
        unit.audit("view.shared", "view", row.id, after=_told(row))
    return row


async def change_view(
    unit: Unit,
    project_id: UUID,
    view_id: UUID,
    seen: int,
    *,
    name: str | None = None,
    shared: bool | None = None,
    wanted: Mapping[str, str] | None = None,
) -> SavedView:
    """Rename a view, share it or keep it to oneself, or have it hold another filter.

    `seen` is the version that the person saw: of two who change it at once, the second reads that it has changed.
    Raises NotFound, Forbidden, ViewRefused.
    """
    taken = await _lock_names(unit, project_id, view_id)
    row = await _own(unit, project_id, view_id)
    if shared:
        unit.principal.require("views:share", project_id)
    if row.version != seen:
        raise ViewRefused("changed")
    before = _told(row)
    if name is not None:
        check_name(name, [other for other, _ in taken])
        row.name = name
    row.shared = row.shared if shared is None else shared
    row.wanted = row.wanted if wanted is None else read_wanted(wanted)
    row.version += 1
    await unit.session.flush()
    if before["shared"] or row.shared:
        unit.audit("view.changed", "view", row.id, before=before, after=_told(row))
    return row


async def remove_view(unit: Unit, project_id: UUID, view_id: UUID) -> SavedView:
    """Forget a view; where a list opened with it, it opens with all jobs again. Raises NotFound, Forbidden."""
    row = await _own(unit, project_id, view_id)
    await unit.session.delete(row)
    if row.shared:
        unit.audit("view.removed", "view", row.id, before=_told(row))
    return row


async def open_with(unit: Unit, project_id: UUID, view_id: UUID | None) -> None:
    """Have a project's job list open with a view for this person; None = with all jobs. Raises NotFound, Forbidden."""
    person = _person(unit, project_id)
    if view_id is None:
        mine = (OpeningView.user_id == person, OpeningView.project_id == project_id)
        await unit.session.execute(delete(OpeningView).where(*mine))
        return
    await _seen(unit, project_id, view_id)
    values = {"tenant_id": unit.tenant_id, "user_id": person, "project_id": project_id, "view_id": view_id}
    await unit.session.execute(
        upsert(OpeningView)
        .values(values)
        .on_conflict_do_update(index_elements=["tenant_id", "user_id", "project_id"], set_={"view_id": view_id})
    )


def _person(unit: Unit, project_id: UUID) -> UUID:
    """Who keeps views: people do, programs do not. Raises Forbidden."""
    unit.principal.require("jobs:read", project_id)
    if unit.principal.kind != "person" or unit.principal.actor_id is None:
        raise Forbidden("jobs:read")
    return unit.principal.actor_id


async def _lock_names(unit: Unit, project_id: UUID, besides: UUID | None = None) -> list[tuple[str, UUID]]:
    """Names and owners of the views that this person sees; views of a project change one after another."""
    held = select(Project.id).where(Project.id == project_id).with_for_update(key_share=True)
    await unit.session.execute(held)
    rows = await unit.session.execute(
        select(SavedView.name, SavedView.user_id).where(
            SavedView.project_id == project_id, SavedView.id != besides, seen_by(unit.principal.actor_id)
        )
    )
    return [(name, owner) for name, owner in rows]


async def _seen(unit: Unit, project_id: UUID, view_id: UUID) -> SavedView:
    """A view of this project that the person sees. Raises NotFound, Forbidden."""
    person = _person(unit, project_id)
    row = await unit.session.get(SavedView, (unit.tenant_id, view_id), with_for_update=True, populate_existing=True)
    if row is None or row.project_id != project_id or not (row.shared or row.user_id == person):
        raise NotFound("view")
    return row


async def _own(unit: Unit, project_id: UUID, view_id: UUID) -> SavedView:
    """A view that the person may change. Raises NotFound, Forbidden."""
    row = await _seen(unit, project_id, view_id)
    if not may_change(unit.principal, project_id, row.user_id, row.shared):
        raise Forbidden("views:share")
    return row


def _told(row: SavedView) -> dict[str, object]:
    return {"name": row.name, "shared": row.shared, "filter": dict(row.wanted)}
