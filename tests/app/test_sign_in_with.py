"""Signing in with a provider, against one that checks everything we send and lies on demand."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import pytest_asyncio
from httpx import AsyncClient
from sqlalchemy import text
from structlog.testing import capture_logs

from adapters.settings import Settings
from app.site import Site, open_site
from app.throttle import PLACE
from tenants.entrance import lock_out, set_password
from tenants.members import invitation_link, invite, remove_member
from tenants.principal import Principal
from tenants.secret import Secret
from tenants.signin_providers import add_house, add_way, find_house, switch_house
from tenants.signin_rules import WayForm
from tests.app.conftest import Person, sign_in
from tests.support.factories import Workspace, seed_workspace
from tests.support.identity import CLIENT, SECRET, Bend, IdentityProvider
from tests.support.people import add_person, cookie_of
from tests.support.providers.server import running

Browser = Callable[[], AsyncClient]
WORDS = "correct horse battery"


@pytest.fixture(scope="module")
def idp() -> Iterator[IdentityProvider]:
    double = IdentityProvider()
    with running(double):
        yield double
    assert double.broken == []


@pytest_asyncio.fixture(scope="module")
async def site(database: Settings, idp: IdentityProvider) -> AsyncIterator[Site]:
    opened = open_site(database.using(egress_allow=urlsplit(idp.url).netloc))
    yield opened
    await opened.close()


@pytest_asyncio.fixture(autouse=True)
async def fresh(site: Site, idp: IdentityProvider) -> None:
    """The provider tells the truth again, and nobody has knocked."""
    idp.bend, idp.said = Bend(), {}
    idp.refused.clear()
    await site.redis.flushdb()


@pytest_asyncio.fixture(scope="module")
async def home(site: Site, idp: IdentityProvider) -> Workspace:
    """A workspace that newcomers of the installation's provider join: `house`, for people of example.org."""
    space = await seed_workspace(site.units, site.store, "homeland", "Homeland")
    form = WayForm("oidc", "House", idp.url, CLIENT, "domains", ["example.org"], "operator")
    assert await add_house(site.units, site.runtime.house, form, Secret(SECRET), space.tenant_id) == "house"
    return space


@pytest_asyncio.fixture(scope="module")
async def own(site: Site, idp: IdentityProvider) -> Workspace:
    """A workspace with a provider of its own, `corp`, that lets everybody in whom it signs in."""
    space = await seed_workspace(site.units, site.store, "ownland", "Ownland")
    form = WayForm("oidc", "Corp", idp.url, CLIENT, "everyone", [], "viewer")
    async with site.units.open(owner_of(space)) as unit:
        assert (await add_way(unit, site.runtime.vault, form, Secret(SECRET), "")).slug == "corp"
    return space


def owner_of(space: Workspace) -> Principal:
    return Principal(tenant_id=space.tenant_id, kind="system", role="owner", name="tests")


