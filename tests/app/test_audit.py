"""The audit trail on its page, as a file, and checked; and the care of keys."""

from __future__ import annotations

import csv
import io
import secrets

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from adapters.settings import Settings
from app.commands.audit import verify
from app.site import Site
from tenants.keyring import KeyRing
from tenants.principal import worker_principal
from tenants.secret import Secret
from tenants.vault import Vault
from tests.app.conftest import Person


class TestPage:
    async def test_filters_and_the_file_tell_the_same(self, site: Site, marina: Person) -> None:
        base = f"/w/{marina.space.slug}/audit"
        async with site.units.open(marina.space.owner) as unit:
            unit.audit("test.formula", "thing", "=1+1", after={"note": "<b>bold</b>", "password": "planted-one"})
        page = await marina.get(f"{base}?action=test.formula")
        assert "&lt;b&gt;bold" in page.text
        assert "planted-one" not in page.text
        assert page.text.count("<code>") == 1
        assert "project.created" in (await marina.get(f"{base}?q=project")).text
        assert "Nothing matches" in (await marina.get(f"{base}?who=nobody-like-this")).text
        assert "Nothing matches" in (await marina.get(f"{base}?until=2001-01-01")).text
        sheet = await marina.get(f"{base}.csv?action=test.formula")
        assert sheet.headers["content-disposition"].startswith("attachment")
        [row] = list(csv.DictReader(io.StringIO(sheet.text)))
        assert (row["object_id"], row["action"]) == ("'=1+1", "test.formula")

    async def test_nothing_of_another_workspace(self, marina: Person, stranger: Person) -> None:
        theirs = (await stranger.get("/w/southwind/audit.csv")).text
        assert str(marina.space.tenant_id) not in theirs
        assert (await stranger.get("/w/northlight/audit")).status_code == 404


class TestVerify:
    async def test_the_first_broken_line_is_named(self, database: Settings, site: Site, marina: Person) -> None:
        slug = marina.space.slug
        [whole] = await verify(database, slug)
        assert (whole["broken"], whole["lines"] > 2) == (None, True)
        change = text("UPDATE audit_entries SET action = 'x' WHERE tenant_id = :id AND seq = 2")
        with create_engine(database.database_owner_url, poolclass=NullPool).begin() as connection:
            connection.execute(text("ALTER TABLE audit_entries NO FORCE ROW LEVEL SECURITY"))
            connection.execute(change, {"id": marina.space.tenant_id})
            connection.execute(text("ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY"))
        [broken] = await verify(database, slug)
        assert (broken["broken"], broken["reason"]) == (2, "line 2 does not match its digest")


async def test_a_running_program_learns_a_key_made_meanwhile(site: Site, marina: Person) -> None:
    old = KeyRing({1: secrets.token_bytes(32)})
    new = old.extended()
    running = Vault(old, lambda: new)
    async with site.units.open(marina.space.owner) as unit:
        await running.put(unit, "late", Secret("a-value-to-keep"))
    assert await Vault(new).rotate_kek(site.units) >= 1
    async with site.units.open(worker_principal(marina.space.tenant_id)) as unit:
        assert (await running.reveal(unit, "late")).reveal() == "a-value-to-keep"
