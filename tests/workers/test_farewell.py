"""The end of a workspace: of every table, every file and every key nothing is left, and others keep everything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest_asyncio
from sqlalchemy import func, select, update

from adapters.settings import Settings
from adapters.wiring import Runtime, build_runtime
from tenants.directory import create_tenant, issue_owner_link
from tenants.letters import mail_invitation
from tenants.members import invitation_link
from tenants.model import OwnerLink, Tenant
from tenants.people_model import Letter, Ticket
from tenants.principal import Principal
from tests.support.people import add_person
from tests.support.rows import TENANT_TABLES, RowSet
from workers.farewell import bid_farewell


@pytest_asyncio.fixture(scope="module")
async def runtime(database: Settings) -> AsyncIterator[Runtime]:
    made = build_runtime(database)
    yield made
    await made.close()


async def full_workspace(runtime: Runtime, slug: str) -> tuple[UUID, list[Path]]:
    """A workspace with a row in every table, a file in every place, an open link and a letter."""
    tenant_id = await create_tenant(runtime.units, slug, slug.title())
    person = await add_person(runtime.units, tenant_id, "owner")
    owner = Principal(tenant_id=tenant_id, kind="person", role="owner", actor_id=person)
    rows = RowSet(tenant_id)
    async with runtime.units.system("directory") as unit:
        await rows.fill(unit.session)
    await mail_invitation(runtime.units, owner, rows.rows["invitations"]["id"], "en")
    await invitation_link(runtime.units, owner, rows.rows["invitations"]["id"])
    await issue_owner_link(runtime.units, tenant_id)
    stored = await runtime.store.put_bytes(tenant_id, b"a film of " + slug.encode())
    places = [
        await runtime.store.local_path(tenant_id, stored.sha256),
        runtime.settings.films / slug / "film.mp4",
        runtime.settings.home / "thumbnails" / str(tenant_id) / "t.webp",
    ]
    for place in places[1:]:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"x")
    return tenant_id, places


async def count(runtime: Runtime, tenant_id: UUID) -> dict[str, int]:
    """How many rows a workspace has, by table."""
    found = {}
    async with runtime.units.system("directory") as unit:
        for table in (*TENANT_TABLES, Letter.__table__, Ticket.__table__, OwnerLink.__table__):
            mine = select(func.count()).select_from(table).where(table.c.tenant_id == tenant_id)
            found[table.name] = await unit.session.scalar(mine) or 0
    return found


async def test_nothing_is_left_of_a_full_workspace_and_everything_of_another(runtime: Runtime) -> None:
    going, gone_files = await full_workspace(runtime, "going")
    staying, kept_files = await full_workspace(runtime, "staying")
    before, kept = await count(runtime, going), await count(runtime, staying)
    assert [name for name, rows in before.items() if not rows] == []
    async with runtime.units.system("directory") as unit:
        await unit.session.execute(
            update(Tenant).where(Tenant.id == going).values(delete_after=func.now() - timedelta(seconds=1))
        )
    assert await bid_farewell(runtime) == 1
    assert {name: rows for name, rows in (await count(runtime, going)).items() if rows} == {}
    assert await count(runtime, staying) == kept
    assert [place for place in gone_files if place.exists()] == []
    assert [place for place in kept_files if not place.exists()] == []
    assert await bid_farewell(runtime) == 0
