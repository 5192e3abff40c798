"""The command palette's answers: by page, by right, by narrowing, and with odd texts."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from app.site import Site
from app.views.find import matcher
from domain.catalog.model import Project
from tenants.roles import Role
from tests.app.conftest import Person
from tests.support.factories import Workspace
from tests.support.people import add_person, cookie_of

PART = {"HX_Request": "true", "HX_Request_Type": "partial"}


def test_words_match_in_any_order_case_and_accent() -> None:
    assert matcher("ESPACO configurações")("Configuracoes do espaço")
    assert not matcher("jobs usage")("Jobs")
    assert matcher("")("anything")


class TestFind:
    async def test_without_a_text_it_shows_where_one_can_go(self, marina: Person) -> None:
        page = await marina.get("/w/northlight/find")
        assert page.status_code == 200
        for text in ("The moons of Jupiter", "Invite somebody", "Audit trail", "Bedtime Atlas", "Keyboard shortcuts"):
            assert text in page.text

    async def test_a_part_is_only_the_list(self, marina: Person) -> None:
        part = await marina.get("/w/northlight/find?q=jupiter", **PART)
        assert "<html" not in part.text
        assert 'href="/w/northlight/p/deep-sky/jobs/2"' in part.text
        assert "1 result" in part.text

    @pytest.mark.parametrize(("text", "hits"), [("%23 2", 0), ("%232", 1), ("100%25", 0), ("_", 0), ("MOONS of", 1)])
    async def test_titles_and_numbers_are_found_literally(self, marina: Person, text: str, hits: int) -> None:
        part = await marina.get(f"/w/northlight/find?q={text}", **PART)
        assert part.text.count("/p/deep-sky/jobs/2") == hits

    async def test_odd_texts_are_answered(self, marina: Person) -> None:
        long = await marina.get("/w/northlight/find?q=" + "x" * 3000, **PART)
        assert "Nothing found" in long.text
        markup = await marina.get("/w/northlight/find?q=<img src=x hx-get=/x>")
        assert "<img" not in markup.text

    async def test_each_sees_what_they_may_do(
        self, site: Site, space: Workspace, browser: Callable[[], AsyncClient]
    ) -> None:
        async with site.units.open(space.owner) as unit:
            atlas = await unit.session.scalar(select(Project.id).where(Project.slug == "bedtime-atlas"))
        assert atlas is not None
        closed = ("Invite somebody", "Audit trail", "Workspace settings")
        cases: list[tuple[Role, list[UUID] | None, str, tuple[str, ...]]] = [
            ("viewer", None, "The moons of Jupiter", ("New job", *closed)),
            ("operator", [atlas], "New job", ("The moons of Jupiter", "Deep Sky", *closed)),
        ]
        for role, projects, seen, hidden in cases:
            person = await add_person(site.units, space.tenant_id, role, projects=projects)
            async with browser() as client:
                client.cookies.set("vfos_session", await cookie_of(site.units, person), domain="testserver.local")
                text = (await client.get("/w/northlight/find")).text
            assert seen in text
            assert [word for word in hidden if word in text] == []
