"""Flows of second factors: the app, recovery codes, passkeys, and workspaces that ask for one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pyotp
import pytest
import pytest_asyncio
from httpx import ASGITransport, AsyncClient
from litestar import Litestar
from sqlalchemy import select, text

from adapters.settings import Settings
from app.commands.admin import TASKS
from app.commands.secrets import _do as do_with_secrets
from app.site import Site
from app.throttle import SECOND
from tenants import entrance, factors
from tenants.factor_model import RecoveryCode
from tenants.model import AuditEntry
from tenants.people_model import Letter
from tenants.secret import Secret
from tenants.signin_providers import add_house, switch_house
from tenants.signin_rules import WayForm
from tests.app.conftest import Person
from tests.support.authenticator import PRESENT, Device
from tests.support.factories import Workspace, seed_workspace
from tests.support.people import add_person, cookie_of

HOST = "films.localhost"
ORIGIN = f"http://{HOST}"
SAME = {"Sec-Fetch-Site": "same-origin"}
WORDS = "correct horse battery"
OLD = text("UPDATE auth_session SET authenticated_at = now() - interval '1 hour' WHERE user_id = :id")


@dataclass
class Clock:
    """The machine's clock, which a test can put forward."""

    ahead: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture(autouse=True)
def clock(site: Site, monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(site, "clock", made)
    return made


@pytest_asyncio.fixture(autouse=True)
async def patience(site: Site) -> None:
    """Every test starts with a fresh throttle."""
    await site.redis.flushdb()


@pytest_asyncio.fixture(scope="module")
async def house(site: Site) -> Workspace:
    return await seed_workspace(site.units, site.store, "guarded", "Guarded")


@dataclass
class Member:
    """Somebody with a password, a browser and, in time, factors."""

    id: UUID
    email: str
    person: Person
    client: AsyncClient
    app: pyotp.TOTP | None = None
    codes: list[str] = field(default_factory=list)

    async def get(self, path: str, **headers: str) -> Any:
        return await self.person.get(path, **headers)

    async def post(self, path: str, **data: str) -> Any:
        # A fresh proof comes with a fresh cookie.
        self.person.token = str(self.client.cookies["vfos_session"])
        return await self.person.post(path, data)

    async def add_app(self, clock: Clock) -> Any:
        """Set an authenticator app up, as a person would."""
        started = await self.post("/settings/factors/app")
        assert started.headers["location"] == "/settings/factors/app"
        page = (await self.get("/settings/factors/app")).text
        self.app = pyotp.TOTP(re.search(r'id="secret"[^>]*value="([A-Z2-7 ]+)"', page)[1].replace(" ", ""))  # type: ignore[index]
        done = await self.post("/settings/factors/app/confirm", code=self.app.at(clock.now()))
        self.codes = shown_codes(done.text) or self.codes
        return done

    async def add_passkey(self, name: str = "Phone") -> Device:
        device = Device(ORIGIN, HOST)
        asked = await self.get("/passkeys/ask/new")
        done = await self.post("/settings/factors/passkeys", name=name, credential=device.create(asked.text))
        assert done.status_code in (200, 303), done.text
        self.codes = shown_codes(done.text) or self.codes
        return device


def shown_codes(page: str) -> list[str]:
    return re.findall(r"\b[0-9A-Z]{6}(?:-[0-9A-Z]{6}){3}\b", page)


NewBrowser = Callable[[], AsyncClient]


@pytest.fixture(scope="module")
def fresh(app: Litestar) -> NewBrowser:
    return lambda: AsyncClient(transport=ASGITransport(app), base_url=ORIGIN)


NewMember = Callable[..., Any]


@pytest_asyncio.fixture
async def member(site: Site, house: Workspace, fresh: NewBrowser) -> AsyncIterator[NewMember]:
    made: list[AsyncClient] = []

    async def make(name: str, role: Any = "viewer", space: Workspace = house) -> Member:
        email = f"{name.lower()}@example.org"
        user_id = await add_person(site.units, space.tenant_id, role, name=name, email=email)
        await entrance.set_password(site.units, user_id, await site.passwords.hash(WORDS))
        client = fresh()
        token = await cookie_of(site.units, user_id)
        client.cookies.set("vfos_session", token, domain=HOST)
        made.append(client)
        return Member(user_id, email, Person(client, space, token), client)

    yield make
    for client in made:
        await client.aclose()


async def post(client: AsyncClient, path: str, **data: str) -> Any:
    return await client.post(path, data=data, headers=SAME, follow_redirects=False)


async def with_password(client: AsyncClient, who: Member, password: str = WORDS, path: str = "/settings") -> Any:
    return await post(client, "/sign-in", email=who.email, password=password, next=path)


async def audited(site: Site, house: Workspace) -> list[str]:
    async with site.units.open(house.owner) as unit:
        return list(await unit.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))


