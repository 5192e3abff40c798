"""Furnish a workspace that has no recipe yet, so that films can be made in its first project at once."""

from __future__ import annotations

from sqlalchemy import select, text

from domain.catalog.commands import save_version
from domain.catalog.demo.content import demo_workspace
from domain.catalog.model import CatalogItem
from tenants.unit import Unit

NOTE = "Ready-made"


async def furnish(unit: Unit) -> bool:
    """Give the workspace the ready-made recipes with all they need; answer False when it has a recipe already.

    Items of the workspace's own that bear the same short name stay as they are.
    """
    unit.principal.require("catalog:edit")
    # Two first projects at once must not both find the workspace empty.
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended('furnish:' || :tenant, 0))")
    await unit.session.execute(lock, {"tenant": str(unit.tenant_id)})
    rows = await unit.session.execute(select(CatalogItem.kind, CatalogItem.slug))
    there = {(row.kind, row.slug) for row in rows}
    if any(kind == "recipe" for kind, _ in there):
        return False
    for item in demo_workspace().items:
        if (item.kind, item.slug) not in there:
            await save_version(unit, item.kind, item.slug, item.name, item.body, note=NOTE)
    return True
