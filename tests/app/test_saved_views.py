"""Saved views of the job list: kept, found again, renamed, shared, opened with, deleted; each sees what they may."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
import pytest_asyncio
from httpx import AsyncClient
from sqlalchemy import delete, select, update

from app.site import Site
from domain.production.model import SavedView
from domain.production.saved_views import MOST, REASONS
from tenants.model import AuditEntry
from tenants.roles import Role
from tests.app.conftest import Person
from tests.support.factories import Workspace
from tests.support.people import add_person, cookie_of

FAILED = {"name": "Failed ones", "state": "failed"}


@pytest_asyncio.fixture
async def views(space: Workspace) -> AsyncIterator[str]:
    """The address of a project's views, without any."""
    yield f"{space.base}/views"
    async with space.units.open(space.owner) as unit:
        await unit.session.execute(delete(SavedView))


@pytest_asyncio.fixture(scope="module")
async def cast(site: Site, space: Workspace, browser: Callable[[], AsyncClient]) -> AsyncIterator[dict[str, Person]]:
    """An operator and a viewer of the workspace."""
    roles: tuple[Role, ...] = ("operator", "viewer")
    async with AsyncExitStack() as stack:
        found = {}
        for role in roles:
            token = await cookie_of(site.units, await add_person(site.units, space.tenant_id, role, name=f"The {role}"))
            client = await stack.enter_async_context(browser())
            client.cookies.set("vfos_session", token, domain="testserver.local")
            found[role] = Person(client, space, token)
        yield found


async def keep(person: Person, views: str, **changes: str) -> UUID:
    """Save a view; answer its id."""
    answer = await person.post(views, {**FAILED, **changes})
    assert answer.status_code == 303, answer.text
    return UUID(dict(parse_qsl(urlsplit(answer.headers["location"]).query))["view"])


async def rows(site: Site, space: Workspace) -> list[SavedView]:
    async with site.units.open(space.owner) as unit:
        return list(await unit.session.scalars(select(SavedView).order_by(SavedView.name)))


def shown(answer: Any) -> list[int]:
    """The numbers of the jobs on a list."""
    return [int(number) for number in re.findall(r'<tr id="job-(\d+)">', answer.text)]


def tabs(answer: Any) -> dict[str, bool]:
    """The row of views: name → whether it is the present one."""
    row = re.search(r'<nav class="tabs views".*?</nav>', answer.text, re.S)
    links = re.findall(r'<a ([^>]*)>(?:<svg.*?</svg>)?(?:<span class="cut">)?([^<]*)', row.group()) if row else []
    return {name: "aria-current" in attributes for attributes, name in links}


