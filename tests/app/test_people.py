"""Flows of people: invited, joined, changed, removed; passwords, resets by real e-mail; workspaces and projects."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from httpx import AsyncClient
from litestar import Litestar
from sqlalchemy import text

from adapters.limits import Limits, Rate
from app.post import deliver
from app.site import Site
from app.throttle import ACCOUNT
from tenants.directory import find_tenant, load_visitor, token_hash
from tenants.entrance import set_password
from tests.app.conftest import HOST, Box, Person, sign_in
from tests.support.factories import Workspace, seed_workspace
from tests.support.people import add_person, cookie_of

Browser = Callable[[], AsyncClient]
SAME = {"Sec-Fetch-Site": "same-origin"}
WORDS = "correct horse battery"


async def post(client: AsyncClient, path: str, **data: str) -> Any:
    return await client.post(path, data=data, headers=SAME, follow_redirects=False)


@pytest_asyncio.fixture(scope="module")
async def house(site: Site) -> Workspace:
    """A workspace of its own, so that the flows here change nothing for others."""
    return await seed_workspace(site.units, site.store, "peopled", "Peopled")


@pytest_asyncio.fixture(scope="module")
async def owner(site: Site, house: Workspace, browser: Browser) -> AsyncIterator[Person]:
    async with browser() as client:
        yield await sign_in(client, site, house, "Ines")


async def signed(browser: Browser, site: Site, house: Workspace, role: Any, **more: Any) -> Person:
    """A member of a role in a browser of their own; the client is closed with the test run."""
    user_id = await add_person(site.units, house.tenant_id, role, **more)
    client = browser()
    token = await cookie_of(site.units, user_id)
    client.cookies.set("vfos_session", token, domain="testserver.local")
    person = Person(client, house, token)
    person.id = user_id  # type: ignore[attr-defined]
    return person


def link_in(text: str, kind: str) -> str:
    found = re.search(rf"/{kind}/([A-Za-z0-9_-]{{43}})", text)
    assert found is not None, text
    return found.group()


class TestInvitation:
    async def test_by_link_with_a_new_account(self, site: Site, owner: Person, browser: Browser) -> None:
        page = await owner.post("/w/peopled/members/invite", {"email": "Bea@Example.org ", "role": "operator"})
        assert page.status_code == 200
        path = link_in(page.text, "invite")
        async with browser() as client:
            assert "Join Peopled" in (await client.get(path)).text
            short = await post(client, path, name="Bea", password="short", language="en")
            assert (short.status_code, "at least 12 characters" in short.text) == (422, True)
            joined = await post(client, path, name="Bea", password=WORDS, language="en")
            assert (joined.status_code, joined.headers["location"]) == (303, "/w/peopled")
            assert (await client.get("/w/peopled/members")).status_code == 200
            assert (await client.get(path)).status_code == 410
        async with browser() as client:
            entered = await post(client, "/sign-in", email="bea@example.org", password=WORDS, next="/w/peopled/members")
            assert (entered.status_code, entered.headers["location"]) == (303, "/w/peopled/members")

    async def test_by_e_mail_to_somebody_who_is_here(
        self, site: Site, house: Workspace, owner: Person, browser: Browser, mail: Box
    ) -> None:
        await owner.post("/w/peopled/members/invite", {"email": "cid@example.org", "role": "viewer", "mail": "1"})
        assert await deliver(site.units, site.settings) == 1
        letter = mail.letters[0]
        assert letter["To"] == "cid@example.org"
        assert letter["Subject"] == "Ines invites you to Peopled"
        assert letter["Auto-Submitted"] == "auto-generated"
        other = await seed_workspace(site.units, site.store, "elsewhere", "Elsewhere")
        cid = await signed(browser, site, other, "viewer", email="cid2@example.org", name="Cid")
        answer = await cid.post(link_in(letter.get_content(), "invite"), {})
        assert (answer.status_code, answer.headers["location"]) == (303, "/w/peopled")
        await cid.client.aclose()

    async def test_faults_and_refusals_are_said_on_the_page(self, owner: Person) -> None:
        wrong = await owner.post("/w/peopled/members/invite", {"email": "no address", "role": "king"})
        assert wrong.status_code == 422
        assert "2 things must be corrected" in wrong.text
        none = await owner.post(
            "/w/peopled/members/invite", {"email": "x@example.org", "role": "viewer", "scope": "some"}
        )
        assert "Choose at least one project" in none.text
        strange = await owner.post(
            "/w/peopled/members/invite",
            {"email": "x@example.org", "role": "viewer", "scope": "some", f"p-{uuid4()}": "1"},
        )
        assert "Choose at least one project" in strange.text, "a project that is not ours is none"
        narrowed = await owner.post(
            "/w/peopled/members/invite",
            {"email": "x@example.org", "role": "admin", "scope": "some", f"p-{owner.space.project.id}": "1"},
        )
        assert "always see every project" in narrowed.text


class TestMembers:
    async def test_a_change_takes_effect_on_the_next_request(
        self, site: Site, house: Workspace, owner: Person, browser: Browser
    ) -> None:
        dan = await signed(browser, site, house, "viewer", name="Dan")
        assert "New job" not in (await dan.get(house.base)).text
        path = f"/w/peopled/members/{dan.id}"  # type: ignore[attr-defined]
        await owner.post(f"{path}/change", {"role": "operator", "scope": "all"})
        assert "New job" in (await dan.get(house.base)).text
        await owner.post(f"{path}/remove", {})
        assert (await dan.get(house.base)).status_code == 404
        await dan.client.aclose()

    async def test_narrowing_hides_other_projects_as_if_they_did_not_exist(
        self, site: Site, house: Workspace, owner: Person, browser: Browser
    ) -> None:
        eva = await signed(browser, site, house, "operator", name="Eva", projects=[house.project.id])
        page = await eva.get("/w/peopled/projects")
        assert "Deep Sky" in page.text
        assert "Bedtime Atlas" not in page.text
        hidden = await eva.get("/w/peopled/p/bedtime-atlas/jobs")
        missing = await eva.get("/w/peopled/p/no-such-one/jobs")
        assert (hidden.status_code, hidden.text) == (404, missing.text)
        refused = await eva.post("/w/peopled/p/bedtime-atlas/jobs", {"topic": "X", "recipe": "documentary"})
        assert refused.status_code in (403, 404)
        await eva.client.aclose()

    async def test_the_last_owner_is_told_what_to_do(self, owner: Person) -> None:
        page = await owner.post("/w/peopled/members/leave", {})
        assert page.status_code == 409
        assert "make somebody else an owner first" in page.text

    async def test_viewers_are_refused_politely(self, site: Site, house: Workspace, browser: Browser) -> None:
        fay = await signed(browser, site, house, "viewer", name="Fay")
        assert "Invite somebody" not in (await fay.get("/w/peopled/members")).text
        for path, data in (
            ("members/invite", {"email": "y@example.org", "role": "viewer"}),
            (f"members/{fay.id}/change", {"role": "owner"}),  # type: ignore[attr-defined]
            ("settings/archive", {}),
            ("projects", {"name": "X", "slug": "x", "l-en": "1"}),
        ):
            answer = await fay.post(f"/w/peopled/{path}", data)
            assert answer.status_code == 403, path
        table = await fay.get("/w/peopled/roles")
        assert table.text.count('scope="row"') >= 18
        await fay.client.aclose()

    async def test_handing_over_needs_a_fresh_proof(
        self, site: Site, house: Workspace, owner: Person, browser: Browser
    ) -> None:
        gil = await signed(browser, site, house, "admin", name="Gil")
        async with site.units.system("directory") as unit:
            await unit.session.execute(text("UPDATE auth_session SET authenticated_at = now() - interval '1 hour'"))
        answer = await owner.post(f"/w/peopled/members/{gil.id}/transfer", {})  # type: ignore[attr-defined]
        assert answer.status_code == 303
        assert answer.headers["location"] == "/confirm?next=/w/peopled/members"
        assert (await owner.get(answer.headers["location"])).status_code == 200
        await gil.client.aclose()


@pytest_asyncio.fixture(scope="module")
async def hal(site: Site, house: Workspace) -> str:
    """Somebody with a password."""
    user_id = await add_person(site.units, house.tenant_id, "viewer", name="Hal", email="hal@example.org")
    await set_password(site.units, user_id, await site.passwords.hash(WORDS))
    return "hal@example.org"


class TestSignIn:
    async def test_unknown_and_wrong_get_the_same_answer(self, hal: str, browser: Browser) -> None:
        async with browser() as client:
            wrong = await post(client, "/sign-in", email=hal, password="wrong horse battery")
            unknown = await post(client, "/sign-in", email="nobody@example.org", password="wrong horse battery")
        assert (wrong.status_code, unknown.status_code) == (422, 422)
        assert wrong.text.replace(hal, "*") == unknown.text.replace("nobody@example.org", "*")
        assert "set-cookie" not in wrong.headers

    @pytest.mark.parametrize(
        "target", ["https://evil.example", "//evil.example", "/\\evil.example", "/%0d%0aX: y\n", "/sign-in", ""]
    )
    async def test_it_never_leads_elsewhere(self, hal: str, browser: Browser, target: str) -> None:
        async with browser() as client:
            answer = await post(client, "/sign-in", email=hal, password=WORDS, next=target)
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/")
            assert "evil" not in answer.headers["location"]
            assert "\n" not in answer.headers["location"]

    async def test_trying_often_is_throttled_atomically(
        self, app: Litestar, browser: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # However slow the machine is, no try is given back while this runs, and all of them are counted in Redis.
        monkeypatch.setattr("app.pages.sign_in.ACCOUNT", Rate(per_minute=0.01, burst=ACCOUNT.burst))
        monkeypatch.setattr(site, "limits", Limits(site.redis, give_up=60))

        async def knock(client: AsyncClient) -> int:
            return int((await post(client, "/sign-in", email="many@example.org", password="x")).status_code)

        clients = [browser() for _ in range(3)]
        codes = await asyncio.gather(*(knock(clients[number % 3]) for number in range(ACCOUNT.burst + 6)))
        assert sorted(codes) == [422] * ACCOUNT.burst + [429] * 6
        last = await post(clients[0], "/sign-in", email="MANY@example.org", password="x")
        assert int(last.headers["retry-after"]) >= 1
        await asyncio.gather(*(client.aclose() for client in clients))
        await site.redis.flushdb()

    async def test_reset_by_real_e_mail(self, site: Site, hal: str, browser: Browser, mail: Box) -> None:
        async with browser() as client:
            known = await post(client, "/forgot", email=hal)
            unknown = await post(client, "/forgot", email="nobody@example.org")
            assert known.text.replace(hal, "*") == unknown.text.replace("nobody@example.org", "*")
            mail.answers = ["451 try later"]
            assert await deliver(site.units, site.settings) == 0
            await self.hurry(site)
            assert await deliver(site.units, site.settings) == 1
            [letter] = mail.letters
            path = link_in(letter.get_content(), "reset")
            assert HOST not in letter["Subject"]
            weak = await post(client, path, password="password1234!")
            assert weak.status_code == 422
            done = await post(client, path, password="another good battery")
            assert done.status_code == 200
            assert (await post(client, path, password="another good battery")).status_code == 410
            entered = await post(client, "/sign-in", email=hal, password="another good battery")
            assert entered.status_code == 303
        await deliver(site.units, site.settings)
        assert "password of your account was changed" in mail.letters[-1].get_content()

    async def test_a_refused_recipient_is_not_tried_again(
        self, site: Site, hal: str, browser: Browser, mail: Box
    ) -> None:
        await site.redis.flushdb()
        async with browser() as client:
            await post(client, "/forgot", email=hal)
        mail.answers = ["550 no such user"]
        assert await deliver(site.units, site.settings) == 0
        await self.hurry(site)
        assert await deliver(site.units, site.settings) == 0
        assert mail.letters == []

    async def hurry(self, site: Site) -> None:
        """Let the pause between tries be over."""
        async with site.units.system("letters") as unit:
            await unit.session.execute(text("UPDATE letters SET next_at = now()"))

    async def test_changing_the_password_ends_other_sessions(
        self, site: Site, house: Workspace, browser: Browser
    ) -> None:
        await site.redis.flushdb()
        ida = await signed(browser, site, house, "viewer", name="Ida")
        first = await ida.post("/settings/security/password", {"email": "ida@example.org", "password": WORDS})
        assert first.status_code == 303
        async with browser() as client:
            await post(client, "/sign-in", email="ida@example.org", password=WORDS)
            wrong = await ida.post("/settings/security/password", {"present": "no", "password": "one more battery"})
            assert "not your password" in wrong.text
            done = await ida.post("/settings/security/password", {"present": WORDS, "password": "one more battery"})
            assert done.status_code == 303
            assert (await client.get("/settings")).status_code == 401
        assert (await ida.get("/settings")).status_code == 200
        confirmed = await ida.post("/confirm", {"password": "one more battery", "next": "/w/peopled/members"})
        assert confirmed.headers["location"] == "/w/peopled/members"
        await ida.client.aclose()

    async def test_a_fresh_proof_gives_the_session_a_new_cookie(
        self, site: Site, house: Workspace, browser: Browser
    ) -> None:
        """Whoever copied the old one has nothing, and the session's end does not move."""
        await site.redis.flushdb()
        ugo = await signed(browser, site, house, "viewer", name="Ugo", email="ugo@example.org")
        await set_password(site.units, ugo.id, await site.passwords.hash(WORDS), keep=token_hash(ugo.token))  # type: ignore[attr-defined]
        before = await load_visitor(site.units, ugo.token)
        answer = await ugo.post("/confirm", {"password": WORDS, "next": "/settings"})
        fresh = str(ugo.client.cookies["vfos_session"])
        after = await load_visitor(site.units, fresh)
        assert answer.status_code == 303
        assert await load_visitor(site.units, ugo.token) is None
        assert before is not None
        assert after is not None
        assert after.expires_at == before.expires_at
        assert after.authenticated_at > before.authenticated_at
        await ugo.client.aclose()


