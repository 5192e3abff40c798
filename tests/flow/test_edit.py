"""Changing one scene with the real tools: what the preview promises is what the new film takes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adapters.media.renderer import FfmpegRenderer
from adapters.settings import Settings
from adapters.wiring import build_runtime, film_fonts, narrator_build
from app.i18n import Tongue
from app.views.job import made_and_kept
from domain.production.commands.edit_script import edit_script
from domain.production.commands.edit_timeline import change_timeline, make_edited, undo_timeline
from domain.production.cutting import Cut, read_changes, read_cut, sit_down
from domain.production.editing import preview_edit, read_film, read_script
from domain.production.model import Job
from domain.production.pressing import plan_of
from domain.production.preview import Preview
from domain.production.queries.job import JobDetail, job_detail
from domain.production.recut import Recut, foresee_recut
from domain.studio.edits import replace_sentences
from tests.support.scripted import Scripted, open_scripted
from timeline.editing.operations import read_operation

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


# ── The timeline ──────────────────────────────────────────────────────────────────────────────────────────
async def cut_of(studio: Scripted, detail: JobDetail) -> Cut:
    cut = await read_cut(studio.store, detail)
    assert cut is not None
    return cut


async def edit(studio: Scripted, job: Job, cut: Cut, seen: int, **wish: object) -> int:
    async with studio.units.open(studio.owner) as unit:
        return await change_timeline(unit, job.id, cut, seen, read_operation(wish))


async def foresee_cut(studio: Scripted, cut: Cut, job: Job) -> Recut:
    async with studio.units.open(studio.owner) as unit:
        desk = sit_down(cut, await read_changes(unit, job.id))
        after = plan_of(desk.draft, cut.spec, film_fonts(), FfmpegRenderer().build)
        return await foresee_recut(unit, cut.spec, cut.plan, after)


async def frame(studio: Scripted, detail: JobDetail, number: int, folder: Path) -> np.ndarray:
    """One frame of a job's film."""
    film = next(output for output in detail.outputs if output.name == "film.mp4")
    out = folder / f"{detail.job.number}-{number}.jpg"
    await FfmpegRenderer().still(await studio.store.local_path(studio.tenant_id, film.sha256), number, out, 160, 90)
    return np.asarray(Image.open(out).convert("L"), dtype=int)


async def test_an_edited_timeline_makes_only_what_it_touches(studio: Scripted, film: Job, tmp_path: Path) -> None:
    """Trim, transition, another picture, one undone: the new film differs there, and nothing else is made."""
    before = await detail_of(studio, film.number)
    cut = await cut_of(studio, before)
    items = [item for item in cut.draft.resolved.tracks[0].items if item.clip]
    other = next(one for one in cut.spec.library if one.role == "picture" and one.sha256 not in cut.plan.assets)
    picture = {"sha256": other.sha256, "width": other.width, "height": other.height, "fit": "cover"}
    picture |= {"credit": "Ana Lima", "licence": "CC BY 4.0"}
    await edit(studio, film, cut, 0, op="trim", item=items[0].id, edge="end", frames=10)
    await edit(studio, film, cut, 1, op="transition", item=items[1].id, kind="wipe", frames=12)
    await edit(studio, film, cut, 2, op="asset", item=items[2].id, **picture)
    await edit(studio, film, cut, 3, op="motion", item=items[4].id, motion="none")
    async with studio.units.open(studio.owner) as unit:
        assert await undo_timeline(unit, film.id, cut, 4) == 5
    promised = await foresee_cut(studio, cut, film)
    async with studio.units.open(studio.owner) as unit:
        job = await make_edited(unit, film.id, 5, idem_key="timeline-one")
        assert (await make_edited(unit, film.id, 5, idem_key="timeline-one")).id == job.id
    await studio.render()
    after = await detail_of(studio, job.number)
    assert after.job.state == "succeeded", after.job.error
    made, kept = parts(after)["Video segments"]
    assert (made, kept) == (len(promised.made), promised.kept)
    assert 0 < made < made + kept
    assert all(step.reused for step in after.steps if step.kind in ("script", "narrate", "illustrate"))
    assert next(step for step in after.steps if step.shard == "sound").reused == promised.comparison.sound_kept
    cut_at, shown = items[0].stop, items[2].first + items[2].count // 2
    for number, changed in (
        (items[0].first + 20, False),
        (cut_at + 4, True),
        (shown, True),
        (items[4].stop - 20, False),
    ):
        pixels = [await frame(studio, detail, number, tmp_path) for detail in (before, after)]
        assert (np.abs(pixels[0] - pixels[1]).mean() > 4) == changed, number
    await the_receipt_says_who(studio, after)
    await a_new_script_keeps_or_tells(studio, job, items[2].id)


async def the_receipt_says_who(studio: Scripted, detail: JobDetail) -> None:
    manifest = next(output for output in detail.outputs if output.role == "manifest")
    told = json.loads(await studio.store.get_bytes(studio.tenant_id, manifest.sha256))
    edits = told["spec"]["timeline_edits"]
    assert [edit["operation"]["op"] for edit in edits] == ["trim", "transition", "asset"]
    assert {edit["by"] for edit in edits} == {"Marina Rocha"}
    credits_of = next(output for output in detail.outputs if output.name == "credits.txt")
    assert b"Ana Lima (CC BY 4.0)" in await studio.store.get_bytes(studio.tenant_id, credits_of.sha256)


async def a_new_script_keeps_or_tells(studio: Scripted, job: Job, item: str) -> None:
    """A later change of the script makes the edits again; one whose item is too short now is told."""
    scene = (await studio.script(job)).scenes[1]
    async with studio.units.open(studio.owner) as unit:
        again = await edit_script(unit, job.id, {scene.id: ["No."]})
    await studio.work()
    detail = await detail_of(studio, again.number)
    composed = next(step for step in detail.steps if step.kind == "compose")
    assert composed.outputs is not None
    assert composed.outputs["edits"]["count"] == 3
    assert len(composed.outputs["edits"]["lost"]) <= 1
    cut = await cut_of(studio, detail)
    shown = next(one.clip.asset for one in cut.draft.resolved.tracks[0].items if one.id == item and one.clip)
    assert shown is not None
    assert shown.startswith("picture-")
    assert len(shown) == len("picture-") + 16


async def test_the_old_words_again_are_found(studio: Scripted, film: Job) -> None:
    """Taking a change back speaks nothing: the sentences are known, whatever job has spoken them."""
    script = await studio.script(film)
    scene = script.scenes[0]
    async with studio.units.open(studio.owner) as unit:
        job = await edit_script(unit, film.id, {scene.id: ["Something else altogether."]})
    await studio.work()
    promised = await foresee(studio, await detail_of(studio, job.number), scene.id, [s.text for s in scene.sentences])
    assert promised.sentences.made == 0
