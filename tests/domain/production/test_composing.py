"""The director's decisions: framing, motion, anchors."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.bodies import VideoPreset
from domain.production.composing import (
    Ingredients,
    ScenePicture,
    choose_motion,
    compose_document,
    fit_picture,
    timeline_words,
    transition_length,
)
from domain.studio.script import Scene, Script, Sentence

SCRIPT = Script(
    title="Deep sky",
    language="en",
    scenes=[
        Scene(id="s1", sentences=[Sentence(id="s1.1", text="One here."), Sentence(id="s1.2", text="Two here.")]),
        Scene(id="s2", sentences=[Sentence(id="s2.1", text="Three here.")]),
    ],
)
NARRATION = {
    "sample_rate": 48000,
    "samples": 96000,
    "scenes": [{"id": "s1", "start": 0, "end": 64000}, {"id": "s2", "start": 64000, "end": 96000}],
    "sentences": [
        {"id": "s1.1", "words": [{"text": "One", "start": 0, "end": 9000, "source": "synth"}]},
        {"id": "s1.2", "words": [{"text": "Two", "start": 30000, "end": 40000, "source": "synth"}]},
        {"id": "s2.1", "words": [{"text": "Three", "start": 64000, "end": 70000, "source": "synth"}]},
    ],
}


def ingredients(**changes: object) -> Ingredients:
    values: dict[str, object] = {
        "script": SCRIPT,
        "narration": NARRATION,
        "narration_sha": "a" * 64,
        "words_sha": "b" * 64,
        "pictures": [ScenePicture("s1", "c" * 64, 1920, 1080), ScenePicture("s2", "d" * 64, 800, 600)],
        "project_name": "Deep Sky",
        "logo_sha": None,
        "music_sha": None,
    }
    return Ingredients(**{**values, **changes})  # type: ignore[arg-type]


class TestFitPicture:
    @pytest.mark.parametrize(
        ("picture", "canvas", "fit"),
        [
            ((1920, 1080), (1920, 1080), "cover"),
            ((2560, 1920), (1920, 1080), "cover"),
            ((512, 512), (1920, 1080), "contain"),  # would be enlarged 3.75 times
            ((3000, 2000), (1080, 1920), "contain"),  # would lose more than half of itself
            ((1080, 1350), (1080, 1920), "cover"),
        ],
    )
    def test_crops_only_when_little_is_lost(self, picture, canvas, fit):
        assert fit_picture(picture, canvas)["fit"] == fit


class TestChooseMotion:
    @given(st.text(min_size=1), st.integers(0, 9), st.integers(1, 900), st.integers(0, 100), st.integers(0, 100))
    def test_stays_inside_the_picture(self, seed, index, tenths, focus_x, focus_y):
        motion = choose_motion(seed, index, Fraction(tenths, 10), "0.12", (str(focus_x / 100), str(focus_y / 100)))
        for window in (motion["from"], motion["to"]):
            x, y, w, h = map(Fraction, window)
            assert x >= 0
            assert y >= 0
            assert x + w <= 1
            assert y + h <= 1
            assert w == h

    def test_is_repeatable(self):
        arguments = ("seed", 1, Fraction(8), "0.1", ("0.5", "0.5"))
        assert choose_motion(*arguments) == choose_motion(*arguments)


class TestTransitionLength:
    @pytest.mark.parametrize(
        ("scene", "length"), [(Fraction(9), "18f"), (Fraction(9, 10), "9f"), (Fraction(1, 30), "1f")]
    )
    def test_never_longer_than_a_third_of_the_shorter_scene(self, scene, length):
        assert transition_length(VideoPreset(), scene) == length


class TestComposeDocument:
    def test_pictures_hang_on_the_first_sentence_of_the_next_scene(self):
        document = compose_document(ingredients(), VideoPreset(), "longform-16x9", (1920, 1080))
        first, transition, last = document["sequence"]["tracks"][0]["items"]
        assert first["length"] == {"until": {"ref": "voice#s3", "edge": "start"}}
        assert transition["transition"] == "crossfade"
        assert last["length"] == "fill"

    def test_the_title_is_shown_once_on_a_photograph_or_on_the_board_itself(self):
        def roles(origin: str) -> list[str]:
            pictures = [ScenePicture("s1", "c" * 64, 1920, 1080, origin=origin), ScenePicture("s2", "d" * 64, 800, 600)]
            document = compose_document(ingredients(pictures=pictures), VideoPreset(), "longform-16x9", (1920, 1080))
            return [track["role"] for track in document["sequence"]["tracks"]]

        assert roles("library").count("overlay") == 1
        assert roles("artboard").count("overlay") == 0

    def test_lasts_for_the_narration_with_lead_in_and_tail(self):
        document = compose_document(ingredients(), VideoPreset(), "longform-16x9", (1920, 1080))
        assert Fraction(document["sequence"]["duration"]) == 2 + Fraction(60, 30)

    def test_leaves_out_tracks_that_have_nothing_to_show(self):
        document = compose_document(ingredients(), VideoPreset(captions="none"), "longform-16x9", (1920, 1080))
        assert {track["role"] for track in document["sequence"]["tracks"]} == {"picture", "overlay", "narration"}


def test_words_carry_the_number_of_their_sentence():
    assert [(word["text"], word["sentence"]) for word in timeline_words(NARRATION)] == [
        ("One", 1),
        ("Two", 2),
        ("Three", 3),
    ]
