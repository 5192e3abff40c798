"""Changing a film in a browser: one scene, or its timeline; from the preview to the new job; also without script."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Dialog, expect

from adapters.settings import Settings
from app.site import Site
from domain.production.commands.create_job import create_job
from domain.production.commands.new_job import NewJob
from tests.browser.conftest import AXE, WIDE, Server, Visit, come_in, open_page
from tests.browser.looks import faults_of, open_looks
from tests.support.scripted import TOPIC, Scripted, open_scripted

pytestmark = pytest.mark.browser


@pytest_asyncio.fixture(scope="module")
async def studio(database: Settings, site: Site) -> Scripted:
    made = await open_scripted(database, site.units, site.store, "cedar")
    await made.plan()
    return made


@pytest_asyncio.fixture(scope="module")
async def member(chromium: Browser, server: Server, studio: Scripted) -> dict[str, Any]:
    """The storage of a browser whose person belongs to the workspace."""
    return await come_in(chromium, server, studio.tenant_id, "Ana Lima")


@pytest_asyncio.fixture
async def desk(chromium: Browser, server: Server, member: dict[str, Any]) -> AsyncIterator[Visit]:
    context = await chromium.new_context(storage_state=member, viewport=WIDE)  # type: ignore[arg-type]
    yield await open_page(context, server.base)
    await context.close()


class TestEditing:
    async def test_a_scene_is_changed_in_place_and_becomes_a_new_job(self, desk: Visit, studio: Scripted) -> None:
        page = desk.page
        await desk.go(f"{studio.base}/1/script")
        await page.get_by_role("link", name="Edit scene 2").click()
        text = page.get_by_label("Text of scene 2")
        await expect(text).to_be_visible()
        await expect(page).to_have_url(f"{desk.base}{studio.base}/1/script?scene=s2")
        await text.fill("…")
        await page.get_by_role("button", name="Show what will be made again").click()
        await expect(page.get_by_role("alert").filter(has_text="One thing must be corrected")).to_be_focused()
        await expect(text).to_have_value("…")
        await text.fill("A person wrote this. It was seen before it ran.")
        await page.get_by_role("button", name="Show what will be made again").click()
        await expect(page.get_by_role("row", name="Sentences 2 6")).to_be_visible()
        await expect(page.get_by_role("row", name="Pictures 0 5")).to_be_visible()
        await page.get_by_role("button", name="Make the new film").click()
        await page.wait_for_url("**/jobs/2")
        await expect(page.get_by_role("link", name="Changed from #1")).to_be_visible()
        desk.problems = [said for said in desk.problems if "422" not in said]
        await desk.check()

    async def test_text_that_nobody_saved_is_guarded(self, desk: Visit, studio: Scripted) -> None:
        asked: list[str] = []

        async def stay(dialog: Dialog) -> None:
            asked.append(dialog.type)
            await dialog.dismiss()

        await desk.go(f"{studio.base}/1/script?scene=s3")
        desk.page.on("dialog", stay)
        await desk.page.get_by_label("Text of scene 3").press_sequentially("More. ")
        await desk.page.get_by_role("link", name="Leave as it was").click()
        await expect(desk.page.get_by_label("Text of scene 3")).to_be_visible()
        assert asked == ["beforeunload"]
        await desk.page.get_by_role("button", name="Show what will be made again").click()
        await expect(desk.page.get_by_role("heading", name="What the change will do")).to_be_visible()
        await desk.page.get_by_role("link", name="Overview").click()
        await expect(desk.page.get_by_role("heading", name="What the change will do")).to_be_visible()
        assert asked == ["beforeunload", "beforeunload"]
        await desk.check()

    async def test_it_works_without_script(
        self, chromium: Browser, server: Server, studio: Scripted, member: dict[str, Any]
    ) -> None:
        context = await chromium.new_context(storage_state=member, java_script_enabled=False)  # type: ignore[arg-type]
        page = (await open_page(context, server.base)).page
        await page.goto(f"{server.base}{studio.base}/1/script")
        await page.get_by_role("link", name="Edit scene 4").click()
        await page.get_by_label("Text of scene 4").fill("Plain forms are enough.")
        await page.get_by_role("button", name="Show what will be made again").click()
        await expect(page.get_by_role("row", name="Sentences 1 6")).to_be_visible()
        await page.get_by_label("Text of scene 4").fill("Plain forms are quite enough.")
        await page.get_by_role("button", name="Make the new film").click()
        await expect(page.get_by_text("The text was changed after this was worked out.")).to_be_visible()
        await page.get_by_role("button", name="Make the new film").click()
        await expect(page.get_by_role("link", name="Changed from #1")).to_be_visible()
        await context.close()


class TestTimeline:
    async def test_items_are_trimmed_by_hand_and_by_key_and_the_film_is_made_again(
        self, desk: Visit, studio: Scripted
    ) -> None:
        page = desk.page
        await page.context.add_init_script(path=AXE)
        await desk.go(f"{studio.base}/1/timeline")
        second = page.locator('.tl-bar[data-id="picture-s2"]')
        first, count = [int(await second.get_attribute(f"data-{name}") or 0) for name in ("first", "count")]
        await second.locator(".back").click(position={"x": 40, "y": 8})
        await expect(second).to_have_attribute("aria-current", "true")
        await expect(page).to_have_url(f"{desk.base}{studio.base}/1/timeline?item=picture-s2")
        edge = await second.locator(".back").bounding_box()
        assert edge is not None
        x, y = edge["x"] + edge["width"] - 3, edge["y"] + 8
        await page.mouse.move(x, y)
        await page.mouse.down()
        await page.mouse.move(x + 8, y)
        await page.mouse.move(x + 16, y)
        await page.mouse.up()
        await expect(page.get_by_text("1 change that is not in the film")).to_be_visible()
        assert int(await second.get_attribute("data-count") or 0) > count
        await page.keyboard.press("Control+z")
        await expect(second).to_have_attribute("data-count", str(count))
        await page.mouse.click(edge["x"] + 30, edge["y"] - 16)
        at = int(await page.locator("#tl-at").input_value())
        assert first < at < first + count
        await page.locator("#tl-scroll").focus()
        await page.keyboard.press("ArrowRight")
        await expect(page.locator("#tl-at")).to_have_value(str(at + 1))
        await page.keyboard.press("[")
        await expect(second).to_have_attribute("data-first", str(at + 1))
        await page.get_by_role("link", name="Make the film again").click()
        await expect(page.get_by_role("row", name="Sentences nothing all")).to_be_visible()
        assert await faults_of(page) == []
        await page.get_by_role("button", name="Make the new film").click()
        await expect(page.get_by_role("link", name="Changed from #1")).to_be_visible()
        await desk.check()


async def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    chromium: Browser, server: Server, studio: Scripted, member: dict[str, Any]
) -> None:
    context = await open_looks(chromium, member)
    visit = await open_page(context, server.base)
    faults = {}
    for step in ("read", "timeline", "again", "form", "faults", "preview"):
        if step == "read":
            await visit.go(f"{studio.base}/1/script")
        elif step == "timeline":
            await visit.go(f"{studio.base}/1/timeline?item=picture-s2&at=90")
            await visit.page.evaluate(
                "for (const each of document.querySelectorAll('#timeline details')) each.open = true"
            )
        elif step in ("again", "form"):
            await visit.go(f"{studio.base}/1/script?{'again=1' if step == 'again' else 'scene=s2'}")
            await expect(visit.page.locator("textarea")).to_be_visible()
        else:
            await visit.page.get_by_label("Text of scene 2").fill("…" if step == "faults" else "Something new.")
            await visit.page.get_by_role("button", name="Show what will be made again").click()
            await expect(visit.page.locator(".faults" if step == "faults" else ".outlook")).to_be_visible()
        if found := await faults_of(visit.page):
            faults[step] = found
    await context.close()
    assert faults == {}


class TestPrompt:
    async def test_a_changed_prompt_reaches_the_next_job(self, desk: Visit, studio: Scripted) -> None:
        """Its faults are told in place, what was typed stays, and the job says which version it was made from."""
        page = desk.page
        await desk.go(f"/w/{studio.slug}/catalogue/prompts/documentary-script-en/edit")
        template = page.get_by_label("Template")
        await template.fill("Tell of {{ topci }}.")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("alert").filter(has_text="Did you mean “topic”?")).to_be_focused()
        await expect(template).to_have_value("Tell of {{ topci }}.")
        await template.fill("Tell of {{ topic }}.")
        await page.get_by_label("What has changed").fill("In one line")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Saved as version 2.")).to_be_visible()
        desk.problems = [said for said in desk.problems if "422" not in said]
        async with studio.units.open(studio.owner) as unit:
            number = (await create_job(unit, NewJob("deep-sky", "quick", TOPIC))).number
        await desk.go(f"{studio.base}/{number}/config")
        await expect(page.get_by_text("documentary-script-en v2")).to_be_visible()
        await expect(page.get_by_text("Tell of {{ topic }}.")).to_be_visible()
        await desk.check()
