"""API keys: made and renewed on their page, shown once, and what a program gets with one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from httpx import ASGITransport, AsyncClient
from litestar import Litestar
from sqlalchemy import event, select, text

from app.api.shown_key import REQUESTS
from app.site import Site
from app.throttle import PLACE
from tenants.key_format import checksum, make_key, read_key
from tenants.key_model import ApiKey
from tenants.model import AuditEntry
from tests.app.conftest import HOST, Person
from tests.support.factories import Workspace, seed_workspace
from tests.support.people import add_person, cookie_of

ME = "/api/v1/me"
KEY = re.compile(r"\bvf_live_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}\b")
WISH = {"name": "Nightly", "s-jobs-read": "1", "s-jobs-run": "1", "scope": "all", "lasts": "90", "networks": ""}


@pytest_asyncio.fixture(scope="module")
async def house(site: Site) -> Workspace:
    return await seed_workspace(site.units, site.store, "keyed", "Keyed")


@pytest_asyncio.fixture(autouse=True)
async def patience(site: Site) -> None:
    await site.redis.flushdb()


NewMember = Callable[..., Any]


@pytest_asyncio.fixture(scope="module")
async def member(site: Site, house: Workspace, browser: Callable[[], AsyncClient]) -> AsyncIterator[NewMember]:
    made: list[AsyncClient] = []

    async def make(name: str, role: Any = "admin", **more: Any) -> Person:
        user_id = await add_person(site.units, house.tenant_id, role, name=name, **more)
        client, token = browser(), await cookie_of(site.units, user_id)
        client.cookies.set("vfos_session", token, domain="testserver.local")
        made.append(client)
        person = Person(client, house, token)
        person.id = user_id  # type: ignore[attr-defined]
        return person

    yield make
    for client in made:
        await client.aclose()


@pytest_asyncio.fixture(scope="module")
async def ada(member: NewMember) -> Person:
    person: Person = await member("Ada")
    return person


async def new_key(person: Person, **changes: str) -> str:
    page = await person.post("/w/keyed/keys", {**WISH, **changes})
    assert page.status_code == 200, page.text
    [found] = set(KEY.findall(page.text))
    return str(found)


async def ask(app: Litestar, key: str = "", address: str = "203.0.113.9", **headers: str) -> Any:
    transport = ASGITransport(app, client=(address, 4711))
    sent = {"Authorization": f"Bearer {key}", **headers} if key else headers
    async with AsyncClient(transport=transport, base_url=HOST) as client:
        return await client.get(ME, headers=sent)


async def row_of(site: Site, key: str) -> ApiKey:
    written = read_key(key)
    assert written is not None
    async with site.units.system("keys") as unit:
        return (await unit.session.scalars(select(ApiKey).where(ApiKey.public_id == written.public_id))).one()


async def alter(site: Site, what: str, key: str) -> None:
    row = await row_of(site, key)
    async with site.units.system("keys") as unit:
        await unit.session.execute(text(f"UPDATE api_keys SET {what} WHERE id = :id"), {"id": row.id})


class TestMe:
    async def test_who_am_i(self, app: Litestar, ada: Person) -> None:
        key = await new_key(ada)
        answer = await ask(app, key)
        assert answer.status_code == 200
        assert answer.json() == {
            "workspace": {"slug": "keyed", "name": "Keyed"},
            "key": {
                "id": key[8:16],
                "name": "Nightly",
                "expires_at": answer.json()["key"]["expires_at"],
                "networks": [],
            },
            "scopes": ["jobs:read", "jobs:run"],
            "projects": None,
        }
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers

    async def test_what_is_no_key_is_refused_without_a_query(self, app: Litestar, site: Site) -> None:
        asked: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            asked.append(statement)

        engine = site.engines.system.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            good = make_key().text.reveal()
            for wrong in ("x", good[:-1], good[:-1] + ("0" if good[-1] != "0" else "1"), good.replace("vf_", "vg_")):
                answer = await ask(app, wrong)
                assert (answer.status_code, answer.json()["code"]) == (401, "invalid-key")
            assert asked == []
            unknown = await ask(app, good)
            assert asked != []
        finally:
            event.remove(engine, "before_cursor_execute", note)
        assert (unknown.status_code, unknown.json()) == (401, answer.json())
        assert unknown.headers["content-type"] == "application/problem+json"
        assert unknown.headers["www-authenticate"].startswith("Bearer")
        assert unknown.json()["type"] == "urn:vfos:problem:invalid-key"

    async def test_the_right_id_with_another_secret_is_as_unknown(self, app: Litestar, ada: Person) -> None:
        key, other = await new_key(ada), make_key().text.reveal()
        body = f"vf_live_{key[8:16]}_{other[17:-6]}"
        answer = await ask(app, body + checksum(body))
        assert answer.json() == (await ask(app, other)).json()

    async def test_a_cookie_is_never_read(self, app: Litestar, ada: Person) -> None:
        key = await new_key(ada)
        cookie = f"vfos_session={ada.token}"
        alone = await ask(app, Cookie=cookie)
        assert (alone.status_code, alone.json()["code"]) == (401, "no-key")
        both = await ask(app, key, Cookie=cookie)
        assert (both.status_code, both.json()["code"]) == (400, "two-credentials")
        basic = await ask(app, Authorization=f"Basic {key}")
        assert basic.status_code == 401

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ("revoked_at = now()", 401, "key-revoked"),
            ("expires_at = now() - interval '1 second'", 401, "key-expired"),
            ("""networks = '["198.51.100.0/24"]'""", 403, "key-network"),
            ("made_by = gen_random_uuid()", 401, "key-maker"),
        ],
    )
    async def test_keys_that_have_ended(
        self, app: Litestar, site: Site, ada: Person, change: str, status: int, code: str
    ) -> None:
        key = await new_key(ada)
        await alter(site, change, key)
        answer = await ask(app, key)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert "keyed" not in answer.text.lower()

    async def test_from_its_networks_only(self, app: Litestar, ada: Person) -> None:
        key = await new_key(ada, networks="203.0.113.0/24, 2001:db8::/32")
        for address, status in (("203.0.113.200", 200), ("2001:db8::9", 200), ("192.0.2.1", 403), ("testclient", 403)):
            assert (await ask(app, key, address)).status_code == status, address

    async def test_its_limit_is_told_and_kept(self, app: Litestar, site: Site, ada: Person) -> None:
        key, other = await new_key(ada), await new_key(ada)
        first = await ask(app, key)
        assert first.headers["ratelimit-policy"] == f'"key";q={REQUESTS.burst};w=12'
        assert re.fullmatch(r'"key";r=(59|60);t=\d+', first.headers["ratelimit"])
        await site.limits.hold(f"api:{(await row_of(site, key)).id}", REQUESTS, 60)
        late = await ask(app, key)
        assert (late.status_code, late.json()["code"]) == (429, "too-often")
        assert int(late.headers["retry-after"]) > 30
        assert late.headers["ratelimit"].startswith('"key";r=0;t=')
        assert (await ask(app, other)).status_code == 200

    async def test_guessing_is_throttled_by_address(self, app: Litestar, site: Site, ada: Person) -> None:
        good = await new_key(ada)
        assert (await ask(app, "garbage", "192.0.2.66")).status_code == 401
        await site.limits.hold("api:place:192.0.2.66", PLACE, 60)
        for wrong in ("garbage", make_key().text.reveal()):
            assert (await ask(app, wrong, "192.0.2.66")).status_code == 429
        assert (await ask(app, "garbage", "192.0.2.67")).status_code == 401
        assert (await ask(app, good, "192.0.2.66")).status_code == 200

    async def test_what_is_not_there_is_a_problem_too(self, app: Litestar) -> None:
        async with AsyncClient(transport=ASGITransport(app), base_url=HOST) as client:
            answer = await client.get("/api/v1/nothing-like-this")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


class TestRights:
    async def test_they_shrink_and_end_with_the_maker_s(
        self, app: Litestar, site: Site, house: Workspace, member: NewMember
    ) -> None:
        ben = await member("Ben")
        key = await new_key(ben, **{"s-budget-manage": "1"})
        assert (await ask(app, key)).json()["scopes"] == ["budget:manage", "jobs:read", "jobs:run"]
        change = text("UPDATE memberships SET role = :role, projects = :only WHERE user_id = :id")

        async def demote(role: str, only: str | None = None) -> None:
            async with site.units.system("members") as unit:
                await unit.session.execute(change, {"role": role, "only": only, "id": ben.id})

        await demote("viewer", f'["{house.project.id}"]')
        answer = (await ask(app, key)).json()
        assert answer["scopes"] == ["jobs:read"]
        assert answer["projects"] == [house.project.slug]
        async with site.units.system("members") as unit:
            await unit.session.execute(text("DELETE FROM memberships WHERE user_id = :id"), {"id": ben.id})
        assert (await ask(app, key)).json()["code"] == "key-maker"

    async def test_narrowed_to_projects(self, app: Litestar, house: Workspace, ada: Person) -> None:
        key = await new_key(ada, scope="some", **{f"p-{house.project.id}": "1"})
        assert (await ask(app, key)).json()["projects"] == [house.project.slug]
        foreign = await ada.post("/w/keyed/keys", {**WISH, "scope": "some", f"p-{uuid4()}": "1"})
        assert (foreign.status_code, "at least one project" in foreign.text) == (422, True)

    async def test_nobody_gives_what_they_do_not_have(self, ada: Person, member: NewMember) -> None:
        for scope in ("keys-manage", "workspace-delete", "members-manage", "credentials-manage"):
            assert f'name="s-{scope}"' not in (await ada.get("/w/keyed/keys")).text
            only = {name: value for name, value in WISH.items() if not name.startswith("s-")}
            refused = await ada.post("/w/keyed/keys", {**only, f"s-{scope}": "1"})
            assert (refused.status_code, "right that you have" in refused.text) == (422, True)
        cas = await member("Cas", "operator")
        assert (await cas.get("/w/keyed/keys")).status_code == 403
        assert (await cas.post("/w/keyed/keys", WISH)).status_code == 403


class TestPage:
    async def test_shown_once_and_kept_as_a_hash(self, site: Site, ada: Person) -> None:
        key = await new_key(ada, name="Once & <b>only</b>")
        page = await ada.get("/w/keyed/keys")
        assert key not in page.text
        assert key[17:40] not in page.text
        assert f"vf_live_{key[8:16]}…" in page.text
        assert "Once &amp; &lt;b&gt;only" in page.text
        async with site.units.system("keys") as unit:
            dump = str((await unit.session.execute(text("SELECT * FROM api_keys"))).all())
            dump += str((await unit.session.execute(text("SELECT * FROM audit_entries"))).all())
        assert key[17:40] not in dump

    async def test_its_text_is_in_no_log(
        self, app: Litestar, ada: Person, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        key = await new_key(ada)
        await ask(app, key)
        await ask(app, key[:-1] + ("0" if key[-1] != "0" else "1"))
        said = capsys.readouterr()
        assert key[17:40] not in said.out + said.err + caplog.text

    async def test_faults_are_said_at_their_field(self, ada: Person) -> None:
        for changes, words in (
            ({"name": " "}, "1 to 60 visible characters"),
            ({"lasts": "10000"}, "one of the entries"),
            ({"networks": "everywhere"}, "203.0.113.0/24"),
        ):
            page = await ada.post("/w/keyed/keys", {**WISH, **changes})
            assert (page.status_code, words in page.text) == (422, True)
            assert not KEY.search(page.text)

    async def test_renewed_with_an_overlap(self, app: Litestar, site: Site, ada: Person) -> None:
        old = await new_key(ada, name="Rolling", networks="203.0.113.0/24")
        path = f"/w/keyed/keys/{(await row_of(site, old)).id}/renew"
        wrong = await ada.post(path, {"overlap": "9999"})
        assert wrong.status_code == 409
        page = await ada.post(path, {"overlap": "1"})
        [new] = set(KEY.findall(page.text))
        first, second = (await ask(app, old)).json(), (await ask(app, new)).json()
        assert first["key"]["id"] != second["key"]["id"]
        for part in ("scopes", "projects", "workspace"):
            assert first[part] == second[part]
        assert second["key"]["networks"] == ["203.0.113.0/24"]
        assert first["key"]["expires_at"] < second["key"]["expires_at"]
        assert "renewed, ends soon" in (await ada.get("/w/keyed/keys")).text
        twice = await ada.post(path, {"overlap": "1"})
        assert (twice.status_code, "renewed already" in twice.text) == (409, True)
        await alter(site, "expires_at = now()", old)
        assert (await ask(app, old)).json()["code"] == "key-expired"
        assert (await ask(app, new)).status_code == 200

    async def test_an_overlap_never_makes_a_key_live_longer(self, app: Litestar, site: Site, ada: Person) -> None:
        old = await new_key(ada)
        await alter(site, "expires_at = now() + interval '5 minutes'", old)
        before = (await row_of(site, old)).expires_at
        await ada.post(f"/w/keyed/keys/{(await row_of(site, old)).id}/renew", {"overlap": "168"})
        assert (await row_of(site, old)).expires_at == before
        forever = await new_key(ada, lasts="never")
        await ada.post(f"/w/keyed/keys/{(await row_of(site, forever)).id}/renew", {"overlap": "0"})
        assert (await ask(app, forever)).json()["code"] == "key-expired"

    async def test_revoked_at_once(self, app: Litestar, site: Site, house: Workspace, ada: Person) -> None:
        key = await new_key(ada, name="Leaked")
        path = f"/w/keyed/keys/{(await row_of(site, key)).id}/revoke"
        assert (await ada.post(path, {})).headers["location"] == "/w/keyed/keys?done=revoked"
        assert (await ask(app, key)).json()["code"] == "key-revoked"
        assert (await ada.post(path, {})).status_code == 404
        async with site.units.open(house.owner) as unit:
            actions = set(await unit.session.scalars(select(AuditEntry.action)))
        assert {"key.created", "key.renewed", "key.revoked"} <= actions

    async def test_another_workspace_s_key_is_not_there(
        self, app: Litestar, site: Site, ada: Person, stranger: Person
    ) -> None:
        key = await new_key(ada)
        key_id: UUID = (await row_of(site, key)).id
        for act in ("renew", "revoke"):
            theirs = await stranger.post(f"/w/southwind/keys/{key_id}/{act}", {})
            missing = await stranger.post(f"/w/southwind/keys/{uuid4()}/{act}", {})
            assert (theirs.status_code, theirs.text) == (404, missing.text)
        assert key[8:16] not in (await stranger.get("/w/southwind/keys")).text
        assert (await ask(app, key)).status_code == 200

    async def test_making_one_needs_a_fresh_proof(self, site: Site, member: NewMember) -> None:
        dan = await member("Dan")
        key = await new_key(dan)
        async with site.units.system("directory") as unit:
            old = text("UPDATE auth_session SET authenticated_at = now() - interval '1 hour' WHERE user_id = :id")
            await unit.session.execute(old, {"id": dan.id})
        assert "confirm first that it is you" in (await dan.get("/w/keyed/keys")).text
        row = await row_of(site, key)
        for path in ("/w/keyed/keys", f"/w/keyed/keys/{row.id}/renew"):
            answer = await dan.post(path, WISH)
            assert answer.headers["location"] == "/confirm?next=/w/keyed/keys"
        assert (await dan.post(f"/w/keyed/keys/{row.id}/revoke", {})).headers["location"].endswith("done=revoked")


class TestLastUse:
    async def test_it_is_written_once_a_minute(self, app: Litestar, site: Site, ada: Person) -> None:
        key = await new_key(ada, name="Counted")
        writes: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if statement.startswith("UPDATE api_keys"):
                writes.append(statement)

        assert "never used" in (await ada.get("/w/keyed/keys")).text
        engine = site.engines.system.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            for _ in range(4):
                await ask(app, key)
            assert len(writes) == 1
            used = (await row_of(site, key)).used_at
            await alter(site, "used_at = now() - interval '61 seconds'", key)
            writes.clear()
            await asyncio.gather(*(ask(app, key, "203.0.113.77") for _ in range(4)))
        finally:
            event.remove(engine, "before_cursor_execute", note)
        row = await row_of(site, key)
        assert used is not None
        assert row.used_at is not None
        assert row.used_at > used
        assert row.used_from == "203.0.113.77"
        assert "from 203.0.113.77" in (await ada.get("/w/keyed/keys")).text
