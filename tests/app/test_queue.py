"""The queue page: what it says and to whom, pauses with their reasons, dead letters one by one and in bulk, live."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio
from httpx import AsyncClient
from litestar.datastructures import MultiDict
from sqlalchemy import select, update

from adapters.queue.names import events_channel
from app.live_page import PageStream
from app.site import Site
from domain.dispatch.farm import join_farm
from domain.dispatch.model import SchedFlow, Step, Worker
from domain.dispatch.recount import recount
from domain.production.commands.hold_work import pause_project, resume_project
from domain.production.model import Job
from domain.production.position import update_positions
from tenants.model import AuditEntry
from tests.app.conftest import Person
from tests.support.factories import add_job, add_steps, failed_job
from tests.support.people import add_person, cookie_of

QUEUE = "/w/northlight/queue"


@pytest_asyncio.fixture(scope="module")
async def line(marina: Person, stranger: Person) -> None:
    """Workers, a step that is tried again, and foreign work that nobody here may see."""
    space, other = marina.space, stranger.space
    worker = await join_farm(space.units, "secret-host", "boot", 1, {"io": 2, "cpu": 1}, "1")
    await join_farm(space.units, "other-host", "boot", 2, {"io": 2}, "1")
    now = datetime.now(UTC)
    async with space.units.open(space.owner) as unit:
        job = await add_job(unit, space, "The busy provider", "running", started_at=now)
        steps = await add_steps(unit, job, [("script", "", "succeeded"), ("narrate", "", "delayed")], now)
        waits = steps["narrate", ""]
        waits.not_before, waits.attempt = now + timedelta(minutes=3), 2
        waits.error, waits.error_class = {"sentence": "Too many requests at once."}, "ProviderBusy"
        mine = update(Step).where(Step.state == "running")
        await unit.session.execute(mine.values(worker_id=worker, lease_expires=now + timedelta(hours=1)))
    async with other.units.open(other.owner) as unit:
        theirs = await add_job(unit, other, "A foreign film", "queued")
        await add_steps(unit, theirs, [("script", "", "ready")], now)
    async with space.units.system("farm") as unit:
        await unit.session.execute(update(Worker).values(memory=300_000_000))
        unit.session.add_all(SchedFlow(tenant_id=one.tenant_id, pool="io") for one in (space, other))
    await recount(space.units)
    await update_positions(space.units, {"io": 2, "cpu": 1})


def words(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


class TestPage:
    async def test_says_everything_of_this_workspace_and_nothing_of_others(self, marina: Person, line: None) -> None:
        text = words((await marina.get(QUEUE)).text)
        for said in (
            "1 of 4 steps run",
            "#4 Why is the night sky dark? Place",
            "try 2 of 4 Too many requests at once.",
            "in 3 min",
            "#2 The moons of Jupiter Voice",
            "The voice espeak/en-xx is not installed. ProviderRefused",
            "memory 300 MB #3 Video 07",
            "1 more worker is free or serves other workspaces.",
            "2 workers, 4 slots",
        ):
            assert said in text
        for hidden in ("foreign", "secret-host", "other-host", "southwind"):
            assert hidden not in text.lower()

    async def test_is_narrowed_to_a_project(self, marina: Person, line: None) -> None:
        text = words((await marina.get(f"{QUEUE}?project=bedtime-atlas")).text)
        assert "Nothing waits." in text
        assert "Nothing has failed for good." in text
        assert (await marina.get(f"{QUEUE}?project=nobody")).status_code == 404

    async def test_a_member_of_one_project_sees_only_that(
        self, marina: Person, line: None, site: Site, browser: Callable[[], AsyncClient]
    ) -> None:
        space = marina.space
        async with space.units.open(space.owner) as unit:
            from domain.catalog.model import Project

            found = await unit.session.execute(select(Project.id).where(Project.slug == "bedtime-atlas"))
            person = await add_person(site.units, space.tenant_id, "operator", projects=[found.scalar_one()])
        async with browser() as client:
            client.cookies.set("vfos_session", await cookie_of(site.units, person), domain="testserver.local")
            answer = await client.get(QUEUE)
            assert answer.status_code == 200
            assert "Jupiter" not in answer.text
            asked = await client.get(f"{QUEUE}/letters?act=retry")
            assert "None of them allows this now" in asked.text


class TestPauses:
    async def test_a_reason_is_needed_and_shown_to_everybody(self, marina: Person, line: None) -> None:
        refused = await marina.post(f"{QUEUE}/pause", {"reason": "  "})
        assert refused.status_code == 422
        assert "everybody sees it" in refused.text
        assert (await marina.post(f"{QUEUE}/pause", {"reason": "new voices"})).status_code == 303
        sentence = "The workspace is paused by Marina, because: new voices."
        for path in (QUEUE, marina.space.base, f"{marina.space.base}/4", "/w/northlight/members"):
            assert sentence in words((await marina.get(path)).text)
        await update_positions(marina.space.units, {"io": 2})
        head = words((await marina.get(f"{marina.space.base}/4")).text)
        assert head.count(sentence) == 2  # of the page, and why this job waits
        assert (await marina.post(f"{QUEUE}/pause", {"reason": "again"})).status_code == 409
        assert (await marina.post(f"{QUEUE}/resume", {})).status_code == 303
        assert (await marina.post(f"{QUEUE}/resume", {})).status_code == 409
        await update_positions(marina.space.units, {"io": 2})
        assert sentence not in words((await marina.get(QUEUE)).text)

    async def test_a_project_alone(self, marina: Person, line: None) -> None:
        paused = await marina.post(f"{QUEUE}/pause", {"reason": "holiday", "project": "deep-sky"})
        assert paused.headers["location"] == f"{QUEUE}?project=deep-sky"
        assert "The project is paused by Marina, because: holiday." in words((await marina.get(marina.space.base)).text)
        assert "holiday" not in (await marina.get("/w/northlight/p/bedtime-atlas/jobs")).text
        await marina.post(f"{QUEUE}/resume", {"project": "deep-sky"})
        async with marina.space.units.open(marina.space.owner) as unit:
            holds = select(AuditEntry.action, AuditEntry.after).where(AuditEntry.action.like("%.paused"))
            assert {action for action, _ in await unit.session.execute(holds)} == {"workspace.paused", "project.paused"}
            resumed = select(AuditEntry.action).where(AuditEntry.action.in_(("workspace.resumed", "project.resumed")))
            assert len((await unit.session.execute(resumed)).all()) == 2
        assert (await marina.post(f"{QUEUE}/pause", {"reason": "x", "project": "nobody"})).status_code == 404


class TestLetters:
    async def test_the_number_comes_first_and_exactly_those_are_tried_again(self, marina: Person, line: None) -> None:
        space = marina.space
        chosen = [await failed_job(space, datetime.now(UTC)) for _ in range(2)]
        asked = await marina.get(f"{QUEUE}/letters?act=retry&kind=narrate&error=ProviderRefused")
        assert "Retry: 3 jobs" in words(asked.text)
        picked = "&".join(f"job={job.id}" for job in chosen)
        asked = await marina.get(f"{QUEUE}/letters?act=retry&{picked}")
        assert "Retry: 2 jobs" in words(asked.text)
        assert {(await state_of(space, job)) for job in chosen} == {"failed"}
        form = {"act": "retry", "jobs": ",".join(str(job.id) for job in chosen)}
        done = await marina.post(f"{QUEUE}/letters", form)
        assert done.headers["location"] == f"{QUEUE}?done=2&refused=0"
        assert {(await state_of(space, job)) for job in chosen} == {"running"}
        async with space.units.open(space.owner) as unit:
            told = select(AuditEntry.after).where(AuditEntry.action == "jobs.bulk")
            assert {"act": "retry", "changed": 2, "left": 0} in (await unit.session.execute(told)).scalars().all()
        again = await marina.post(f"{QUEUE}/letters", form)
        assert again.headers["location"] == f"{QUEUE}?done=0&refused=0"
        assert "0 jobs were changed." in words((await marina.get(str(again.headers["location"]))).text)

    async def test_what_was_discarded_cannot_be_tried_again(self, marina: Person, line: None) -> None:
        job = await failed_job(marina.space, datetime.now(UTC))
        await recount(marina.space.units)  # the rows were written without their counters
        discarded = await marina.post(f"{QUEUE}/letters", {"act": "discard", "jobs": str(job.id)})
        assert "done=1" in discarded.headers["location"]
        assert (
            "done=0"
            in (await marina.post(f"{QUEUE}/letters", {"act": "retry", "jobs": str(job.id)})).headers["location"]
        )
        refused = await marina.post(f"{marina.space.base}/{job.number}/retry", {})
        assert refused.status_code == 409
        assert await state_of(marina.space, job) == "cancelled"
        assert await recount(marina.space.units) == 0

    async def test_nonsense_is_not_there(self, marina: Person, stranger: Person, line: None) -> None:
        job = marina.space.jobs["failed"]
        assert (await marina.get(f"{QUEUE}/letters?act=explode")).status_code == 404
        assert (await marina.get(f"{QUEUE}/letters?act=retry&job=7")).status_code == 404
        theirs = await stranger.post("/w/southwind/queue/letters", {"act": "discard", "jobs": str(job.id)})
        assert "done=0" in theirs.headers["location"]
        assert await state_of(marina.space, job) == "failed"


async def state_of(space: Any, job: Job) -> str:
    async with space.units.open(space.owner) as unit:
        return (await unit.session.execute(select(Job.state).where(Job.id == job.id))).scalar_one()


class TestLive:
    async def test_a_block_comes_again_when_it_looks_different(self, site: Site, marina: Person, line: None) -> None:
        answer = await marina.client.send(
            marina.client.build_request("GET", f"{QUEUE}?project=deep-sky"), follow_redirects=False
        )
        assert re.search(r'hx-sse:connect="/w/northlight/queue/events\?side=[a-z-]+&amp;project=deep-sky"', answer.text)
        stream = await open_stream(site, marina)
        async with aclosing(stream.messages()) as messages:
            first = await until(messages, "hx-partial")
            assert first.count("<hx-partial") == len(stream.blocks)
            space = marina.space
            async with space.units.open(space.owner) as unit:
                await pause_project(unit, space.project.id, "a live reason")
            later = await until(messages, "a live reason")
            assert 'hx-target="#q-pauses"' in later
            assert 'hx-target="#q-schedules"' not in later
            async with space.units.open(space.owner) as unit:
                await resume_project(unit, space.project.id)


async def open_stream(site: Site, person: Person) -> PageStream:
    """The stream of the page, without a server between."""
    from app.pages import queue
    from app.room import Room
    from tests.app.test_live import FakeRequest

    request: Any = FakeRequest(site, person, {"tenant": "northlight"})
    request.query_params = MultiDict({"project": "deep-sky"})
    room = await Room.enter(request)

    async def read() -> dict[str, Any]:
        async with room.open() as unit:
            return room.values(shell=None, **await queue.read_page(room, unit))

    async def may() -> bool:
        return True

    channels = (events_channel(room.principal.tenant_id),)
    return PageStream(site, room.tongue, "queue/queue.html", queue.BLOCKS, channels, read, may)


async def until(messages: AsyncIterator[str], wanted: str) -> str:
    async with asyncio.timeout(30):
        async for text in messages:
            if wanted in text:
                return text
    raise AssertionError(wanted)
