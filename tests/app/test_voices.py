"""Voices on pages: lists of providers, presets with versions, previews paid once, the choice of project and job."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio
from httpx import AsyncClient
from sqlalchemy import func, select

from adapters.settings import Settings
from app.site import Site, open_site
from domain.catalog.model import Binding
from domain.production.model import Job
from domain.usage.budget import find_drift
from domain.usage.model import Budget, BudgetEntry
from tenants.model import AuditEntry
from tests.app.conftest import Person, sign_in
from tests.support.providers.azure_live import AzureDouble
from tests.support.providers.server import running
from tests.support.scripted import open_scripted

BASE = "/w/cast/voices"
PROJECT = "/w/cast/p/deep-sky"


@pytest.fixture(scope="module")
def azure() -> Iterator[AzureDouble]:
    double = AzureDouble()
    with running(double):
        yield double


@pytest_asyncio.fixture(scope="module")
async def site(database: Settings) -> AsyncIterator[Site]:
    opened = open_site(database.using(egress_allow="127.0.0.1"))
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="module")
async def paula(site: Site, browser: Callable[[], AsyncClient], azure: AzureDouble) -> AsyncIterator[Person]:
    """The owner of a workspace with the demo's catalogue and an account at Azure."""
    studio = await open_scripted(site.settings, site.units, site.store, "cast")
    async with browser() as client:
        person = await sign_in(client, site, studio, "Paula")
        key = {"kind": "azure", "name": "Azure", "key": "a-key-of-forty-characters", "base_url": azure.url}
        assert (await person.post("/w/cast/providers", key)).status_code == 303
        yield person


@pytest.fixture(autouse=True)
def fresh(azure: AzureDouble) -> None:
    azure.reset()


def form(**changes: str) -> dict[str, str]:
    usual = {"name": "Jenny, bright", "provider": "azure", "language": "en-US", "voice": "en-US-JennyNeural"}
    manner = {"style": "cheerful", "degree": "130", "rate": "+8", "pitch": "-2", "text": "The Moon is full."}
    return {**usual, **manner, "note": "", **changes}


async def sounding(answer: object) -> str:
    """The address of the sound on a page."""
    text = str(getattr(answer, "text", ""))
    return text.split('<audio controls preload="auto" src="')[1].split('"')[0]


class TestForm:
    async def test_the_list_is_the_providers_and_kept(self, paula: Person, azure: AzureDouble) -> None:
        for _ in range(2):
            page = await paula.post(BASE, form(refresh="yes"))
            assert page.status_code == 200
        for words in ("en-US-GuyNeural", "whispering", "pt-BR"):
            assert words in page.text, words
        assert len([call for call in azure.unpaid if call.path.endswith("/voices/list")]) <= 1

    async def test_another_voice_drops_the_style_it_lacks(self, paula: Person) -> None:
        page = (await paula.post(BASE, form(voice="en-US-GuyNeural", style="whispering", refresh="yes"))).text
        assert '<option value="newscast">' in page
        assert "whispering" not in page

    async def test_every_fault_at_once(self, paula: Person) -> None:
        wrong = form(name=" ", voice="en-US-NobodyNeural", degree="0", rate="300", pitch="high", odd="1")
        page = await paula.post(BASE, wrong)
        assert page.status_code == 422
        words = ("visible characters", "no voice of this name", "from 1 to 200", "from -50 to 100", "from -50 to 50")
        for told in (*words, "a field that it should not have"):
            assert told in page.text, told

    async def test_a_style_the_voice_lacks_and_another_language(self, paula: Person) -> None:
        page = (await paula.post(BASE, form(style="shouting", language="pt-BR"))).text
        assert "does not have this style" in page
        assert "speaks another language" in page

    async def test_each_save_is_a_version(self, paula: Person) -> None:
        made = await paula.post(BASE, form())
        assert made.headers["location"] == f"{BASE}/voice-jenny-bright?saved=1"
        path = f"{BASE}/voice-jenny-bright"
        await paula.post(path, form(rate="-3", note="Slower, for the ear"))
        page = (await paula.get(path)).text
        assert 'value="-3"' in page
        assert "Slower, for the ear" in page
        assert 'value="+8"' in (await paula.get(f"{path}?version=1")).text
        cards = (await paula.get(BASE)).text
        assert "cheerful 130 % · pace -3%" in cards.replace("\N{MINUS SIGN}", "-")

    async def test_a_provider_that_cannot_be_asked_is_said(self, paula: Person) -> None:
        await paula.post("/w/cast/providers/azure", {"kind": "azure", "name": "Azure", "key": "revoked"})
        page = (await paula.post(BASE, form(refresh="yes"))).text
        assert "The list of voices cannot be had now." in page
        assert '<input id="f-voice" name="voice"' in page
        await paula.post("/w/cast/providers/azure", {"kind": "azure", "name": "Azure", "key": "a-key-of-its-own"})