class TestWorkspaces:
    async def test_found_rename_archive_restore_delete(self, site: Site, owner: Person) -> None:
        made = await owner.post("/workspaces/new", {"name": "Second House", "slug": "second-house"})
        assert made.headers["location"] == "/w/second-house"
        taken = await owner.post("/workspaces/new", {"name": "X", "slug": "peopled"})
        assert (taken.status_code, "taken" in taken.text) == (422, True)
        page = await owner.get("/w/peopled/members")
        assert page.text.index("Peopled") >= 0
        assert "Second House" in page.text
        films = site.settings.films
        (films / "second-house").mkdir(parents=True)
        (films / "second-house" / "film.mp4").write_bytes(b"x")
        await owner.post("/w/second-house/settings", {"name": "Third House", "slug": "third-house"})
        assert [(films / slug / "film.mp4").exists() for slug in ("second-house", "third-house")] == [False, True]
        assert (await owner.get("/w/second-house/settings")).status_code == 404
        await owner.post("/w/third-house/settings/archive", {})
        assert "archived and read-only" in (await owner.get("/w/third-house/projects")).text
        refused = await owner.post("/w/third-house/projects", {"name": "P", "slug": "p", "l-en": "1"})
        assert refused.status_code == 409
        slip = await owner.post("/w/third-house/settings/delete", {"typed": "no"})
        assert slip.status_code in (303, 422)
        await owner.post("/w/third-house/settings/restore", {})
        assert "archived and read-only" not in (await owner.get("/w/third-house/settings")).text
        assert await find_tenant(site.units, "third-house") is not None

    async def test_a_new_workspace_leads_to_its_first_project_and_films(self, owner: Person) -> None:
        await owner.post("/workspaces/new", {"name": "Fresh House", "slug": "fresh-house"})
        empty = (await owner.get("/w/fresh-house")).text
        assert ('href="/w/fresh-house/projects"' in empty, "Make the first project" in empty) == (True, True)
        made = await owner.post("/w/fresh-house/projects", {"name": "Gulls", "slug": "gulls", "l-en": "1"})
        assert made.headers["location"] == "/w/fresh-house/p/gulls/jobs"
        form = (await owner.get("/w/fresh-house/p/gulls/jobs/new")).text
        assert ("No recipe yet" in form, form.count('name="recipe"')) == (False, 4)
        await owner.post("/w/fresh-house/projects", {"name": "Terns", "slug": "terns", "l-en": "1"})
        order = {"topic": "Why astronauts float", "recipe": "short", "level": "standard", "mode": "auto"}
        started = await owner.post("/w/fresh-house/p/terns/jobs", {**order, "idem_key": "fresh-house-first-film"})
        assert started.headers["location"] == "/w/fresh-house/p/terns/jobs/1"

    async def test_projects_created_changed_archived_and_brought_back(self, owner: Person) -> None:
        wrong = await owner.post("/w/peopled/projects", {"name": "", "slug": "Not good"})
        assert "3 things must be corrected" in wrong.text
        made = await owner.post("/w/peopled/projects", {"name": "Tides", "slug": "tides", "l-en": "1", "l-pt-BR": "1"})
        assert made.headers["location"] == "/w/peopled/p/tides/jobs"
        await owner.post("/w/peopled/projects/tides/edit", {"name": "Tides & Moons", "tagline": "T", "l-en": "1"})
        assert "Tides &amp; Moons" in (await owner.get("/w/peopled/projects")).text
        await owner.post("/w/peopled/projects/tides/archive", {})
        assert (await owner.get("/w/peopled/p/tides/jobs")).status_code == 404
        await owner.post("/w/peopled/projects/tides/restore", {})
        assert (await owner.get("/w/peopled/p/tides/jobs")).status_code == 200

    async def test_the_switcher_shows_recent_projects_first_and_keeps_the_section(self, owner: Person) -> None:
        for slug in ("bedtime-atlas", "deep-sky"):
            await owner.get(f"/w/peopled/p/{slug}/jobs")
        page = (await owner.get("/w/peopled/p/bedtime-atlas/pictures")).text
        menu = page[page.index('id="projects"') :]
        hrefs = re.findall(r'href="(/w/peopled/p/[^"]+)"', menu)
        assert hrefs[:2] == ["/w/peopled/p/bedtime-atlas/pictures", "/w/peopled/p/deep-sky/pictures"]
        front = await owner.get("/w/peopled")
        assert front.headers["location"] == "/w/peopled/p/bedtime-atlas/jobs"

    async def test_times_are_shown_in_one_s_own_zone(self, owner: Person) -> None:
        wanted = {"name": "Ines", "language": "en", "theme": "system", "density": "comfortable", "shortcuts": "1"}
        shown = {}
        for zone in ("Asia/Tokyo", "America/Sao_Paulo", "UTC"):
            await owner.post("/settings", {**wanted, "time_zone": zone})
            page = (await owner.get("/w/peopled/audit")).text
            told, said = re.findall(r'<time datetime="([^"]+)"[^>]*>([^<]+)</time>', page)[-1]
            shown[zone] = (told, re.findall(r"\d{1,2}:\d\d", said)[0])
        hours = {zone: int(said.partition(":")[0]) for zone, (_, said) in shown.items()}
        assert len({told for told, _ in shown.values()}) == 1
        assert (hours["Asia/Tokyo"] - hours["UTC"]) % 12 == 9 % 12
        assert (hours["America/Sao_Paulo"] - hours["UTC"]) % 12 == -3 % 12

    async def test_single_keys_can_be_switched_off(self, owner: Person) -> None:
        wanted = {"name": "Ines", "language": "en", "theme": "system", "density": "comfortable", "time_zone": "UTC"}
        await owner.post("/settings", wanted)
        assert 'data-shortcuts="off"' in (await owner.get("/settings")).text
        await owner.post("/settings", {**wanted, "shortcuts": "1"})
        assert 'data-shortcuts="off"' not in (await owner.get("/settings")).text
