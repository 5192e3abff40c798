"""Reading the catalogue: items of a kind, their versions, who made them, and what refers to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from domain.catalog.model import Binding, CatalogItem, CatalogVersion, Project
from domain.catalog.usage import BindingUse, RecipeUse, Usage
from tenants.model import User
from tenants.unit import Unit

KINDS = ("recipe", "prompt", "preset", "validator", "knowledge")
"""Kinds that people keep in the catalogue; providers have rows of their own."""
PAGE = 50
LONG = ("text", "system", "template")
"""Fields of bodies that lists do without."""


class NoSuchItem(LookupError):
    """Raised for an item or version that is not there, or that this principal may not see."""


@dataclass(frozen=True)
class ItemLine:
    """An item at one of its versions. `project` empty = the whole workspace's; `by` empty = nobody we know of."""

    id: UUID
    kind: str
    slug: str
    name: str
    current: int
    number: int
    body: Mapping[str, Any]
    note: str
    at: datetime
    by: str
    archived_at: datetime | None
    project_id: UUID | None = None
    project: str = ""
    project_name: str = ""


@dataclass(frozen=True)
class ItemPage:
    """One page of a list; `total` counts what matches, `counts` the items of every kind that are in use."""

    lines: tuple[ItemLine, ...]
    total: int
    counts: Mapping[str, int]


@dataclass(frozen=True)
class ItemFilter:
    """What a list is narrowed to: a text in the name, one project's view, archived ones instead of those in use."""

    text: str = ""
    project_id: UUID | None = None
    archived: bool = False
    page: int = 1


async def list_items(unit: Unit, kind: str, wanted: ItemFilter) -> ItemPage:
    """One page of the items of a kind, by name, without their long texts. Raises Forbidden."""
    unit.principal.require("catalog:read", wanted.project_id)
    shown = _shown(unit, wanted)
    counts = await unit.session.execute(
        select(CatalogItem.kind, func.count()).where(*_shown(unit, ItemFilter())).group_by(CatalogItem.kind)
    )
    total = await unit.session.scalar(
        select(func.count()).select_from(CatalogItem).where(CatalogItem.kind == kind, *shown)
    )
    short = CatalogVersion.body.op("-")(literal(list(LONG), ARRAY(Text)))
    statement = (
        _lines(short)
        .where(CatalogItem.kind == kind, CatalogVersion.number == CatalogItem.current, *shown)
        .order_by(func.lower(CatalogItem.name), CatalogItem.id)
        .limit(PAGE)
        .offset((wanted.page - 1) * PAGE)
    )
    lines = tuple(ItemLine(*row) for row in await unit.session.execute(statement))
    return ItemPage(lines, total or 0, {str(name): int(count) for name, count in counts})


async def find_item(unit: Unit, kind: str, slug: str, number: int | None = None) -> ItemLine:
    """An item at its current version, or at another one. Raises Forbidden, NoSuchItem."""
    unit.principal.require("catalog:read")
    version = CatalogItem.current if number is None else literal(number)
    statement = _lines(CatalogVersion.body).where(
        CatalogItem.kind == kind, CatalogItem.slug == slug, CatalogVersion.number == version, *_visible(unit)
    )
    row = (await unit.session.execute(statement)).one_or_none()
    if row is None:
        raise NoSuchItem(slug)
    return ItemLine(*row)


async def versions_of(unit: Unit, line: ItemLine) -> list[ItemLine]:
    """All versions of an item, the newest first, without their long texts."""
    short = CatalogVersion.body.op("-")(literal(list(LONG), ARRAY(Text)))
    statement = _lines(short).where(CatalogItem.id == line.id).order_by(CatalogVersion.number.desc())
    return [ItemLine(*row) for row in await unit.session.execute(statement)]


async def find_items(unit: Unit, text: str, limit: int) -> list[ItemLine]:
    """Items of every kind whose name or short name holds the text, for the command palette."""
    unit.principal.require("catalog:read")
    statement = (
        _lines(CatalogVersion.body.op("-")(literal(list(LONG), ARRAY(Text))))
        .where(
            CatalogItem.kind.in_(KINDS),
            CatalogVersion.number == CatalogItem.current,
            *_shown(unit, ItemFilter(text)),
        )
        .order_by(func.lower(CatalogItem.name), CatalogItem.id)
        .limit(limit)
    )
    return [ItemLine(*row) for row in await unit.session.execute(statement)]


async def slugs_of_kind(unit: Unit, kind: str) -> set[str]:
    """The short names of all items of a kind, archived ones too, which no new one may have."""
    return set(await unit.session.scalars(select(CatalogItem.slug).where(CatalogItem.kind == kind)))


def _visible(unit: Unit) -> list[ColumnElement[bool]]:
    """The workspace's items, and those of projects this principal may see."""
    seen = unit.principal.projects
    return [] if seen is None else [or_(CatalogItem.project_id.is_(None), CatalogItem.project_id.in_(sorted(seen)))]


