"""Webhooks on their pages: added, tried, paused, recovered, given new secrets, deleted; and nobody else's."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from httpx import AsyncClient
from sqlalchemy import delete, select, text, update
from standardwebhooks import Webhook

from adapters.egress_rules import Allowance
from adapters.notify.webhook import WebhookPost
from adapters.settings import Settings
from app.post import deliver as deliver_letters
from app.site import Site, open_site
from domain.outreach.kinds import KINDS
from domain.outreach.model import WebhookEndpoint
from domain.outreach.notices import tell_switched_off
from domain.outreach.queries import PAGE
from domain.outreach.telling import tell
from domain.outreach.wish import MOST
from tenants.model import AuditEntry, User
from tenants.principal import worker_principal
from tests.app.conftest import Box, Person, sign_in
from tests.support.factories import Workspace, add_job, seed_workspace
from tests.support.people import add_person, cookie_of
from tests.support.receiver import Receiver, Say, receiving
from workers.courier import Courier

PATH = "/w/hooked/webhooks"
LONG_AGO = text("UPDATE auth_session SET authenticated_at = now() - interval '1 hour' WHERE user_id = :id")
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


@pytest_asyncio.fixture(scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def site(database: Settings, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    key = tmp_path_factory.mktemp("keys") / "secret.key"
    opened = open_site(database.using(egress_allow=f"127.0.0.1:{receiver.port}", secret_key_file=key))
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="module")
async def house(site: Site) -> Workspace:
    return await seed_workspace(site.units, site.store, "hooked", "Hooked")


@pytest_asyncio.fixture(scope="module")
async def ada(site: Site, house: Workspace, browser: Callable[[], AsyncClient]) -> AsyncIterator[Person]:
    async with browser() as client:
        yield await sign_in(client, site, house, "Ada")


@pytest_asyncio.fixture
async def courier(site: Site, receiver: Receiver) -> AsyncIterator[Courier]:
    poster = WebhookPost(Allowance.parse(f"127.0.0.1:{receiver.port}"))
    yield Courier(site.units, lambda: site.runtime.vault, poster, "https://films.example.org")
    await poster.close()


async def bring(courier: Courier) -> None:
    while await courier.look():
        await courier.settled()


def wish(receiver: Receiver, path: str, **changes: str) -> dict[str, str]:
    return {"url": receiver.url(path), "description": "", "k-job-paused": "1", **changes}


async def added(person: Person, data: dict[str, str]) -> tuple[str, str]:
    """The address of a new endpoint's page, and its secret."""
    page = await person.post(PATH, data)
    assert page.status_code == 200, page.text
    [secret] = set(SECRET.findall(page.text))
    found = re.search(rf'action="({PATH}/[0-9a-f-]{{36}})/test"', page.text)
    assert found is not None
    return found[1], secret


class TestForm:
    async def test_shown_once_and_kept_sealed(
        self, site: Site, ada: Person, receiver: Receiver, capsys: pytest.CaptureFixture[str]
    ) -> None:
        href, secret = await added(ada, wish(receiver, "/once", description="Once & <b>only</b>"))
        for path in (PATH, href, f"{href}?done=added", f"{href}?done=rotated"):
            page = (await ada.get(path)).text
            assert secret not in page
            assert "Copy its signing secret" not in page
            assert "Once &amp; &lt;b&gt;only" in page
        async with site.units.system("webhooks") as unit:
            tables = ("webhook_endpoints", "webhook_secrets", "secrets", "audit_entries", "events", "outbox")
            dump = str([(await unit.session.execute(text(f"SELECT * FROM {name}"))).all() for name in tables])
        said = capsys.readouterr()
        assert secret[6:30] not in dump + said.out + said.err

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"url": "hooks.example.org"}, "Give a whole address"),
            ({"url": "https://ada:pw@hooks.example.org/"}, "Leave user name and password out"),
            ({"url": "https://127.0.0.1:1/"}, "Requests may not go there"),
            ({"url": "https://169.254.169.254/latest"}, "Requests may not go there"),
            ({"url": "https://1.1.1.1:22/"}, "Requests may not go there"),
            ({"url": "http://1.1.1.1/"}, "Use https."),
            ({"url": "https://nowhere.invalid/"}, "This host cannot be found."),
            ({"k-job-paused": ""}, "Choose at least one kind"),
            ({"description": "x" * 121}, "at most 120 visible characters"),
        ],
    )
    async def test_faults_are_said_at_their_field(
        self, ada: Person, receiver: Receiver, changes: dict[str, str], words: str
    ) -> None:
        page = await ada.post(PATH, wish(receiver, "/faulty", **changes))
        assert (page.status_code, words in page.text) == (422, True)
        assert 'aria-invalid="true"' in page.text
        assert not SECRET.search(page.text)
        assert "/faulty" not in (await ada.get(PATH)).text

    async def test_only_owners_and_admins_after_a_fresh_proof(
        self, site: Site, house: Workspace, ada: Person, receiver: Receiver, browser: Callable[[], AsyncClient]
    ) -> None:
        href, _ = await added(ada, wish(receiver, "/fresh"))
        for role, status in (("operator", 403), ("admin", 200)):
            user = await add_person(site.units, house.tenant_id, role, name=role)  # type: ignore[arg-type]
            async with browser() as client:
                token = await cookie_of(site.units, user)
                client.cookies.set("vfos_session", token, domain="testserver.local")
                person = Person(client, house, token)
                assert (await person.get(PATH)).status_code == status
                async with site.units.system("directory") as unit:
                    await unit.session.execute(LONG_AGO, {"id": user})
                if role == "admin":
                    assert "confirm first that it is you" in (await person.get(href)).text
                    for path in (PATH, href, f"{href}/rotate"):
                        answer = await person.post(path, wish(receiver, "/x"))
                        assert answer.headers["location"] == "/confirm?next=/w/hooked/webhooks"

    async def test_there_is_an_end_to_their_number(
        self, site: Site, house: Workspace, ada: Person, receiver: Receiver
    ) -> None:
        async with site.units.open(house.owner) as unit:
            rows = [WebhookEndpoint(url="https://hooks.example.org/", kinds=["job.paused"]) for _ in range(MOST)]
            unit.session.add_all(rows)
        page = await ada.post(PATH, wish(receiver, "/many"))
        assert (page.status_code, f"has {MOST} endpoints" in page.text) == (422, True)
        async with site.units.open(house.owner) as unit:
            await unit.session.execute(delete(WebhookEndpoint).where(WebhookEndpoint.id.in_([row.id for row in rows])))


