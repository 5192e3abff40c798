"""Two workspaces act in any order, by every door there is; what one sees is what it alone would have seen."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from adapters.database import Engines, make_engines
from adapters.settings import Settings
from tenants.directory import create_tenant
from tenants.model import OutboxMessage
from tenants.principal import Principal
from tenants.records import uuid7
from tenants.unit import Units, WrongTenant
from tests.support.services import run_apart

ACTS = (
    "add", "add-core", "read", "read-core", "read-raw", "count", "rename-all", "rename-theirs", "steal", "drop-theirs",
)  # fmt: skip
"""Everything a careless handler could do; "theirs" names rows of the other workspace."""
steps = st.lists(st.tuples(st.booleans(), st.sampled_from(ACTS), st.integers(0, 5)), min_size=8, max_size=25)
DONE = {"sequences": 0, "operations": 0}


class World:
    """What each workspace ought to see: its own outbox messages by id, with their topics."""

    def __init__(self, units: Units, tenants: tuple[UUID, UUID]) -> None:
        self.units = units
        self.who = [Principal(tenant_id=tenant, kind="person", role="owner") for tenant in tenants]
        self.rows: list[dict[UUID, str]] = [{}, {}]

    async def act(self, second: bool, name: str, number: int) -> None:
        """Do one thing and compare everything with what ought to be."""
        me, own, others = self.who[second], self.rows[second], self.rows[not second]
        theirs = list(others)[number % len(others)] if others else uuid7()
        row = OutboxMessage
        try:
            async with self.units.open(me) as unit:
                run = unit.session.execute
                if name == "add":
                    unit.session.add(row(id=(made := uuid7()), topic="new", payload={}))
                    own[made] = "new"
                elif name == "add-core":
                    values = {"tenant_id": me.tenant_id, "id": (made := uuid7()), "topic": "core", "payload": {}}
                    await run(insert(row.__table__), values)
                    own[made] = "core"
                elif name == "rename-all":
                    await run(update(row.__table__).values(topic=f"t{number}"))
                    own.update(dict.fromkeys(own, f"t{number}"))
                elif name == "rename-theirs":
                    assert (await run(update(row.__table__).where(row.id == theirs).values(topic="x"))).rowcount == 0
                elif name == "steal":
                    stolen = update(row.__table__).where(row.id == theirs).values(tenant_id=me.tenant_id)
                    assert (await run(stolen)).rowcount == 0
                elif name == "drop-theirs":
                    assert (await run(delete(row.__table__).where(row.id == theirs))).rowcount == 0
                elif name == "count":
                    assert await unit.session.scalar(select(func.count()).select_from(row.__table__)) == len(own)
                assert await self.seen(unit, name) == own
        except (WrongTenant, DBAPIError) as refusal:
            raise AssertionError(f"{name} was not expected to be refused") from refusal
        DONE["operations"] += 1

    async def seen(self, unit: Any, name: str) -> dict[UUID, str]:
        await unit.session.flush()
        if name == "read-raw":
            found = await unit.session.execute(text("SELECT id, topic FROM outbox"))
        elif name == "read-core":
            found = await unit.session.execute(select(OutboxMessage.__table__.c.id, OutboxMessage.__table__.c.topic))
        else:
            found = await unit.session.execute(select(OutboxMessage.id, OutboxMessage.topic))
        return {row[0]: row[1] for row in found}


@pytest.fixture(scope="module")
def where(database: Settings) -> Settings:
    return database


@given(steps)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_acts_shows_each_only_its_own(where: Settings, acts: list[tuple[bool, str, int]]) -> None:
    async def play() -> None:
        engines: Engines = make_engines(where, "command")
        try:
            units = engines.units()
            slugs = [f"w{uuid7().hex[-12:]}" for _ in range(2)]
            world = World(units, (await create_tenant(units, slugs[0], "A"), await create_tenant(units, slugs[1], "B")))
            for act in acts:
                await world.act(*act)
            DONE["sequences"] += 1
        finally:
            await engines.dispose()

    run_apart(play())


def test_the_sequences_were_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert DONE["operations"] >= 200
    with capsys.disabled():
        print(f"\ntwo tenants: {DONE['sequences']} sequences, {DONE['operations']} operations, 0 leaks")  # noqa: T201 the counts are the evidence