class TestPreview:
    @pytest.fixture(autouse=True)
    async def _sound(self, paula: Person, azure: AzureDouble) -> None:
        where = {"kind": "azure", "name": "Azure", "key": "a-key-of-its-own", "base_url": azure.url}
        await paula.post("/w/cast/providers/azure", where)

    async def test_spoken_live_paid_once_and_told(self, paula: Person, site: Site, azure: AzureDouble) -> None:
        first = await paula.post(BASE, form(listen="yes"))
        assert first.status_code == 200, first.text
        again = await paula.post(BASE, form(listen="yes"))
        assert await sounding(first) == await sounding(again)
        assert (len(azure.calls), "Cost" in first.text, "Cost" in again.text) == (1, True, False)
        sound = await paula.get(await sounding(first))
        assert (sound.headers["content-type"], sound.content[:4]) == ("audio/wav", b"RIFF")
        async with site.units.open(paula.space.owner) as unit:
            told = select(AuditEntry.after).where(AuditEntry.action == "voice.previewed")
            (after,) = (await unit.session.scalars(told)).all()
        assert after["micro_dollars"] == azure.micro_dollars > 0

    async def test_it_is_part_of_the_month_and_of_its_limit(
        self, paula: Person, site: Site, azure: AzureDouble
    ) -> None:
        usage = "/w/cast/usage"
        assert (await paula.post(f"{usage}/limits", {"workspace": "1"})).status_code == 303
        await paula.post(BASE, form(text="Counted in the month.", listen="yes"))
        page = (await paula.get(usage)).text
        assert "Listening to voices" in page
        assert "Azure Speech · en-US-JennyNeural" in page
        rows = (await paula.get(f"{usage}.csv")).text.splitlines()[1:]
        assert [row.split(",")[1:3] for row in rows] == [["", "azure"]]
        async with site.units.open(paula.space.owner) as unit:
            assert await find_drift(unit.session, paula.space.tenant_id) == []
            month = await unit.session.scalar(select(Budget).where(Budget.spent > 0))
            assert month is not None
            paid = await unit.session.scalar(select(func.sum(BudgetEntry.micro_dollars)))
            assert month.spent == paid >= azure.micro_dollars > 0
        assert (await paula.post(f"{usage}/limits", {"workspace": "0.0001"})).status_code == 303
        refused = await paula.post(BASE, form(text="No room for this.", listen="yes"))
        assert (refused.status_code, len(azure.calls)) == (422, 1)
        assert "of its limit of $0.0001" in refused.text
        await paula.post(f"{usage}/limits", {"workspace": ""})

    async def test_the_draft_voice_costs_nothing(self, paula: Person, azure: AzureDouble) -> None:
        draft = form(provider="espeak", voice="pt-br+marcelo", language="pt-BR", style="", text="Olá, mundo.")
        page = await paula.post(BASE, {**draft, "listen": "yes"})
        assert (page.status_code, "Cost" in page.text, azure.calls) == (200, False, [])

    @pytest.mark.parametrize(
        ("fault", "said"),
        [("live_wrong_key", "does not accept the key"), ("live_quota", "is used up"), ("live_drop_after", "may have")],
    )
    async def test_what_goes_wrong_is_said(self, paula: Person, azure: AzureDouble, fault: str, said: str) -> None:
        azure.fail(fault)
        page = await paula.post(BASE, form(text=f"Listen to {fault}.", listen="yes"))
        assert (page.status_code, said in page.text) == (422, True)
        await paula.post("/w/cast/providers/azure/test", {})

    async def test_text_that_is_too_long_or_nothing(self, paula: Person, azure: AzureDouble) -> None:
        for text, said in (("word " * 80, "at most 300 characters"), ("🎈🎈", "can be spoken")):
            page = await paula.post(BASE, form(text=text, listen="yes"))
            assert (page.status_code, said in page.text) == (422, True)
        assert azure.calls == []

    async def test_no_other_kept_thing_is_served(self, paula: Person) -> None:
        assert (await paula.get(f"{BASE}/heard/{'0' * 64}")).status_code == 404


class TestChoice:
    async def test_a_project_and_a_job_choose(self, paula: Person, site: Site) -> None:
        draft = form(name="Low", provider="espeak", voice="en-us+michael", language="en-US", style="", degree="100")
        await paula.post(BASE, draft)
        saved = await paula.post(f"{PROJECT}/voices", {"voice_quick": "voice-low", "voice_documentary": ""})
        assert saved.headers["location"].endswith("/providers?saved=1")
        assert '<option value="voice-low" selected>' in (await paula.get(f"{PROJECT}/providers")).text
        wish = {"topic": "Moons", "recipe": "quick", "seconds": "60", "idem_key": "one-key-of-voices"}
        await paula.post(f"{PROJECT}/jobs", wish)
        own = {**wish, "voice": "voice-en", "idem_key": "another-key-of-voices"}
        await paula.post(f"{PROJECT}/jobs", own)
        async with site.units.open(paula.space.owner) as unit:
            jobs = (await unit.session.scalars(select(Job).order_by(Job.number))).all()
            assert len((await unit.session.scalars(select(Binding))).all()) == 1
        refs = [job.spec["voice"]["ref"] for job in jobs]
        assert [(ref["slug"], ref["origin"]) for ref in refs] == [("voice-low", "project"), ("voice-en", "job")]

    async def test_what_cannot_be_chosen(self, paula: Person) -> None:
        wrong = await paula.post(f"{PROJECT}/voices", {"voice_quick": "nobody"})
        assert wrong.headers["location"].endswith("/providers?wrong=1")
        wish = {"topic": "Moons", "recipe": "quick", "language": "en", "idem_key": "a-third-key-of-voices"}
        for voice, said in (
            ("nobody", "does not exist"),
            ("voice-pt", "speaks pt-BR"),
            ("voice-jenny-bright", "Azure"),
        ):
            page = await paula.post(f"{PROJECT}/jobs", {**wish, "voice": voice})
            assert (page.status_code, said in page.text) == (422, True), voice
