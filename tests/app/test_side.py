"""The counts of the navigation: live on every page, read once for all pages of a workspace."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, select

from app.live_page import PageStream, still_reads
from app.readings import LEAST_S, LONGEST_S, Reading
from app.room import Room
from app.side import Side
from app.site import Site
from domain.catalog.model import Project
from domain.production.commands.control_job import cancel_job
from tests.app.conftest import Person
from tests.app.test_live import FakeRequest, until
from tests.support.factories import Workspace, queued_job
from tests.support.people import add_person, cookie_of


async def open_side(site: Site, person: Person, slug: str = "deep-sky") -> PageStream:
    """The stream of a page that shows a project's jobs."""
    request: Any = FakeRequest(site, person, {"tenant": person.space.slug})
    room = await Room.enter(request)

    async def nothing() -> dict[str, Any]:
        return {}

    channels = (f"vfos:events:{room.principal.tenant_id}",)
    side = Side(room, slug)
    return PageStream(site, room.tongue, "ui/side.html", {}, channels, nothing, lambda: still_reads(room), side)


class TestReading:
    @pytest.mark.parametrize(
        ("age", "hinted", "old"),
        [(0.1, 7, False), (0.1, 8, False), (LEAST_S, 7, False), (LEAST_S, 8, True), (LONGEST_S, 7, True)],
    )
    def test_it_is_old_when_something_happened_but_not_at_once(self, age: float, hinted: int, old: bool) -> None:
        now = 1000.0
        assert Reading(hinted=hinted, read=7, at=now - age).is_old(now, since=0) is old

    def test_it_tells_nothing_to_who_came_later(self) -> None:
        assert Reading(read=7, hinted=7, at=999.9).is_old(1000.0, since=999.95)


class TestStream:
    async def test_counts_follow_what_happens(self, site: Site, space: Workspace, marina: Person) -> None:
        page = await marina.get(space.base)
        assert '<span class="count" id="count-jobs" aria-label="2 unfinished">2</span>' in page.text
        assert '<span class="count" id="count-approvals" aria-label="0 waiting" hidden>0</span>' in page.text
        assert 'hx-sse:connect="/w/northlight/events?side=deep-sky"' in page.text
        stream = await open_side(site, marina)
        async with aclosing(stream.messages()) as messages:
            first = "".join(await until(messages, "count-jobs"))
            assert 'aria-label="2 unfinished"' in first
            job = await queued_job(space, datetime.now(UTC))
            async with site.units.open(space.owner) as unit:
                unit.emit("job.created", job_id=job.id, project_id=job.project_id)
            more = "".join(await until(messages, "count-jobs"))
            assert 'aria-label="3 unfinished"' in more
            assert "count-approvals" not in more, "what has not changed is not sent again"
            async with site.units.open(space.owner) as unit:
                await cancel_job(unit, job.id)
            assert 'aria-label="2 unfinished"' in "".join(await until(messages, "count-jobs"))

    async def test_a_job_s_page_brings_them_in_its_own_stream(self, marina: Person) -> None:
        running = await marina.get(f"{marina.space.base}/3")
        assert "/w/northlight/events" not in running.text
        done = await marina.get(f"{marina.space.base}/1")
        assert "/w/northlight/events?side=deep-sky" in done.text
        queue = await marina.get("/w/northlight/queue")
        assert "/w/northlight/events" not in queue.text
        assert "/w/northlight/queue/events?side=deep-sky" in queue.text

    async def test_one_reading_serves_all_open_pages(self, site: Site, space: Workspace, marina: Person) -> None:
        sides = [(await open_side(site, marina)).side for _ in range(20)]
        count = 0

        def counted(*_: Any) -> None:
            nonlocal count
            count += 1

        engine = site.engines.app.sync_engine
        event.listen(engine, "before_cursor_execute", counted)
        try:
            found = await asyncio.gather(*(side.news() for side in sides if side is not None))
            first = count
            for _ in range(50):
                for side in sides:
                    assert side is not None
                    side.hear("999999")
                await asyncio.gather(*(side.news() for side in sides if side is not None))
        finally:
            event.remove(engine, "before_cursor_execute", counted)
        assert all(len(parts) == 2 for parts in found)
        assert first == 2, "the workspace is told to the database, and the projects are read"
        seconds = time.monotonic() - site.readings._kept[space.tenant_id].at
        assert count <= 2 * (2 + seconds / LEAST_S), "at most once a second, however many events and pages"


class TestRights:
    async def test_a_viewer_is_sent_no_questions_and_a_narrowed_one_no_hidden_jobs(
        self, site: Site, space: Workspace, marina: Person
    ) -> None:
        async with site.units.open(space.owner) as unit:
            atlas = await unit.session.scalar(select(Project.id).where(Project.slug == "bedtime-atlas"))
        assert atlas is not None
        viewer = await self.enter(site, marina, await add_person(site.units, space.tenant_id, "viewer"))
        hidden = await self.enter(site, marina, await add_person(site.units, space.tenant_id, projects=[atlas]))
        assert ["count-jobs" in part for part in await self.news(site, viewer)] == [True]
        assert ["count-approvals" in part for part in await self.news(site, hidden)] == [True]

    async def test_it_ends_with_the_membership(
        self, site: Site, marina: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = await self.enter(site, marina, await add_person(site.units, marina.space.tenant_id, "viewer"))
        stream = await open_side(site, other)

        async def gone() -> bool:
            return False

        monkeypatch.setattr("app.live_page.RIGHTS_S", 0)
        stream.may = gone
        async with aclosing(stream.messages()) as messages:
            assert "event: end" in (await until(messages, "event: end"))[-1]

    async def enter(self, site: Site, marina: Person, person: Any) -> Person:
        return Person(marina.client, marina.space, await cookie_of(site.units, person))

    async def news(self, site: Site, person: Person) -> list[str]:
        side = (await open_side(site, person)).side
        assert side is not None
        return await side.news()


async def test_the_handler_opens_a_stream(site: Site, marina: Person) -> None:
    site.closing = True
    try:
        answer = await marina.get("/w/northlight/events?side=deep-sky")
    finally:
        site.closing = False
    assert answer.headers["content-type"].startswith("text/event-stream")
