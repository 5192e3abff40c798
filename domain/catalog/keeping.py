"""Taking items out of use and bringing them back; a project's own choices for the slots of its recipes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import delete, func, select

from domain.catalog.items import NoSuchItem, offered, read_usage
from domain.catalog.model import Binding, CatalogItem, CatalogVersion
from domain.catalog.usage import SLOTS, Use
from tenants.unit import Unit

BOUND = ("prompt", "video", "ssml")
"""Slots that are chosen together; the voice has a form of its own, which lists what its provider offers."""


class InUse(Exception):
    """Raised when an item cannot be archived, because films could not be made any more; `uses` says of whom."""

    def __init__(self, uses: Sequence[Use]) -> None:
        super().__init__(f"{len(uses)} uses")
        self.uses = list(uses)


async def archive_item(unit: Unit, kind: str, slug: str, kept_by: Sequence[Use] = ()) -> CatalogItem:
    """Take an item out of use; its versions and the films made with it stay.

    `kept_by`: what else needs it, besides recipes and projects. Raises Forbidden, NoSuchItem, InUse.
    """
    item = await _own(unit, kind, slug)
    if item.archived_at is not None:
        return item
    body = await unit.session.scalar(
        select(CatalogVersion.body).where(CatalogVersion.item_id == item.id, CatalogVersion.number == item.current)
    )
    usage = await read_usage(unit, all_of_it=True)
    uses = [*(use for use in usage.of(kind, slug, body or {}) if use.named), *kept_by]
    if uses:
        raise InUse(uses)
    item.archived_at = func.now()
    unit.audit(f"{kind}.archived", kind, item.id, after={"slug": slug})
    unit.emit("catalogue.archived", project_id=item.project_id, kind=kind, slug=slug)
    return item


async def restore_item(unit: Unit, kind: str, slug: str) -> CatalogItem:
    """Bring an archived item back into use. Raises Forbidden, NoSuchItem."""
    item = await _own(unit, kind, slug)
    if item.archived_at is not None:
        item.archived_at = None
        unit.audit(f"{kind}.restored", kind, item.id, after={"slug": slug})
        unit.emit("catalogue.restored", project_id=item.project_id, kind=kind, slug=slug)
    return item


async def _own(unit: Unit, kind: str, slug: str) -> CatalogItem:
    unit.principal.require("catalog:edit")
    statement = select(CatalogItem).where(CatalogItem.kind == kind, CatalogItem.slug == slug).with_for_update()
    item = await unit.session.scalar(statement)
    if item is None or not unit.principal.can("catalog:edit", item.project_id):
        raise NoSuchItem(slug)
    return item


# ── A project's choices ───────────────────────────────────────────────────────────────────────────────────
async def choices_by_recipe(unit: Unit, project_id: UUID) -> dict[tuple[str, str], str]:
    """A project's own choices: (recipe, slot) → short name. Raises Forbidden."""
    unit.principal.require("catalog:read", project_id)
    recipe, item = (select(CatalogItem.id, CatalogItem.slug).subquery(name) for name in ("bound_recipe", "bound_item"))
    rows = await unit.session.execute(
        select(recipe.c.slug, Binding.slot, item.c.slug)
        .select_from(Binding)
        .join(recipe, recipe.c.id == Binding.recipe_id)
        .join(item, item.c.id == Binding.item_id)
        .where(Binding.project_id == project_id)
    )
    return {(str(one), str(slot)): str(slug) for one, slot, slug in rows}


async def bind_slots(unit: Unit, project_id: UUID, chosen: Mapping[tuple[str, str], str]) -> list[tuple[str, str]]:
    """Set what fills the slots of a project's recipes; an empty one leaves it to the recipe, a missing one as it is.

    Answers the (recipe, slot) whose choice cannot be; nothing is written then. Raises Forbidden.
    """
    unit.principal.require("projects:manage", project_id)
    there = {(one.kind, one.slug): one for one in await offered(unit, project_id)}
    wrong = [place for place, slug in chosen.items() if not _fits(there, place, slug)]
    if wrong:
        return wrong
    ids = await _ids(unit)
    before = await choices_by_recipe(unit, project_id)
    for (recipe, slot), slug in chosen.items():
        recipe_id = ids["recipe", recipe]
        one = (Binding.project_id == project_id, Binding.recipe_id == recipe_id, Binding.slot == slot)
        await unit.session.execute(delete(Binding).where(*one))
        if slug:
            item_id = ids[SLOTS[slot], slug]
            unit.session.add(Binding(project_id=project_id, recipe_id=recipe_id, slot=slot, item_id=item_id))
    await unit.session.flush()
    _tell(unit, project_id, before, await choices_by_recipe(unit, project_id))
    return []


def _fits(there: Mapping[tuple[str, str], object], place: tuple[str, str], slug: str) -> bool:
    recipe, slot = place
    if slot not in BOUND or ("recipe", recipe) not in there:
        return False
    found = there.get((SLOTS[slot], slug))
    return not slug or (found is not None and getattr(found, "sort", "") in ("", slot))


async def _ids(unit: Unit) -> dict[tuple[str, str], UUID]:
    rows = await unit.session.execute(
        select(CatalogItem.kind, CatalogItem.slug, CatalogItem.id).where(CatalogItem.archived_at.is_(None))
    )
    return {(kind, slug): item_id for kind, slug, item_id in rows}


def _tell(
    unit: Unit, project_id: UUID, before: Mapping[tuple[str, str], str], after: Mapping[tuple[str, str], str]
) -> None:
    if before != after:
        shown = [{f"{recipe} {slot}": slug for (recipe, slot), slug in one.items()} for one in (before, after)]
        unit.audit("project.bindings", "project", project_id, before=shown[0], after=shown[1])
        unit.emit("project.changed", project_id=project_id)
