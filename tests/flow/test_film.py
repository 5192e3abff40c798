"""The whole line with the real tools: a film is made, made again for nothing, and changed in one place only."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

import av
import pytest
from sqlalchemy import func, select

from adapters.settings import Settings
from adapters.wiring import Runtime, build_runtime, build_tools
from app.demo import sound_seconds
from domain.catalog.commands import save_version
from domain.catalog.demo.content import demo_workspace
from domain.dispatch.model import Attempt, Step
from domain.production.commands.create_job import create_job
from domain.production.commands.edit_script import edit_script
from domain.production.commands.new_job import NewJob
from domain.production.demo import seed_demo, seeding_principal
from domain.production.engine import Engine
from domain.production.model import ArtifactRef, Job, Made
from domain.production.pipeline import STEP_KINDS
from domain.usage.model import Effect
from tenants.directory import create_tenant
from timeline.plan import RenderPlan

pytestmark = [pytest.mark.flow, pytest.mark.timeout(600)]

TOPIC = "How Hubble saw ten thousand galaxies in an empty patch of sky"


@dataclass
class Studio:
    """A demo workspace with an engine beside it."""

    runtime: Runtime
    engine: Engine
    tenant_id: UUID

    async def make(self, recipe: str = "quick", **changes: Any) -> Job:
        async with self.runtime.units.open(seeding_principal(self.tenant_id)) as unit:
            job = await create_job(unit, NewJob("deep-sky", recipe, changes.pop("topic", TOPIC), **changes))
        return await self.finish(job.id)

    async def finish(self, job_id: UUID) -> Job:
        """Run both pools until the job has ended."""
        while True:
            worked = await asyncio.gather(*(self.engine.run_next(pool) for pool in ("io", "cpu", "cpu")))
            if not any(worked):
                return await self.row(job_id)

    async def row(self, job_id: UUID) -> Job:
        async with self.runtime.units.open(seeding_principal(self.tenant_id)) as unit:
            job = await unit.session.get(Job, (self.tenant_id, job_id))
            assert job is not None
            return job

    async def steps(self, job: Job) -> list[Step]:
        async with self.runtime.units.open(seeding_principal(self.tenant_id)) as unit:
            return list(await unit.session.scalars(select(Step).where(Step.job_id == job.id).order_by(Step.ordinal)))

    async def file(self, job: Job, name: str) -> bytes:
        async with self.runtime.units.open(seeding_principal(self.tenant_id)) as unit:
            ref = await unit.session.get(ArtifactRef, (self.tenant_id, job.id, name))
            assert ref is not None, name
        return await self.runtime.store.get_bytes(self.tenant_id, ref.sha256)

    async def count(self, table: type[Any], *where: Any) -> int:
        async with self.runtime.units.open(seeding_principal(self.tenant_id)) as unit:
            return (await unit.session.execute(select(func.count()).select_from(table).where(*where))).scalar_one()

    async def made(self) -> Counter[str]:
        """How many things of each kind have been made so far."""
        async with self.runtime.units.open(seeding_principal(self.tenant_id)) as unit:
            rows = await unit.session.execute(select(Made.kind, func.count()).group_by(Made.kind))
            return Counter(dict(rows.all()))


@pytest.fixture(scope="module")
async def studio(database: Settings) -> AsyncIterator[Studio]:
    runtime = build_runtime(database, "worker")
    tenant_id = await create_tenant(runtime.units, "film", "Film")
    demo = demo_workspace()
    await seed_demo(runtime.units, runtime.store, tenant_id, demo, sound_seconds)
    body = next(item.body for item in demo.of_kind("recipe") if item.slug == "documentary")
    quick = {**body, "profile": "preview", "seconds": 24, "validators": []}
    async with runtime.units.open(seeding_principal(tenant_id)) as unit:
        await save_version(unit, "recipe", "quick", "Quick", quick)
    tools = build_tools(database, runtime.store)
    yield Studio(runtime, Engine(runtime.units, tools, STEP_KINDS, database.home), tenant_id)
    for adapter in (tools.narrator, tools.extra["board"], tools.renderer):
        adapter.close()  # type: ignore[attr-defined]  # ends the warm processes; not part of the ports
    await runtime.close()


@pytest.fixture(scope="module")
async def first(studio: Studio) -> Job:
    """The first film of the workspace."""
    return await studio.make()


class TestFirstFilm:
    async def test_every_step_succeeds_at_the_first_try(self, studio: Studio, first: Job):
        steps = await studio.steps(first)
        assert first.state == "succeeded", [step.error for step in steps if step.error]
        assert {step.state for step in steps} == {"succeeded"}
        assert {step.attempt for step in steps} == {1}
        assert {step.kind for step in steps} == set(STEP_KINDS)

    async def test_the_film_is_what_the_plan_says(self, studio: Studio, first: Job, tmp_path):
        plan = RenderPlan.model_validate_json(await studio.file(first, "plan.json"))
        path = tmp_path / "film.mp4"
        path.write_bytes(await studio.file(first, "film.mp4"))
        with av.open(str(path)) as film:
            picture, sound = film.streams.video[0], film.streams.audio[0]
            frames = sum(1 for _ in film.decode(picture))
            assert frames == plan.frames
            assert Fraction(picture.average_rate) == Fraction(plan.output.rate.num, plan.output.rate.den)
            assert (picture.width, picture.height) == (plan.output.width, plan.output.height)
            assert abs(float(sound.duration * sound.time_base) - plan.sound.samples / 48000) < 0.03
            assert sound.rate == 48000

    async def test_it_is_as_loud_as_promised_and_passes_the_gate(self, studio: Studio, first: Job):
        facts = json.loads(await studio.file(first, "inspection.json"))["facts"]
        assert abs(facts["loudness_lufs"] + 14) <= 0.5
        assert facts["true_peak_dbtp"] <= -1.0
        assert facts["bt709"]
        assert facts["faststart"]

    async def test_captions_follow_the_words_within_a_frame(self, studio: Studio, first: Job):
        plan = RenderPlan.model_validate_json(await studio.file(first, "plan.json"))
        words = json.loads(await studio.file(first, "words.json"))
        lead = next(sound.start for sound in plan.sound.sounds if sound.bus == "narration")
        spoken = [(word["text"], word["start"] + lead) for word in words]
        shown = [(word.text, word.start) for cue in plan.cues for word in cue.words]
        assert [text for text, _ in shown] == [text for text, _ in spoken]
        frame = 48000 * plan.output.rate.den / plan.output.rate.num
        assert max(abs(a - b) for (_, a), (_, b) in zip(shown, spoken, strict=True)) <= frame

    async def test_every_outward_call_is_recorded_with_its_price(self, studio: Studio, first: Job):
        assert await studio.count(Effect, Effect.job_id == first.id, Effect.state != "done") == 0
        assert await studio.count(Effect, Effect.job_id == first.id, Effect.micro_dollars == 0) > 3

    async def test_the_manifest_names_every_artifact_by_its_hash(self, studio: Studio, first: Job):
        manifest = json.dumps(json.loads(await studio.file(first, "manifest.json")))
        async with studio.runtime.units.open(seeding_principal(studio.tenant_id)) as unit:
            refs = list(await unit.session.scalars(select(ArtifactRef).where(ArtifactRef.job_id == first.id)))
        for ref in refs:
            if ref.name != "manifest.json":
                assert ref.sha256 in manifest, ref.name


class TestAgain:
    async def test_the_same_film_again_calls_nobody_and_renders_nothing(self, studio: Studio, first: Job):
        before, effects = await studio.made(), await studio.count(Effect)
        again = await studio.make()
        assert again.state == "succeeded"
        assert await studio.made() == before
        assert await studio.count(Effect) == effects
        assert all(step.reused for step in await studio.steps(again))
        assert await studio.file(again, "film.mp4") == await studio.file(first, "film.mp4")

    async def test_a_changed_scene_remakes_its_own_sound_and_touched_segments_only(self, studio: Studio, first: Job):
        script = json.loads(await studio.file(first, "script.json"))
        scene = script["scenes"][len(script["scenes"]) // 2]["id"]
        before = await studio.made()
        async with studio.runtime.units.open(seeding_principal(studio.tenant_id)) as unit:
            edited = await edit_script(unit, first.id, {scene: ["This sentence was changed by a person."]})
        edited = await studio.finish(edited.id)
        assert edited.state == "succeeded", edited.error
        new = await studio.made() - before
        assert new["script.draft"] == 0
        assert new["sentence"] == 1
        assert 1 <= new["segment"] <= 3  # its body and the transitions on both sides
        assert new["sound"] == 1

    async def test_nothing_was_tried_twice(self, studio: Studio, first: Job):
        assert await studio.count(Attempt, Attempt.outcome != "succeeded") == 0


class TestOtherFilms:
    async def test_a_vertical_film_in_portuguese(self, studio: Studio):
        job = await studio.make("short-pt", topic="A viagem das sondas Voyager", seconds=10, language="pt-BR")
        assert job.state == "succeeded", job.error
        plan = RenderPlan.model_validate_json(await studio.file(job, "plan.json"))
        assert (plan.output.width, plan.output.height) == (1080, 1920)
        assert plan.language == "pt-BR"
        assert b"Voyager" in await studio.file(job, "captions.pt-BR.srt")

    async def test_a_topic_nobody_knows_anything_about_is_refused_with_a_way_forward(self, studio: Studio):
        job = await studio.make(topic="Quarterly tax law for oyster farms")
        assert job.state == "failed"
        (dead,) = [step for step in await studio.steps(job) if step.state == "dead"]
        assert dead.kind == "script"
        assert "knowledge" in json.dumps(dead.error)
