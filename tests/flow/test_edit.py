"""Changing one scene with the real tools: what the preview promises is what the new film takes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.settings import Settings
from adapters.wiring import build_runtime, narrator_build
from app.i18n import Tongue
from app.views.job import made_and_kept
from domain.production.commands.edit_script import edit_script
from domain.production.editing import preview_edit, read_film, read_script
from domain.production.model import Job
from domain.production.preview import Preview
from domain.production.queries.job import JobDetail, job_detail
from domain.studio.edits import replace_sentences
from tests.support.scripted import Scripted, open_scripted

pytestmark = [pytest.mark.flow, pytest.mark.timeout(600)]

EDITS = {
    "first": ["A person wrote this sentence.", "It stands where the film begins."],
    "middle": ["Short."],
    "last": ["This is how the film ends now.", "It takes a little longer than it did before, and that is fine."],
}


@pytest.fixture(scope="module")
async def studio(database: Settings) -> AsyncIterator[Scripted]:
    runtime = build_runtime(database, "worker")
    yield await open_scripted(database, runtime.units, runtime.store, "edited")
    await runtime.close()


@pytest.fixture(scope="module")
async def film(studio: Scripted) -> Job:
    job = await studio.plan()
    await studio.render()
    return job


async def detail_of(studio: Scripted, number: int) -> JobDetail:
    async with studio.units.open(studio.owner) as unit:
        return await job_detail(unit, await studio.job(number))


async def foresee(studio: Scripted, detail: JobDetail, scene: str, sentences: list[str]) -> Preview:
    script = await read_script(studio.store, detail)
    assert script is not None
    async with studio.units.open(studio.owner) as unit:
        voice = await narrator_build(unit, detail.job.spec)
    before = await read_film(studio.store, detail, script, voice)
    async with studio.units.open(studio.owner) as unit:
        return await preview_edit(unit, before, replace_sentences(script, {scene: sentences}))


def parts(detail: JobDetail) -> dict[str, tuple[int, int]]:
    """Made and kept, by name, as the page tells them."""
    told = dict(made_and_kept(Tongue(), detail))
    found = {
        name: [int(word) for word in text.replace(",", "").split() if word.isdigit()] for name, text in told.items()
    }
    return {name: (made, kept) for name, (made, kept) in found.items()}


@pytest.mark.parametrize("place", list(EDITS))
async def test_the_preview_keeps_its_word(studio: Scripted, film: Job, place: str) -> None:
    before = await detail_of(studio, film.number)
    assert before.job.state == "succeeded", before.job.error
    script = await studio.script(before.job)
    scene = script.scenes[{"first": 0, "middle": len(script.scenes) // 2, "last": -1}[place]].id
    promised = await foresee(studio, before, scene, EDITS[place])
    async with studio.units.open(studio.owner) as unit:
        job = await edit_script(unit, film.id, {scene: EDITS[place]})
    await studio.render()
    after = await detail_of(studio, job.number)
    assert after.job.state == "succeeded", after.job.error
    taken = parts(after)
    assert taken["Sentences"] == (promised.sentences.made, promised.sentences.kept)
    assert promised.sentences.made == len(EDITS[place])
    assert promised.segments is not None
    assert 1 <= taken["Video segments"][0] <= promised.segments.made
    assert taken["Video segments"][1] >= promised.segments.kept > 0
    assert promised.micro_dollars == 0
    assert after.parts["illustrate", ""].made == promised.pictures.made


async def test_the_old_words_again_are_found(studio: Scripted, film: Job) -> None:
    """Taking a change back speaks nothing: the sentences are known, whatever job has spoken them."""
    script = await studio.script(film)
    scene = script.scenes[0]
    async with studio.units.open(studio.owner) as unit:
        job = await edit_script(unit, film.id, {scene.id: ["Something else altogether."]})
    await studio.work()
    promised = await foresee(studio, await detail_of(studio, job.number), scene.id, [s.text for s in scene.sentences])
    assert promised.sentences.made == 0