class TestKeeping:
    async def test_a_filter_is_named_and_found_again(self, marina: Person, views: str) -> None:
        base = marina.space.base
        offer = await marina.get(f"{base}?state=failed&q=jupiter")
        assert "Save as a view" in offer.text
        assert "Save as a view" not in (await marina.get(base)).text
        view = await keep(marina, views, q="jupiter")
        page = await marina.get(f"{base}?view={view}&kept=1")
        assert (shown(page), "The view is saved." in page.text) == ([2], True)
        assert tabs(page) == {"All jobs": False, "Failed ones": True, "Saved views": False}
        assert "Save as a view" not in page.text
        assert 'value="jupiter"' in page.text
        everything = await marina.get(base)
        assert (len(shown(everything)), tabs(everything)["All jobs"]) == (4, True)
        found = await marina.get("/w/northlight/find?q=failed ones")
        assert f'href="{base}?view={view}"' in found.text

    async def test_a_changed_list_can_be_kept_in_the_view_it_came_from(
        self, site: Site, space: Workspace, marina: Person, views: str
    ) -> None:
        base, view = marina.space.base, await keep(marina, views)
        page = await marina.get(f"{base}?view={view}&state=done")
        assert (shown(page), tabs(page)["Failed ones"]) == ([1], True)
        assert "Save into “Failed ones”" in page.text
        wanted = {"version": "1", "state": "done", "recipe": "", "q": ""}
        assert (await marina.post(f"{views}/{view}", wanted)).status_code == 303
        assert shown(await marina.get(f"{base}?view={view}")) == [1]
        [row] = await rows(site, space)
        assert (row.name, row.wanted, row.version) == ("Failed ones", {"state": "done"}, 2)

    async def test_taking_the_last_filter_off_stays_off(self, marina: Person, views: str) -> None:
        view = await keep(marina, views)
        page = await marina.get(f"{marina.space.base}?view={view}")
        chip = re.search(r'<a class="chip" href="([^"]*)" aria-current="true">Failed', page.text)
        assert chip is not None
        assert len(shown(await marina.get(chip[1].replace("&amp;", "&")))) == 4

    async def test_the_live_list_and_bulk_acts_keep_to_the_view(self, marina: Person, views: str) -> None:
        view = await keep(marina, views)
        page = await marina.get(f"{marina.space.base}?view={view}")
        poll = re.search(r'hx-get="([^"]*)"', page.text.split('id="rows"')[1])
        assert poll is not None
        part = await marina.get(poll[1].replace("&amp;", "&") + "&part=list&seen=9", HX_Request_Type="partial")
        assert shown(part) == [2]
        asked = await marina.get(f"{marina.space.base}/bulk?view={view}&state=failed&act=retry")
        assert f"view={view}&amp;state=failed" in asked.text


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"name": " "}, "name"),
            ({"name": "\ufffd"}, "name"),
            ({"name": "x" * 61}, "name"),
            ({"name": "a\u202eb"}, "name"),
            ({"state": ""}, "empty"),
            ({"q": "x" * 201}, "words"),
            ({"q": "a\x1bb"}, "words"),
            ({"name": "FAILED ones"}, "taken"),
        ],
    )
    async def test_each_is_one_sentence_and_changes_nothing(
        self, site: Site, space: Workspace, marina: Person, views: str, changes: dict[str, str], reason: str
    ) -> None:
        await keep(marina, views)
        answer = await marina.post(views, {**FAILED, **changes})
        assert answer.status_code == 422
        assert REASONS[reason] in answer.text
        assert len(await rows(site, space)) == 1

    async def test_there_is_a_most(self, site: Site, space: Workspace, marina: Person, views: str) -> None:
        """Also for forms that come at the same time."""
        for number in range(MOST - 1):
            await keep(marina, views, name=f"View {number}")
        forms = [marina.post(views, {**FAILED, "name": f"Last {number}"}) for number in range(3)]
        answers = await asyncio.gather(*forms)
        assert sorted(answer.status_code for answer in answers) == [303, 422, 422]
        assert len(await rows(site, space)) == MOST
        page = await marina.get(marina.space.base)
        assert "22 more views" in page.text

    async def test_of_two_who_rename_at_once_the_second_is_told(
        self, marina: Person, cast: dict[str, Person], views: str
    ) -> None:
        view = await keep(marina, views, shared="1")
        rename = {"version": "1", "shared": "1", "name": "Trouble"}
        answers = await asyncio.gather(*(who.post(f"{views}/{view}", rename) for who in (marina, cast["operator"])))
        assert sorted(answer.status_code for answer in answers) == [303, 409]
        late = next(answer for answer in answers if answer.status_code == 409)
        assert REASONS["changed"] in late.text
        assert 'name="version" value="2"' in late.text

    async def test_what_a_view_asks_for_and_there_is_not_is_said(
        self, site: Site, space: Workspace, marina: Person, views: str
    ) -> None:
        view = await keep(marina, views)
        async with site.units.open(space.owner) as unit:
            gone = {"state": "exploded", "recipe": "opera", "q": "cost:much"}
            await unit.session.execute(update(SavedView).values(wanted=gone))
        page = await marina.get(f"{marina.space.base}?view={view}")
        assert page.status_code == 200
        for text in ("There is no state “exploded”", "There is no recipe “opera” here", "Not understood: cost:much"):
            assert text in page.text
        listed = await marina.get(views)
        assert "There is no recipe “opera” here" in listed.text

    @pytest.mark.parametrize("view", ["nonsense", str(UUID(int=1))])
    async def test_a_view_that_is_not_there_is_missing(self, marina: Person, views: str, view: str) -> None:
        assert (await marina.get(f"{marina.space.base}?view={view}")).status_code == 404
        assert (await marina.post(f"{views}/opening", {"view": view})).status_code == 404


class TestOpening:
    async def test_the_list_opens_with_it_until_it_no_longer_does(self, marina: Person, views: str) -> None:
        base, view = marina.space.base, await keep(marina, views, opening="1")
        answer = await marina.get(base)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{base}?view={view}")
        page = await marina.get(f"{base}?view=all")
        assert (len(shown(page)), tabs(page)["All jobs"]) == (4, True)
        narrowed = await marina.get(f"{base}?state=done")
        assert f'href="{base}?view=all"' in narrowed.text, "taking the filter off leads to all jobs"
        assert "was changed" in (await marina.get(f"{base}?done=1&refused=0")).text
        assert (await marina.post(f"{views}/opening", {})).status_code == 303
        assert (await marina.get(base)).status_code == 200
        await marina.post(f"{views}/opening", {"view": str(view)})
        assert (await marina.get(base)).status_code == 303
        await marina.post(f"{views}/{view}/delete", {})
        assert (await marina.get(base)).status_code == 200

    async def test_it_is_everybodys_own_choice(self, marina: Person, cast: dict[str, Person], views: str) -> None:
        view = await keep(marina, views, opening="1", shared="1")
        viewer = cast["viewer"]
        assert (await viewer.get(marina.space.base)).status_code == 200
        assert (await viewer.post(f"{views}/opening", {"view": str(view)})).status_code == 303
        assert (await viewer.get(marina.space.base)).status_code == 303
        kept_back = {"version": "1", "name": "Failed ones"}
        assert (await marina.post(f"{views}/{view}", kept_back)).status_code == 303
        assert (await viewer.get(marina.space.base)).status_code == 200, "no longer shared, it opens nothing"


