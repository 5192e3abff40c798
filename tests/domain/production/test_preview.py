"""What a change to a script makes again: counted before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from domain.catalog.bodies import RecipeBody, SsmlPreset, VideoPreset, VoicePreset
from domain.production.composing import transition_length
from domain.production.preview import Film, Share, edited_scenes, preview, segment_key, sentence_keys
from domain.production.spec import JobSpec
from domain.studio.edits import replace_sentences
from domain.studio.script import Scene, Script, Sentence, Visual
from timeline.plan import Colour, Output, Rate, RenderPlan, Segment, SoundMix

RATE, FPS = 48_000, 30
TEXT = "Galaxies are far away from us and from each other tonight."


def make_script(scenes: int = 4) -> Script:
    return Script(
        title="Trial",
        language="en",
        scenes=[
            Scene(
                id=f"s{n}",
                sentences=[Sentence(id=f"s{n}.{k}", text=f"{TEXT[:-1]} {n} {k}.") for k in (1, 2)],
                visual=Visual(keywords=[f"thing{n}"]),
            )
            for n in range(1, scenes + 1)
        ],
    )


def make_spec(**changes: Any) -> JobSpec:
    def part(body: Any) -> dict[str, Any]:
        ref = {"kind": "preset", "slug": "x", "number": 1, "digest": "0"}
        return {"ref": ref, "body": body.model_dump() if hasattr(body, "model_dump") else body}

    recipe = RecipeBody.model_validate(
        {
            "steps": [{"kind": "script"}],
            "prompt": "p",
            "voice": "v",
            "video": "w",
            "ssml": "s",
            "pictures": ["library", "artboard"],
        }
    )
    values = {
        "topic": "Trial",
        "language": "en",
        "seconds": 60,
        "profile": "longform-16x9",
        "project": {"id": "1", "slug": "p", "name": "P"},
        "recipe_ref": part(None)["ref"],
        "recipe": recipe.model_dump(),
        "prompt": part({"template": "{{ topic }}"}),
        "voice": part(VoicePreset(voice="en-gb", language="en")),
        "ssml": part(SsmlPreset()),
        "video": part(VideoPreset(title_seconds="0")),
    }
    return JobSpec.model_validate({**values, **changes})


def make_film(script: Script, spans: Sequence[float], **spec: Any) -> Film:
    """A film whose scenes last `spans` seconds, cut into bodies (pieces of 30 s) and transitions."""
    at, scenes, sentences = 0, [], []
    for scene, span in zip(script.scenes, spans, strict=True):
        length = int(span * RATE)
        scenes.append({"id": scene.id, "start": at, "end": at + length})
        each = length // len(scene.sentences)
        sentences += [
            {"id": s.id, "scene": scene.id, "start": at + k * each, "end": at + (k + 1) * each - RATE // 3}
            for k, s in enumerate(scene.sentences)
        ]
        at += length
    narration = {"sample_rate": RATE, "samples": at, "provider": "espeak", "scenes": scenes, "sentences": sentences}
    return Film(make_spec(**spec), script, "trial/1", narration, make_plan(script, spans))


def make_plan(script: Script, spans: Sequence[float]) -> RenderPlan:
    pieces: list[tuple[str, int, tuple[str, ...]]] = []
    for place, (scene, span) in enumerate(zip(script.scenes, spans, strict=True)):
        name = f"picture-{scene.id}"
        if place:
            before = f"picture-{script.scenes[place - 1].id}"
            pieces.append(("transition", 18, (before, f"cut-{place}", name)))
        left = int(span * FPS)
        while left > 0:
            pieces.append(("body", min(left, 30 * FPS), (name,)))
            left -= 30 * FPS
    segments = tuple(
        Segment(index=n, kind=kind, start=0, frames=frames, picture=Colour(value="#000000"), items=items, key=f"k{n}")
        for n, (kind, frames, items) in enumerate(pieces)
    )
    output = Output(profile="longform-16x9", width=1920, height=1080, rate=Rate(num=FPS))
    sound = SoundMix(samples=1, sounds=())
    return RenderPlan(title="Trial", language="en", output=output, frames=1800, segments=segments, sound=sound)


def everything(film: Film) -> set[str]:
    """Keys of a film that was made to its end."""
    segments = film.plan.segments if film.plan else ()
    return {*sentence_keys(film, film.script), *(segment_key(film, segment) for segment in segments)}


def changed(film: Film, scene: str, *texts: str) -> Script:
    return replace_sentences(film.script, {scene: texts})


@pytest.fixture
def film() -> Film:
    return make_film(make_script(), [9, 9, 9, 9])


class TestSentences:
    def test_only_new_words_are_spoken(self, film: Film) -> None:
        after = changed(film, "s2", film.script.scenes[1].sentences[0].text, "A new one.")
        assert preview(film, after, everything(film), {}).sentences == Share(1, 7)

    def test_a_sentence_known_from_elsewhere_is_kept(self, film: Film) -> None:
        after = changed(film, "s2", film.script.scenes[3].sentences[1].text, "Known from another film.")
        known = everything(film) | set(sentence_keys(film, after))
        assert preview(film, after, known, {}).sentences == Share(0, 8)

    def test_without_anything_made_before_everything_is_made(self, film: Film) -> None:
        found = preview(film, changed(film, "s2", "New."), (), {})
        assert (found.sentences, found.segments) == (Share(7, 0), Share(7, 0))

    def test_a_step_made_again_has_keys_of_its_own(self, film: Film) -> None:
        again = Film(film.spec, film.script, film.narrator_build, film.narration, film.plan, {"narrate": "1"})
        assert set(sentence_keys(again, film.script)).isdisjoint(sentence_keys(film, film.script))


class TestSegments:
    @pytest.mark.parametrize(("scene", "made"), [("s1", 2), ("s2", 3), ("s3", 3), ("s4", 2)])
    def test_a_scene_takes_its_body_and_the_transitions_beside_it(self, film: Film, scene: str, made: int) -> None:
        after = changed(film, scene, TEXT, "Another sentence of about that length here.")
        assert preview(film, after, everything(film), {}).segments == Share(made, 7 - made)

    def test_long_bodies_count_their_pieces(self) -> None:
        film = make_film(make_script(3), [9, 70, 9])
        after = changed(film, "s2", *(f"{TEXT} {n}" for n in range(14)))
        found = preview(film, after, everything(film), {}).segments
        assert found is not None
        assert found.kept == 2  # the bodies of the other scenes
        assert found.made >= 2 + 3

    def test_a_scene_so_short_that_its_transitions_change_touches_its_neighbours(self, film: Film) -> None:
        after = changed(film, "s2", "No.")
        assert transition_length(film.spec.video.body, 1 / 2) != "18f"  # type: ignore[arg-type]
        found = preview(film, after, everything(film), {}).segments
        assert found == Share(6, 1)  # all but the body of s4

    def test_what_was_never_rendered_is_made(self, film: Film) -> None:
        after = changed(film, "s1", TEXT, "Another sentence of about that length here.")
        known = everything(film) - {segment_key(film, film.plan.segments[-1])}  # type: ignore[union-attr]
        assert preview(film, after, known, {}).segments == Share(3, 4)

    def test_a_title_over_the_first_scenes_touches_what_moves_under_it(self) -> None:
        film = make_film(
            make_script(),
            [9, 9, 9, 9],
            video=make_spec().video.model_dump() | {"body": VideoPreset(title_seconds="30").model_dump()},
        )
        after = changed(film, "s1", TEXT, "Another sentence of about that length here.")
        assert preview(film, after, everything(film), {}).segments == Share(7, 0)

    def test_a_film_without_a_plan_makes_no_promise(self, film: Film) -> None:
        bare = Film(film.spec, film.script, "trial/1")
        assert preview(bare, changed(film, "s1", "New."), (), {}).segments is None


class TestPictures:
    def test_a_picture_that_the_new_words_do_not_fit_any_more_is_made(self) -> None:
        picture = {
            "id": "comet", "role": "picture", "sha256": "c", "media_type": "image/jpeg", "width": 10, "height": 10,
            "tags": {"en": ["comet", "tail", "ice"]},
        }  # fmt: skip
        script = make_script()
        words = Sentence(id="s2.1", text="A comet of ice has a long tail, and the comet is bright.")
        scenes = [s if s.id != "s2" else s.model_copy(update={"sentences": [words]}) for s in script.scenes]
        film = make_film(script.model_copy(update={"scenes": scenes}), [9, 9, 9, 9], library=[picture])
        found = preview(film, changed(film, "s2", TEXT), everything(film), {})
        assert found.pictures == Share(1, 3)
        assert preview(film, changed(film, "s3", TEXT), everything(film), {}).pictures == Share(0, 4)


class TestTimeAndMoney:
    def test_less_work_takes_less_time_and_slow_machines_take_longer(self, film: Film) -> None:
        after = changed(film, "s1", TEXT, "Another sentence of about that length here.")
        kept, all_new = preview(film, after, everything(film), {}), preview(film, after, (), {})
        assert 0 < kept.seconds < all_new.seconds
        slow = preview(film, after, everything(film), dict.fromkeys(("render", "mux", "check"), 10.0))
        assert slow.seconds > 2 * kept.seconds

    def test_drafts_are_free_and_an_unknown_price_stays_unknown(self, film: Film) -> None:
        after = changed(film, "s1", "New words.")
        assert preview(film, after, everything(film), {}).micro_dollars == 0
        assert film.narration is not None
        paid = Film(film.spec, film.script, "x", {**film.narration, "provider": "aurora"}, film.plan)
        assert preview(paid, after, (), {}).micro_dollars is None
        assert preview(paid, after, {*everything(paid), *sentence_keys(paid, after)}, {}).micro_dollars == 0


def test_scenes_differ_by_what_is_said(film: Film) -> None:
    assert edited_scenes(film.script, film.script) == set()
    assert edited_scenes(film.script, changed(film, "s3", "New.")) == {"s3"}