async def letters_to(site: Site, who: Member) -> list[str]:
    async with site.units.system("letters") as unit:
        return list(
            await unit.session.scalars(
                select(Letter.kind).where(Letter.user_id == who.id).order_by(Letter.created_at, Letter.id)
            )
        )


async def change(site: Site, statement: str, who: Member, **values: str) -> None:
    async with site.units.system("signin") as unit:
        await unit.session.execute(text(statement), {"id": who.id, **values})


class TestApp:
    async def test_the_second_step_stands_between_password_and_session(
        self, site: Site, house: Workspace, member: NewMember, fresh: NewBrowser, clock: Clock
    ) -> None:
        ana = await member("Ana")
        done = await ana.add_app(clock)
        assert len(ana.codes) == 10
        assert "password alone does not let anybody in" in done.text
        again = await ana.get("/settings/factors")
        assert "10 of 10 left" in again.text
        assert ana.codes[0] not in again.text
        async with fresh() as client:
            first = await with_password(client, ana)
            assert (first.status_code, first.headers["location"]) == (303, "/sign-in/second")
            assert "vfos_session" not in client.cookies
            assert (await client.get("/settings")).status_code == 401
            assert "Second step" in (await client.get("/sign-in/second")).text
            clock.ahead += timedelta(seconds=60)
            code = ana.app.at(clock.now())  # type: ignore[union-attr]
            entered = await post(client, "/sign-in/second", code=code)
            assert (entered.status_code, entered.headers["location"]) == (303, "/settings")
            assert (await client.get("/settings")).status_code == 200
            assert (await client.get("/sign-in/second", follow_redirects=False)).headers["location"] == "/sign-in"
        async with fresh() as client:
            await with_password(client, ana)
            replayed = await post(client, "/sign-in/second", code=code)
            assert (replayed.status_code, "used already" in replayed.text) == (422, True)
        assert "factor.added" in await audited(site, house)
        assert await letters_to(site, ana) == ["app-added"]

    async def test_of_two_with_one_code_one_gets_in(self, member: NewMember, fresh: NewBrowser, clock: Clock) -> None:
        bob = await member("Bob")
        await bob.add_app(clock)
        clock.ahead += timedelta(seconds=60)
        code = bob.app.at(clock.now())
        clients = [fresh() for _ in range(4)]
        for client in clients:
            await with_password(client, bob)
        answers = await asyncio.gather(*(post(client, "/sign-in/second", code=code) for client in clients))
        assert sorted(answer.status_code for answer in answers) == [303, 422, 422, 422]
        await asyncio.gather(*(client.aclose() for client in clients))

    async def test_guessing_is_throttled_for_the_person_not_the_browser(
        self, member: NewMember, fresh: NewBrowser, clock: Clock
    ) -> None:
        cleo = await member("Cleo")
        await cleo.add_app(clock)
        clients = [fresh() for _ in range(3)]
        for client in clients:
            await with_password(client, cleo)
        tries = [post(clients[n % 3], "/sign-in/second", code="000000") for n in range(SECOND.burst + 3)]
        codes = sorted([answer.status_code for answer in await asyncio.gather(*tries)])
        # The first of the burst was the code that set the app up.
        assert codes == [422] * (SECOND.burst - 1) + [429] * 4
        await asyncio.gather(*(client.aclose() for client in clients))

    async def test_the_waiting_sign_in_is_bound_to_its_browser_and_ends(
        self, site: Site, member: NewMember, fresh: NewBrowser, clock: Clock
    ) -> None:
        dora = await member("Dora")
        await dora.add_app(clock)
        clock.ahead += timedelta(seconds=60)
        async with fresh() as client, fresh() as other:
            await with_password(client, dora)
            code = dora.app.at(clock.now())
            assert (await post(other, "/sign-in/second", code=code)).headers["location"] == "/sign-in"
            other.cookies.set("vfos_step", "A" * 43, domain=HOST)
            assert (await post(other, "/sign-in/second", code=code)).headers["location"] == "/sign-in"
            foreign = await client.post(
                "/sign-in/second", data={"code": code}, headers={"Sec-Fetch-Site": "cross-site"}
            )
            assert foreign.status_code == 403
            # A new password takes the waiting sign-in away with the old one.
            await entrance.set_password(site.units, dora.id, await site.passwords.hash("one more good battery"))
            assert (await post(client, "/sign-in/second", code=code)).headers["location"] == "/sign-in"

    async def test_removing_needs_a_fresh_proof_of_both_factors(
        self, site: Site, house: Workspace, member: NewMember, clock: Clock
    ) -> None:
        emil = await member("Emil")
        await emil.add_app(clock)
        async with site.units.system("directory") as unit:
            await unit.session.execute(OLD, {"id": emil.id})
        refused = await emil.post("/settings/factors/app/remove")
        assert refused.headers["location"] == "/confirm?next=/settings/factors"
        for path in ("codes", "app", "passkeys"):
            assert "/confirm" in (await emil.post(f"/settings/factors/{path}")).headers["location"]
        clock.ahead += timedelta(seconds=60)
        half = await emil.post("/confirm", password=WORDS, next="/settings/factors")
        assert (half.status_code, "code is not right" in half.text) == (422, True)
        whole = await emil.post("/confirm", password=WORDS, code=emil.app.at(clock.now()), next="/settings/factors")
        assert whole.headers["location"] == "/settings/factors"
        # The database's clock dates the proof; a clock put forward would call it old.
        clock.ahead = timedelta()
        assert (await emil.post("/settings/factors/app/remove")).headers["location"].endswith("done=app-removed")
        assert not (await factors.factors_of(site.units, emil.id)).any
        assert (await factors.factors_of(site.units, emil.id)).codes_left == 0
        assert await letters_to(site, emil) == ["app-added", "app-removed"]
        assert "factor.removed" in await audited(site, house)

    async def test_a_reset_by_e_mail_does_not_go_round_the_second_step(
        self, site: Site, member: NewMember, fresh: NewBrowser, clock: Clock
    ) -> None:
        fay = await member("Faye")
        await fay.add_app(clock)
        token = await entrance.issue_reset(site.units, fay.id, timedelta(hours=1))
        async with fresh() as client:
            await post(client, f"/reset/{token}", password="a new good battery")
            answer = await with_password(client, fay, "a new good battery")
            assert answer.headers["location"] == "/sign-in/second"

    async def test_the_secret_is_sealed_and_waits_only_for_its_first_code(
        self, site: Site, member: NewMember, clock: Clock
    ) -> None:
        gus = await member("Gus")
        await gus.post("/settings/factors/app")
        wrong = await gus.post("/settings/factors/app/confirm", code="12345")
        assert (wrong.status_code, "six digits" in wrong.text) == (422, True)
        assert not (await factors.factors_of(site.units, gus.id)).any
        await gus.add_app(clock)
        assert (await gus.get("/settings/factors/app")).headers["location"] == "/settings/factors"
        assert (await gus.post("/settings/factors/app")).headers["location"] == "/settings/factors"
        row = await factors.app_of(site.units, gus.id)
        assert row is not None
        assert gus.app.secret.encode() not in row.sealed


