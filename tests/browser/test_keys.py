"""Keys: the palette, jumps, the list of shortcuts; silent in fields and when switched off; with and without script."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Browser, Route, expect

from tenants.directory import load_visitor, save_preferences
from tests.browser.conftest import Server, Visit, open_page
from tests.support.factories import Workspace

pytestmark = pytest.mark.browser


async def test_the_palette_finds_a_job_by_keys_alone(visit: Visit, space: Workspace) -> None:
    page = visit.page
    await visit.go("/w/northlight/members")
    await page.keyboard.press("Control+k")
    field = page.get_by_role("dialog").get_by_label("Jobs, pages and actions")
    await expect(field).to_be_focused()
    await expect(page.locator("#found a").first).to_be_visible()
    await page.keyboard.type("jupiter")
    await expect(page.locator("#found a")).to_have_count(1)
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#found a")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("The moons of Jupiter")
    await visit.check()


async def test_enter_means_what_was_typed_and_not_what_was_shown(visit: Visit, space: Workspace) -> None:
    page = visit.page
    held: asyncio.Queue[Route] = asyncio.Queue()
    await visit.go("/w/northlight/members")
    await page.keyboard.press("Control+k")
    await expect(page.locator("#found a").first).to_be_visible()
    await page.route("**/find?**", held.put_nowait)
    await page.keyboard.type("jupiter")
    await page.keyboard.press("Enter")
    await (await held.get()).continue_()
    await expect(page.get_by_role("heading", level=1)).to_have_text("The moons of Jupiter")
    await visit.check()


async def test_a_late_answer_leaves_the_focus_where_it_was(visit: Visit, space: Workspace) -> None:
    page = visit.page
    await visit.go("/w/northlight/members")
    await page.keyboard.press("Control+k")
    await expect(page.locator("#found a").first).to_be_visible()
    async with page.expect_response("**/find?**"):
        await page.keyboard.type("jupiter")
        await page.keyboard.press("ArrowDown")
    await expect(page.locator("#found a")).to_have_count(1)
    await expect(page.locator("#found a")).to_be_focused()
    await visit.check()


async def test_jumps_the_list_and_the_search(visit: Visit, space: Workspace) -> None:
    page = visit.page
    await visit.go("/w/northlight/members")
    await page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(keys).to_be_visible()
    await page.keyboard.press("g")
    await page.keyboard.press("j")
    await page.keyboard.press("Escape")
    await expect(keys).to_be_hidden()
    assert page.url.endswith("/members")
    await page.keyboard.press("g")
    await page.keyboard.press("j")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")
    await page.wait_for_load_state()  # its scripts listen
    await page.keyboard.press("j")
    await expect(page.locator("table.jobs td.first > a").first).to_be_focused()
    await page.keyboard.press("/")
    search = page.locator("main [data-slash]")
    await expect(search).to_be_focused()
    await page.keyboard.type("g/?a jk")
    await expect(search).to_have_value("g/?a jk")
    assert page.url.endswith("/jobs")
    await visit.check()


async def test_switched_off_keys_do_nothing(
    visit: Visit, space: Workspace, server: Server, signed: dict[str, Any]
) -> None:
    cookie = next(entry for entry in signed["cookies"] if entry["name"] == "vfos_session")
    visitor = await load_visitor(server.site.units, cookie["value"])
    assert visitor is not None
    await save_preferences(server.site.units, visitor.person.id, shortcuts=False)
    try:
        await visit.go(space.base)
        for key in ("j", "/", "?", "g", "m"):
            await visit.page.keyboard.press(key)
        focused = "document.activeElement === document.body && !document.querySelector('dialog[open]')"
        assert await visit.page.evaluate(focused)
        assert visit.page.url.endswith("/jobs")
        await visit.page.keyboard.press("Control+k")
        await expect(visit.page.get_by_label("Jobs, pages and actions")).to_be_focused()
    finally:
        await save_preferences(server.site.units, visitor.person.id, shortcuts=True)


async def test_without_script_the_palette_is_a_page(
    chromium: Browser, server: Server, space: Workspace, signed: dict[str, Any]
) -> None:
    context = await chromium.new_context(storage_state=signed, java_script_enabled=False)  # type: ignore[arg-type]
    visit = await open_page(context, server.base)
    await visit.go(space.base)
    await visit.page.get_by_role("link", name="Search or jump to").click()
    await visit.page.get_by_role("searchbox", name="Jobs, pages and actions").fill("moons")
    await visit.page.get_by_role("button", name="Search").click()
    await visit.page.locator("main").get_by_role("link", name=re.compile("The moons of Jupiter")).click()
    await expect(visit.page.get_by_role("heading", level=1)).to_have_text("The moons of Jupiter")
    await context.close()
