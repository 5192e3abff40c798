"""The language beyond the simple film: shares, speed, nests, profiles, keyframes, references, upgrades, properties."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.timeline.making import FONTS, document, faults_of, media, pictures, settle
from timeline.compile import compile_plan
from timeline.effects import EFFECTS
from timeline.faults import Findings, TimelineError
from timeline.loading import parse
from timeline.media import Media
from timeline.plan import Blend, Layer, RenderPlan, Segment, Stage
from timeline.resolve import resolve
from timeline.resolved import ResolvedTimeline
from timeline.stage import Group, Mix, Video

LONG = "longform-16x9"
FILM = Media("9" * 64, "video", 1280, 720, Fraction(4), 48_000)


def film_media() -> dict[str, Media]:
    return media(p9=FILM)


def solved(*tracks: dict[str, Any], **more: Any) -> ResolvedTimeline:
    sequence = {name: more.pop(name) for name in ("fps", "duration", "markers", "canvas") if name in more}
    return resolve(parse(document(*tracks, **sequence) | more), film_media())


def plan_of(*tracks: dict[str, Any], profile: str = LONG, told: Findings | None = None, **more: Any) -> RenderPlan:
    return compile_plan(solved(*tracks, **more), profile, FONTS, "build-1", told=told)


def layer_of(segment: Segment) -> Layer:
    assert isinstance(segment.picture, Stage)
    return segment.picture.layers[0]


def lengths(timeline: ResolvedTimeline, track: int = 0) -> list[int]:
    return [item.count for item in timeline.tracks[track].items]


class TestShares:
    def test_what_is_left_is_divided(self):
        items = [{"asset": f"p{n}", "length": share} for n, share in ((1, "1fr"), (2, "30f"), (3, "2fr"))]
        assert lengths(solved(pictures(*items), duration="10")) == [90, 30, 180]

    def test_up_to_the_next_placed_item(self):
        items = [{"color": "#111", "length": "1fr"}, {"color": "#222", "length": {"fr": "1"}}]
        placed = {"color": "#333", "length": "1", "place": {"at": "5"}}
        assert lengths(solved(pictures(*items, placed))) == [75, 75, 30]

    def test_nothing_left_is_said(self):
        items = [{"color": "#111", "length": "5"}, {"color": "#222", "length": "1fr"}]
        placed = {"color": "#333", "length": "1", "place": {"at": "5"}}
        assert "E_ZERO_LENGTH" in [fault.code for fault in faults_of(pictures(*items, placed))]


class TestClips:
    def test_speed_shortens_and_moves_the_clock(self):
        plan = plan_of(pictures({"asset": "p9", "source": {"in": "1", "dur": "2"}, "speed": "2"}))
        video = layer_of(plan.segments[0]).content
        assert isinstance(video, Video)
        assert plan.frames == 30
        clock = [Fraction(video.start + k * video.step, video.scale) for k in (0, 29)]
        assert clock == [Fraction(1), 1 + Fraction(29, 15)]

    def test_reverse_and_freeze(self):
        back = layer_of(plan_of(pictures({"asset": "p9", "effects": ["reverse"]})).segments[0]).content
        assert isinstance(back, Video)
        assert Fraction(back.start + 119 * back.step, back.scale) == 0
        held = {"asset": "p9", "length": "2", "effects": [{"effect": "freeze", "at": "1.5"}]}
        still = layer_of(plan_of(pictures(held)).segments[0]).content
        assert isinstance(still, Video)
        assert (Fraction(still.start, still.scale), still.step) == (Fraction(3, 2), 0)

    def test_a_film_is_heard_unless_muted(self):
        plan = plan_of(pictures({"asset": "p9", "source": {"in": "1"}, "speed": "3/2"} | {"speed": "1.5"}))
        (sound,) = plan.sound.sounds
        assert (sound.bus, sound.source_in, sound.speed_num, sound.speed_den) == ("source", 48_000, 3, 2)
        assert sound.samples == plan.sound.samples
        assert not plan_of(pictures({"asset": "p9", "audio": {"mute": True}})).sound.sounds

    def test_missing_handles_are_held_and_told(self):
        cut = [{"asset": "p9"}, {"transition": "crossfade", "duration": "10f"}, {"asset": "p1", "length": "1"}]
        found = solved(pictures(*cut))
        assert [fault.code for fault in found.warnings] == ["W_HANDLE"]
        cut[1] = {**cut[1], "handles": "error"}
        (fault,) = [fault for fault in wrong(pictures(*cut)) if fault.code == "E_HANDLE"]
        assert fault.allowed == ("5", "0")
        cut[1] = {**cut[1], "handles": "trim"}
        assert [item.count for item in solved(pictures(*cut)).tracks[0].items if item.transition] == [5]

    def test_an_overlap_moves_later_items_and_says_by_how_much(self):
        cut = [
            {"asset": "p1", "length": "60f"},
            {"transition": "crossfade", "duration": "10f", "mode": "overlap"},
            {"asset": "p2", "length": "60f"},
            {"asset": "p3", "length": "30f"},
        ]
        found = solved(pictures(*cut))
        assert found.frames == 140
        assert "10 frames earlier" in found.warnings[0].message


def wrong(*tracks: dict[str, Any], **more: Any) -> list[Any]:
    with pytest.raises(TimelineError) as caught:
        plan_of(*tracks, **more)
    return list(caught.value.faults)


class TestLayers:
    def test_everything_that_lies_on_tracks_becomes_a_layer(self):
        items = [
            {"gradient": ["#000", "#fff"], "length": "1"},
            {"shape": "ellipse", "length": "1", "size": ["20vmin", "20vmin"], "rotation": "45"},
            {"progress": "#ff0000", "length": "1"},
            {"qr": "https://example.org/{{n}}", "length": "1", "blend": "multiply", "shadow": True},
            {"waveform": "voice", "length": "1"},
            {"text": "turned", "length": "1", "rotation": "-8"},
        ]
        plan = plan_of(
            pictures({"color": "#000", "length": "6"}),
            {"role": "overlay", "items": items},
            variables={"n": {"type": "number", "default": "7"}},
        )
        layers = [layer for segment in plan.segments for layer in segment.overlays if isinstance(layer, Layer)]
        assert [layer.content.kind for layer in layers] == ["gradient", "shape", "bar", "code", "wave", "text"]
        assert layers[3].content.model_dump()["text"] == "https://example.org/7"

    def test_keyframes_run_on_through_splits(self):
        keys = [{"t": "0", "v": "0"}, {"t": "end", "v": "1", "ease": "hold"}]
        item = {"asset": "p1", "length": "1200f", "animations": [{"property": "opacity", "keys": keys}]}
        plan = plan_of(pictures(item))
        first, second = (layer_of(segment) for segment in plan.segments)
        assert first.curves == second.curves
        assert (first.offset, second.offset, second.item_frames) == (0, 900, 1200)
        assert [key.frame for key in first.curves[0].keys] == [0, 1200]

    def test_an_upper_picture_track_mixes_on_nothing(self):
        upper = pictures(
            {"asset": "p2", "length": "30f", "size": ["0.5", None]},
            {"transition": "wipe", "duration": "10f"},
            {"asset": "p3", "length": "30f", "size": ["0.5", None]},
        )
        plan = plan_of(pictures({"asset": "p1", "length": "60f"}), upper)
        kinds = [layer.content.kind for layer in plan.segments[0].overlays if isinstance(layer, Layer)]
        assert kinds == ["image", "mix", "image"]
        mix = plan.segments[0].overlays[1]
        assert isinstance(mix, Layer)
        assert isinstance(mix.content, Mix)
        assert (mix.first, mix.frames, mix.content.length) == (25, 10, 10)

    def test_effects_carry_all_their_parameters(self):
        plan = plan_of(
            pictures({"asset": "p1", "length": "1", "effects": ["sepia", {"effect": "blur", "radius": "0.02"}]})
        )
        effects = layer_of(plan.segments[0]).effects
        assert [(effect.name, effect.params) for effect in effects] == [
            ("sepia", {"amount": "1"}),
            ("blur", {"radius": "0.02"}),
        ]
        assert all(kind.read_params({}) for name, kind in EFFECTS.items() if name != "lut")


class TestNests:
    INNER = {  # noqa: RUF012
        "tracks": [
            pictures({"asset": "p2", "length": "1"}, {"asset": "p3", "length": "1"}),
            {"role": "sfx", "items": [{"asset": "bed", "length": "1.5"}]},
        ]
    }

    def test_a_sequence_plays_inside_another(self):
        plan = plan_of(pictures({"sequence": "inner", "source": {"in": "0.5"}}), sequences={"inner": self.INNER})
        group = layer_of(plan.segments[0]).content
        assert isinstance(group, Group)
        assert plan.frames == 45
        assert [(layer.first, layer.frames, layer.offset) for layer in group.layers] == [(0, 15, 15), (15, 30, 0)]
        assert [(sound.start, sound.samples, sound.source_in) for sound in plan.sound.sounds] == [(0, 48_000, 24_000)]

    def test_circles_and_unknown_names_are_told(self):
        ring = {"a": {"tracks": [pictures({"sequence": "b"})]}, "b": {"tracks": [pictures({"sequence": "a"})]}}
        assert [fault.code for fault in wrong(pictures({"sequence": "a"}), sequences=ring)] == ["E_CYCLE"]
        assert [fault.code for fault in wrong(pictures({"sequence": "x"}))] == ["E_UNKNOWN_REF"]

    def test_faults_inside_point_there(self):
        bad = {"inner": {"tracks": [pictures({"asset": "p1"})]}}
        (fault,) = wrong(pictures({"sequence": "inner"}), sequences=bad)
        assert fault.path.startswith("/sequences/inner/tracks/0/items/0")


class TestProfiles:
    def test_a_document_changes_a_profile(self):
        own = {
            "id": "teaser",
            "base": "square",
            "canvas": [720, 720],
            "range": {"start": "1", "end": "3"},
            "tracks": {"logo": {"enabled": False}},
            "quality": "draft",
        }
        tracks = (
            pictures({"asset": "p1", "length": "5", "profile_overrides": {"teaser": {"fit": "contain"}}}),
            {"id": "logo", "role": "overlay", "items": [{"asset": "logo", "length": "fill"}]},
        )
        plan = plan_of(*tracks, profile="teaser", profiles=["longform-16x9", own])
        assert (plan.output.width, plan.frames, plan.output.encoding.preset) == (720, 60, "superfast")
        assert not plan.segments[0].overlays
        assert plan.segments[0].picture.model_dump()["fit"] == "contain"
        assert plan.sound.samples == 96_000

    def test_a_part_of_the_film_keeps_the_clock_of_the_whole(self):
        whole = solved(pictures({"asset": "p1", "length": "100f", "motion": "zoom-in"}))
        plan = compile_plan(whole, LONG, FONTS, "b", span=(40, 41))
        assert plan.segments[0].picture.model_dump()["motion"]["offset"] == 40


class TestReferences:
    def test_stand_wherever_a_value_may(self):
        read = parse(
            document(pictures({"color": {"var": "tint"}, "length": {"var": "long"}}))
            | {
                "variables": {"tint": {"type": "color", "default": "#123456"}, "long": {"type": "time", "default": "2"}}
            },
            {"long": "3"},
        )
        found = resolve(read, media())
        assert found.frames == 90
        assert not found.warnings

    def test_a_missing_one_is_told_once_beside_other_faults(self):
        with pytest.raises(TimelineError) as caught:
            parse(document(pictures({"color": {"var": "tnit"}, "length": "1"}, {"colr": "#111", "length": "1"})))
        codes = [fault.code for fault in caught.value.faults]
        assert codes[0] == "E_MISSING_VARIABLE"
        assert "E_UNKNOWN_FIELD" in codes


def test_the_draft_form_is_upgraded():
    draft = {
        "schema": "timeline/0",
        "fps": "25",
        "tracks": [{"type": "picture", "items": [{"color": "#111", "length": "1"}]}],
    }
    assert resolve(parse(draft), {}).frames == 25


# ── Properties ────────────────────────────────────────────────────────────────────────────────────────────
_SHORT = st.integers(1, 120).map(lambda frames: f"{frames}f") | st.sampled_from(["0.7", "1/3", "250ms", "2"])
_CLIP = st.fixed_dictionaries(
    {"length": _SHORT, "color": st.sampled_from(["#111111", "#222222"])},
    optional={
        "rotation": st.integers(-90, 90).map(str),
        "opacity": st.sampled_from(["0.5", "1"]),
        "animations": st.just([{"preset": "rise"}, {"property": "x", "keys": [{"t": "end-0.1", "v": "5"}]}]),
        "effects": st.lists(st.sampled_from(["blur", "grain", "sepia"]), max_size=2),
    },
)
_ROW = st.lists(_CLIP | _SHORT.map(lambda time: {"gap": time}), min_size=1, max_size=8)
_RATES = st.sampled_from(["30", "25", "24000/1001", "30000/1001", "60"])


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(_ROW, min_size=1, max_size=3), fps=_RATES)
def test_any_valid_document_becomes_a_plan_whose_parts_add_up(rows, fps):
    resolved = settle(*(pictures(*row) for row in rows), fps=fps)
    plan = compile_plan(resolved, LONG, FONTS, "b")
    assert sum(segment.frames for segment in plan.segments) == plan.frames == resolved.frames
    assert [segment.start for segment in plan.segments] == [
        sum(other.frames for other in plan.segments[:place]) for place in range(len(plan.segments))
    ]
    for track in resolved.tracks:
        ends = [item.stop for item in track.items]
        assert [item.first for item in track.items] == [0, *ends[:-1]]
    for segment in plan.segments:
        for layer in segment.overlays:
            assert 0 <= layer.first < layer.first + layer.frames <= segment.frames
    assert abs(plan.sound.samples - resolved.frames * 48_000 / resolved.fps) <= 1


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(1, 99), at=st.integers(0, 99), kind=st.sampled_from(["wipe", "iris"]))
def test_a_part_of_any_film_shows_what_the_whole_shows(cut, at, kind):
    row = [
        {"asset": "p1", "length": f"{cut + 20}f"},
        {"transition": kind, "duration": "9f"},
        {"asset": "p2", "length": "60f"},
    ]
    resolved = settle(pictures(*row))
    frame = min(at, resolved.frames - 1)
    (segment,) = compile_plan(resolved, LONG, FONTS, "b", span=(frame, frame + 1)).segments
    whole = compile_plan(resolved, LONG, FONTS, "b")
    home = next(each for each in whole.segments if each.start <= frame < each.start + each.frames)
    assert (segment.kind, segment.items) == (home.kind, home.items)
    if isinstance(segment.picture, Blend) and isinstance(home.picture, Blend):
        assert segment.picture.offset == home.picture.offset + frame - home.start


def test_fonts_are_needed_by_name():
    resolved = settle(pictures({"text": "x", "length": "1"}))
    with pytest.raises(TimelineError, match="not available"):
        compile_plan(resolved, LONG, {"bold": replace(FONTS["bold"])}, "b")
