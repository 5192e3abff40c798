"""The line in a browser: a page that stays live under a selection, and acts that say their number first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import expect

from domain.production.commands.control_job import cancel_job
from domain.production.commands.hold_work import pause_project, resume_project
from tests.browser.conftest import NARROW, Server, Visit
from tests.support.factories import Workspace, queued_job

pytestmark = pytest.mark.browser


async def test_a_live_update_keeps_the_selection_and_the_act_names_its_number(
    visit: Visit, server: Server, space: Workspace
) -> None:
    page = visit.page
    await visit.go("/w/northlight/queue")
    await expect(page.locator("#live .dot")).to_have_attribute("data-st", "ok")
    box = page.get_by_label("Select #2", exact=True)
    await box.check()
    told = page.locator("#q-dead [data-count]")
    await expect(told).to_have_text("1 selected")
    await told.evaluate("(line) => { line.firstChild.data = 'the words of the server, put back by an update' }")
    await expect(told).to_have_text("1 selected")
    async with space.units.open(space.owner) as unit:
        await pause_project(unit, space.project.id, "seen while it happens")
    await visit.go("/w/northlight/queue?project=deep-sky")
    await expect(page.get_by_text("seen while it happens")).to_be_visible()
    await box.check()
    async with space.units.open(space.owner) as unit:
        await resume_project(unit, space.project.id)
    await expect(page.get_by_text("seen while it happens")).to_have_count(0)
    await expect(box).to_be_checked()
    await expect(page.locator("#q-dead [data-count]")).to_have_text("1 selected")
    await page.locator("#q-dead").get_by_role("button", name="Retry").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Retry: 1 job")
    await page.get_by_role("link", name="Back").click()
    await expect(page.get_by_role("heading", name="Failed steps")).to_be_visible()
    await visit.check()


async def test_rows_come_up_to_date_under_a_selection(visit: Visit, space: Workspace) -> None:
    page = visit.page
    await visit.go(space.base)
    box = page.get_by_label("Select #2", exact=True)
    await box.check()
    async with page.expect_response(lambda answer: "part=list" in answer.url, timeout=20_000):
        pass
    await expect(page.locator("[data-count]")).to_have_text("1 selected")
    await expect(box).to_be_checked()
    await page.locator("table.jobs [data-all]").check()
    await expect(page.locator("[data-count]")).to_have_text("4 selected")
    await page.get_by_label("What to do").select_option("cancel")
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Cancel: 2 jobs")
    await visit.check()


OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll(".jobs tbody td")].map((cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return range.getBoundingClientRect();
  }).filter((box) => box.width && box.height);
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => meet(a, b))).length;
}"""


async def test_a_long_name_leaves_room_for_the_other_facts_on_a_phone(visit: Visit, space: Workspace) -> None:
    page = visit.page
    await page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    await visit.go(space.base)
    await page.evaluate("document.querySelectorAll('.jobs .who').forEach((who) => who.append(' of Castile'.repeat(6)))")
    assert await page.evaluate(OVERLAPS) == 0
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # A page with little on it has one ground from top to bottom.
    await visit.go(f"{space.base}/views")
    assert await page.evaluate("document.querySelector('.main').getBoundingClientRect().height >= innerHeight")


async def test_pausing_on_a_phone_needs_a_reason(visit: Visit, space: Workspace) -> None:
    page: Any = visit.page
    await page.set_viewport_size(NARROW)
    await visit.go("/w/northlight/queue")
    await page.get_by_text("Pause the workspace").click()
    await page.get_by_label("Reason").fill("moving to new voices")
    await page.get_by_role("button", name="Pause", exact=True).click()
    await expect(page.locator("#q-pauses")).to_contain_text("because: moving to new voices.")
    await page.get_by_text("Let the workspace go on").click()
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_text("moving to new voices")).to_have_count(0)
    await visit.check()


async def test_a_view_is_saved_found_and_renamed_by_keyboard(visit: Visit, space: Workspace) -> None:
    page = visit.page
    await visit.go(f"{space.base}?state=failed&q=jupiter")
    await page.get_by_text("Save as a view").focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("Name", exact=True).fill("Jupiter in trouble")
    await page.keyboard.press("Enter")
    row = page.get_by_role("navigation", name="Saved views")
    await expect(row.get_by_role("link", name="Jupiter in trouble")).to_have_attribute("aria-current", "page")
    await expect(page.get_by_text("The view is saved.")).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.keyboard.type("jupiter in")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/jobs?view=*")
    await row.get_by_role("link", name="Saved views").click()
    mine = page.get_by_role("listitem").filter(has_text="Jupiter in trouble")
    await mine.get_by_text("Change", exact=False).first.click()
    await mine.get_by_label("Name").fill("Needs a look")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("There is a view with this name already")
    await expect(page.locator("#faults")).to_be_visible()
    mine = page.get_by_role("listitem").filter(has_text="Jupiter in trouble")
    await mine.get_by_label("Name").fill("Jupiter")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("The view is changed.")).to_be_visible()
    await visit.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    await visit.go(space.base)
    await expect(row.get_by_role("link", name="Jupiter", exact=True)).to_be_visible()
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert await page.evaluate("window.violations") == []


@pytest.mark.parametrize("path", ["{base}", "{base}/1", "/w/northlight/queue", "/w/northlight/members", "/settings"])
async def test_the_counts_of_the_navigation_are_live_on_every_page(visit: Visit, space: Workspace, path: str) -> None:
    page = visit.page
    async with page.expect_response(lambda answer: "/events?" in answer.url, timeout=20_000):
        await visit.go(path.format(base=space.base))
    count = page.locator("#count-jobs")
    before = int(await count.inner_text())
    job = await queued_job(space, datetime.now(UTC))
    async with space.units.open(space.owner) as unit:
        unit.emit("job.created", job_id=job.id, project_id=job.project_id)
    await expect(count).to_have_text(str(before + 1))
    await expect(count).to_have_attribute("aria-label", f"{before + 1} unfinished")
    async with space.units.open(space.owner) as unit:
        await cancel_job(unit, job.id)
    await expect(count).to_have_text(str(before))
    await visit.check()


async def test_a_tab_behind_others_takes_no_line_until_it_is_shown(visit: Visit) -> None:
    page = visit.page
    await page.add_init_script("Object.defineProperty(document, 'hidden', { get: () => !window.shown })")
    for path, line in (("/w/northlight/queue", "#live"), ("/w/northlight/members", "#side-live")):
        async with page.expect_response(lambda answer: "/events?" in answer.url, timeout=20_000):
            await visit.go(path)
        await page.wait_for_function(f"!document.querySelector('{line}')._htmx?.sse")
        async with page.expect_response(lambda answer: "/events?" in answer.url, timeout=20_000):
            await page.evaluate("window.shown = true, document.dispatchEvent(new Event('visibilitychange'))")
        await page.wait_for_function(f"document.querySelector('{line}')._htmx?.sse")
    assert await page.evaluate("window.violations") == []
