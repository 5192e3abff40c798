"""The plan: cut into pieces that keep their keys when they only move, and everything relative to them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import edit
from tests.timeline.making import (
    FONTS,
    FRAME,
    GOLDEN,
    deep_sky_media,
    document,
    media,
    picture,
    pictures,
    settle,
    voice,
)
from timeline.compile import compile_plan
from timeline.faults import TimelineError
from timeline.loading import load, parse
from timeline.media import MediaWord
from timeline.plan import Blend, Colour, Overlay, RenderPlan, Segment, Shot, TextState
from timeline.profiles import PROFILES
from timeline.resolve import resolve

LONG = "longform-16x9"


def plan_of(*tracks: dict[str, Any], profile: str = LONG, **sequence: Any) -> RenderPlan:
    return compile_plan(settle(*tracks, **sequence), profile, FONTS, "build-1")


def shape(plan: RenderPlan) -> list[tuple[str, int, int]]:
    return [(segment.kind, segment.start, segment.frames) for segment in plan.segments]


class TestGolden:
    @pytest.mark.parametrize("profile", [LONG, "shorts-9x16"])
    def test_the_published_example_compiles_as_it_stands(self, profile):
        document = load((GOLDEN / "deep_sky.json").read_text())
        plan = compile_plan(resolve(document, deep_sky_media()), profile, FONTS, "build-1")
        expected = GOLDEN / f"deep_sky.{profile}.plan.json"
        assert json.loads(plan.model_dump_json()) == json.loads(expected.read_text())

    def test_a_stored_resolved_timeline_compiles_to_the_same(self):
        resolved = resolve(load((GOLDEN / "deep_sky.json").read_text()), deep_sky_media())
        again = type(resolved).model_validate_json(resolved.model_dump_json())
        assert compile_plan(again, LONG, FONTS, "b") == compile_plan(resolved, LONG, FONTS, "b")


class TestPicture:
    def test_bodies_and_transitions(self):
        plan = plan_of(
            pictures(
                {"id": "a", "asset": "p1", "length": "300f"},
                {"id": "x", "transition": "crossfade", "duration": "15f"},
                {"id": "b", "asset": "p2", "length": "200f"},
            )
        )
        assert shape(plan) == [("body", 0, 293), ("transition", 293, 15), ("body", 308, 192)]
        assert [segment.items for segment in plan.segments] == [("a",), ("a", "x", "b"), ("b",)]
        blend = plan.segments[1].picture
        assert isinstance(blend, Blend)
        assert (blend.length, blend.offset) == (15, 0)

    def test_the_camera_moves_on_through_a_transition(self):
        move = {"motion": {"from": [0, 0, 1, 1], "to": [0, 0, "0.5", "0.5"]}}
        plan = plan_of(
            pictures(
                {"asset": "p1", "length": "300f", **move},
                {"transition": "crossfade", "duration": "15f"},
                {"asset": "p2", "length": "200f", **move},
            )
        )
        body, cut, last = (segment.picture for segment in plan.segments)
        assert isinstance(body, Shot)
        assert isinstance(last, Shot)
        assert isinstance(cut, Blend)
        assert isinstance(cut.a, Shot)
        assert isinstance(cut.b, Shot)
        path = [each.motion and (each.motion.offset, each.motion.item_frames) for each in (body, cut.a, cut.b, last)]
        assert path == [(0, 308), (293, 308), (0, 207), (15, 207)]

    def test_a_window_is_corrected_to_the_aspect_about_its_centre(self):
        plan = plan_of(
            pictures(
                {"asset": "p1", "length": "5", "motion": {"from": [0, 0, 1, 1], "to": ["0.4", "0.3", "0.2", "0.4"]}}
            )
        )
        shot = plan.segments[0].picture
        assert isinstance(shot, Shot)
        assert shot.motion is not None
        assert shot.motion.end.model_dump() == {"x": "0.3", "y": "0.3", "w": "0.4", "h": "0.4"}

    def test_long_bodies_are_split_at_fixed_offsets_from_the_items_start(self):
        plan = plan_of(pictures({"gap": "10f"}, {"asset": "p1", "length": "2000f"}))
        assert shape(plan) == [("body", 0, 10), ("body", 10, 900), ("body", 910, 900), ("body", 1810, 200)]

    def test_a_short_rest_is_not_split_off(self):
        assert shape(plan_of(pictures({"asset": "p1", "length": "905f"}))) == [("body", 0, 905)]

    def test_nothing_shows_the_background(self):
        plan = plan_of({"role": "music", "items": [{"asset": "bed"}]}, background="#0b1020")
        assert plan.segments[0].picture == Colour(value="#0b1020")

    def test_a_disabled_picture_keeps_its_place(self):
        plan = plan_of(
            pictures({"color": "#111111", "length": "1", "enabled": False}, {"color": "#222222", "length": "1"})
        )
        assert [segment.picture for segment in plan.segments] == [Colour(value="#000000"), Colour(value="#222222")]

    @pytest.mark.parametrize(
        "track",
        [
            pictures({"text": "words", "length": "1", "style": "nothing-of-the-kind"}),
            pictures({"asset": "p1", "length": "1", "fade_in": "2"}),
            pictures({"asset": "p1", "length": "1", "effects": [{"effect": "lut", "asset": "p2"}]}),
            {"role": "overlay", "items": [{"text": "x", "length": "1", "fade_in": "2"}]},
            {"role": "overlay", "items": [{"text": "x", "length": "1", "style": "titel"}]},
            {"role": "overlay", "items": [{"text": "x \u5b57", "length": "1"}]},
            {"role": "narration", "duck_by": "music", "items": [{"asset": "voice"}]},
        ],
    )
    def test_what_cannot_be_shown_is_refused_not_ignored(self, track):
        with pytest.raises(TimelineError):
            plan_of(track)

    def test_missing_glyphs_are_named(self):
        with pytest.raises(TimelineError, match=r"字 \(U\+5B57\)"):
            plan_of({"role": "overlay", "items": [{"text": "x 字", "length": "1"}]})


class TestOverlays:
    LOGO = {"asset": "logo", "length": "fill", "layout": {"anchor": "top-right", "size": ["12vw", None]}}  # noqa: RUF012

    def logo(self, profile: str, **layout: Any) -> Overlay:
        item = {**self.LOGO, "layout": {**self.LOGO["layout"], **layout}}  # type: ignore[dict-item]
        plan = plan_of(
            pictures({"color": "#111", "length": "9"}), {"role": "overlay", "items": [item]}, profile=profile
        )
        overlay = plan.segments[0].overlays[0]
        assert isinstance(overlay, Overlay)
        return overlay

    @pytest.mark.parametrize("profile", list(PROFILES))
    def test_lie_in_the_safe_area_of_every_profile(self, profile):
        box, safe = self.logo(profile).box, PROFILES[profile].safe
        assert (box.x + box.w, box.y) == (safe.x + safe.w, safe.y)
        assert abs(box.w - 2 * box.h) <= 1

    def test_pixels_follow_the_canvas_they_were_written_for(self):
        assert self.logo(LONG, size=["300px", "90px"], fit="fill").box.w == 300
        assert self.logo("preview", size=["300px", "90px"], fit="fill").box.model_dump() == {
            "x": 508,
            "y": 18,
            "w": 100,
            "h": 30,
        }

    def test_position_is_where_the_anchor_lies(self):
        box = self.logo(LONG, anchor="center", position=["0.5", "25%"], size=["100px", None]).box
        assert (box.x, box.y, box.w, box.h) == (910, 245, 100, 50)

    def test_fades_become_opacity_keys_of_each_segment(self):
        item = {
            "text": "Hi",
            "length": "60f",
            "place": {"at": "20f"},
            "fade_in": "9f",
            "fade_out": "19f",
            "opacity": "0.8",
        }
        plan = plan_of(
            pictures({"color": "#111", "length": "50f"}, {"color": "#222", "length": "50f"}),
            {"role": "overlay", "items": [item]},
        )
        first, second = (segment.overlays[0] for segment in plan.segments)
        assert (first.first, first.frames, second.first, second.frames) == (20, 30, 0, 30)
        assert [(key.frame, key.value) for key in first.opacity] == [(20, "0.08"), (29, "0.8"), (49, "0.8")]
        assert [(key.frame, key.value) for key in second.opacity] == [(0, "0.8"), (10, "0.8"), (29, "0.04")]

    def test_a_long_title_is_set_in_lines_and_kept_inside(self):
        text = "Everything that we have ever learnt about the very first light of all"
        plan = plan_of({"role": "overlay", "items": [{"text": text, "length": "3"}]}, profile="shorts-9x16")
        state = plan.segments[0].overlays[0]
        assert isinstance(state, TextState)
        lines = re.sub(r"\{[^}]*\}", "", state.events[-1]).split("\\N")
        assert " ".join(lines) == text
        assert 2 <= len(lines) <= 3

    def test_what_people_write_commands_nothing(self):
        plan = plan_of({"role": "overlay", "items": [{"text": "{\\b1}\\Nx", "length": "3"}]})
        state = plan.segments[0].overlays[0]
        assert isinstance(state, TextState)
        assert state.events[-1].endswith("}\\{\\\u200bb1\\}\\\u200bNx")


class TestSound:
    VOICE = {"role": "narration", "items": [{"asset": "voice", "place": {"at": "15f"}}]}  # noqa: RUF012

    def test_is_as_long_as_the_picture_to_the_sample(self):
        plan = plan_of(pictures({"color": "#111", "length": "100f"}), fps="30000/1001")
        assert plan.sound.samples == 160_160

    def test_music_ducks_under_the_words(self):
        bed = {"role": "music", "gain_db": "-3", "duck_by": {"by": "narration", "amount_db": "-8"}}
        bed["items"] = [{"asset": "bed", "loop": True, "fade_in": "1", "audio": {"gain_db": "-16"}}]  # type: ignore[assignment]
        plan = plan_of(self.VOICE, bed)
        talk, music = plan.sound.sounds
        assert (talk.start, music.samples) == (24_000, plan.sound.samples)
        assert (music.gain_mdb, music.fade_in, music.fade_out, music.loop) == (-19_000, 48_000, 240, True)
        (duck,) = plan.sound.ducks
        assert (duck.bus, duck.amount_mdb, duck.attack) == ("music", -8_000, 3_840)
        first = media()["voice"].words[0]
        assert duck.speech[0][0] == 24_000 + first.start

    def test_without_words_the_whole_narration_is_speech(self):
        plain = replace(media()["voice"], words=())
        tracks = (self.VOICE, {"role": "music", "duck_by": "narration", "items": [{"asset": "bed", "length": "2"}]})
        resolved = resolve(parse(document(*tracks)), media(voice=plain))
        (duck,) = compile_plan(resolved, LONG, FONTS, "b").sound.ducks
        assert duck.speech == ((24_000, resolved.samples),)

    def test_muted_and_disabled_clips_are_silent(self):
        items = [{"asset": "bed", "audio": {"mute": True}}, {"asset": "bed", "enabled": False}]
        assert plan_of({"role": "music", "items": items}, duration="60").sound.sounds == ()


# ── Keys ──────────────────────────────────────────────────────────────────────────────────────────────────
SCENES = 5


def film(frames: Sequence[int], *, profile: str = LONG, build: str = "build-1", shown: int = 40) -> RenderPlan:
    """A film of five scenes, as long as their narration, each with two sentences, captions, a logo and a title."""
    words: list[MediaWord] = []
    edge = 0
    for scene, length in enumerate(frames):
        for number in range(12):
            start = edge + 2_345 + number * 9_000
            words.append(MediaWord(f"word{scene}{number}", start, start + 8_000, scene * 2 + number // 6 + 1))
        edge += length * FRAME
    narration = voice(words, frames=sum(frames))
    cut = {"transition": "crossfade", "duration": "0.6"}
    items: list[dict[str, Any]] = []
    for scene in range(SCENES):
        last = scene == SCENES - 1
        length = "fill" if last else {"until": {"ref": f"voice#s{scene * 2 + 3}"}}
        move = {"from": [0, 0, 1, 1], "to": [0, 0, "0.9", "0.9"]}
        items += [{"asset": f"p{scene + 1}", "length": length, "motion": move}, cut]
    tracks = [
        pictures(*items[:-1]),
        {"role": "overlay", "items": [{"asset": "logo", "length": "fill", "opacity": "0.8", "size": ["10vw", None]}]},
        {
            "role": "overlay",
            "items": [{"text": "Hi", "place": {"at": "30f"}, "length": f"{shown}f", "fade_in": "0.3"}],
        },
        {"role": "caption", "from": "voice"},
        {"role": "narration", "items": [{"asset": "voice", "place": {"at": "15f"}}]},
    ]
    written = document(*tracks, duration=f"{sum(frames) + 60}f")
    return compile_plan(resolve(parse(written), media(voice=narration)), profile, FONTS, build)


def keys(plan: RenderPlan) -> list[str]:
    return [segment.key for segment in plan.segments]


class TestKeys:
    @settings(max_examples=25, deadline=None)
    @given(
        st.integers(0, SCENES - 1),
        st.integers(1, 700),
        st.lists(st.integers(100, 160), min_size=SCENES, max_size=SCENES),
    )
    def test_a_longer_scene_remakes_its_body_and_its_transitions_only(self, scene, more, frames):
        longer = [length + (more if number == scene else 0) for number, length in enumerate(frames)]
        before, after = film(frames), film(longer)
        touched = self.showing(after, f"track-1.{scene * 2 + 1}")
        kept = set(keys(before)) & set(keys(after))
        assert {segment.key for segment in after.segments if segment.index not in touched} <= kept
        assert len(touched) <= 3 + more // 900 + 1
        moved = [segment for segment in after.segments if segment.index not in touched]
        assert len(moved) >= 2 * SCENES - 1 - 3

    def test_one_of_a_hundred_sentences_remakes_three_segments(self):
        """Pictures, crossfades and captions hang on sentences; sentence 57 gets other and more words."""

        def film_of(edited: bool) -> RenderPlan:
            words = [MediaWord(w["text"], w["start"], w["end"], w["sentence"]) for w in edit.words_of(edited)]
            facts = {"voice": voice(words), **{f"p{k}": picture(str(k)) for k in range(6)}}
            shown = parse(edit.document([f"{k}.jpg" for k in range(6)], LONG))
            return compile_plan(resolve(shown, facts), LONG, FONTS, "b")

        before, after = film_of(False), film_of(True)
        assert len(before.segments) == len(after.segments) == 199
        assert before.frames / 30 > 600
        remade = [b.items for a, b in zip(before.segments, after.segments, strict=True) if a.key != b.key]
        assert len(remade) <= 3
        assert all("track-1.113" in items for items in remade)

    def showing(self, plan: RenderPlan, item: str) -> set[int]:
        return {segment.index for segment in plan.segments if item in segment.items}

    def test_a_piece_that_moves_keeps_its_key_although_its_start_changed(self):
        before, after = film([120] * SCENES), film([150, 120, 120, 120, 120])
        assert before.segments[-1].start + 30 == after.segments[-1].start
        assert before.segments[-1].key == after.segments[-1].key

    def test_another_title_remakes_only_what_shows_it(self):
        before, after = film([120] * SCENES), film([120] * SCENES, shown=50)
        changed = [a.index for a, b in zip(before.segments, after.segments, strict=True) if a.key != b.key]
        assert changed == [0]

    def test_everything_that_shapes_bytes_is_in_the_key(self):
        plan = film([120] * SCENES)
        others = [film([120] * SCENES, build="build-2"), film([120] * SCENES, profile="square")]
        for other in others:
            assert not set(keys(plan)) & set(keys(other))
        assert plan.sound.key != others[0].sound.key
        assert plan.sound.key == others[1].sound.key

    def test_keys_hold_neither_place_nor_names(self):
        items = [{"id": name, "color": "#123456", "length": "50f"} for name in ("first", "second")]
        assert len(set(keys(plan_of(pictures(*items))))) == 1

    def test_another_face_remakes_what_shows_text(self):
        titled = (
            pictures({"color": "#111111", "length": "1"}, {"color": "#222222", "length": "1"}),
            {"role": "overlay", "items": [{"text": "x", "length": "1"}]},
        )
        resolved = settle(*titled)
        other = {role: replace(font, digest="other") for role, font in FONTS.items()}
        before, after = (compile_plan(resolved, LONG, fonts, "b") for fonts in (FONTS, other))
        same = [a.key == b.key for a, b in zip(before.segments, after.segments, strict=True)]
        assert same == [False, True]


def test_nothing_in_a_plan_is_a_float():
    def walk(value: Any) -> None:
        assert not isinstance(value, float)
        for below in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
            walk(below)

    walk(film([120] * SCENES).model_dump())


def test_every_asset_that_is_used_has_its_media_type():
    plan = film([120] * SCENES)
    assert plan.assets[picture("1").sha256] == "image/jpeg"
    assert {sound.asset for sound in plan.sound.sounds} <= set(plan.assets)


def shown_words(segments: Sequence[Segment]) -> list[tuple[int, str]]:
    """(film frame at which a word lights up, word) of a plan's caption states."""
    found: list[tuple[int, str]] = []
    for segment in segments:
        for state in segment.captions:
            lit = re.search(r"\\1c&H3FD2FF&\}(\S+?)\{", " ".join(state.events))
            assert lit
            if not found or found[-1][1] != lit[1]:
                found.append((segment.start + state.first, lit[1]))
    return found


def test_each_word_lights_up_within_a_frame_of_being_spoken():
    plan = film([121, 133, 140, 117, 150])
    spoken = [(word.start, word.text) for cue in plan.cues for word in cue.words]
    lit = shown_words(plan.segments)
    assert [word for _, word in lit] == [word for _, word in spoken]
    for (frame, _), (sample, _) in zip(lit, spoken, strict=True):
        assert abs(Fraction(sample, FRAME) - frame) <= 1