class TestCodes:
    async def test_each_lets_in_once(
        self, site: Site, house: Workspace, member: NewMember, fresh: NewBrowser, clock: Clock
    ) -> None:
        hana = await member("Hana")
        await hana.add_app(clock)
        typed = hana.codes[3].lower().replace("-", " ").replace("0", "o").replace("1", "l")
        async with fresh() as client:
            await with_password(client, hana)
            wrong = await post(client, "/sign-in/second", recovery="AAAAAA-AAAAAA-AAAAAA-AAAAAA")
            assert (wrong.status_code, "unused recovery codes" in wrong.text) == (422, True)
            assert (await post(client, "/sign-in/second", recovery=typed)).status_code == 303
        async with fresh() as client:
            await with_password(client, hana)
            assert (await post(client, "/sign-in/second", recovery=hana.codes[3])).status_code == 422
        assert "9 of 10 left" in (await hana.get("/settings/factors")).text
        async with site.units.system("factors") as unit:
            kept = list(await unit.session.scalars(select(RecoveryCode.code_hash)))
        assert not set(kept) & set(hana.codes)
        assert await letters_to(site, hana) == ["app-added", "code-used"]
        assert "factor.code_used" in await audited(site, house)

    async def test_a_new_set_ends_the_old_one_and_is_shown_once(
        self, site: Site, member: NewMember, fresh: NewBrowser, clock: Clock
    ) -> None:
        ivo = await member("Ivo")
        assert (await ivo.post("/settings/factors/codes")).headers["location"] == "/settings/factors"
        await ivo.add_app(clock)
        fresh_set = shown_codes((await ivo.post("/settings/factors/codes")).text)
        assert len(set(fresh_set)) == 10
        assert not set(fresh_set) & set(ivo.codes)
        async with fresh() as client:
            await with_password(client, ivo)
            assert (await post(client, "/sign-in/second", recovery=ivo.codes[0])).status_code == 422
            assert (await post(client, "/sign-in/second", recovery=fresh_set[0])).status_code == 303
        assert await letters_to(site, ivo) == ["app-added", "codes-made", "code-used"]


