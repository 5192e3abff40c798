"""A job whose project has chosen Azure as its voice: row, vault, desk, orders, word times, ledger and quote."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from adapters.egress_rules import Allowance
from adapters.prices.tariffs import PriceFiles
from adapters.settings import Settings
from adapters.vendors.desk import Desk
from adapters.wiring import build_runtime, build_tools
from domain.catalog.model import Project
from domain.catalog.providers import Choice, add_provider, choose_providers
from domain.catalog.vendors import ProviderForm
from domain.dispatch.model import Step
from domain.production.commands.create_job import create_job
from domain.production.commands.new_job import NewJob
from domain.production.engine import Engine
from domain.production.model import Job
from domain.production.pipeline import STEP_KINDS
from domain.production.queries.job import job_detail
from domain.usage.model import Effect
from tenants.keyring import KeyRing
from tenants.secret import Secret
from tenants.vault import Vault
from tests.support.providers.azure_live import AzureDouble
from tests.support.providers.server import running
from tests.support.scripted import TOPIC, Scripted, open_scripted

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module")
def module_double() -> Iterator[AzureDouble]:
    made = AzureDouble()
    with running(made):
        yield made


@dataclass
class Channel:
    """A workspace that speaks with Azure."""

    scripted: Scripted
    double: AzureDouble

    async def make(self, salt: str) -> Job:
        """Make a job up to its rendering; another salt finds nothing that was made before."""
        async with self.scripted.units.open(self.scripted.owner) as unit:
            new = NewJob("deep-sky", "quick", TOPIC, seconds=75, salt=salt)
            job = await create_job(unit, new, STEP_KINDS, PriceFiles())
        await self.scripted.work()
        return await self.scripted.job(job.number)

    async def narration(self, job: Job) -> dict[str, Any]:
        async with self.scripted.units.open(self.scripted.owner) as unit:
            detail = await job_detail(unit, job)
        sha256 = next(output.sha256 for output in detail.outputs if output.name == "narration.json")
        found: dict[str, Any] = json.loads(await self.scripted.store.get_bytes(self.scripted.tenant_id, sha256))
        return found

    async def rows(self, kind: Any, job: Job) -> list[Any]:
        async with self.scripted.units.open(self.scripted.owner) as unit:
            return list((await unit.session.execute(select(kind).where(kind.job_id == job.id))).scalars())


@pytest.fixture(scope="module")
async def module_channel(database: Settings, module_double: AzureDouble) -> AsyncIterator[Channel]:
    runtime = build_runtime(database, "worker")
    vault = Vault(KeyRing({1: secrets.token_bytes(32)}))
    desk = Desk(runtime.units, vault, Allowance.parse("127.0.0.1"))
    scripted = await open_scripted(database, runtime.units, runtime.store, "voices")
    tools = build_tools(database, runtime.store, desk)
    scripted.engine = Engine(runtime.units, tools, STEP_KINDS, database.home)
    form = ProviderForm("azure", "Our voice", base_url=module_double.url, options={"region": "eastus"})
    async with runtime.units.open(scripted.owner) as unit:
        row = await add_provider(unit, vault, form, Secret("a-key-of-azure-0123456789"))
        project = (await unit.session.execute(select(Project).where(Project.slug == "deep-sky"))).scalar_one()
        await choose_providers(unit, project.id, Choice(narrator=row.slug))
    yield Channel(scripted, module_double)
    for adapter in (tools.narrator, tools.extra["board"], tools.renderer):
        adapter.close()  # type: ignore[attr-defined]  # ends the warm processes; not part of the ports
    await desk.close()
    await runtime.close()


@pytest.fixture
def channel(module_channel: Channel) -> Channel:
    module_channel.double.reset()
    return module_channel


class TestNarration:
    async def test_spoken_in_orders_timed_by_the_service_and_paid_to_the_micro_dollar(self, channel: Channel) -> None:
        job = await channel.make("first")
        narration = await channel.narration(job)
        assert (narration["provider"], narration["voice"]) == ("azure", "en-US-JennyNeural")
        words = [word for sentence in narration["sentences"] for word in sentence["words"]]
        assert sum(word["source"] == "synth" for word in words) > 0.95 * len(words)
        assert all(word["end"] <= narration["samples"] for word in words)
        assert [call.method for call in channel.double.calls] == ["PUT"]
        assert (len(channel.double.deleted), channel.double.jobs) == (1, {})
        (effect,) = [row for row in await channel.rows(Effect, job) if row.provider == "azure"]
        assert (effect.state, effect.micro_dollars) == ("done", channel.double.micro_dollars)
        (line,) = [line for line in job.quote["lines"] if line["step"] == "narrate"]
        assert line["low"] <= effect.micro_dollars <= line["high"]
        assert channel.double.deleted == [f"vfos-{effect.provider_ref}"]

    async def test_a_refused_key_stops_the_step_with_a_sentence(self, channel: Channel) -> None:
        channel.double.fail("wrong_key", times=3)
        job = await channel.make("refused")
        (step,) = [step for step in await channel.rows(Step, job) if step.kind == "narrate"]
        assert "does not accept the key" in step.error["sentence"]
        assert "0123456789" not in json.dumps(step.error)
        assert not channel.double.billed
