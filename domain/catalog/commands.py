"""Commands of the catalogue: make projects, save versions of items, add files to a project's library."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain.catalog.bodies import check_body, digest_body
from domain.catalog.model import CatalogItem, CatalogVersion, LibraryPicture, Project
from tenants.records import uuid7
from tenants.unit import Unit

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class BadSlug(ValueError):
    """Raised when a short name is not made of lower-case letters, digits and single hyphens."""


class StaleVersion(Exception):
    """Raised when an item has another current version than the one a change was made from; `current` is its number."""

    def __init__(self, slug: str, current: int) -> None:
        super().__init__(f"{slug} is at version {current} now.")
        self.slug, self.current = slug, current


async def create_project(
    unit: Unit,
    slug: str,
    name: str,
    *,
    languages: list[str],
    tagline: str = "",
    settings: Mapping[str, Any] | None = None,
) -> Project:
    """Make a project; its palette is seeded by its short name."""
    unit.principal.require("projects:manage")
    _check_slug(slug)
    project = Project(
        id=uuid7(),
        slug=slug,
        name=name,
        tagline=tagline,
        languages=languages,
        palette=slug,
        settings=dict(settings or {}),
    )
    unit.session.add(project)
    await unit.session.flush()
    unit.audit("project.created", "project", project.id, after={"slug": slug, "name": name})
    unit.emit("project.created", project_id=project.id, slug=slug)
    return project


async def save_version(
    unit: Unit,
    kind: str,
    slug: str,
    name: str,
    body: Mapping[str, Any],
    *,
    note: str = "",
    project_id: UUID | None = None,
    expected: int | None = None,
) -> CatalogVersion:
    """Save a new immutable version of an item (made on first save); an unchanged body answers the current one.

    `expected`: the version that was changed, 0 for an item that must not exist yet. An item stays in the project it was
    made in. Raises Forbidden, BadSlug, StaleVersion, pydantic.ValidationError.
    """
    unit.principal.require("catalog:edit", project_id)
    _check_slug(slug)
    checked = check_body(kind, body)
    digest = digest_body(checked)
    item = await _find_item(unit, kind, slug)
    if item is None:
        item = CatalogItem(id=uuid7(), kind=kind, slug=slug, name=name, project_id=project_id, current=0)
        unit.session.add(item)
        await unit.session.flush()
    else:
        unit.principal.require("catalog:edit", item.project_id)
        current = await unit.session.get(CatalogVersion, (unit.tenant_id, item.id, item.current))
        if current is not None and current.digest == digest and expected != 0:
            _rename(unit, item, name)
            return current
        if expected is not None and expected != item.current:
            raise StaleVersion(slug, item.current)
    version = CatalogVersion(
        item_id=item.id,
        number=item.current + 1,
        body=checked,
        digest=digest,
        note=note,
        made_by=unit.principal.actor_id,
    )
    item.current, item.name = version.number, name
    unit.session.add(version)
    await unit.session.flush()
    unit.audit(f"{kind}.saved", kind, item.id, after={"slug": slug, "version": version.number, "digest": digest})
    return version


def _rename(unit: Unit, item: CatalogItem, name: str) -> None:
    """Give an item another name; its versions stay as they are."""
    if item.name != name:
        unit.audit(f"{item.kind}.renamed", item.kind, item.id, before={"name": item.name}, after={"name": name})
        item.name = name


async def _find_item(unit: Unit, kind: str, slug: str) -> CatalogItem | None:
    """Load and lock an item, so that two saves at once get two numbers."""
    statement = select(CatalogItem).where(CatalogItem.kind == kind, CatalogItem.slug == slug).with_for_update()
    return (await unit.session.execute(statement)).scalar_one_or_none()


async def add_to_library(unit: Unit, project_id: UUID, item: LibraryPicture) -> LibraryPicture:
    """Add a stored picture, logo or sound to a project's library; the same file in the same role is added once."""
    unit.principal.require("catalog:edit", project_id)
    statement = select(LibraryPicture).where(
        LibraryPicture.project_id == project_id,
        LibraryPicture.sha256 == item.sha256,
        LibraryPicture.role == item.role,
    )
    existing = (await unit.session.execute(statement)).scalars().first()
    if existing is not None:
        return existing
    item.project_id = project_id
    unit.session.add(item)
    await unit.session.flush()
    unit.audit("library.added", "library_picture", item.id, after={"sha256": item.sha256, "role": item.role})
    return item


def _check_slug(slug: str) -> None:
    if not SLUG.fullmatch(slug) or len(slug) > 80:
        raise BadSlug(f"{slug[:80]!r} is not a short name. Use lower-case letters, digits and single hyphens.")