class TestPasskeys:
    async def test_alone_as_second_step_and_as_fresh_proof(
        self, site: Site, house: Workspace, member: NewMember, fresh: NewBrowser
    ) -> None:
        jan = await member("Jan")
        device = await jan.add_passkey()
        assert len(jan.codes) == 10
        async with fresh() as client:
            asked = (await client.get("/passkeys/ask/sign-in")).text
            answer = device.get(asked)
            entered = await post(client, "/sign-in/passkey", credential=answer, next="/settings/security")
            assert (entered.status_code, entered.headers["location"]) == (303, "/settings/security")
            assert (await client.get("/settings")).status_code == 200
            client.cookies.clear()
            replayed = await post(client, "/sign-in/passkey", credential=answer)
            assert (replayed.status_code, "not known here" in replayed.text) == (422, True)
        async with fresh() as client:
            assert (await client.get("/passkeys/ask/second")).status_code == 404
            await with_password(client, jan)
            asked = (await client.get("/passkeys/ask/second")).text
            assert (await post(client, "/sign-in/second", credential=device.get(asked))).status_code == 303
        async with site.units.system("directory") as unit:
            await unit.session.execute(OLD, {"id": jan.id})
        assert (await jan.get("/passkeys/ask/new")).status_code == 303
        asked = (await jan.get("/passkeys/ask/confirm")).text
        proved = await jan.post("/confirm/passkey", credential=device.get(asked), next="/settings/factors")
        assert proved.headers["location"] == "/settings/factors"
        page = (await jan.get("/settings/factors")).text
        assert "Phone" in page
        assert "last used" in page
        assert await letters_to(site, jan) == ["passkey-added"]
        assert (await audited(site, house)).count("session.begin") >= 2

    async def test_a_question_for_one_use_is_no_answer_for_another(self, member: NewMember, fresh: NewBrowser) -> None:
        kim = await member("Kim")
        device = await kim.add_passkey()
        for_sign_in = (await kim.get("/passkeys/ask/sign-in")).text
        refused = await kim.post("/confirm/passkey", credential=device.get(for_sign_in), next="/settings/factors")
        assert refused.headers["location"] == "/confirm?refused=1&next=/settings/factors"
        assert "did not confirm" in (await kim.get(refused.headers["location"])).text
        for_confirm = (await kim.get("/passkeys/ask/confirm")).text
        async with fresh() as client:
            assert (await post(client, "/sign-in/passkey", credential=device.get(for_confirm))).status_code == 422
            assert (await post(client, "/sign-in/passkey", credential="{}")).status_code == 422

    async def test_nobody_uses_another_s_passkey(self, member: NewMember, fresh: NewBrowser) -> None:
        lea, max_ = await member("Lea"), await member("Max")
        theirs = await max_.add_passkey()
        await lea.add_passkey()
        async with fresh() as client:
            await with_password(client, lea)
            asked = (await client.get("/passkeys/ask/second")).text
            assert (await post(client, "/sign-in/second", credential=theirs.get(asked))).status_code == 422
        asked = (await lea.get("/passkeys/ask/confirm")).text
        assert "refused" in (await lea.post("/confirm/passkey", credential=theirs.get(asked))).headers["location"]
        page = (await max_.get("/settings/factors")).text
        path = re.search(r"/settings/factors/passkeys/[0-9a-f-]+/remove", page)[0]  # type: ignore[index]
        foreign, missing = await lea.post(path), await lea.post(f"/settings/factors/passkeys/{lea.id}/remove")
        assert (foreign.status_code, foreign.text) == (404, missing.text)

    async def test_a_device_that_checks_nobody_and_a_copied_one_are_refused(
        self, member: NewMember, fresh: NewBrowser
    ) -> None:
        nora = await member("Nora")
        device = await nora.add_passkey()
        async with fresh() as client:

            async def enter() -> int:
                client.cookies.clear()
                asked = (await client.get("/passkeys/ask/sign-in")).text
                return int((await post(client, "/sign-in/passkey", credential=device.get(asked))).status_code)

            assert await enter() == 303
            device.count -= 1
            assert await enter() == 422
            device.count += 5
            device.flags = PRESENT
            assert await enter() == 422

    async def test_several_with_names_removed_one_by_one(
        self, site: Site, member: NewMember, fresh: NewBrowser
    ) -> None:
        olga = await member("Olga")
        first = await olga.add_passkey("Phone")
        await olga.add_passkey("Laptop")
        asked = (await olga.get("/passkeys/ask/new")).text
        assert asked.count('"type": "public-key"') >= 2
        known = await olga.post("/settings/factors/passkeys", name="Again", credential=first.create(asked))
        assert (known.status_code, "could not be added" in known.text) == (422, True)
        long = await olga.post("/settings/factors/passkeys", name="x" * 61, credential="")
        assert (long.status_code, "1 to 60 visible characters" in long.text) == (422, True)
        page = (await olga.get("/settings/factors")).text
        paths = re.findall(r"/settings/factors/passkeys/[0-9a-f-]+/remove", page)
        assert len(paths) == 2
        await olga.post(paths[0])
        async with fresh() as client:
            asked = (await client.get("/passkeys/ask/sign-in")).text
            assert (await post(client, "/sign-in/passkey", credential=first.get(asked))).status_code == 422
            assert (await with_password(client, olga)).headers["location"] == "/sign-in/second"
        await olga.post(paths[1])
        async with fresh() as client:
            assert (await with_password(client, olga)).headers["location"] == "/settings"

    async def test_the_last_way_in_stays(self, site: Site, member: NewMember) -> None:
        wim = await member("Wim")
        await wim.add_passkey("Phone")
        await wim.add_passkey("Laptop")
        await change(site, "DELETE FROM passwords WHERE user_id = :id", wim)
        paths = re.findall(r"/settings/factors/passkeys/[0-9a-f-]+/remove", (await wim.get("/settings/factors")).text)
        assert len(paths) == 2
        answers = await asyncio.gather(*(wim.post(path) for path in paths))
        assert sorted(answer.status_code for answer in answers) == [303, 422], "of two at once, one stays"
        [path] = re.findall(r"/settings/factors/passkeys/[0-9a-f-]+/remove", (await wim.get("/settings/factors")).text)
        # A provider of the installation is a way in, and only while it is switched on.
        form = WayForm("oidc", "Elsewhere", "https://login.elsewhere.example", "films")
        slug = await add_house(site.units, site.runtime.house, form, Secret("a-secret-of-some-length"), None)
        linked = (
            "INSERT INTO identities (issuer, subject, user_id, kind, label) VALUES (:issuer, 'p', :id, 'oidc', 'p')"
        )
        await change(site, linked, wim, issuer=form.issuer)
        await switch_house(site.units, slug, on=False)
        refused = await wim.post(path)
        assert (refused.status_code, "your only way in" in refused.text) == (422, True)
        assert path in refused.text
        await switch_house(site.units, slug, on=True)
        assert (await wim.post(path)).headers["location"] == "/settings/factors?done=passkey-removed"
        last = await wim.post("/settings/security/unlink", issuer=form.issuer, subject="p")
        assert last.headers["location"] == "/settings/security?refused=last"

    async def test_looking_at_the_door_writes_nothing(self, site: Site, fresh: NewBrowser) -> None:
        count = text("SELECT (SELECT count(*) FROM tickets) + (SELECT count(*) FROM auth_session)")
        async with site.units.system("directory") as unit:
            before = await unit.session.scalar(count)
        async with fresh() as client:
            assert "vf-passkey" in (await client.get("/sign-in")).text
            assert (await client.get("/passkeys/ask/sign-in")).status_code == 200
        async with site.units.system("directory") as unit:
            assert await unit.session.scalar(count) == before

    async def test_where_browsers_make_none_the_page_offers_none(self, app: Litestar) -> None:
        async with AsyncClient(transport=ASGITransport(app), base_url="http://films.example.org") as client:
            assert "vf-passkey" not in (await client.get("/sign-in")).text
            assert (await client.get("/passkeys/ask/sign-in")).status_code == 404


