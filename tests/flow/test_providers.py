"""The demo recipe made by providers: real SDKs and adapters on doubles, from keys in the vault to the film."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import select

from adapters.settings import Settings
from domain.catalog.commands import save_version
from domain.catalog.demo.content import demo_workspace
from domain.catalog.provider_rows import Provider
from domain.dispatch.model import Step
from domain.production.commands.create_job import NewJob, create_job
from domain.production.commands.decide_call import decide_call
from domain.production.commands.decide_gate import decide_gate
from domain.production.commands.redo_step import redo_step
from domain.production.engine import reap_orphans
from domain.production.model import Approval, ArtifactRef, Job, LogChunk
from domain.production.queries.cost import open_calls
from domain.usage.model import Effect
from tenants.model import Event
from tenants.secret import Secret
from tests.support.farm import Farm
from tests.support.hired import KEY, Hired, all_doubles, hired
from tests.support.providers.server import Double
from workers import host

pytestmark = [pytest.mark.flow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def doubles() -> Iterator[dict[str, Double]]:
    with all_doubles() as made:
        yield made


@pytest.fixture(scope="module")
async def factory(database: Settings, doubles: dict[str, Double]) -> AsyncIterator[Hired]:
    async with hired(database, doubles) as made:
        yield made


@pytest.fixture(autouse=True)
def fresh(factory: Hired) -> None:
    factory.reset()


class TestFilm:
    async def test_a_film_by_all_of_them_costs_what_they_count(self, factory: Hired) -> None:
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
    async def test_a_step_down_is_told_priced_and_not_kept_under_the_chains_name(self, factory: Hired) -> None:
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

    async def test_a_lesser_result_waits_where_the_recipe_says_so(self, factory: Hired) -> None:
        studio = factory.studio
        body = next(item.body for item in demo_workspace().of_kind("recipe") if item.slug == "documentary")
        steps = [{**step, "gate_on_fallback": step["kind"] == "illustrate"} for step in body["steps"]]
        careful = {**body, "steps": steps, "profile": "preview", "seconds": 48, "validators": []}
        factory.doubles["openai"].fail("html_picture", times=99)
        async with studio.units.open(studio.owner) as unit:
            await save_version(unit, "recipe", "careful", "Careful", careful)
            job = await create_job(unit, NewJob("deep-sky", "careful", "How the stars of a galaxy are born"))
        await studio.work()
        (asked,) = await factory.all(Approval, job)
        waiting = [step for step in await factory.all(Step, job) if step.state == "waiting_approval"]
        assert [(step.kind, step.id) for step in waiting] == [("illustrate", asked.step_id)]
        before = factory.billed
        async with studio.units.open(studio.owner) as unit:
            await decide_gate(unit, job.id, asked.id, "approved", asked.seen_version)
        await studio.work()
        states = {step.kind: step.state for step in await factory.all(Step, job)}
        assert (states["illustrate"], states["compose"]) == ("succeeded", "succeeded")
        factory.reset()
        assert before == sum(effect.micro_dollars or 0 for effect in await factory.all(Effect, job))
        async with studio.units.open(studio.owner) as unit:
            calm = await create_job(unit, NewJob("deep-sky", "careful", "How rockets fly back and land"))
        await studio.work()
        assert await factory.all(Approval, calm) == []


class TestKilled:
    async def test_a_worker_killed_before_its_answer_leaves_one_bill_and_a_question(self, factory: Hired) -> None:
        """A whole worker process; the second half of the story is told by one in this process."""
        studio, double = factory.studio, factory.doubles["anthropic"]
        double.stall(1)
        async with studio.units.open(studio.owner) as unit:
            job = await create_job(unit, NewJob("deep-sky", "quick", "How a rocket leaves the Earth", seconds=15))
        farm = Farm(factory.runtime.settings, studio.units, studio.owner, ("workers.main", "--pools", "io:1"))
        try:
            worker = farm.worker()
            await asyncio.to_thread(double.wait_for_stall)
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait(30)
        finally:
            farm.end()
        assert await reap_orphans(studio.units, host.name(), host.boot_id(), host.alive) == 1
        await studio.work()
        assert (await factory.job(job)).control == "pause"
        async with studio.units.open(studio.owner) as unit:
            (doubt,) = await open_calls(unit, job.id)
            assert (doubt.provider, len(double.billed)) == ("anthropic", 1)
            await decide_call(unit, job.id, doubt.key, "repeat")
        await studio.work()
        states = {step.kind: step.state for step in await factory.all(Step, job)}
        assert {states[kind] for kind in ("script", "narrate", "illustrate", "compose")} == {"succeeded"}
        assert len(double.billed) == 2
        known = sum(effect.micro_dollars or 0 for effect in await factory.all(Effect, job))
        assert factory.billed - known == -(-double.billed[0][1] // 1000)  # the answer that nobody heard


class TestOneAgain:
    async def test_one_picture_is_made_again_with_a_wish_and_paid_once(self, factory: Hired) -> None:
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
    async def test_a_revoked_key_stops_the_job_and_a_new_one_lets_it_go_on(self, factory: Hired) -> None:
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

    async def test_a_provider_that_was_switched_off(self, factory: Hired) -> None:
        await factory.change("azure", enabled=False)
        try:
            with pytest.raises(Exception, match="“Azure” is switched off"):
                await factory.make("Rings of Saturn")
        finally:
            await factory.change("azure", enabled=True)

    async def test_no_key_is_in_any_row(self, factory: Hired) -> None:
        async with factory.studio.units.open(factory.studio.owner) as unit:
            for table in (Event, Effect, Job, LogChunk, Provider):
                rows = (await unit.session.execute(select(table))).scalars().all()
                assert KEY not in repr([vars(row) for row in rows])
