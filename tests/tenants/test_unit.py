"""Units of work: all or nothing, events in order, hints only after commit."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from uuid import UUID, uuid4

import pytest
import structlog
from sqlalchemy import select

from adapters.database import Engines
from domain.catalog.model import Project
from tenants.directory import create_tenant
from tenants.model import AuditEntry, Counter, Event, OutboxMessage
from tenants.ports import NoSignal
from tenants.principal import Principal
from tenants.records import uuid7
from tenants.unit import Units


class Hints(NoSignal):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.heard: list[tuple[UUID, int]] = []

    async def events(self, tenant_id: UUID, last_seq: int) -> None:
        self.heard.append((tenant_id, last_seq))


@pytest.fixture
def hints() -> Hints:
    return Hints()


@pytest.fixture
def hinted(engines: Engines, hints: Hints) -> Units:
    return engines.units(hints)


@pytest.fixture
async def who(units: Units) -> Principal:
    return Principal(await create_tenant(units, f"u{secrets.token_hex(8)}", "Unit"), "person", "owner", name="Ada")


async def events_of(units: Units, who: Principal) -> list[tuple[int, str]]:
    async with units.open(who) as unit:
        return [tuple(row) for row in await unit.session.execute(select(Event.seq, Event.type).order_by(Event.seq))]  # type: ignore[misc]


class TestUnit:
    async def test_rows_events_messages_and_audit_are_one_thing(
        self, hinted: Units, hints: Hints, who: Principal
    ) -> None:
        async with hinted.open(who) as unit:
            unit.session.add(Project(slug="p", name="P", languages=["en"]))
            unit.emit("project.made", slug="p")
            unit.send("webhook", {"a": 1})
            unit.audit("project.made", "project", "p")
            assert hints.heard == []
        assert hints.heard == [(who.tenant_id, 1)]
        assert await events_of(hinted, who) == [(1, "project.made")]
        async with hinted.open(who) as unit:
            for row in (Project, OutboxMessage, AuditEntry):
                assert len((await unit.session.scalars(select(row))).all()) == 1

    async def test_an_exception_undoes_all_and_says_nothing(self, hinted: Units, hints: Hints, who: Principal) -> None:
        ran: list[int] = []

        async def after() -> None:
            ran.append(1)

        with suppress(ZeroDivisionError):
            async with hinted.open(who) as unit:
                unit.session.add(Project(slug="p", name="P", languages=["en"]))
                unit.emit("project.made")
                unit.send("webhook", {})
                unit.audit("project.made", "project", "p")
                unit.after_commit(after)
                await unit.session.flush()
                raise ZeroDivisionError
        assert (hints.heard, ran) == ([], [])
        async with hinted.open(who) as unit:
            for row in (Project, Event, OutboxMessage, AuditEntry, Counter):
                assert (await unit.session.scalars(select(row))).all() == []

    async def test_a_failing_afterthought_neither_fails_the_caller_nor_stops_the_next(
        self, units: Units, who: Principal
    ) -> None:
        ran: list[str] = []

        async def bad() -> None:
            raise ZeroDivisionError

        async def good() -> None:
            ran.append("good")

        with structlog.testing.capture_logs() as lines:
            async with units.open(who) as unit:
                unit.emit("done")
                unit.after_commit(bad)
                unit.after_commit(good)
        assert ran == ["good"]
        assert [line["event"] for line in lines] == ["after_commit_failed"]
        assert await events_of(units, who) == [(1, "done")]

    async def test_events_are_numbered_without_gap_in_the_order_readers_see_them(
        self, units: Units, who: Principal
    ) -> None:
        async def write(number: int) -> None:
            async with units.open(who) as unit:
                for part in range(3):
                    unit.emit(f"e{number}.{part}")
                await asyncio.sleep(0)

        seen: list[list[int]] = []

        async def watch() -> None:
            while not seen or len(seen[-1]) < 60:
                seen.append([seq for seq, _ in await events_of(units, who)])

        await asyncio.gather(watch(), *(write(number) for number in range(20)))
        # Whenever somebody looks, what is there is a beginning: no number appears before a smaller one.
        assert all(view == list(range(1, len(view) + 1)) for view in seen)

    async def test_numbers_are_taken_once(self, units: Units, who: Principal) -> None:
        async def take() -> int:
            async with units.open(who) as unit:
                return await unit.take_number("job", 2)

        assert sorted(await asyncio.gather(*(take() for _ in range(10)))) == list(range(1, 21, 2))

    async def test_a_system_unit_writes_for_many_tenants(
        self, hinted: Units, hints: Hints, who: Principal, alpha: Principal
    ) -> None:
        async with hinted.system("directory") as unit:
            unit.emit(who.tenant_id, "one", job_id=uuid4())
            unit.emit(alpha.tenant_id, "two")
            unit.audit(who, "thing.done", "thing", 1, size=3)
        assert await events_of(hinted, who) == [(1, "one")]
        assert {tenant for tenant, _ in hints.heard} == {who.tenant_id, alpha.tenant_id}


class TestKeys:
    def test_are_version_7_and_sort_by_birth(self) -> None:
        made = [uuid7() for _ in range(200)]
        assert all((key.version, key.variant) == (7, "specified in RFC 4122") for key in made)
        assert len(set(made)) == 200
        stamps = [key.int >> 80 for key in made]
        assert stamps == sorted(stamps)