class TestWorkspaceRule:
    async def test_members_without_one_are_led_to_set_one_up(
        self, site: Site, member: NewMember, fresh: NewBrowser, clock: Clock
    ) -> None:
        space = await seed_workspace(site.units, site.store, "strict", "Strict")
        pia, quin = await member("Pia", "admin", space), await member("Quin", "viewer", space)
        assert (await quin.get("/w/strict/projects")).status_code == 200
        saved = await pia.post("/w/strict/settings/second-factor", needed="1")
        assert saved.headers["location"] == "/w/strict/settings?done=factor-on"
        led = await quin.get("/w/strict/projects")
        assert (led.status_code, led.headers["location"]) == (303, "/settings/factors")
        partial = await quin.get("/w/strict/projects", HX_Request="true")
        assert partial.headers["hx-redirect"] == "/settings/factors"
        assert "Strict lets nobody in by a password alone" in (await quin.get("/settings/factors")).text
        done = await quin.add_app(clock)
        assert "go to Strict" in done.text
        assert (await quin.get("/w/strict/projects")).status_code == 200
        await pia.add_passkey()
        assert (await pia.get("/w/strict/settings")).status_code == 200
        await pia.post("/w/strict/settings/second-factor")
        rae = await member("Rae", "viewer", space)
        assert (await rae.get("/w/strict/projects")).status_code == 200
        assert (await audited(site, space)).count("workspace.second_factor") == 2

    async def test_strangers_see_no_difference_and_another_provider_counts(self, site: Site, member: NewMember) -> None:
        space = await seed_workspace(site.units, site.store, "stricter", "Stricter")
        async with site.units.system("workspaces") as unit:
            await unit.session.execute(text("UPDATE tenants SET second_factor = true WHERE slug = 'stricter'"))
        sam, tom = await member("Sam"), await member("Tom", "viewer", space)
        foreign, missing = await sam.get("/w/stricter/projects"), await sam.get("/w/no-such-one/projects")
        assert (foreign.status_code, foreign.text) == (404, missing.text)
        assert (await tom.get("/w/stricter/projects")).status_code == 303
        async with site.units.system("directory") as unit:
            await unit.session.execute(
                text("""UPDATE auth_session SET methods = '["oidc"]' WHERE user_id = :id"""), {"id": tom.id}
            )
        assert (await tom.get("/w/stricter/projects")).status_code == 200


