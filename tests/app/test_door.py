"""The door: owner links, sessions, forged requests, signing out."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from httpx import ASGITransport, AsyncClient
from sqlalchemy import select

from adapters.settings import Settings
from app.guards import came_from_us
from app.main import build
from app.session import csrf_of
from app.site import Site, open_site
from tenants.directory import issue_owner_link, token_hash
from tenants.model import AuditEntry
from tests.app.conftest import Person, sign_in
from tests.support.factories import Workspace, seed_workspace

Browser = Callable[[], AsyncClient]
SAME = {"Sec-Fetch-Site": "same-origin"}
FORM = {"name": "Ada", "language": "pt-BR"}


class TestOwnerLink:
    async def test_looking_at_a_link_does_not_use_it_up(self, site: Site, space: Workspace, browser: Browser) -> None:
        link = await issue_owner_link(site.units, space.tenant_id)
        async with browser() as client:
            for _ in range(2):
                page = await client.get(f"/start/{link}")
                assert page.status_code == 200
                assert 'name="name"' in page.text

    async def test_whoever_is_known_is_not_asked_again_and_keeps_their_name(self, site: Site, browser: Browser) -> None:
        own = await seed_workspace(site.units, site.store, "twice", "Twice")
        for name, asked in (("Ada", True), ("Somebody else", False)):
            link = await issue_owner_link(site.units, own.tenant_id)
            async with browser() as client:
                page = (await client.get(f"/start/{link}")).text
                assert ('name="name"' in page, "as Ada" in page) == (asked, not asked)
                await client.post(f"/start/{link}", data={"name": name, "language": "en"}, headers=SAME)
                assert "owner link" in (await client.get("/settings/security")).text
        async with own.units.open(own.owner) as unit:
            began = select(AuditEntry.actor_name).where(AuditEntry.action == "session.begin")
            assert list(await unit.session.scalars(began)) == ["Ada", "Ada"]

    async def test_using_it_signs_in_once(self, site: Site, space: Workspace, browser: Browser) -> None:
        link = await issue_owner_link(site.units, space.tenant_id)
        async with browser() as client:
            first = await client.post(f"/start/{link}", data=FORM, headers=SAME, follow_redirects=False)
            assert (first.status_code, first.headers["location"]) == (303, "/w/northlight")
            cookie = first.headers["set-cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=lax" in cookie
            page = await client.get("/w/northlight", follow_redirects=True)
            assert "Trabalhos" in page.text
        async with browser() as other:
            again = await other.post(f"/start/{link}", data=FORM, headers=SAME, follow_redirects=False)
            assert again.status_code == 410
            assert "vfos admin owner-link" in again.text
            assert "set-cookie" not in again.headers

    @pytest.mark.parametrize("token", ["x", "a" * 43, "<script>"])
    async def test_an_unknown_link_is_the_same_polite_page(self, browser: Browser, token: str) -> None:
        async with browser() as client:
            page = await client.get(f"/start/{token}")
            assert page.status_code == 410
            assert "not valid any more" in page.text

    async def test_faults_come_back_with_what_was_entered(self, site: Site, browser: Browser) -> None:
        link = await issue_owner_link(
            site.units, (await seed_workspace(site.units, site.store, "new", "New")).tenant_id
        )
        async with browser() as client:
            page = await client.post(f"/start/{link}", data={"name": "N" * 200, "language": "en"}, headers=SAME)
            assert page.status_code == 422
            assert "200 characters" in page.text
            good = await client.post(f"/start/{link}", data=FORM, headers=SAME, follow_redirects=False)
            assert good.status_code == 303

    async def test_whoever_is_signed_in_can_use_a_link_too(
        self, site: Site, space: Workspace, browser: Browser
    ) -> None:
        first = await issue_owner_link(site.units, space.tenant_id)
        async with browser() as client:
            await client.post(f"/start/{first}", data=FORM, headers=SAME)
            second = await issue_owner_link(site.units, space.tenant_id)
            page = await client.get(f"/start/{second}")
            token = re.search(r'name="csrf" value="(\w+)"', page.text)
            assert token is not None
            sent = {**FORM, "csrf": token.group(1)}
            answer = await client.post(f"/start/{second}", data=sent, headers=SAME, follow_redirects=False)
            assert answer.status_code == 303

    async def test_a_planted_cookie_does_not_become_the_session(
        self, site: Site, space: Workspace, browser: Browser
    ) -> None:
        link = await issue_owner_link(site.units, space.tenant_id)
        planted = "A" * 43
        async with browser() as client:
            client.cookies.set("vfos_session", planted, domain="testserver.local")
            answer = await client.post(f"/start/{link}", data=FORM, headers=SAME, follow_redirects=False)
            assert planted not in answer.headers["set-cookie"]


class TestForgery:
    @pytest.mark.parametrize(
        ("fetch_site", "origin", "ours"),
        [
            ("same-origin", None, True),
            ("same-site", "http://h", False),
            ("cross-site", "http://h", False),
            ("none", "http://h", False),
            (None, "http://h", True),
            (None, "http://other", False),
            (None, "null", False),
            (None, None, False),
        ],
    )
    def test_the_browser_s_own_words_decide(self, fetch_site: str | None, origin: str | None, ours: bool) -> None:
        assert came_from_us(fetch_site, origin, "h") is ours

    async def test_a_post_from_another_site_is_refused(self, marina: Person) -> None:
        answer = await marina.post("/settings", {"name": "X"}, Sec_Fetch_Site="cross-site")
        assert answer.status_code == 403

    async def test_a_post_without_the_session_s_token_is_refused(self, marina: Person) -> None:
        answer = await marina.post("/settings", {"csrf": "0" * 64, "name": "X"})
        assert answer.status_code == 403

    async def test_another_session_s_token_is_refused(self, marina: Person, stranger: Person) -> None:
        answer = await marina.post("/settings", {"csrf": stranger.csrf})
        assert answer.status_code == 403


class TestSession:
    async def test_signing_out_ends_the_session_for_every_copy_of_its_cookie(
        self, site: Site, space: Workspace, browser: Browser
    ) -> None:
        async with browser() as client:
            person = await sign_in(client, site, space, "Eve")
            answer = await person.post("/sign-out", {})
            assert answer.status_code == 303
        async with browser() as copy:
            copy.cookies.set("vfos_session", person.token, domain="testserver.local")
            page = await copy.get(space.base)
            assert page.status_code == 401

    async def test_a_page_asks_strangers_to_sign_in(self, space: Workspace, browser: Browser) -> None:
        async with browser() as client:
            for path in ("/settings", space.base, f"{space.base}/1", f"{space.base}/1/events"):
                page = await client.get(path)
                assert page.status_code == 401, path
                assert "signed out" in page.text

    async def test_a_person_sees_and_ends_their_other_sessions(
        self, site: Site, space: Workspace, browser: Browser
    ) -> None:
        async with browser() as one, browser() as two:
            here, there = await sign_in(one, site, space, "Eve"), await sign_in(two, site, space, "Eve")
            page = await here.get("/settings/security")
            assert token_hash(there.token) in page.text
            await here.post("/settings/sessions", {"handle": token_hash(there.token)})
            assert (await there.get("/settings")).status_code == 401
            assert (await here.get("/settings")).status_code == 200


class TestSettings:
    async def test_the_next_page_looks_the_new_way(self, site: Site, space: Workspace, browser: Browser) -> None:
        async with browser() as client:
            person = await sign_in(client, site, space, "Eve")
            wanted = {
                "name": "Eve",
                "language": "pt-BR",
                "theme": "dark",
                "density": "compact",
                "time_zone": "America/Sao_Paulo",
                "shortcuts": "1",
            }
            assert (await person.post("/settings", wanted)).status_code == 303
            page = await person.get("/settings")
            assert '<html lang="pt-BR" data-density="compact" data-theme="dark">' in page.text
            await person.post("/settings", {**wanted, "language": "en", "theme": "system", "density": "comfortable"})

    async def test_every_fault_is_told_at_once(self, marina: Person) -> None:
        page = await marina.post("/settings", {"name": "", "language": "xx", "theme": "pink", "density": "compact"})
        assert page.status_code == 422
        assert "4 things must be corrected" in page.text


class TestHeaders:
    async def test_every_answer_carries_the_policy(self, marina: Person, browser: Browser) -> None:
        paths = ("/settings", marina.space.base, "/nowhere", f"{marina.space.base}/999", "/health/live")
        for path in paths:
            answer = await marina.get(path)
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"

    async def test_static_files_are_cached_for_ever_and_compressed(self, site: Site, browser: Browser) -> None:
        async with browser() as client:
            answer = await client.get(site.assets.url("design.css"))
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers["content-encoding"] == "gzip"
            assert (await client.get("/static/design.css")).status_code == 404

    async def test_health(self, browser: Browser) -> None:
        async with browser() as client:
            assert (await client.get("/health/live")).json() == {"status": "live"}
            assert (await client.get("/health/ready")).json()["checks"] == {"database": True, "redis": True}


class TestBehindTls:
    """An installation that is reached by https: the cookie's name binds it to this host; browsers stay with https."""

    async def test_cookies_and_headers(self, database: Settings, space: Workspace) -> None:
        site = open_site(database.using(public_url="https://films.example.org"))
        link = await issue_owner_link(site.units, space.tenant_id)
        async with AsyncClient(transport=ASGITransport(build(site)), base_url="https://films.example.org") as client:
            door = await client.get("/sign-in")
            answer = await client.post(f"/start/{link}", data=FORM, headers=SAME, follow_redirects=False)
            csrf = csrf_of(client.cookies["__Host-vfos"])
            out = await client.post("/sign-out", data={"csrf": csrf}, headers=SAME, follow_redirects=False)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-vfos=")
        for part in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"):
            assert part in cookie, part
        assert "Domain" not in cookie
        assert "Max-Age=0" in out.headers["set-cookie"]
        assert door.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
        assert door.headers["cross-origin-opener-policy"] == "same-origin"
        assert door.headers["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in door.headers["permissions-policy"]
        assert door.headers["cache-control"] == "no-store"
        await site.close()

    async def test_on_loopback_the_cookie_has_another_name_and_nobody_is_pinned(self, browser: Browser) -> None:
        async with browser() as client:
            answer = await client.get("/sign-in")
        assert "strict-transport-security" not in answer.headers
