"""The first start: a demo workspace, the link that signs in its owner, and its first film."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.settings import Settings
from app.follow import JobRef
from tenants import directory
from tenants.unit import Units

WORKSPACE, WORKSPACE_NAME = "demo", "Demo"
ENTER = "/enter/"
"""Where the pages take the token of an owner link."""


@dataclass(frozen=True)
class Seeded:
    """What the start shows: a fresh owner link's path while nobody owns the workspace, and the first film."""

    owner_path: str | None
    job: JobRef | None


async def prepare(settings: Settings) -> Seeded:
    """Make the demo workspace on the first start; on later ones answer what is still open."""
    from adapters.database import make_engines

    engines = make_engines(settings, "command")
    try:
        units = engines.units()
        tenant_id = await directory.find_tenant(units, WORKSPACE)
        if tenant_id is None:
            if not settings.demo:
                return Seeded(None, None)
            tenant_id = await directory.create_tenant(units, WORKSPACE, WORKSPACE_NAME)
        return Seeded(await _open_link(units, WORKSPACE), None)
    finally:
        await engines.dispose()


async def new_owner_link(settings: Settings, workspace: str) -> str | None:
    """Make a one-time link for a workspace's owner and answer its path; None when there is no such workspace."""
    from adapters.database import make_engines

    engines = make_engines(settings, "command")
    try:
        units = engines.units()
        tenant_id = await directory.find_tenant(units, workspace)
        return None if tenant_id is None else ENTER + await directory.issue_owner_link(units, tenant_id)
    finally:
        await engines.dispose()


async def _open_link(units: Units, workspace: str) -> str | None:
    tenant_id = await directory.find_tenant(units, workspace)
    if tenant_id is None or await directory.has_owner(units, tenant_id):
        return None
    return ENTER + await directory.issue_owner_link(units, tenant_id)
