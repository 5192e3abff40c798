"""Pages of providers: adding one, its write-only key, its test against a provider that answers, a project's choice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from httpx import AsyncClient
from sqlalchemy import select, update

from adapters.settings import Settings
from app.site import Site, open_site
from domain.catalog.provider_rows import Provider, ProviderChoice
from domain.production.commands.quote_new_job import STAND_IN
from domain.production.model import Job
from tenants.model import AuditEntry, Membership, SealedSecret
from tests.app.conftest import Person, sign_in
from tests.support.factories import Workspace, seed_workspace
from tests.support.providers.anthropic import AnthropicDouble, prompt_tokens
from tests.support.providers.server import running
from tests.support.scripted import open_scripted

KEY = "sk-ant-a-key-of-forty-characters-0123456789"


@pytest.fixture(scope="module")
def claude() -> Iterator[AnthropicDouble]:
    double = AnthropicDouble()
    with running(double):
        yield double


@pytest_asyncio.fixture(scope="module")
async def site(database: Settings) -> AsyncIterator[Site]:
    opened = open_site(database.using(egress_allow="127.0.0.1"))
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="module")
async def space(site: Site) -> Workspace:
    return await seed_workspace(site.units, site.store)


@pytest_asyncio.fixture(scope="module")
async def vera(site: Site, browser: Callable[[], AsyncClient]) -> AsyncIterator[Person]:
    """A viewer of a workspace of her own."""
    other = await seed_workspace(site.units, site.store, "westwind", "Westwind")
    async with browser() as client:
        person = await sign_in(client, site, other, "Vera")
        async with site.units.system("directory") as unit:
            changed = update(Membership).where(Membership.tenant_id == other.tenant_id).values(role="viewer")
            await unit.session.execute(changed)
        yield person


def base(person: Person) -> str:
    return f"/w/{person.space.slug}/providers"


def form(url: str = "", **changes: str) -> dict[str, str]:
    return {"kind": "anthropic", "name": "Claude", "key": KEY, "base_url": url, "option_cache": "5m", **changes}


async def rows(person: Person, site: Site, table: type[Any]) -> list[Any]:
    async with site.units.open(person.space.owner) as unit:
        return list(await unit.session.scalars(select(table)))


@pytest.fixture
async def slug(marina: Person, site: Site, claude: AnthropicDouble) -> AsyncIterator[str]:
    """A provider on the double; removed afterwards."""
    claude.reset()
    answer = await marina.post(base(marina), form(claude.url))
    assert answer.status_code == 303, answer.text
    made = answer.headers["location"].split("/")[-1].split("?")[0]
    yield made
    await marina.post(f"{base(marina)}/{made}/remove", {})


class TestDoors:
    async def test_other_workspaces_are_missing(self, stranger: Person, marina: Person, slug: str) -> None:
        project = f"/w/{marina.space.slug}/p/{marina.space.project.slug}/providers"
        for path in (base(marina), f"{base(marina)}/new", f"{base(marina)}/{slug}", project):
            assert (await stranger.get(path)).status_code == 404, path
        for path in (base(marina), f"{base(marina)}/{slug}", f"{base(marina)}/{slug}/test", project):
            assert (await stranger.post(path, form())).status_code == 404, path

    async def test_a_viewer_sees_and_changes_nothing(self, vera: Person) -> None:
        assert (await vera.get(base(vera))).status_code == 200
        assert (await vera.get(f"{base(vera)}/new")).status_code == 403
        assert (await vera.post(base(vera), form())).status_code == 403
        project = f"/w/{vera.space.slug}/p/{vera.space.project.slug}/providers"
        assert (await vera.get(project)).status_code == 200
        assert (await vera.post(project, {"writer": ""})).status_code == 403


class TestForm:
    async def test_every_fault_at_once_and_no_key_comes_back(self, marina: Person, site: Site) -> None:
        wrong = form("http://10.0.0.7/v1", name=" ", model="a b", per_minute="0", concurrent="many", prices="{")
        answer = await marina.post(base(marina), wrong | {"option_cache": "7d"})
        assert answer.status_code == 422
        for words in ("visible characters", "A model’s name", "from 1 to 6000", "from 1 to 100", "no price file"):
            assert words in answer.text, words
        assert "10.0.0.7 is not a public address" in answer.text
        assert "This value is not possible" in answer.text
        assert KEY not in answer.text
        assert await rows(marina, site, Provider) == []

    @pytest.mark.parametrize("url", ["http://api.example.com", "https://u:p@example.com", "ftp://example.com", "x"])
    async def test_addresses_that_are_refused(self, marina: Person, url: str) -> None:
        answer = await marina.post(base(marina), form(url))
        assert (answer.status_code, answer.text.count('href="#f-base_url"')) == (422, 1)

    async def test_the_key_is_sealed_and_never_shown(self, marina: Person, site: Site, slug: str) -> None:
        for path in (base(marina), f"{base(marina)}/{slug}", f"{base(marina)}/new?kind=openai"):
            page = await marina.get(path)
            assert (page.status_code, KEY in page.text) == (200, False)
        assert "ends in 6789" in (await marina.get(f"{base(marina)}/{slug}")).text
        (sealed,) = await rows(marina, site, SealedSecret)
        assert KEY.encode() not in sealed.sealed
        trail = await rows(marina, site, AuditEntry)
        assert {"provider.added", "secret.set"} <= {line.action for line in trail}
        assert KEY not in str([(line.before, line.after) for line in trail])

    async def test_an_empty_key_keeps_the_one_that_is_set(self, marina: Person, site: Site, slug: str) -> None:
        (before,) = await rows(marina, site, SealedSecret)
        changed = {**form(), "key": "", "name": "Claude two", "per_minute": "30", "model": "claude-haiku-5-5"}
        assert (await marina.post(f"{base(marina)}/{slug}", changed)).status_code == 303
        (after,), (row,) = await rows(marina, site, SealedSecret), await rows(marina, site, Provider)
        assert after.sealed == before.sealed
        assert (row.name, row.per_minute, row.model, row.revision, row.slug) == (
            "Claude two",
            30,
            changed["model"],
            2,
            slug,
        )

    async def test_words_of_a_provider_are_never_markup(self, marina: Person, site: Site, slug: str) -> None:
        said = '<img src=x onerror="alert(1)">'
        async with site.units.open(marina.space.owner) as unit:
            await unit.session.execute(
                update(Provider).values(tested_said=said, tested_ok=False, tested_at=site.clock.now())
            )
        for path in (base(marina), f"{base(marina)}/{slug}"):
            page = (await marina.get(path)).text
            assert said not in page
            assert "&lt;img src=x" in page


class TestConnection:
    async def test_the_providers_real_answer(self, marina: Person, slug: str) -> None:
        assert (await marina.post(f"{base(marina)}/{slug}/test", {})).status_code == 303
        page = (await marina.get(f"{base(marina)}/{slug}")).text
        for words in ("the key may use claude-sonnet-5-5 and 2 other models", "req_models", "Working"):
            assert words in page, words

    async def test_a_refused_key_is_said_and_a_new_one_mends_it(
        self, marina: Person, slug: str, claude: AnthropicDouble
    ) -> None:
        path = f"{base(marina)}/{slug}"
        await marina.post(path, form(claude.url, key="revoked"))
        await marina.post(f"{path}/test", {})
        page = (await marina.get(path)).text
        assert "Anthropic does not accept the key" in page
        assert "Test failed" in page
        await marina.post(path, form(claude.url))
        await marina.post(f"{path}/test", {})
        assert "Working" in (await marina.get(path)).text

    async def test_a_loopback_address_needs_the_operator(self, marina: Person, site: Site, slug: str) -> None:
        async with site.units.open(marina.space.owner) as unit:
            await unit.session.execute(update(Provider).values(base_url="http://127.0.0.2:9"))
        await marina.post(f"{base(marina)}/{slug}/test", {})
        assert "requests go to public addresses only" in (await marina.get(f"{base(marina)}/{slug}")).text


class TestChoice:
    async def test_a_project_chooses_and_a_removed_one_is_chosen_no_more(
        self, marina: Person, site: Site, slug: str
    ) -> None:
        path = f"/w/{marina.space.slug}/p/{marina.space.project.slug}/providers"
        for name, kind in (("One", "openai"), ("Two", "gemini")):
            assert (await marina.post(base(marina), {"kind": kind, "name": name, "key": KEY})).status_code == 303
        chosen = {"writer": slug, "narrator": "", "images_1": "two", "images_2": "one", "images_3": ""}
        assert (await marina.post(path, chosen)).status_code == 303
        choices = await rows(marina, site, ProviderChoice)
        assert sorted((one.port, one.position) for one in choices) == [("images", 0), ("images", 1), ("writer", 0)]
        page = (await marina.get(path)).text
        assert f'<option value="{slug}" selected>' in page
        assert page.index('value="two" selected') < page.index('value="one" selected')
        for name in ("one", "two"):
            await marina.post(f"{base(marina)}/{name}/remove", {})
        assert [one.port for one in await rows(marina, site, ProviderChoice)] == ["writer"]
        assert len(await rows(marina, site, SealedSecret)) == 1

    async def test_what_cannot_be_chosen(self, marina: Person, slug: str) -> None:
        path = f"/w/{marina.space.slug}/p/{marina.space.project.slug}/providers"
        for wrong in ({"writer": "nobody"}, {"narrator": slug}, {"images_1": slug}):
            assert (await marina.post(path, wrong)).status_code == 422


@pytest_asyncio.fixture(scope="module")
async def paula(site: Site, browser: Callable[[], AsyncClient], claude: AnthropicDouble) -> AsyncIterator[Person]:
    """The owner of a workspace with the demo's whole catalogue, where Claude writes."""
    studio = await open_scripted(site.settings, site.units, site.store, "studio")
    async with browser() as client:
        person = await sign_in(client, site, studio, "Paula")
        await person.post(base(person), form(claude.url))
        await person.post("/w/studio/p/deep-sky/providers", {"writer": "claude", "narrator": ""})
        yield person


