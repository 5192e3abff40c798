"""A workspace whose project works with all providers, each a double that counts: flows and benchmarks happen in it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from adapters.settings import Settings
from adapters.vendors.desk import Desk
from adapters.wiring import Runtime, build_runtime, build_tools
from domain.catalog.model import Project
from domain.catalog.provider_rows import Provider
from domain.catalog.providers import Choice, add_provider, choose_providers
from domain.catalog.vendors import ProviderForm
from domain.production.engine import Engine
from domain.production.model import Job
from domain.production.pipeline import STEP_KINDS
from tenants.secret import Secret
from tests.support.providers.anthropic import AnthropicDouble
from tests.support.providers.azure_live import AzureDouble
from tests.support.providers.gemini import GeminiDouble
from tests.support.providers.openai import OpenAiDouble
from tests.support.providers.server import Double, running
from tests.support.scripted import Scripted, open_scripted

KEY = "sk-secret-0123456789-of-this-workspace"
FORMS: Mapping[str, ProviderForm] = {
    "anthropic": ProviderForm("anthropic", "Claude"),
    "azure": ProviderForm("azure", "Azure", options={"voice_en": "en-US-JennyNeural"}),
    "openai": ProviderForm("openai", "OpenAI", concurrent=2),
    "gemini": ProviderForm("gemini", "Gemini", model="gemini-3-pro-image", per_minute=600),
}


@dataclass
class Hired:
    """A studio with its providers; work runs in this process."""

    studio: Scripted
    runtime: Runtime
    desk: Desk
    doubles: Mapping[str, Double]

    async def make(self, topic: str, *, render: bool = False) -> Job:
        job = await self.studio.plan(topic)
        if render:
            await self.studio.render()
        return await self.job(job)

    async def job(self, job: Job) -> Job:
        """A job as it is now."""
        async with self.studio.units.open(self.studio.owner) as unit:
            found = await unit.session.get(Job, (self.studio.tenant_id, job.id))
            assert found is not None
            return found

    async def all(self, table: type[Any], job: Job) -> list[Any]:
        async with self.studio.units.open(self.studio.owner) as unit:
            return list(await unit.session.scalars(select(table).where(table.job_id == job.id)))

    async def change(self, slug: str, **values: Any) -> None:
        """Change a provider's row; the next call opens it anew."""
        async with self.studio.units.open(self.studio.owner) as unit:
            changed = update(Provider).where(Provider.slug == slug)
            await unit.session.execute(changed.values(**values, revision=Provider.revision + 1))

    async def choose(self, choice: Choice) -> None:
        """Set who writes, speaks and draws."""
        async with self.studio.units.open(self.studio.owner) as unit:
            project = (await unit.session.execute(select(Project))).scalar_one()
            await choose_providers(unit, project.id, choice)

    @property
    def billed(self) -> int:
        return sum(double.micro_dollars for double in self.doubles.values())

    def reset(self) -> None:
        for double in self.doubles.values():
            double.reset()


@contextlib.contextmanager
def all_doubles() -> Iterator[dict[str, Double]]:
    """Every double, running."""
    made: dict[str, Double] = {
        "anthropic": AnthropicDouble(),
        "azure": AzureDouble(),
        "openai": OpenAiDouble(),
        "gemini": GeminiDouble(),
    }
    with running(*made.values()):
        yield made


@contextlib.asynccontextmanager
async def hired(settings: Settings, doubles: Mapping[str, Double], slug: str = "vendors") -> AsyncIterator[Hired]:
    """Open a workspace with the demo's catalogue and all providers, chosen for its project."""
    chosen = settings.using(egress_allow="127.0.0.1")
    runtime = build_runtime(chosen, "worker")
    studio = await open_scripted(chosen, runtime.units, runtime.store, slug)
    desk = runtime.open_desk()
    tools = build_tools(chosen, runtime.store, desk)
    studio.engine = Engine(runtime.units, tools, STEP_KINDS, chosen.home)
    async with runtime.units.open(studio.owner) as unit:
        for form in FORMS.values():
            await add_provider(unit, runtime.vault, form, Secret(KEY))
    made = Hired(studio, runtime, desk, doubles)
    await made.choose(Choice("claude", "azure", ("openai", "gemini")))
    for kind, double in doubles.items():
        tail = "/v1" if kind == "openai" else ""
        await made.change(FORMS[kind].name.lower(), base_url=double.url + tail)
    yield made
    await desk.close()
    for adapter in (tools.narrator, tools.extra["board"], tools.renderer):
        adapter.close()  # type: ignore[attr-defined]  # ends the warm processes; not part of the ports
    await runtime.close()