def _shown(unit: Unit, wanted: ItemFilter) -> list[ColumnElement[bool]]:
    shown = _visible(unit)
    shown.append(CatalogItem.archived_at.is_not(None) if wanted.archived else CatalogItem.archived_at.is_(None))
    if wanted.project_id is not None:
        shown.append(or_(CatalogItem.project_id.is_(None), CatalogItem.project_id == wanted.project_id))
    shown += [
        or_(CatalogItem.name.icontains(word, autoescape=True), CatalogItem.slug.icontains(word, autoescape=True))
        for word in wanted.text.split()
    ]
    return shown


def _lines(body: Any) -> Select[Any]:
    return (
        select(
            CatalogItem.id,
            CatalogItem.kind,
            CatalogItem.slug,
            CatalogItem.name,
            CatalogItem.current,
            CatalogVersion.number,
            body,
            CatalogVersion.note,
            CatalogVersion.created_at,
            func.coalesce(User.name, ""),
            CatalogItem.archived_at,
            CatalogItem.project_id,
            func.coalesce(Project.slug, ""),
            func.coalesce(Project.name, ""),
        )
        .select_from(CatalogItem)
        .join(
            CatalogVersion,
            and_(CatalogVersion.tenant_id == CatalogItem.tenant_id, CatalogVersion.item_id == CatalogItem.id),
        )
        .outerjoin(Project, and_(Project.tenant_id == CatalogItem.tenant_id, Project.id == CatalogItem.project_id))
        .outerjoin(User, User.id == CatalogVersion.made_by)
    )


# ── What refers to what ───────────────────────────────────────────────────────────────────────────────────
async def read_usage(unit: Unit, *, all_of_it: bool = False) -> Usage:
    """Every recipe's and project's choices in two statements.

    Only those this principal may see, unless `all_of_it`: what somebody else's project uses cannot be archived either.
    """
    seen = [] if all_of_it else _visible(unit)
    recipes = await unit.session.execute(
        select(CatalogItem.slug, CatalogItem.name, CatalogVersion.body)
        .join(
            CatalogVersion,
            and_(
                CatalogVersion.tenant_id == CatalogItem.tenant_id,
                CatalogVersion.item_id == CatalogItem.id,
                CatalogVersion.number == CatalogItem.current,
            ),
        )
        .where(CatalogItem.kind == "recipe", CatalogItem.archived_at.is_(None), *seen)
        .order_by(func.lower(CatalogItem.name), CatalogItem.id)
    )
    return Usage(
        [RecipeUse(str(slug), str(name), body) for slug, name, body in recipes],
        await _bindings(unit, None if all_of_it else unit.principal.projects),
        await _languages(unit),
    )


async def _bindings(unit: Unit, projects: frozenset[UUID] | None) -> list[BindingUse]:
    recipe, item = _named("recipe"), _named("item")
    statement = (
        select(Binding.slot, item.c.kind, item.c.slug, recipe.c.slug, recipe.c.name, Project.slug, Project.name)
        .select_from(Binding)
        .join(Project, and_(Project.tenant_id == Binding.tenant_id, Project.id == Binding.project_id))
        .join(recipe, recipe.c.id == Binding.recipe_id)
        .join(item, item.c.id == Binding.item_id)
        .order_by(func.lower(Project.name), recipe.c.name, Binding.slot)
    )
    if projects is not None:
        statement = statement.where(Binding.project_id.in_(sorted(projects)))
    return [BindingUse(*map(str, row)) for row in await unit.session.execute(statement)]


def _named(name: str) -> Any:
    return select(CatalogItem.id, CatalogItem.kind, CatalogItem.slug, CatalogItem.name).subquery(name)


async def _languages(unit: Unit) -> frozenset[str]:
    """Every language that a project of the workspace speaks: a slot may have a twin for each."""
    rows = await unit.session.scalars(select(Project.languages).where(Project.archived_at.is_(None)))
    return frozenset(language for languages in rows for language in languages)


# ── What can be chosen ────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Choice:
    """Something a recipe or a project can choose; `sort` is the form of a preset or validator."""

    kind: str
    slug: str
    name: str
    language: str = ""
    sort: str = ""
    tier: int = 0


async def offered(unit: Unit, project_id: UUID | None) -> Sequence[Choice]:
    """What is in use and open to a project; of no project, what is the whole workspace's."""
    unit.principal.require("catalog:read", project_id)
    own = CatalogItem.project_id == project_id if project_id else literal(False)
    body = CatalogVersion.body
    sort = func.coalesce(body["preset"].astext, body["validator"].astext, "")
    statement = (
        select(
            CatalogItem.kind,
            CatalogItem.slug,
            CatalogItem.name,
            func.coalesce(body["language"].astext, ""),
            sort,
            cast(func.coalesce(body["tier"].astext, "0"), Text),
        )
        .join(
            CatalogVersion,
            and_(
                CatalogVersion.tenant_id == CatalogItem.tenant_id,
                CatalogVersion.item_id == CatalogItem.id,
                CatalogVersion.number == CatalogItem.current,
            ),
        )
        .where(
            CatalogItem.kind.in_(KINDS), CatalogItem.archived_at.is_(None), or_(CatalogItem.project_id.is_(None), own)
        )
        .order_by(func.lower(CatalogItem.name), CatalogItem.id)
    )
    rows = await unit.session.execute(statement)
    return [
        Choice(kind, slug, name, language, form, int(tier) if tier.isdigit() else 0)
        for kind, slug, name, language, form, tier in rows
    ]