async def begin(client: AsyncClient, path: str = "/sign-in/with/house") -> str:
    """Press the button; answer the provider's address."""
    answer = await client.get(path, headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def back(client: AsyncClient, path: str) -> Any:
    """Come back from the provider, as a browser does: from another site."""
    return await client.get(path, headers={"Sec-Fetch-Site": "cross-site"}, follow_redirects=False)


async def through(client: AsyncClient, idp: IdentityProvider, start: str = "/sign-in/with/house", **person: Any) -> Any:
    """The whole way: out, signed in there, and back."""
    return await back(client, idp.approve(await begin(client, start), **person))


async def count(site: Site, table: str) -> int:
    async with site.units.system("signin") as unit:
        return int((await unit.session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def trail(site: Site, space: Workspace, action: str) -> list[dict[str, Any]]:
    async with site.units.system("signin") as unit:
        rows = await unit.session.execute(
            text("SELECT after FROM audit_entries WHERE tenant_id = :tenant AND action = :action ORDER BY seq"),
            {"tenant": space.tenant_id, "action": action},
        )
        return [dict(row[0] or {}) for row in rows]


def session_in(answer: Any) -> str:
    found = re.search(r"vfos_session=([A-Za-z0-9_-]{43})", str(answer.headers.get_list("set-cookie")))
    assert found is not None, answer.headers
    return found[1]


def refused(answer: Any, reason: str, door: str = "/sign-in") -> None:
    """Nobody is in, the reason is on the page with other ways, and the address holds nothing the provider sent."""
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{door}{'&' if '?' in door else '?'}refused={reason}")
    assert "code" not in answer.headers["location"]
    assert "vfos_session" not in str(answer.headers.get_list("set-cookie"))


class TestComingIn:
    async def test_a_newcomer_of_the_domain_joins_once_and_is_known_afterwards(
        self, site: Site, home: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        person = {"sub": "ada", "email": "ada@example.org", "name": "Ada L."}
        async with browser() as client:
            page = await client.get("/sign-in?next=/w/homeland/members")
            [href] = re.findall(r'href="(/sign-in/with/house[^"]*)"', page.text)
            first = await through(client, idp, href.replace("&amp;", "&"), **person)
            assert (first.status_code, first.headers["location"]) == (303, "/w/homeland/members")
            members = await client.get("/w/homeland/members")
            assert "Ada L." in members.text
            assert "ada@example.org" in members.text
            people = await count(site, "users")
        async with browser() as client:
            client.cookies.set("vfos_session", "A" * 43, domain="testserver.local")
            again = await through(client, idp, **person)
            assert session_in(again) != "A" * 43
            assert await count(site, "users") == people
            assert (await client.get("/w/homeland/members")).status_code == 200
            assert (await client.get("/settings/security")).status_code == 200
        assert {"method": "oidc:oidc", "provider": "House"} in await trail(site, home, "session.begin")
        [joined] = [line for line in await trail(site, home, "member.joined") if line.get("provider")]
        assert joined["role"] == "operator"

    @pytest.mark.parametrize(
        "person",
        [
            {"sub": "eve-1", "email": "eve@elsewhere.example"},
            {"sub": "eve-2", "email": "eve@example.org", "email_verified": False},
            {"sub": "eve-3", "email": "eve@sub.example.org"},
            {"sub": "eve-4", "email": "eve@example.org.evil.example"},
        ],
    )
    async def test_others_come_by_invitation_only(
        self, site: Site, home: Workspace, idp: IdentityProvider, browser: Browser, person: dict[str, Any]
    ) -> None:
        people = await count(site, "users")
        async with browser() as client:
            answer = await through(client, idp, **person)
            refused(answer, "unknown")
            assert "Nobody here knows this account yet" in (await client.get(answer.headers["location"])).text
        assert await count(site, "users") == people
        assert (await trail(site, home, "sign-in.refused"))[-1]["reason"] == "unknown"

    async def test_an_invited_person_joins_with_it_and_the_link_is_used_up(
        self, site: Site, home: Workspace, own: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        async with site.units.open(owner_of(home)) as unit:
            made = await invite(unit, "bo@private.example", "viewer")
        link = f"/invite/{await invitation_link(site.units, owner_of(home), made.id)}"
        async with browser() as client:
            page = await client.get(link)
            assert "Join with House" in page.text
            assert "Corp" not in page.text
            answer = await through(client, idp, f"{link}/with/house", sub="bo", email="bo@other.example", name="Bo")
            assert answer.headers["location"] == "/w/homeland"
            assert (await client.get("/w/homeland/members")).status_code == 200
            assert (await client.get(f"{link}/with/house")).status_code == 410
        async with browser() as client:
            entered = await through(client, idp, sub="bo", email="bo@other.example")
            assert entered.headers["location"] == "/"
            session_in(entered)

    async def test_an_address_that_is_here_is_never_linked_by_itself(
        self, site: Site, home: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        await add_person(site.units, home.tenant_id, "viewer", name="Cy", email="cy@example.org")
        async with browser() as client:
            refused(await through(client, idp, sub="cy", email="cy@example.org"), "address")

    async def test_the_locked_out_stay_out(
        self, site: Site, home: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        async with browser() as client:
            await through(client, idp, sub="di", email="di@example.org")
            async with site.units.system("signin") as unit:
                user_id = await unit.session.scalar(text("SELECT user_id FROM identities WHERE subject = 'di'"))
            await lock_out(site.units, UUID(str(user_id)), locked=True)
            refused(await through(client, idp, sub="di", email="di@example.org"), "locked")

    @pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "/%0d%0aX:y\n"])
    async def test_it_never_leads_elsewhere(
        self, home: Workspace, idp: IdentityProvider, browser: Browser, target: str
    ) -> None:
        async with browser() as client:
            answer = await client.get(
                "/sign-in/with/house",
                params={"next": target},
                headers={"Sec-Fetch-Site": "none"},
                follow_redirects=False,
            )
            done = await back(client, idp.approve(answer.headers["location"], sub="ada", email="ada@example.org"))
            assert re.fullmatch(r"/(?![/\\])[^\x00-\x1f]*", done.headers["location"])
            assert "evil" not in done.headers["location"]

    async def test_a_switched_off_provider_lets_nobody_in(
        self, site: Site, home: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        async with browser() as client:
            way_back = idp.approve(await begin(client), sub="ada", email="ada@example.org")
            await switch_house(site.units, "house", on=False)
            try:
                refused(await back(client, way_back), "off")
                assert "House" not in (await client.get("/sign-in")).text
                assert (await client.get("/sign-in/with/house")).status_code == 404
            finally:
                await switch_house(site.units, "house", on=True)


class TestWorkspace:
    async def test_its_own_provider_opens_it_and_nothing_else(
        self, site: Site, home: Workspace, own: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        async with browser() as client:
            page = await client.get("/sign-in/at?workspace=Ownland")
            assert "Continue with Corp" in page.text
            answer = await through(client, idp, "/sign-in/at/ownland/corp", sub="kim", email="kim@example.org")
            assert answer.headers["location"] == "/w/ownland"
            assert (await client.get("/w/ownland/members")).status_code == 200
            async with site.units.system("signin") as unit:
                row = await unit.session.execute(
                    text("SELECT id, email FROM users JOIN identities ON user_id = id WHERE subject = 'kim'")
                )
                user_id, email = row.one()
                await unit.session.execute(
                    text("INSERT INTO memberships (tenant_id, user_id, role) VALUES (:tenant, :user, 'admin')"),
                    {"tenant": home.tenant_id, "user": user_id},
                )
            assert email is None, "a workspace's provider proves no address to others"
            assert (await client.get("/w/homeland/members")).status_code == 404
            assert "Homeland" not in (await client.get("/w/ownland/members")).text
            kim = Person(client, own, session_in(answer))
            for path in ("/settings/security", "/workspaces/new", "/settings/security/link"):
                page = await kim.get(path)
                assert (page.status_code, "opens one workspace only" in page.text) == (403, True), path
            for path in ("/settings/security/password", "/settings/security/unlink", "/workspaces/new"):
                assert (await kim.post(path, {"password": WORDS, "email": "kim@example.org"})).status_code == 403
            assert (await kim.get("/settings")).status_code == 200
            # A fresh proof comes from the same provider, and does not untie the session.
            assert "/confirm/with/house" not in (await kim.get("/confirm")).text
            proof = await through(client, idp, "/confirm/with/corp?next=/w/ownland/members", sub="kim")
            assert proof.headers["location"] == "/w/ownland/members"
            assert session_in(proof) != kim.token
            assert (await client.get("/w/homeland/members")).status_code == 404
            assert (await client.get("/settings/security")).status_code == 403
        async with browser() as client:
            await through(client, idp, "/sign-in/with/house", sub="kim", email="kim@example.org")
            assert (await client.get("/w/homeland/members")).status_code == 200

    async def test_no_provider_and_no_workspace_are_the_same_answer(
        self, home: Workspace, own: Workspace, browser: Browser
    ) -> None:
        async with browser() as client:
            there = await client.get("/sign-in/at?workspace=homeland")
            missing = await client.get("/sign-in/at?workspace=homelend")
            assert there.text.replace("homeland", "*") == missing.text.replace("homelend", "*")
            assert (there.status_code, missing.status_code) == (422, 422)
            there = await client.get("/sign-in/at/homeland/corp")
            missing = await client.get("/sign-in/at/homelend/corp")
            assert (there.status_code, there.text) == (404, missing.text)

    async def test_whoever_was_removed_comes_back_by_invitation_only(
        self, site: Site, own: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        async with browser() as client:
            await through(client, idp, "/sign-in/at/ownland/corp", sub="lou", email="lou@example.org")
            async with site.units.system("signin") as unit:
                found = await unit.session.scalar(text("SELECT user_id FROM identities WHERE subject = 'lou'"))
            await remove_member(site.units, owner_of(own), UUID(str(found)))
            assert (await client.get("/w/ownland/members")).status_code == 404
            answer = await through(client, idp, "/sign-in/at/ownland/corp", sub="lou", email="lou@example.org")
            refused(answer, "removed", "/sign-in/at?workspace=ownland")
        assert (await trail(site, own, "sign-in.refused"))[-1] == {
            "provider": "Corp", "reason": "removed", "detail": "the person is not a member",
        }  # fmt: skip

    async def test_a_member_s_address_must_be_linked_by_the_member(
        self, site: Site, own: Workspace, home: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        await add_person(site.units, own.tenant_id, "viewer", name="Mo", email="mo@example.org")
        await add_person(site.units, home.tenant_id, "viewer", name="Ny", email="ny@example.org")
        async with browser() as client:
            answer = await through(client, idp, "/sign-in/at/ownland/corp", sub="mo", email="mo@example.org")
            refused(answer, "address", "/sign-in/at?workspace=ownland")
            # Somebody with this address elsewhere is none of this workspace's business.
            answer = await through(client, idp, "/sign-in/at/ownland/corp", sub="ny", email="ny@example.org")
            session_in(answer)


BENT: dict[str, tuple[Bend, str, str]] = {
    "nonce": (Bend(claims={"nonce": "another"}), "token", "nonce"),
    "no nonce": (Bend(claims={"nonce": None}), "token", "nonce"),
    "issuer of the token": (Bend(claims={"iss": "https://other.example"}), "token", "wrong issuer"),
    "issuer with a slash": (Bend(claims={"iss": "+/"}), "token", "wrong issuer"),
    "issuer of the answer": (Bend(back={"iss": "https://other.example"}), "token", "comes from another issuer"),
    "no issuer of the answer": (Bend(back={"iss": None}), "token", "comes from another issuer"),
    "alg none": (Bend(alg="none"), "token", "algorithm that is not allowed"),
    "HS256 with the public key": (Bend(alg="HS256"), "token", "algorithm that is not allowed"),
    "another's signature": (Bend(forged=True), "token", "signature does not hold"),
    "audience": (Bend(claims={"aud": "another-client"}), "token", "audience"),
    "audiences without party": (Bend(claims={"aud": [CLIENT, "another-client"]}), "token", "authorised party"),
    "authorised party": (Bend(claims={"aud": [CLIENT, "x"], "azp": "x"}), "token", "authorised party"),
    "expired": (Bend(claims={"exp": -120}, late={"exp"}), "token", "end of validity"),
    "no end": (Bend(claims={"exp": None}), "token", "end of validity"),
    "from the future": (Bend(claims={"iat": 600}, late={"iat"}), "token", "time of issue"),
    "not yet": (Bend(claims={"nbf": 600}, late={"nbf"}), "token", "begin of validity"),
    "no subject": (Bend(claims={"sub": None}), "token", "subject"),
    "hash of the access token": (Bend(claims={"at_hash": "AAAA"}), "token", "hash of the access token"),
    "user info of another": (Bend(claims={"email": None}, info={"sub": "other"}), "token", "about somebody else"),
    "cancelled": (Bend(back={"code": None, "error": "access_denied"}), "denied", "access_denied"),
    "failed there": (Bend(back={"code": None, "error": "server_error"}), "provider", "server_error"),
    "a script as error": (Bend(back={"code": None, "error": "<script>"}), "provider", "something unreadable"),
    "no code": (Bend(back={"code": None}), "provider", "no code"),
    "foreign code": (Bend(back={"code": "never-issued"}), "provider", "refuses the code (invalid_grant)"),
}
"""What the provider bends → the reason people are told, and what the trail says was wrong."""


class TestLies:
    @pytest.mark.parametrize("name", BENT)
    async def test_nobody_gets_in(
        self, site: Site, home: Workspace, idp: IdentityProvider, browser: Browser, name: str
    ) -> None:
        bend, reason, detail = BENT[name]
        if bend.claims.get("iss") == "+/":
            bend = Bend(claims={"iss": f"{idp.url}/"})
        async with browser() as client:
            idp.bend = bend
            answer = await through(client, idp, sub="ada", email="ada@example.org", name="Ada")
            refused(answer, reason)
            page = await client.get(answer.headers["location"])
            assert page.status_code == 200
            assert 'role="alert"' in page.text
            assert "<script>" not in page.text.partition("</head>")[2]
            assert (await client.get("/settings")).status_code == 401
        line = (await trail(site, home, "sign-in.refused"))[-1]
        assert (line["reason"], detail in line["detail"]) == (reason, True), line

    async def test_the_truth_gets_in(self, home: Workspace, idp: IdentityProvider, browser: Browser) -> None:
        """What the refusals above differ from, in one thing each."""
        async with browser() as client:
            session_in(await through(client, idp, sub="ada", email="ada@example.org", name="Ada"))
            idp.bend = Bend(claims={"aud": [CLIENT, "x"], "azp": CLIENT})
            session_in(await through(client, idp, sub="ada", email="ada@example.org", name="Ada"))
            idp.bend = Bend(claims={"email": None})
            session_in(await through(client, idp, sub="ada", email="ada@example.org"))

    async def test_a_provider_that_changed_its_name_or_moved_to_plain_http(
        self, site: Site, home: Workspace, idp: IdentityProvider
    ) -> None:
        way = await find_house(site.units, "house")
        for said, words in (
            ({"issuer": f"{idp.url}/other"}, "it calls itself"),
            ({"token_endpoint": "http://93.184.216.34/token"}, "https"),
            ({"authorization_endpoint": "javascript:alert(1)"}, "https"),
            ({"jwks_uri": None}, "https"),
        ):
            idp.said = said
            ok, told = await site.runtime.doors.look(way, site.settings.address)
            assert (ok, words in told) == (False, True), told
        idp.said = {}
        assert (await site.runtime.doors.look(way, site.settings.address))[0]


class TestAttempts:
    async def test_a_state_counts_once(self, home: Workspace, idp: IdentityProvider, browser: Browser) -> None:
        async with browser() as client:
            way_back = idp.approve(await begin(client), sub="ada", email="ada@example.org")
            cookies = dict(client.cookies)
            session_in(await back(client, way_back))
        async with browser() as client:
            for name, value in cookies.items():
                client.cookies.set(name, value, domain="testserver.local")
            refused(await back(client, way_back), "gone")

    async def test_of_two_at_once_one_gets_in(self, home: Workspace, idp: IdentityProvider, browser: Browser) -> None:
        async with browser() as client:
            way_back = idp.approve(await begin(client), sub="ada", email="ada@example.org")
            answers = await asyncio.gather(*(back(client, way_back) for _ in range(3)))
            places = sorted(answer.headers["location"] for answer in answers)
            assert [place.startswith("/sign-in?refused=gone") for place in places] == [False, True, True]

    async def test_another_state_or_browser_does_not_use_it_up(
        self, home: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        async with browser() as client, browser() as other:
            way_back = idp.approve(await begin(client), sub="ada", email="ada@example.org")
            refused(await back(other, way_back), "gone")
            await begin(other)
            refused(await back(other, way_back), "gone")
            with capture_logs() as said:
                refused(await back(client, re.sub(r"state=[^&]+", f"state={'B' * 43}", way_back)), "gone")
            [line] = [line for line in said if line["event"] == "signin.refused"]
            assert (line["reason"], line["detail"]) == ("gone", "no such attempt in this browser")
            refused(await back(client, re.sub(r"state=[^&]+", "state=", way_back)), "gone")
            session_in(await back(client, way_back))

    async def test_it_lasts_ten_minutes(
        self, site: Site, home: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        async with browser() as client:
            way_back = idp.approve(await begin(client), sub="ada", email="ada@example.org")
            async with site.units.system("signin") as unit:
                lasts = await unit.session.scalar(
                    text("SELECT max(extract(epoch FROM expires_at - created_at)) FROM signin_attempts")
                )
                await unit.session.execute(text("UPDATE signin_attempts SET expires_at = now()"))
            assert lasts == 600
            refused(await back(client, way_back), "gone")

    async def test_a_wrong_verifier_is_refused_by_the_provider(
        self, site: Site, home: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        async with browser() as client:
            way_back = idp.approve(await begin(client), sub="ada", email="ada@example.org")
            async with site.units.system("signin") as unit:
                await unit.session.execute(
                    text("UPDATE signin_attempts SET data = jsonb_set(data, '{verifier}', to_jsonb(repeat('x', 64)))")
                )
            refused(await back(client, way_back), "provider")
        assert idp.refused == ["invalid_grant"]

    async def test_a_stolen_code_is_of_no_use(self, home: Workspace, idp: IdentityProvider, browser: Browser) -> None:
        """Used already, or injected into another's sign-in: the provider sees another verifier."""
        async with browser() as victim, browser() as thief:
            way_back = idp.approve(await begin(victim), sub="ada", email="ada@example.org")
            stolen = re.search(r"code=([^&]+)", way_back)
            assert stolen is not None
            own = idp.approve(await begin(thief), sub="eve", email="eve@elsewhere.example")
            refused(await back(thief, re.sub(r"code=[^&]+", stolen[0], own)), "provider")
            refused(await back(victim, way_back), "provider")
        assert idp.refused == ["invalid_grant", "invalid_grant"]

    async def test_an_answer_to_another_provider_s_address_is_refused(
        self, home: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        async with browser() as client:
            way_back = idp.approve(await begin(client), sub="ada", email="ada@example.org")
            refused(await back(client, way_back.replace("/back/house", "/back/other")), "token")

    async def test_another_site_cannot_begin_one(self, home: Workspace, browser: Browser) -> None:
        async with browser() as client:
            for said in ("cross-site", "same-site"):
                answer = await client.get("/sign-in/with/house", headers={"Sec-Fetch-Site": said})
                assert answer.status_code == 403
                assert "set-cookie" not in answer.headers

    async def test_asking_for_headers_uses_nothing_up(
        self, home: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        async with browser() as client:
            way_back = idp.approve(await begin(client), sub="ada", email="ada@example.org")
            assert (await client.head(way_back)).status_code == 405
            session_in(await back(client, way_back))

    async def test_knocking_often_is_throttled(self, home: Workspace, browser: Browser) -> None:
        async with browser() as client:
            path = f"/sign-in/back/house?state={'C' * 43}&code=x"
            codes = [(await back(client, path)).status_code for _ in range(PLACE.burst + 3)]
            assert codes[: PLACE.burst] == [303] * PLACE.burst
            assert 429 in codes[PLACE.burst :]

    async def test_nothing_secret_is_kept_or_logged(
        self, site: Site, home: Workspace, idp: IdentityProvider, browser: Browser, capsys: pytest.CaptureFixture[str]
    ) -> None:
        async with browser() as client:
            address = await begin(client)
            way_back = idp.approve(address, sub="ada", email="ada@example.org")
            state = re.search(r"state=([^&]+)", way_back)
            assert state is not None
            async with site.units.system("signin") as unit:
                rows = await unit.session.execute(text("SELECT signin_attempts::text, 1 FROM signin_attempts"))
                kept = str(rows.all())
            assert state[1] not in kept
            assert all(value not in kept for name, value in client.cookies.items() if "try" in name)
            idp.bend = Bend(claims={"nonce": "another"})
            await back(client, way_back)
        printed = capsys.readouterr()
        for part in (state[1], SECRET, "eyJ", "access-", "ada@example.org"):
            assert part not in printed.out + printed.err


class TestKeys:
    async def test_a_flood_of_unknown_keys_costs_one_fetch(
        self, site: Site, home: Workspace, idp: IdentityProvider, browser: Browser, database: Settings
    ) -> None:
        async with site.units.system("signin keys") as unit:
            await unit.session.execute(text("UPDATE issuer_keys SET tried_at = now() - interval '1 minute'"))
        before = idp.key_fetches
        second = open_site(site.settings)
        idp.bend = Bend(kid="no-such-key")
        async with browser() as client:
            for number in range(8):
                answer = await through(client, idp, sub="ada", email="ada@example.org")
                refused(answer, "token" if number == 0 else "keys")
        assert idp.key_fetches - before == 1
        # Another process, which has asked nothing yet, is bound by the same pause.
        from adapters.signin.port import Answer, Attempt
        from tenants.signin_rules import SignInRefused

        way, attempt = await find_house(second.units, "house"), Attempt.fresh(0)
        code = idp.approve(await second.runtime.doors.begin(way, attempt, "http://x"), sub="ada")
        given = re.search(r"code=([^&]+)", code)
        assert given is not None
        with pytest.raises(SignInRefused, match="keys"):
            await second.runtime.doors.finish(way, attempt, Answer(given[1], idp.url), "http://x")
        await second.close()
        assert idp.key_fetches - before == 1

    async def test_new_keys_are_learnt_after_the_pause(
        self, site: Site, home: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        async with browser() as client:
            session_in(await through(client, idp, sub="ada", email="ada@example.org"))
            before = idp.key_fetches
            idp.rotate()
            async with site.units.system("signin keys") as unit:
                await unit.session.execute(text("UPDATE issuer_keys SET tried_at = now() - interval '31 seconds'"))
            session_in(await through(client, idp, sub="ada", email="ada@example.org"))
            session_in(await through(client, idp, sub="ada", email="ada@example.org"))
            assert idp.key_fetches - before == 1


class TestProof:
    async def test_a_fresh_proof_comes_from_the_provider(
        self, site: Site, home: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        async with browser() as client:
            idp.bend = Bend(claims={"auth_time": -3600}, late={"auth_time"})
            token = session_in(await through(client, idp, sub="pat", email="pat@example.org", name="Pat"))
            pat = Person(client, home, token)
            # The provider's session was an hour old, so ours does not count as fresh either.
            page = await pat.get("/settings/security")
            assert "To change this, confirm that it is you" in page.text
            assert (await pat.post("/settings/security/unlink", {})).headers["location"].startswith("/confirm")
            page = await pat.get("/confirm?next=/settings/security")
            [href] = re.findall(r'href="(/confirm/with/house[^"]*)"', page.text)
            assert "owner-link" not in page.text
            address = await begin(client, href)
            assert "prompt=login" in address
            assert "max_age=60" in address
            refused(await back(client, idp.approve(address, sub="pat", email="pat@example.org")), "stale", "/confirm")
            idp.bend = Bend(claims={"auth_time": None})
            refused(await through(client, idp, href, sub="pat", email="pat@example.org"), "stale", "/confirm")
            idp.bend = Bend()
            refused(await through(client, idp, href, sub="ada", email="ada@example.org"), "other", "/confirm")
            done = await through(client, idp, href, sub="pat", email="pat@example.org")
            assert done.headers["location"] == "/settings/security"
            assert session_in(done) != token
            pat = Person(client, home, session_in(done))
            assert "To change this" not in (await pat.get("/settings/security")).text
            last = await pat.post("/settings/security/unlink", {"issuer": idp.url, "subject": "pat"})
            refused(last, "last", "/settings/security")

    async def test_it_counts_for_the_session_that_asked_only(
        self, site: Site, home: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        async with browser() as client:
            await through(client, idp, sub="pat", email="pat@example.org")
            way_back = idp.approve(await begin(client, "/confirm/with/house"), sub="pat", email="pat@example.org")
            client.cookies.delete("vfos_session")
            await through(client, idp, sub="ada", email="ada@example.org")
            answer = await back(client, way_back)
            assert "refused=gone" in answer.headers["location"]


class TestLinking:
    async def test_linked_in_a_session_and_only_when_confirmed(
        self, site: Site, home: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        user_id = await add_person(site.units, home.tenant_id, "viewer", name="Uma", email="uma@example.org")
        await set_password(site.units, user_id, await site.passwords.hash(WORDS))
        person = {"sub": "uma-elsewhere", "email": "uma@private.example"}
        async with browser() as client:
            token = await cookie_of(site.units, user_id)
            client.cookies.set("vfos_session", token, domain="testserver.local")
            uma = Person(client, home, token)
            assert "Link House" in (await uma.get("/settings/security")).text
            answer = await through(client, idp, "/settings/security/with/house", **person)
            assert answer.headers["location"] == "/settings/security/link"
            page = await uma.get("/settings/security/link")
            assert "uma@private.example" in page.text
            async with browser() as stranger:
                refused(await through(stranger, idp, **person), "unknown")
            assert (await uma.post("/settings/security/link", {"csrf": "0" * 64})).status_code == 403
            done = await uma.post("/settings/security/link", {})
            assert done.headers["location"] == "/settings/security?linked=1"
            assert "uma@private.example" in (await uma.get("/settings/security")).text
            again = await uma.post("/settings/security/link", {})
            refused(again, "gone", "/settings/security")
        async with browser() as client:
            uma = Person(client, home, session_in(await through(client, idp, **person)))
            assert (await uma.get("/w/homeland/members")).status_code == 200
            done = await uma.post("/settings/security/unlink", {"issuer": idp.url, "subject": "uma-elsewhere"})
            assert done.headers["location"] == "/settings/security?unlinked=1"
        async with browser() as client:
            refused(await through(client, idp, **person), "unknown")
        assert await trail(site, home, "identity.linked") == [{"provider": "House", "issuer": idp.url}]
        assert len(await trail(site, home, "identity.unlinked")) == 1

    async def test_somebody_else_s_account_is_not_taken_over(
        self, site: Site, home: Workspace, idp: IdentityProvider, browser: Browser
    ) -> None:
        user_id = await add_person(site.units, home.tenant_id, "viewer", name="Vic")
        async with browser() as client:
            await through(client, idp, sub="ada", email="ada@example.org")
            client.cookies.delete("vfos_session")
            client.cookies.set("vfos_session", await cookie_of(site.units, user_id), domain="testserver.local")
            answer = await through(client, idp, "/settings/security/with/house", sub="ada", email="ada@example.org")
            refused(answer, "taken", "/settings/security")


@pytest_asyncio.fixture(scope="module")
async def hub(site: Site, idp: IdentityProvider, home: Workspace) -> str:
    form = WayForm("github", "Hub", idp.url, CLIENT, "domains", ["example.org"], "viewer")
    return await add_house(site.units, site.runtime.house, form, Secret(SECRET), home.tenant_id)


class TestGitHub:
    async def test_the_number_is_the_identity_and_only_a_verified_primary_address_counts(
        self, site: Site, hub: str, idp: IdentityProvider, browser: Browser
    ) -> None:
        idp.bend = Bend(back={"iss": None})
        user = {"id": 4711, "login": "gus", "name": "Gus"}
        rows = [
            {"email": "gus@elsewhere.example", "primary": False, "verified": True},
            {"email": "gus@example.org", "primary": True, "verified": False},
        ]
        async with browser() as client:
            refused(await through(client, idp, f"/sign-in/with/{hub}", user=user, emails=rows), "unknown")
            rows[1]["verified"] = True
            session_in(await through(client, idp, f"/sign-in/with/{hub}", user=user, emails=rows))
        renamed = {"id": 4711, "login": "gustav"}
        async with browser() as client:
            session_in(await through(client, idp, f"/sign-in/with/{hub}", user=renamed, emails=[]))
            other = {"id": 4712, "login": "gus"}
            refused(await through(client, idp, f"/sign-in/with/{hub}", user=other, emails=[]), "unknown")
            refused(await through(client, idp, f"/sign-in/with/{hub}", user={"login": "x"}, emails=[]), "provider")

    async def test_a_test_tells_whether_the_client_is_known(self, site: Site, hub: str, idp: IdentityProvider) -> None:
        ok, said = await site.runtime.doors.look(await find_house(site.units, hub), site.settings.address)
        assert (ok, "knows the client" in said) == (True, True)


class TestSettings:
    async def test_an_admin_sets_up_tests_and_removes_a_provider(
        self, site: Site, idp: IdentityProvider, browser: Browser
    ) -> None:
        space = await seed_workspace(site.units, site.store, "settled", "Settled")
        base = "/w/settled/settings/sign-in"
        async with browser() as client:
            admin = await sign_in(client, site, space, "Ann")
            assert "No provider yet" in (await admin.get(base)).text
            form = (await admin.get(f"{base}/new?kind=oidc")).text
            [address] = re.findall(r"<code class=\"command\">([^<]+/sign-in/back/w[0-9a-f]{24})</code>", form)
            wrong = await admin.post(
                base,
                {"kind": "oidc", "place": "http://login.example.org", "newcomers": "domains", "domains": "gmail.com"},
            )
            assert wrong.status_code == 422
            for words in ("no issuer", "“gmail.com” cannot be used", "Copy the client id", "Paste the client secret"):
                assert words in wrong.text
            values = {
                "kind": "oidc", "name": "Our login", "place": idp.url, "client_id": CLIENT, "secret": SECRET,
                "newcomers": "everyone", "role": "viewer",
            }  # fmt: skip
            made = await admin.post(base, values)
            assert made.headers["location"] == f"{base}/our-login?saved=1"
            await admin.post(f"{base}/our-login/test", {})
            page = (await admin.get(f"{base}/our-login")).text
            assert f"{idp.url} answers; 1 keys" in page
            assert address in page
            assert SECRET not in page
            idp.said = {"issuer": "https://other.example"}
            await admin.post(f"{base}/our-login/test", {})
            assert "it calls itself" in (await admin.get(base)).text
            idp.said = {}
            await admin.post(f"{base}/our-login/disable", {})
            assert "Our login" not in (await client.get("/sign-in/at?workspace=settled")).text
            await admin.post(f"{base}/our-login/enable", {})
            saved = await admin.post(f"{base}/our-login", {**values, "secret": "", "name": "Log in here"})
            assert saved.headers["location"] == f"{base}/our-login?saved=1"
            async with browser() as other:
                answer = await through(other, idp, "/sign-in/at/settled/our-login", sub="zed", email="zed@example.org")
                session_in(answer)
            # Who has not proved who they are for a while is asked again first.
            async with site.units.system("signin") as unit:
                await unit.session.execute(text("UPDATE auth_session SET authenticated_at = now() - interval '1 hour'"))
            stale = await admin.post(f"{base}/our-login", values)
            assert stale.headers["location"].startswith("/confirm?next=/w/settled/settings/sign-in")
            async with site.units.system("signin") as unit:
                await unit.session.execute(text("UPDATE auth_session SET authenticated_at = now()"))
            gone = await admin.post(f"{base}/our-login/remove", {})
            assert gone.headers["location"] == f"{base}?removed=1"
            assert (await admin.get(f"{base}/our-login")).status_code == 404
        told = await trail(site, space, "sign-in.provider_added") + await trail(site, space, "sign-in.provider_saved")
        assert [line["name"] for line in told] == ["Our login", "Log in here"]
        assert SECRET not in str(told)
        for action, times in (("tested", 2), ("disabled", 1), ("enabled", 1)):
            assert len(await trail(site, space, f"sign-in.provider_{action}")) == times
        assert len(await trail(site, space, "sign-in.provider_removed")) == 1

    async def test_google_does_not_let_everybody_in(self, site: Site, home: Workspace, browser: Browser) -> None:
        async with browser() as client:
            admin = await sign_in(client, site, home, "Ann")
            page = (await admin.get("/w/homeland/settings/sign-in/new?kind=google")).text
            assert 'value="everyone"' not in page
            values = {"kind": "google", "name": "Google", "client_id": "x", "secret": "y", "newcomers": "everyone"}
            answer = await admin.post("/w/homeland/settings/sign-in", values)
            assert (answer.status_code, "Anybody can have an account there" in answer.text) == (422, True)
