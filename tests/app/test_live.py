"""The live stream of a job's page."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import uvicorn
from litestar.datastructures import MultiDict
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from adapters.queue.feed import POLL_S
from app import live
from app.live import Position, Reader, guarded, message, read_position, stream_job
from app.main import build
from app.room import Room
from app.server import WebServer
from app.site import Site
from domain.catalog.projects import archive_project, restore_project
from domain.dispatch.model import Step
from domain.production.model import Job
from tenants.directory import end_session
from tenants.entrance import lock_out
from tenants.members import change_member, remove_member
from tenants.principal import Principal
from tests.app.conftest import Person
from tests.support.factories import Workspace, add_log, running_job
from tests.support.people import add_person, cookie_of

START = Position(0, 0)


class FakeRequest:
    """What a room reads of a request."""

    def __init__(self, site: Site, person: Person, path: dict[str, str]) -> None:
        self.path_params, self.query_params, self.headers = path, MultiDict(), {}
        self.cookies = {"vfos_session": person.token}
        self.scope: dict[str, Any] = {"path": "/", "method": "GET"}
        self.method, self.route_handler, self.client = "GET", stream_job, None
        self.app = type("App", (), {"state": type("State", (), {"site": site})})


async def open_reader(
    site: Site, person: Person, job: Job, position: Position = START, tab: str = "overview"
) -> Reader:
    space = person.space
    request: Any = FakeRequest(
        site, person, {"tenant": space.slug, "project": space.project.slug, "number": str(job.number)}
    )
    return Reader(await Room.enter(request), job.id, tab, position)


async def until(stream: AsyncIterator[str], wanted: str, seconds: float = 5.0) -> list[str]:
    """Read messages until one holds `wanted`."""
    seen: list[str] = []
    async with asyncio.timeout(seconds):
        async for text in stream:
            seen.append(text)
            if wanted in text:
                return seen
    raise AssertionError(f"{wanted!r} never came: {seen}")


def ids(messages: list[str]) -> list[str]:
    return [found.group(1) for text in messages for found in re.finditer(r"^id: (.+)$", text, re.M)]


class TestWords:
    def test_message_has_id_event_and_one_data_line_per_line(self) -> None:
        text = message("<p>\nx</p>", Position(7, 3), "end")
        assert text == "id: 7.3\nevent: end\ndata: <p>\ndata: x</p>\n\n"

    @pytest.mark.parametrize(
        ("header", "after", "expected"),
        [
            ("90417.426", "1.1", Position(90417, 426)),
            (None, "12.4", Position(12, 4)),
            ("90417", "", Position(90417, 0)),
            ("", "", Position(0, 0)),
            ("x.y", "", Position(0, 0)),
            ("-1.5", "", Position(0, 5)),
        ],
    )
    def test_position_comes_from_the_header_first(self, header: str | None, after: str, expected: Position) -> None:
        assert read_position(header, after) == expected

    @pytest.mark.parametrize(
        ("error", "logged"),
        [
            (RuntimeError("secret detail"), ("error", "stream.failed")),
            (OperationalError("SELECT", {}, Exception("secret detail")), ("warning", "stream.no_database")),
        ],
    )
    async def test_an_error_in_a_stream_is_said_and_not_swallowed(
        self, error: Exception, logged: tuple[str, str]
    ) -> None:
        async def broken() -> AsyncIterator[str]:
            yield "data: 1\n\n"
            raise error

        with capture_logs() as lines:
            found = b"".join([piece async for piece in guarded(broken)]).decode()
        assert "event: error" in found
        assert "secret detail" not in found
        assert [(line["log_level"], line["event"]) for line in lines] == [logged]


class TestStop:
    async def test_streams_end_when_the_server_is_asked_to_stop_and_are_not_cut(
        self, site: Site, marina: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(site, "closing", False)
        server = WebServer(uvicorn.Config(build(site)), site)
        reader = await open_reader(site, marina, marina.space.jobs["running"])
        async with aclosing(reader.messages()) as stream:
            assert await anext(stream) == live.COMMENT
            server.handle_exit(signal.SIGTERM, None)
            assert [text async for text in stream] == []
        assert server.should_exit


class TestReplay:
    async def test_a_first_connection_gets_every_block_once(self, site: Site, marina: Person) -> None:
        reader = await open_reader(site, marina, marina.space.jobs["running"])
        async with aclosing(reader.messages()) as stream:
            seen = await until(stream, "hx-partial")
        for target in ("job-head", "job-tabs", "pipeline", "artifacts", "cost", "provenance", "log-heading", "said"):
            assert seen[-1].count(f'<hx-partial hx-target="#{target}"') == 1

    async def test_a_reader_who_comes_back_gets_what_was_missed_and_nothing_twice(
        self, site: Site, marina: Person
    ) -> None:
        space = marina.space
        job = await running_job(space, datetime.now(UTC))
        reader = await open_reader(site, marina, job)
        async with aclosing(reader.messages()) as stream:
            seen = await until(stream, 'id="L13"')
        last = ids(seen)[-1]
        await write_lines(space, job, ["missed one", "missed two"])
        again = await open_reader(site, marina, job, read_position(last, "0.0"))
        async with aclosing(again.messages()) as stream:
            seen = await until(stream, "missed two")
        text = "".join(seen)
        assert text.count("missed one") == 1
        assert 'id="L13"' not in text
        assert 'id="L14"' in text


class TestHints:
    async def test_an_event_reaches_an_open_page_without_waiting_for_the_poll(
        self, site: Site, marina: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """How soon (within 300 ms of its commit) is measured by the benchmark of pages."""
        monkeypatch.setattr(site.feed, "_poll_s", 3600.0)
        job = await running_job(marina.space, datetime.now(UTC))
        reader = await open_reader(site, marina, job)
        async with aclosing(reader.messages()) as stream:
            await until(stream, 'id="L13"', 60)
            for number in range(10):
                await write_lines(marina.space, job, [f"now {number}!"])
                await until(stream, f"now {number}!", 60)


class TestEnd:
    async def test_the_end_of_a_job_replaces_the_live_element_and_closes(self, site: Site, marina: Person) -> None:
        job = await running_job(marina.space, datetime.now(UTC))
        reader = await open_reader(site, marina, job)
        seen: list[str] = []
        async with asyncio.timeout(8), aclosing(reader.messages()) as stream:
            await until(stream, "hx-partial")
            async with site.units.open(marina.space.owner) as unit:
                row = await unit.session.get(Job, (marina.space.tenant_id, job.id))
                assert row is not None
                row.state, row.finished_at, row.version = "succeeded", datetime.now(UTC), row.version + 1
                unit.emit("job.state", job_id=job.id, project_id=job.project_id, state="succeeded")
            seen = [text async for text in stream]
        assert 'hx-target="#live"' in seen[-2]
        assert "/3/events" not in seen[-2]
        assert seen[-2].count("hx-sse:connect") == 1, "the counts of the navigation go on by a stream of their own"
        assert "/w/northlight/events?side=deep-sky" in seen[-2]
        assert seen[-1].startswith("event: end")

    async def test_no_stream_outlives_its_rights_by_a_minute(self) -> None:
        """The check is due at the latest after RIGHTS_S, and looked for with every hint or poll."""
        assert live.RIGHTS_S + POLL_S < 60

    @pytest.mark.parametrize("loss", ["removed", "narrowed", "signed-out", "locked-out", "project archived"])
    async def test_a_stream_ends_soon_after_the_rights_do(
        self, site: Site, space: Workspace, monkeypatch: pytest.MonkeyPatch, loss: str
    ) -> None:
        monkeypatch.setattr(live, "RIGHTS_S", 0.0)
        who = await add_person(site.units, space.tenant_id, "viewer")
        token = await cookie_of(site.units, who)
        reader = await open_reader(site, Person(None, space, token), space.jobs["running"])  # type: ignore[arg-type]
        async with asyncio.timeout(8), aclosing(reader.messages()) as stream:
            await until(stream, "hx-partial")
            await LOSSES[loss](site, space, who, token)
            seen = [text async for text in stream]
        assert seen[-1].startswith("event: end")
        assert "hx-partial" not in "".join(seen)
        if loss == "project archived":
            async with space.units.open(space.owner) as unit:
                await restore_project(unit, space.project.slug)

    async def test_a_role_taken_down_keeps_what_it_may_still_read(
        self, site: Site, space: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live, "RIGHTS_S", 0.0)
        job = await running_job(space, datetime.now(UTC))
        who = await add_person(site.units, space.tenant_id, "admin")
        reader = await open_reader(site, Person(None, space, await cookie_of(site.units, who)), job)  # type: ignore[arg-type]
        async with aclosing(reader.messages()) as stream:
            await until(stream, 'id="L13"')
            await change_member(site.units, acting(space), who, "viewer")
            await write_lines(space, job, ["still here?"])
            await until(stream, "still here?")
        assert reader.room.principal.role == "viewer"


def acting(space: Workspace) -> Principal:
    """The command line of the machine's owner."""
    return Principal(tenant_id=space.tenant_id, kind="system", role="owner")