class TestQuote:
    @pytest.fixture(autouse=True)
    def _patient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However busy the machine is, the count is waited for."""
        monkeypatch.setattr("adapters.vendors.counting.PATIENCE_S", 60.0)

    async def test_the_provider_counts_the_prompt_once_for_equal_choices(
        self, paula: Person, site: Site, claude: AnthropicDouble
    ) -> None:
        claude.reset()
        asked, topics = {"recipe": "quick", "seconds": "60"}, ("", "Moons", "Moons of Jupiter")
        quote = f"{paula.space.base}/quote"
        pages = [(await paula.post(quote, {**asked, "topic": topic})).text for topic in topics]
        assert all("Anthropic" in page for page in pages)
        wish = {"topic": "Moons of Jupiter", "recipe": "quick", "seconds": "60", "idem_key": "a-key-of-its-own"}
        assert (await paula.post(paula.space.base, wish)).status_code == 303
        (count,) = [call for call in claude.unpaid if call.path.endswith("/count_tokens")]
        assert claude.calls == []
        (job,) = await rows(paula, site, Job)
        script = next(line for line in job.quote["lines"] if line["step"] == "script")
        added = len("Moons of Jupiter") // 4 - len(STAND_IN) // 4
        assert script["prompt_tokens"] == prompt_tokens(count.json()) + added

    async def test_a_provider_that_does_not_count_stops_no_quote(self, paula: Person, claude: AnthropicDouble) -> None:
        await paula.post(f"{base(paula)}/claude", form(claude.url, key="revoked"))
        asked = {"recipe": "quick", "seconds": "45", "topic": "Moons"}
        page = await paula.post(f"{paula.space.base}/quote", asked)
        assert (page.status_code, "Anthropic" in page.text) == (200, True)
