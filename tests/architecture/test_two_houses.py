"""Two workspaces use the product's pages in any order; every page shows each exactly what it has done itself.

The sequences of `test_two_tenants.py` try the doors to rows; these try the doors of the house: forms, lists, search,
counts, exports, and the ids of the other one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
from httpx import ASGITransport, AsyncClient, Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Litestar

from adapters.settings import Settings
from app.main import build
from app.session import csrf_of
from app.site import Site, open_site
from tenants.records import uuid7
from tests.support.factories import Workspace, add_job, seed_workspace
from tests.support.people import add_person, cookie_of
from tests.support.services import run_apart

ACTS = ("project", "rename", "archive", "restore", "invite", "withdraw", "job", "limit", "raid", "knock")
READS = (
    "projects",
    "members",
    "find",
    "find?q=mark",
    "approvals",
    "usage",
    "usage.csv",
    "audit",
    "audit.csv",
    "settings",
)
"""Pages of a workspace: lists, search, counts, exports, menus."""
steps = st.lists(
    st.tuples(st.booleans(), st.sampled_from(ACTS), st.integers(0, 2), st.sampled_from(READS)), min_size=10, max_size=14
)
DONE = {"sequences": 0, "operations": 0, "answers": 0}
INVITATION = re.compile(r"/members/invitations/([0-9a-f-]{36})/withdraw")


@dataclass
class House:
    """One workspace: its owner's browser, its mark (a word in everything it writes), and what it ought to see."""

    space: Workspace
    client: AsyncClient
    token: str
    mark: str
    projects: dict[str, str] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    invited: set[str] = field(default_factory=set)
    jobs: int = 0

    @property
    def base(self) -> str:
        return f"/w/{self.space.slug}"

    async def get(self, path: str) -> Response:
        DONE["answers"] += 1
        return await self.client.get(path, follow_redirects=False)

    async def post(self, path: str, **data: str) -> Response:
        DONE["answers"] += 1
        sent = {"csrf": csrf_of(self.token), **data}
        return await self.client.post(
            path, data=sent, headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=False
        )

    async def invitations(self) -> list[str]:
        return INVITATION.findall((await self.get(f"{self.base}/members")).text)


async def act(me: House, other: House, name: str, number: int) -> None:
    """Do one thing; the words in what is written tell whose it is."""
    slug, said = f"p-{number}", f"{me.mark} {number}"
    if name == "project":
        made = await me.post(f"{me.base}/projects", name=said, slug=slug, **{"l-en": "1"})
        assert made.status_code == (422 if slug in me.projects else 303)
        me.projects.setdefault(slug, said)
    elif name == "rename":
        done = await me.post(f"{me.base}/projects/{slug}/edit", name=f"{said} again", **{"l-en": "1"})
        assert done.status_code == (303 if slug in me.projects else 404)
        me.projects.update({slug: f"{said} again"} if slug in me.projects else {})
    elif name in ("archive", "restore"):
        done = await me.post(f"{me.base}/projects/{slug}/{name}")
        assert done.status_code == (303 if slug in me.projects else 404)
        if slug in me.projects:
            me.archived = me.archived | {slug} if name == "archive" else me.archived - {slug}
    elif name == "invite":
        address = f"{me.mark}-{number}@example.org"
        await me.post(f"{me.base}/members/invite", email=address, role="viewer")
        me.invited.add(address)
    elif name == "withdraw" and (found := await me.invitations()):
        await me.post(f"{me.base}/members/invitations/{found[0]}/withdraw")
        me.invited = {one for one in me.invited if one in (await me.get(f"{me.base}/members")).text}
        assert len(me.invited) == len(found) - 1
    elif name == "job":
        async with me.space.units.open(me.space.owner) as unit:
            await add_job(unit, me.space, said, "queued")
        me.jobs += 1
    elif name == "limit":
        assert (await me.post(f"{me.base}/usage/limits", workspace=str(number + 1))).status_code == 303
    elif name == "raid":
        await raid(me, other)
    elif name == "knock":
        theirs = await me.get(f"{other.base}/p/deep-sky/jobs")
        missing = await me.get("/w/no-such-house/p/deep-sky/jobs")
        assert (theirs.status_code, theirs.text) == (404, missing.text)


async def raid(me: House, other: House) -> None:
    """Use the other one's ids in one's own workspace: the answer is that of an id that never was."""
    for found in (await other.invitations())[:1]:
        for verb in ("withdraw", "link"):
            theirs = await me.post(f"{me.base}/members/invitations/{found}/{verb}")
            never = await me.post(f"{me.base}/members/invitations/{uuid7()}/{verb}")
            assert (theirs.status_code, theirs.text) == (never.status_code, never.text)
        assert found in await other.invitations()


async def compare(me: House, other: House, page: str) -> None:
    """What a page shows is one's own, all of it, and nothing of the other one."""
    shown = await me.get(f"{me.base}/{page}")
    assert shown.status_code == 200
    assert other.mark not in shown.text
    assert other.space.slug not in shown.text
    if page == "projects":
        assert all(name in shown.text for name in me.projects.values())
    if page == "members":
        assert all(address in shown.text for address in me.invited)
    jobs = await me.get(me.space.base)
    assert f"{me.jobs} job" in jobs.text
    assert other.mark not in jobs.text


async def open_house(site: Site, app: Litestar, mark: str) -> House:
    space = await seed_workspace(site.units, site.store, f"{mark}-{uuid7().hex[-12:]}", mark.title())
    token = await cookie_of(site.units, await add_person(site.units, space.tenant_id, "owner", name=f"{mark} owner"))
    client = AsyncClient(transport=ASGITransport(app), base_url="http://testserver.local")
    client.cookies.set("vfos_session", token, domain="testserver.local")
    return House(space, client, token, mark)


@pytest.fixture(scope="module")
def where(database: Settings) -> Settings:
    return database


@given(steps)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_requests_shows_each_only_its_own(where: Settings, acts: list[tuple[bool, str, int, str]]) -> None:
    async def play() -> None:
        site = open_site(where)
        app = build(site)
        houses = [await open_house(site, app, mark) for mark in ("northmark", "southmark")]
        try:
            for second, name, number, page in acts:
                me, other = houses[second], houses[not second]
                await act(me, other, name, number)
                await compare(me, other, page)
                DONE["operations"] += 1
            DONE["sequences"] += 1
        finally:
            for house in houses:
                await house.client.aclose()
            await site.close()

    run_apart(play())


def test_the_requests_were_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert DONE["operations"] >= 40
    said = f"{DONE['sequences']} sequences, {DONE['operations']} acts, {DONE['answers']} answers"
    with capsys.disabled():
        print(f"\ntwo houses: {said}, 0 leaks")  # noqa: T201 the counts are the evidence