async def _archive(_site: Site, space: Workspace, _who: UUID, _token: str) -> None:
    async with space.units.open(space.owner) as unit:
        await archive_project(unit, space.project.slug)


LOSSES: dict[str, Callable[[Site, Workspace, UUID, str], Coroutine[Any, Any, None]]] = {
    "removed": lambda site, space, who, _token: remove_member(site.units, acting(space), who),
    "narrowed": lambda site, space, who, _token: change_member(site.units, acting(space), who, "viewer", [uuid4()]),
    "signed-out": lambda site, _space, _who, token: end_session(site.units, token),
    "locked-out": lambda site, _space, who, _token: lock_out(site.units, who, True),
    "project archived": _archive,
}
"""How rights end."""


async def write_lines(space: Workspace, job: Job, texts: list[str]) -> None:
    async with space.units.open(space.owner) as unit:
        row = await unit.session.get(Job, (space.tenant_id, job.id))
        assert row is not None
        step = await find_step(unit, job.id)
        await add_log(unit, row, step, [("info", "", text) for text in texts], datetime.now(UTC))
        unit.emit("log.added", job_id=job.id, project_id=job.project_id, lines=row.log_lines)


async def find_step(unit: Any, job_id: UUID) -> Step:
    from sqlalchemy import select

    step = (await unit.session.execute(select(Step).where(Step.job_id == job_id, Step.shard == "07"))).scalar_one()
    assert isinstance(step, Step)
    return step