class TestLife:
    async def test_from_the_first_test_to_the_end(
        self, site: Site, house: Workspace, ada: Person, receiver: Receiver, courier: Courier
    ) -> None:
        receiver.will("/life", Say(200, body=b"<b>thanks</b>"), Say(500, body=b"no room"), Say(200))
        href, secret = await added(ada, wish(receiver, "/life", description="Shop"))
        page = await ada.post(f"{href}/test", {})
        assert page.headers["location"] == f"{href}?done=tested"
        waiting = (await ada.get(f"{href}?done=tested")).text
        assert "on its way" in waiting
        assert "hx-trigger" in waiting
        await bring(courier)
        part = await ada.get(href, HX_Request_Type="partial")
        assert "<h1" not in part.text
        assert re.search(r"<b>200 · \d+ ms</b>", part.text)
        [got] = receiver.at("/life")
        assert Webhook(secret).verify(got.body, got.headers)["type"] == "webhook.test"

        await self._pause_job(site, house)
        await bring(courier)
        failed = (await ada.get(href)).text
        assert "will be tried again" in failed
        assert "Nothing has got through since" in failed
        message = re.search(rf'href="({href}/messages/[0-9a-f-]{{36}})">A job was paused', failed)
        assert message is not None
        detail = (await ada.get(message[1])).text
        for words in ("Status 500", "no room", "&#34;type&#34;:&#34;job.paused&#34;", "Try 1", "Lunch"):
            assert words in detail
        replayed = await ada.post(f"{message[1]}/replay", {})
        assert replayed.headers["location"] == f"{message[1]}?done=replayed"
        await bring(courier)
        assert "Try 2" in (await ada.get(message[1])).text

        assert (await ada.post(f"{href}/pause", {})).status_code == 303
        assert "What happens meanwhile is kept" in (await ada.get(f"{href}?done=paused")).text
        assert (await ada.post(f"{href}/resume", {})).status_code == 303
        renewed = await ada.post(f"{href}/rotate", {"overlap": "1"})
        [second] = set(SECRET.findall(renewed.text))
        assert second != secret
        assert "signs until" in renewed.text
        assert (await ada.post(f"{href}/rotate", {"overlap": "9999"})).status_code == 409
        changed = await ada.post(href, wish(receiver, "/moved", description="Shop window"))
        assert changed.headers["location"] == f"{href}?done=saved"
        wrong = await ada.post(href, wish(receiver, "/moved", url="https://127.0.0.1:1/"))
        assert (wrong.status_code, "https://127.0.0.1:1/" in wrong.text) == (422, True)
        since = site.clock.now() - timedelta(days=1)
        back = await ada.post(f"{href}/recover", {"since": f"{since:%Y-%m-%dT%H:%M}"})
        assert back.headers["location"] == f"{href}?done=recovering"
        for text_of in ("", "soon", "2020-01-01T00:00", "9999-12-31T23:59"):
            refused = await ada.post(f"{href}/recover", {"since": text_of})
            assert (refused.status_code, "within the last 14 days" in refused.text) == (422, True)
        assert (await ada.post(f"{href}/delete", {})).headers["location"] == f"{PATH}?done=removed"
        assert (await ada.get(href)).status_code == 404
        async with site.units.open(house.owner) as unit:
            actions = set(await unit.session.scalars(select(AuditEntry.action)))
        acts = (
            "webhook.added", "webhook.tested", "webhook.replayed", "webhook.paused", "webhook.resumed",
            "webhook.rotated", "webhook.changed", "webhook.recovered", "webhook.removed",
        )  # fmt: skip
        assert set(acts) <= actions

    async def _pause_job(self, site: Site, house: Workspace) -> None:
        """Something happens that is told."""
        async with site.units.open(house.owner) as unit:
            job = await add_job(unit, house, "An octopus", "queued")
            unit.emit("job.paused", job_id=job.id, project_id=job.project_id, by="Ada", reason="Lunch")

    async def test_a_long_list_goes_page_by_page(
        self, site: Site, house: Workspace, ada: Person, receiver: Receiver
    ) -> None:
        href, _ = await added(ada, wish(receiver, "/long"))
        async with site.units.open(house.owner) as unit:
            job = await add_job(unit, house, "An octopus", "queued")
            for _ in range(PAGE + 5):
                unit.emit("job.paused", job_id=job.id, project_id=job.project_id)
        async with site.units.open(worker_principal(house.tenant_id)) as unit:
            await tell(unit, "https://films.example.org")
        first = (await ada.get(f"{href}?state=waiting")).text
        older = re.search(rf'href="({href}\?state=waiting&amp;before=[0-9a-f-]+)#messages"', first)
        assert older is not None
        second = (await ada.get(older[1].replace("&amp;", "&"))).text
        pages = [set(re.findall(r'id="m-([0-9a-f-]{36})"', page)) for page in (first, second)]
        assert [len(ids) for ids in pages] == [PAGE, 5]
        assert not pages[0] & pages[1]
        assert (await ada.get(f"{href}?state=nonsense&before=nonsense")).status_code == 200
        await ada.post(f"{href}/delete", {})

    async def test_another_workspace_s_endpoint_is_not_there(
        self, ada: Person, stranger: Person, receiver: Receiver, courier: Courier
    ) -> None:
        href, _ = await added(ada, wish(receiver, "/private", description="Private"))
        await ada.post(f"{href}/test", {})
        await bring(courier)
        found = re.search(rf'href="({href}/messages/[0-9a-f-]{{36}})"', (await ada.get(href)).text)
        assert found is not None
        own, foreign = found[1].replace("/hooked/", "/southwind/"), f"/w/southwind/webhooks/{uuid4()}"
        here, data = href.replace("/hooked/", "/southwind/"), wish(receiver, "/x", since="2030-01-01T00:00")
        for tail in ("", *(f"/{act}" for act in ("test", "pause", "resume", "rotate", "recover", "delete"))):
            theirs = await stranger.post(f"{here}{tail}", data)
            missing = await stranger.post(f"{foreign}{tail}", data)
            assert (theirs.status_code, theirs.text) == (404, missing.text), tail
        for path in (own, here):
            assert (await stranger.get(path)).status_code == 404
        assert (await stranger.post(f"{own}/replay", {})).status_code == 404
        assert "Private" not in (await stranger.get("/w/southwind/webhooks")).text

    async def test_a_letter_when_it_is_switched_off(
        self, site: Site, house: Workspace, ada: Person, receiver: Receiver, courier: Courier, mail: Box
    ) -> None:
        receiver.will("/off", Say(410))
        href, _ = await added(ada, wish(receiver, "/off?token=hidden", description="Loja"))
        receiver.will("/off?token=hidden", Say(410))
        rui = await add_person(site.units, house.tenant_id, "admin", name="Rui", email="rui@example.org")
        async with site.units.system("directory") as unit:
            await unit.session.execute(update(User).where(User.id == rui).values(language="pt-BR"))
        await self._pause_job(site, house)
        await bring(courier)
        page = (await ada.get(href)).text
        assert "its receiver answered that it is gone for good (410)." in page
        assert "Switch on" in page
        endpoint = UUID(href.rpartition("/")[2])
        assert await tell_switched_off(site.units, house.tenant_id, endpoint) == 1
        assert await tell_switched_off(site.units, house.tenant_id, endpoint) == 0
        await deliver_letters(site.units, site.settings)
        [letter] = [one for one in mail.letters if one["To"] == "rui@example.org"]
        assert "foi desligado" in str(letter["Subject"])
        assert href in letter.get_content()
        assert "hidden" not in letter.get_content()
        refused = await ada.post(f"{href}/recover", {"since": f"{site.clock.now():%Y-%m-%dT%H:%M}"})
        assert (refused.status_code, "Switch it on first." in refused.text) == (422, True)
        assert (await ada.post(f"{href}/resume", {})).headers["location"] == f"{href}?done=resumed"


def test_every_kind_can_be_ticked_and_is_told_in_the_docs() -> None:
    from pathlib import Path

    docs = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    for kind in KINDS:
        assert f"`{kind}`" in docs
