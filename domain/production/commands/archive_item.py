"""Take an item of the catalogue out of use, unless something would miss it: recipes, projects, schedules."""

from __future__ import annotations

from domain.catalog.keeping import archive_item
from domain.catalog.usage import Use
from domain.production.queries.recipes import schedules_by_recipe
from tenants.unit import Unit

SCHEDULED = "schedule"
"""Stands for the slot where a schedule starts jobs of a recipe."""


async def archive_unused(unit: Unit, kind: str, slug: str) -> None:
    """Archive an item. Raises Forbidden, NoSuchItem, InUse (by whom, also those one may not see)."""
    unit.principal.require("catalog:edit")
    timed = (await schedules_by_recipe(unit, all_of_them=True)).get(slug, []) if kind == "recipe" else []
    await archive_item(unit, kind, slug, [Use(slug, slug, SCHEDULED, one.project, one.project_name) for one in timed])
