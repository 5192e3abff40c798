"""The wizard in a browser: a whole decision by keyboard on a phone without script, and every page in every look."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from adapters.settings import Settings
from app.site import Site
from domain.production.commands.create_job import create_job
from domain.production.commands.decide_gate import decide_gate
from domain.production.commands.new_job import NewJob
from domain.production.queries.line import inbox
from tenants.directory import load_visitor, save_preferences
from tests.browser.conftest import NARROW, WIDE, Server, come_in, open_page
from tests.browser.looks import RUN, STATES, Look, faults_of, open_looks, take_shots
from tests.support.scripted import TOPIC, Scripted, open_scripted

pytestmark = pytest.mark.browser
PORTUGUESE: tuple[Look, ...] = ((WIDE, "dark", RUN), (NARROW, "dark", RUN))


@pytest_asyncio.fixture(scope="module")
async def studio(database: Settings, site: Site) -> Scripted:
    """Job #1 waits with its pictures, after its script was approved and made again; job #2 with its script."""
    made = await open_scripted(database, site.units, site.store, "linden")
    for gates in (("script", "illustrate"), ("script",)):
        async with made.units.open(made.owner) as unit:
            await create_job(unit, NewJob("deep-sky", "quick", TOPIC, seconds=20, mode="wizard", gates=gates))
    await made.work()
    await answer(made, "changes", "shorter")
    await answer(made, "approved", "")
    await answer(made, "again", "")
    return made


async def answer(studio: Scripted, decision: Any, note: str) -> None:
    """Answer the open question of job #1."""
    async with studio.units.open(studio.owner) as unit:
        one = next(one for one in await inbox(unit) if one.number == 1)
        await decide_gate(unit, one.job_id, one.id, decision, one.seen_version, note)
    await studio.work()


@pytest_asyncio.fixture(scope="module")
async def member(chromium: Browser, server: Server, studio: Scripted) -> dict[str, Any]:
    return await come_in(chromium, server, studio.tenant_id, "Ana Lima")


@pytest.mark.parametrize(("language", "looks"), [("en", STATES), ("pt-BR", PORTUGUESE)], ids=["en", "pt-BR"])
async def test_every_page_in_every_look(
    chromium: Browser,
    server: Server,
    studio: Scripted,
    member: dict[str, Any],
    language: str,
    looks: Sequence[Look],
) -> None:
    cookie = next(entry for entry in member["cookies"] if entry["name"] == "vfos_session")
    visitor = await load_visitor(server.site.units, cookie["value"])
    assert visitor is not None
    await save_preferences(server.site.units, visitor.person.id, language=language)
    context = await open_looks(chromium, member)
    visit = await open_page(context, server.base)
    faults: dict[str, Any] = {}
    pages = {
        "gate-pictures": "/1",
        "gate-script": "/2",
        "edit": "/2/gate/edit",
        "step-script": "/1/step/script",
        "step-pictures": "/1/step/illustrate",
        "step-voice": "/1/step/narrate",
        "fork": "/1/step/narrate/fork",
        "new": "/new",
    }
    paths = {name: f"{studio.base}{path}" for name, path in pages.items()} | {"inbox": "/w/linden/approvals"}
    for name, path in paths.items():
        await visit.go(path)
        if shots := os.environ.get("WIZARD_SHOTS"):
            await take_shots(visit.page, Path(shots), name)
        # A log that follows is scrolled to its end: what its edge cuts is no target.
        if found := await faults_of(visit.page, looks, without=".lines"):
            faults[name] = found
    await context.close()
    await save_preferences(server.site.units, visitor.person.id, language="en")
    assert faults == {}


async def test_a_decision_by_keyboard_on_a_phone_without_script(
    chromium: Browser, server: Server, studio: Scripted, member: dict[str, Any]
) -> None:
    context = await chromium.new_context(storage_state=member, viewport=NARROW, java_script_enabled=False)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(f"{server.base}/w/linden/approvals")
    await page.get_by_role("link", name="Look at it and decide").first.press("Enter")
    await expect(page.get_by_role("heading", name="Script: your decision")).to_be_visible()
    note = page.get_by_label("What should be different?")
    await note.focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("The note is empty.").first).to_be_visible()
    await page.get_by_role("button", name="Approve").press("Enter")
    await expect(page.get_by_role("heading", name="Pictures: your decision")).to_be_visible()
    assert "from=inbox" in page.url
    await context.close()


async def test_the_key_approves_and_the_page_follows_live(
    chromium: Browser, server: Server, studio: Scripted, member: dict[str, Any]
) -> None:
    context = await chromium.new_context(storage_state=member, viewport=WIDE)  # type: ignore[arg-type]
    visit = await open_page(context, server.base)
    await visit.go(f"{studio.base}/1")
    other = await open_page(context, server.base)
    await other.go(f"{studio.base}/1")
    await expect(other.page.get_by_role("heading", name="Pictures: your decision")).to_be_visible()
    await expect(other.page.get_by_text("Live", exact=True)).to_be_visible()
    await visit.page.keyboard.press("a")
    await expect(visit.page.locator("#decisions")).to_contain_text("Ana Lima")
    await expect(other.page.get_by_role("heading", name="Pictures: your decision")).to_be_hidden()
    await expect(other.page.locator("#decisions")).to_contain_text("Ana Lima")
    await visit.check()
    await other.check()
    await context.close()