class TestSharing:
    async def test_one_s_own_are_nobody_else_s(self, marina: Person, cast: dict[str, Person], views: str) -> None:
        view = await keep(marina, views)
        for other in cast.values():
            assert "Failed ones" not in (await other.get(views)).text
            assert "Failed ones" not in (await other.get("/w/northlight/find?q=failed")).text
            assert (await other.get(f"{marina.space.base}?view={view}")).status_code == 404
            assert (await other.post(f"{views}/{view}", {"version": "1", "name": "Mine"})).status_code == 404
            assert (await other.post(f"{views}/{view}/delete", {})).status_code == 404

    async def test_shared_ones_are_seen_by_all_and_changed_by_who_may_share(
        self, site: Site, space: Workspace, marina: Person, cast: dict[str, Person], views: str
    ) -> None:
        view = await keep(marina, views, shared="1")
        for other in cast.values():
            page = await other.get(f"{marina.space.base}?view={view}")
            assert (shown(page), tabs(page)["Failed ones"]) == ([2], True)
            assert "shared by Marina" in page.text
        rename = {"version": "1", "name": "Trouble", "shared": "1"}
        assert (await cast["viewer"].post(f"{views}/{view}", rename)).status_code == 403
        assert (await cast["viewer"].post(f"{views}/{view}/delete", {})).status_code == 403
        assert (await cast["operator"].post(f"{views}/{view}", rename)).status_code == 303
        assert (await cast["operator"].post(f"{views}/{view}/delete", {})).status_code == 303
        async with site.units.open(space.owner) as unit:
            told = await unit.session.execute(
                select(AuditEntry.action, AuditEntry.actor_name)
                .where(AuditEntry.object_id == str(view))
                .order_by(AuditEntry.seq)
            )
        assert [tuple(line) for line in told] == [
            ("view.shared", "Marina"),
            ("view.changed", "The operator"),
            ("view.removed", "The operator"),
        ]

    async def test_a_viewer_keeps_views_but_shares_none(self, cast: dict[str, Person], views: str) -> None:
        viewer = cast["viewer"]
        assert (await viewer.post(views, {**FAILED, "shared": "1"})).status_code == 403
        view = await keep(viewer, views)
        assert "Share it with all" not in (await viewer.get(views)).text
        rename = {"version": "1", "name": "Mine"}
        assert (await viewer.post(f"{views}/{view}", {**rename, "shared": "1"})).status_code == 403
        assert (await viewer.post(f"{views}/{view}", rename)).status_code == 303

    async def test_another_workspace_s_view_is_missing(self, marina: Person, stranger: Person, views: str) -> None:
        view = await keep(marina, views, shared="1")
        for base in ("/w/northlight", "/w/southwind"):
            path = f"{base}/p/deep-sky/jobs"
            assert (await stranger.get(f"{path}?view={view}")).status_code == 404
            assert (await stranger.post(f"{path}/views/{view}", {"version": "1", "name": "Mine"})).status_code == 404
            assert (await stranger.post(f"{path}/views/{view}/delete", {})).status_code == 404
            assert (await stranger.post(f"{path}/views/opening", {"view": str(view)})).status_code == 404


class TestRemoving:
    async def test_it_can_be_kept_again(self, site: Site, space: Workspace, marina: Person, views: str) -> None:
        view = await keep(marina, views, q="jupiter", shared="1")
        answer = await marina.post(f"{views}/{view}/delete", {})
        page = await marina.get(answer.headers["location"])
        assert "The view is deleted." in page.text
        assert await rows(site, space) == []
        form = re.search(r'<form method="post" action="[^"]*/views" .*?</form>', page.text, re.S)
        assert form is not None
        again = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', form.group()))
        assert (await marina.post(views, again)).status_code == 303
        [row] = await rows(site, space)
        assert (row.name, row.wanted) == ("Failed ones", {"state": "failed", "q": "jupiter"})
