"""The plain door to a tenant's rows: foreign and missing are one answer, pages are complete, cursors are bound."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.database import make_engines
from adapters.settings import Settings
from domain.catalog.model import CatalogItem, CatalogVersion, Project
from tenants.directory import create_tenant
from tenants.model import User
from tenants.principal import Principal
from tenants.repository import BadCursor, NotFound, Repository
from tenants.unit import Unit, Units, WrongTenant


def project(number: int, **more: Any) -> Project:
    return Project(slug=f"p{number}-{uuid4().hex[:6]}", name=f"Project {number % 3}", languages=["en"], **more)


@pytest.fixture(scope="module")
async def theirs(units: Units, beta: Principal) -> Project:
    async with units.open(beta) as unit:
        return Repository(unit, Project).add(project(0))


Door = Callable[[Repository[Project], UUID], Awaitable[object]]
DOORS: dict[str, Door] = {"get": lambda rows, key: rows.get(key), "delete": lambda rows, key: rows.delete(key)}


class TestOneRow:
    async def test_add_get_delete(self, units: Units, alpha: Principal) -> None:
        async with units.open(alpha) as unit:
            made = Repository(unit, Project).add(project(1))
        async with units.open(alpha) as unit:
            rows = Repository(unit, Project)
            assert (await rows.get(made.id)).slug == made.slug
            await rows.delete(made.id)
            assert await rows.find(made.id) is None

    @pytest.mark.parametrize("door", DOORS)
    async def test_foreign_and_missing_are_one_answer(
        self, units: Units, alpha: Principal, theirs: Project, door: str
    ) -> None:
        answers = []
        for key in (theirs.id, uuid4()):
            async with units.open(alpha) as unit:
                with pytest.raises(NotFound) as raised:
                    await DOORS[door](Repository(unit, Project), key)
                answers.append((str(raised.value), vars(raised.value)))
        assert answers[0] == answers[1]

    async def test_adding_for_another_tenant(self, units: Units, alpha: Principal, beta: Principal) -> None:
        async with units.open(alpha) as unit:
            with pytest.raises(WrongTenant):
                Repository(unit, Project).add(project(1, tenant_id=beta.tenant_id))

    async def test_a_key_of_several_parts(self, units: Units, alpha: Principal) -> None:
        async with units.open(alpha) as unit:
            item = Repository(unit, CatalogItem).add(CatalogItem(id=uuid4(), kind="prompt", slug="s", name="S"))
            await unit.session.flush()
            versions = Repository(unit, CatalogVersion)
            versions.add(CatalogVersion(item_id=item.id, number=2, body={}, digest="d"))
            assert (await versions.get(item.id, 2)).digest == "d"
            with pytest.raises(TypeError, match="found by item_id, number"):
                await versions.get(item.id)

    async def test_people_have_no_repository(self, units: Units, alpha: Principal) -> None:
        async with units.open(alpha) as unit:
            with pytest.raises(TypeError, match="not a tenant's row"):
                Repository(unit, User)


@pytest.fixture(scope="module")
async def many(units: Units) -> Principal:
    who = Principal(await create_tenant(units, "many", "Many"), "person", "owner")
    async with units.open(who) as unit:
        for number in range(25):
            Repository(unit, Project).add(project(number))
    return who


class TestPages:
    async def walk(self, unit: Unit, **options: Any) -> list[Project]:
        found: list[Project] = []
        cursor = None
        while True:
            page = await Repository(unit, Project).page(limit=4, cursor=cursor, **options)
            found += page.rows
            cursor = page.next
            if cursor is None:
                return found

    @pytest.mark.parametrize("newest_first", [False, True])
    @pytest.mark.parametrize("order", [(), ("name",), ("created_at", "name"), ("running",)])
    async def test_every_row_once_and_in_order(
        self, units: Units, many: Principal, order: tuple[str, ...], newest_first: bool
    ) -> None:
        async with units.open(many) as unit:
            rows = await self.walk(unit, order=order, newest_first=newest_first)
        keys = [(*(getattr(row, name) for name in order), row.id) for row in rows]
        assert len(rows) == 25
        assert keys == sorted(keys, reverse=newest_first)

    async def test_a_filter_goes_along(self, units: Units, many: Principal) -> None:
        async with units.open(many) as unit:
            page = await Repository(unit, Project).page(Project.name == "Project 1", limit=3)
            rest = await Repository(unit, Project).page(Project.name == "Project 1", limit=200, cursor=page.next)
        assert {row.name for row in (*page.rows, *rest.rows)} == {"Project 1"}
        assert len(page.rows) + len(rest.rows) == 8

    async def test_a_cursor_belongs_to_its_list(self, units: Units, many: Principal, alpha: Principal) -> None:
        async with units.open(many) as unit:
            rows = Repository(unit, Project)
            cursor = (await rows.page(Project.name == "Project 1", limit=2)).next
            assert cursor is not None
            others: list[dict[str, Any]] = [{"order": ("name",)}, {"newest_first": True}, {}]
            for options in others:
                with pytest.raises(BadCursor):
                    await rows.page(cursor=cursor, **options)
            with pytest.raises(BadCursor):
                await rows.page(Project.name == "Project 2", cursor=cursor)
        async with units.open(alpha) as unit:
            with pytest.raises(BadCursor):
                await Repository(unit, Project).page(Project.name == "Project 1", cursor=cursor)

    @pytest.mark.parametrize("cursor", ["", "x", "é", "AAAA", "W10", "bnVsbA", "=" * 9, "e30"])
    async def test_rubbish(self, units: Units, many: Principal, cursor: str) -> None:
        async with units.open(many) as unit:
            with pytest.raises(BadCursor):
                await Repository(unit, Project).page(cursor=cursor)

    @pytest.mark.parametrize("planted", ["9" * 30, "nan", "\0", "x", None, 5, ["1"]])
    async def test_a_forged_place(self, units: Units, many: Principal, planted: Any) -> None:
        async with units.open(many) as unit:
            rows = Repository(unit, Project)
            first = (await rows.page(order=("running",), limit=1)).next
            assert first is not None
            seal, values = json.loads(base64.urlsafe_b64decode(first + "=="))
            forged = base64.urlsafe_b64encode(json.dumps([seal, [planted, values[1]]]).encode()).decode()
            with pytest.raises(BadCursor):
                await rows.page(order=("running",), cursor=forged)


class TestTwoTenantsAtRandom:
    """Whatever two tenants do in whatever order, each sees exactly what it did itself."""

    STEPS = st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.sampled_from(["add", "rename", "delete", "get", "touch_all"]),
            st.integers(0, 5),
            st.sampled_from(["a", "b"]),
        ),
        min_size=5,
        max_size=25,
    )

    def test_sequences(self, database: Settings) -> None:
        with asyncio.Runner() as runner:
            engines = make_engines(database)
            units = engines.units()

            @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
            @given(steps=self.STEPS)
            def play(steps: list[tuple[str, str, int, str]]) -> None:
                runner.run(self.play(units, steps))

            play()
            runner.run(engines.dispose())

    async def play(self, units: Units, steps: list[tuple[str, str, int, str]]) -> None:
        who = {
            name: Principal(await create_tenant(units, f"{name}{uuid4().hex[:12]}", name), "person", "owner")
            for name in "ab"
        }
        keys = {(name, number): uuid4() for name in "ab" for number in range(6)}
        model: dict[str, dict[UUID, str]] = {"a": {}, "b": {}}
        for actor, verb, number, whose in steps:
            key, mine = keys[whose, number], model[actor]
            async with units.open(who[actor]) as unit:
                rows = Repository(unit, Project)
                if verb == "add":
                    if actor == whose and key not in mine:
                        rows.add(Project(id=key, slug=str(number), name="new", languages=["en"]))
                        mine[key] = "new"
                elif verb == "touch_all":
                    for row in (await rows.page(limit=200)).rows:
                        row.name = "touched"
                    mine.update(dict.fromkeys(mine, "touched"))
                elif key in mine:
                    await self.change(rows, verb, key, mine)
                else:
                    with pytest.raises(NotFound):
                        await (rows.delete(key) if verb == "delete" else rows.get(key))
        for name in "ab":
            async with units.open(who[name]) as unit:
                seen = {row.id: row.name for row in (await Repository(unit, Project).page(limit=200)).rows}
            assert seen == model[name]

    async def change(self, rows: Repository[Project], verb: str, key: UUID, mine: dict[UUID, str]) -> None:
        if verb == "delete":
            await rows.delete(key)
            del mine[key]
        elif verb == "rename":
            (await rows.get(key)).name = mine[key] = "renamed"
        else:
            assert (await rows.get(key)).name == mine[key]