class TestMachineOwner:
    async def test_takes_every_factor_from_somebody_who_is_locked_out(
        self, site: Site, house: Workspace, member: NewMember, fresh: NewBrowser, clock: Clock
    ) -> None:
        uma = await member("Uma")
        await uma.add_app(clock)
        await uma.add_passkey()

        class Arguments:
            person = uma.email

        listed, lines = await TASKS["people"](site.runtime, Arguments())  # type: ignore[arg-type]
        (card,) = [person for person in listed["people"] if person["email"] == uma.email]
        assert (card["app"], card["passkeys"]) == (True, 1)
        assert "second factor: authenticator app, 1 passkey" in next(
            line for line in lines.splitlines() if uma.email in line
        )
        value, words = await TASKS["remove-factors"](site.runtime, Arguments())  # type: ignore[arg-type]
        assert (value, "Removed: 2" in words) == ({"removed": 2}, True)
        async with fresh() as client:
            assert (await with_password(client, uma)).headers["location"] == "/settings"
        assert "factor.all_removed" in await audited(site, house)
        assert (await letters_to(site, uma))[-1] == "factors-removed"

    async def test_a_proved_address_takes_back_what_somebody_else_prepared(
        self, site: Site, member: NewMember, clock: Clock
    ) -> None:
        vic = await member("Vic")
        await vic.add_app(clock)
        await vic.add_passkey()
        async with site.units.system("entrance") as unit:
            await entrance.forget_other_ways(unit.session, vic.id)
        assert await factors.factors_of(site.units, vic.id) == factors.Factors()

    async def test_a_new_key_seals_the_apps_of_people_too(
        self, site: Site, database: Settings, member: NewMember, fresh: NewBrowser, clock: Clock
    ) -> None:
        wes = await member("Wes")
        await wes.add_app(clock)

        class Arguments:
            task = "rotate-kek"
            json = False
            workspace = ""

        code, value, _ = await do_with_secrets(database, Arguments())  # type: ignore[arg-type]
        assert (code, value["personal"] >= 1) == (0, True)
        Arguments.task = "verify"
        code, value, _ = await do_with_secrets(database, Arguments())  # type: ignore[arg-type]
        assert (code, value["people"], value["opened"] >= 1) == (0, [], True)
        clock.ahead += timedelta(seconds=60)
        async with fresh() as client:
            await with_password(client, wes)
            assert (await post(client, "/sign-in/second", code=wes.app.at(clock.now()))).status_code == 303
