"""The demo recipe made by providers: real SDKs and adapters on doubles, from keys in the vault to the film."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select, update

from adapters.settings import Settings
from adapters.vendors.desk import Desk
from adapters.wiring import Runtime, build_runtime, build_tools
from domain.catalog.model import Project
from domain.catalog.provider_rows import Provider
from domain.catalog.providers import Choice, add_provider, choose_providers
from domain.catalog.vendors import ProviderForm
from domain.dispatch.model import Step
from domain.production.commands.redo_step import redo_step
from domain.production.engine import Engine
from domain.production.model import ArtifactRef, Job, LogChunk
from domain.production.pipeline import STEP_KINDS
from domain.usage.model import Effect
from tenants.model import Event
from tenants.secret import Secret
from tests.support.providers.anthropic import AnthropicDouble
from tests.support.providers.azure_live import AzureDouble
from tests.support.providers.gemini import GeminiDouble
from tests.support.providers.openai import OpenAiDouble
from tests.support.providers.server import Double, running
from tests.support.scripted import Scripted, open_scripted

pytestmark = [pytest.mark.flow, pytest.mark.timeout(600)]

KEY = "sk-secret-0123456789-of-this-workspace"
FORMS = {
    "anthropic": ProviderForm("anthropic", "Claude"),
    "azure": ProviderForm("azure", "Azure", options={"voice_en": "en-US-JennyNeural"}),
    "openai": ProviderForm("openai", "OpenAI", concurrent=2),
    "gemini": ProviderForm("gemini", "Gemini", model="gemini-3-pro-image", per_minute=600),
}


@dataclass
class Factory:
    """A workspace whose project works with all providers, and what each of them has counted."""

    studio: Scripted
    runtime: Runtime
    desk: Desk
    doubles: dict[str, Double]

    async def make(self, topic: str, *, render: bool = False) -> Job:
        job = await self.studio.plan(topic)
        if render:
            await self.studio.render()
        async with self.studio.units.open(self.studio.owner) as unit:
            found = await unit.session.get(Job, (self.studio.tenant_id, job.id))
            assert found is not None
            return found

    async def all(self, table: type[Any], job: Job) -> list[Any]:
        async with self.studio.units.open(self.studio.owner) as unit:
            return list(await unit.session.scalars(select(table).where(table.job_id == job.id)))

    async def change(self, slug: str, **values: Any) -> None:
        async with self.studio.units.open(self.studio.owner) as unit:
            await unit.session.execute(update(Provider).where(Provider.slug == slug).values(**values))

    @property
    def billed(self) -> int:
        return sum(double.micro_dollars for double in self.doubles.values())

    def reset(self) -> None:
        for double in self.doubles.values():
            double.reset()


@pytest.fixture(scope="module")
def doubles() -> Iterator[dict[str, Double]]:
    made: dict[str, Double] = {
        "anthropic": AnthropicDouble(),
        "azure": AzureDouble(),
        "openai": OpenAiDouble(),
        "gemini": GeminiDouble(),
    }
    with running(*made.values()):
        yield made


@pytest.fixture(scope="module")
async def factory(database: Settings, doubles: dict[str, Double]) -> AsyncIterator[Factory]:
    runtime = build_runtime(database.using(egress_allow="127.0.0.1"), "worker")
    studio = await open_scripted(database, runtime.units, runtime.store, "vendors")
    desk = runtime.open_desk()
    tools = build_tools(database, runtime.store, desk)
    studio.engine = Engine(runtime.units, tools, STEP_KINDS, database.home)
    async with runtime.units.open(studio.owner) as unit:
        for form in FORMS.values():
            await add_provider(unit, runtime.vault, form, Secret(KEY))
        project = (await unit.session.execute(select(Project))).scalar_one()
        await choose_providers(unit, project.id, Choice("claude", "azure", ("openai", "gemini")))
    made = Factory(studio, runtime, desk, doubles)
    for kind, double in doubles.items():
        tail = "/v1" if kind == "openai" else ""
        await made.change(FORMS[kind].name.lower(), base_url=double.url + tail)
    yield made
    await desk.close()
    for adapter in (tools.narrator, tools.extra["board"], tools.renderer):
        adapter.close()  # type: ignore[attr-defined]  # ends the warm processes; not part of the ports
    await runtime.close()


@pytest.fixture(autouse=True)
def fresh(factory: Factory) -> None:
    factory.reset()


class TestFilm:
    async def test_a_film_by_all_of_them_costs_what_they_count(self, factory: Factory) -> None:
        job = await factory.make("How the Moon was made", render=True)
        assert job.state == "succeeded", job.error
        effects = await factory.all(Effect, job)
        assert {effect.state for effect in effects} == {"done"}
        paid = [effect for effect in effects if effect.micro_dollars]
        assert {effect.provider for effect in paid} >= {"anthropic", "azure"}
        assert sum(effect.micro_dollars for effect in paid) == factory.billed > 0
        assert {effect.model for effect in paid if effect.provider == "anthropic"} == {"claude-sonnet-5-5"}
        lines = [line for chunk in await factory.all(LogChunk, job) for line in chunk.lines]
        told = [line["text"] for line in lines if line["group"] == "draft 1"]
        assert len(told) > 5
        assert all(KEY not in str(line) for line in lines)
        before = factory.billed
        again = await factory.make("How the Moon was made")
        assert again.error is None
        assert factory.billed == before


class TestNothingIsSilent:
    async def test_a_step_down_is_told_priced_and_not_kept_under_the_chains_name(self, factory: Factory) -> None:
        factory.doubles["openai"].fail("html_picture", times=99)
        factory.doubles["gemini"].fail("prompt_blocked", times=99)
        job = await factory.make("What lives in the deep sea without any light")
        assert job.error is None
        pictures = [ref for ref in await factory.all(ArtifactRef, job) if ref.role == "picture"]
        fallen = [ref.facts for ref in pictures if ref.facts.get("fallbacks")]
        assert fallen
        assert {facts["origin"] for facts in fallen} == {"artboard"}
        steps = [(step["provider"], step["then"], step["kind"]) for step in fallen[0]["fallbacks"]]
        assert steps == [("openai", "gemini", "partial"), ("gemini", "artboard", "safety")]
        events = [event for event in await factory.all(Event, job) if event.type == "picture.fallback"]
        assert len(events) == 2 * len(fallen)
        assert all(event.data["sentence"] for event in events)
        effects = await factory.all(Effect, job)
        assert sum(effect.micro_dollars or 0 for effect in effects) == factory.billed
        factory.reset()
        healed = await factory.make("What lives in the deep sea without any light")
        made = [ref.facts for ref in await factory.all(ArtifactRef, healed) if ref.role == "picture"]
        assert {facts["origin"] for facts in made if facts["origin"] != "library"} == {"openai"}


class TestOneAgain:
    async def test_one_picture_is_made_again_with_a_wish_and_paid_once(self, factory: Factory) -> None:
        job = await factory.make("How galaxies are born far away")
        assert job.error is None
        before = {ref.name: ref for ref in await factory.all(ArtifactRef, job) if ref.role == "picture"}
        name, calls = min(before), len(factory.doubles["openai"].calls)
        async with factory.studio.units.open(factory.studio.owner) as unit:
            steps = select(Step).where(Step.job_id == job.id, Step.kind == "illustrate")
            step = (await unit.session.execute(steps)).scalar_one()
            scene = str(before[name].facts["scene"])
            await redo_step(unit, job.id, step.id, "Show it at night.", scene=scene)
        await factory.studio.work()
        after = {ref.name: ref for ref in await factory.all(ArtifactRef, job) if ref.role == "picture"}
        made = factory.doubles["openai"].calls[calls:]
        assert [call.json()["prompt"].count("Show it at night.") for call in made] == [1]
        changed = [one for one in after if before.get(one) is None or after[one].sha256 != before[one].sha256]
        assert len(changed) <= 1
        effects = await factory.all(Effect, job)
        assert sum(effect.micro_dollars or 0 for effect in effects) == factory.billed


class TestKeys:
    async def test_a_revoked_key_stops_the_job_and_a_new_one_lets_it_go_on(self, factory: Factory) -> None:
        async with factory.studio.units.open(factory.studio.owner) as unit:
            row = (await unit.session.execute(select(Provider).where(Provider.slug == "claude"))).scalar_one()
            await factory.runtime.vault.put(unit, row.secret_name, Secret("revoked"))
        job = await factory.make("Why the night sky is dark")
        assert job.state == "failed"
        assert job.error is not None
        assert (job.error["provider"], job.error["class"]) == ("anthropic", "KeyRefused")
        assert "valid key" in job.error["next"]
        async with factory.studio.units.open(factory.studio.owner) as unit:
            row = (await unit.session.execute(select(Provider).where(Provider.slug == "claude"))).scalar_one()
            assert (row.error_kind, bool(row.error_ref)) == ("auth", True)
            await factory.runtime.vault.put(unit, row.secret_name, Secret(KEY))
        await factory.desk.forgive(row)
        assert (await factory.desk.test(factory.studio.tenant_id, row.id)).ok

    async def test_a_provider_that_was_switched_off(self, factory: Factory) -> None:
        await factory.change("azure", enabled=False)
        try:
            with pytest.raises(Exception, match="“Azure” is switched off"):
                await factory.make("Rings of Saturn")
        finally:
            await factory.change("azure", enabled=True)

    async def test_no_key_is_in_any_row(self, factory: Factory) -> None:
        async with factory.studio.units.open(factory.studio.owner) as unit:
            for table in (Event, Effect, Job, LogChunk, Provider):
                rows = (await unit.session.execute(select(table))).scalars().all()
                assert KEY not in repr([vars(row) for row in rows])
