"""A person's way: jobs, a new job, its live page; with and without script, through a lost line."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import Browser, Route, expect

from domain.dispatch.model import Step
from domain.production.model import Job
from tests.browser.conftest import Server, Visit, open_page
from tests.support.factories import Workspace, add_log, running_job

pytestmark = pytest.mark.browser


async def write(space: Workspace, job: Job, text: str) -> None:
    """Add a log line and an event, as a worker does."""
    from sqlalchemy import select

    async with space.units.open(space.owner) as unit:
        row = await unit.session.get(Job, (space.tenant_id, job.id))
        step = (await unit.session.execute(select(Step).where(Step.job_id == job.id, Step.shard == "07"))).scalar_one()
        assert row is not None
        step.done = min(step.total, step.done + 10)
        await add_log(unit, row, step, [("info", "", text)], datetime.now(UTC))
        unit.emit("step.progress", job_id=job.id, project_id=job.project_id)


class TestList:
    async def test_from_the_list_to_a_job_and_back(self, visit: Visit, space: Workspace) -> None:
        await visit.go(space.base)
        await visit.page.get_by_role("link", name="The moons of Jupiter").click()
        await expect(visit.page.get_by_role("heading", level=1)).to_have_text("The moons of Jupiter")
        await expect(visit.page.get_by_role("button", name="Retry from Voice")).to_be_visible()
        await visit.page.go_back()
        await expect(visit.page.get_by_role("heading", level=1)).to_have_text("Jobs")
        await visit.check()

    async def test_the_project_switcher_filters_and_switches(self, visit: Visit, space: Workspace) -> None:
        await visit.go(space.base)
        await visit.page.get_by_role("button", name="Project Deep Sky").click()
        await visit.page.get_by_label("Find a project").fill("bed")
        await expect(visit.page.locator("#projects > a:visible")).to_have_count(1)
        await visit.page.get_by_label("Find a project").press("Enter")
        await expect(visit.page.get_by_text("No jobs yet")).to_be_visible()
        await visit.check()


class TestNewJob:
    async def test_faults_appear_in_place_and_get_the_focus(self, visit: Visit, space: Workspace) -> None:
        await visit.go(f"{space.base}/new")
        await visit.page.get_by_label("Topic").fill("   ")
        await visit.page.get_by_label("Length").fill("3")
        await visit.page.get_by_role("button", name="Start job").click()
        await expect(visit.page.get_by_role("alert").filter(has_text="2 things must be corrected")).to_be_focused()
        await expect(visit.page.get_by_label("Topic")).to_have_attribute("aria-invalid", "true")
        await expect(visit.page.get_by_label("Length")).to_have_value("3")
        await expect(visit.page).to_have_url(f"{visit.base}{space.base}/new")
        visit.problems = [text for text in visit.problems if "422" not in text]
        await visit.check()


class TestLivePage:
    async def test_lines_and_progress_arrive_and_the_line_says_that_it_is_live(
        self, visit: Visit, space: Workspace
    ) -> None:
        job = await running_job(space, datetime.now(UTC))
        await visit.go(f"{space.base}/{job.number}")
        await expect(visit.page.locator("#live")).to_have_text("Live")
        before = await visit.page.locator("#stage-render progress").get_attribute("value")
        await write(space, job, "A line from the worker")
        await expect(visit.page.get_by_text("A line from the worker")).to_be_visible()
        await expect(visit.page.locator("#stage-render progress")).not_to_have_attribute("value", before or "")
        await expect(visit.page.locator("#log-total")).to_have_text("14 lines")
        await visit.check()

    async def test_the_name_of_the_tab_keeps_up_with_the_state(self, visit: Visit, space: Workspace) -> None:
        job = await running_job(space, datetime.now(UTC))
        await visit.go(f"{space.base}/{job.number}")
        await expect(visit.page).to_have_title(f"#{job.number} {job.title} · Running · Deep Sky")
        await expect(visit.page.locator("#live")).to_have_text("Live")
        async with space.units.open(space.owner) as unit:
            row = await unit.session.get(Job, (space.tenant_id, job.id))
            assert row is not None
            row.state = "failed"
            unit.emit("job.failed", job_id=job.id, project_id=job.project_id)
        await expect(visit.page).to_have_title(f"#{job.number} {job.title} · Failed · Deep Sky")
        await visit.check()

    async def test_a_late_extension_still_opens_the_line(self, visit: Visit, space: Workspace) -> None:
        job = await running_job(space, datetime.now(UTC))
        held: asyncio.Queue[Route] = asyncio.Queue()
        await visit.page.route("**/hx-sse*", held.put_nowait)
        await visit.page.goto(visit.base + f"{space.base}/{job.number}", wait_until="commit")
        await expect(visit.page.locator("#live")).to_have_text("Not live")
        # The last of what runs before the extension has run.
        await visit.page.evaluate("customElements.whenDefined('vf-log').then(() => true)")
        await (await held.get()).continue_()
        await expect(visit.page.locator("#live")).to_have_text("Live")
        await visit.check()

    async def test_what_happened_while_the_line_was_lost_is_replayed_once(
        self, visit: Visit, space: Workspace, server: Server
    ) -> None:
        job = await running_job(space, datetime.now(UTC))
        await visit.go(f"{space.base}/{job.number}")
        await expect(visit.page.locator("#live")).to_have_text("Live")
        await write(space, job, "Before the break")
        await expect(visit.page.get_by_text("Before the break")).to_be_visible()
        await server.stop()
        try:
            await expect(visit.page.locator("#live")).to_contain_text("Reconnecting since")
            await write(space, job, "During the break")
        finally:
            await server.start()
        await expect(visit.page.get_by_text("During the break")).to_be_visible(timeout=20_000)
        await expect(visit.page.get_by_text("Before the break")).to_have_count(1)
        await expect(visit.page.locator("#live")).to_have_text("Live")
        visit.problems = [text for text in visit.problems if "net::ERR" not in text and "sse:error" not in text]
        await visit.check()

    async def test_the_end_is_shown_without_reloading(self, visit: Visit, space: Workspace) -> None:
        job = await running_job(space, datetime.now(UTC))
        await visit.go(f"{space.base}/{job.number}")
        await expect(visit.page.locator("#live")).to_have_text("Live")
        async with space.units.open(space.owner) as unit:
            row = await unit.session.get(Job, (space.tenant_id, job.id))
            assert row is not None
            row.state, row.finished_at, row.version = "succeeded", datetime.now(UTC), row.version + 1
            unit.emit("job.state", job_id=job.id, project_id=job.project_id, state="succeeded")
        await expect(visit.page.locator("#job-status")).to_have_text("Done")
        await expect(visit.page.locator("#live")).to_have_text("Ended")
        await visit.check()

    async def test_following_stops_when_the_reader_scrolls_up(self, visit: Visit, space: Workspace) -> None:
        job = await running_job(space, datetime.now(UTC))
        for number in range(40):
            await write(space, job, f"Line of work {number}")
        await visit.go(f"{space.base}/{job.number}")
        follow = visit.page.get_by_role("button", name="Follow")
        await expect(follow).to_have_attribute("aria-pressed", "true")
        await expect(visit.page.locator("#live")).to_have_text("Live")
        await visit.page.locator("#log-lines").hover()
        await visit.page.mouse.wheel(0, -400)
        await expect(follow).to_have_attribute("aria-pressed", "false")
        await write(space, job, "One more")
        await visit.page.get_by_role("button", name="New lines").click()
        await expect(visit.page.get_by_text("One more")).to_be_in_viewport()
        await visit.check()


class TestFilm:
    async def test_the_finished_film_plays_on_the_page(self, visit: Visit, space: Workspace) -> None:
        await visit.go(f"{space.base}/1")
        played = await visit.page.evaluate(
            """async () => {
              const film = document.querySelector("video");
              film.muted = true;
              await film.play();
              await new Promise((done) => film.addEventListener("timeupdate", done, { once: true }));
              film.currentTime = 3;
              await new Promise((done) => film.addEventListener("seeked", done, { once: true }));
              return [film.videoWidth, film.duration > 3.5, film.currentTime >= 3, film.textTracks.length];
            }"""
        )
        assert played == [640, True, True, 1]
        await visit.check()


class TestWithoutScript:
    async def test_pages_are_complete_and_forms_work(
        self, chromium: Browser, server: Server, space: Workspace, signed: dict[str, Any]
    ) -> None:
        context = await chromium.new_context(storage_state=signed, java_script_enabled=False)  # type: ignore[arg-type]
        page = (await open_page(context, server.base)).page
        await page.goto(f"{server.base}{space.base}/3")
        await expect(page.get_by_text("6 of 9 parts")).to_be_visible()
        await expect(page.locator("#L13")).to_contain_text("Frames 60 of 150")
        await page.goto(f"{server.base}{space.base}/new")
        await page.get_by_label("Topic").fill(" ")
        await page.get_by_role("button", name="Start job").click()
        await expect(page.get_by_text("One thing must be corrected")).to_be_visible()
        await page.goto(f"{server.base}{space.base}/4")
        await page.get_by_role("button", name="Pause").click()
        await expect(page.get_by_text("This job is paused.")).to_be_visible()
        await page.get_by_role("button", name="Resume").click()
        await expect(page.locator("#job-status")).to_have_text("Queued")
        await context.close()
