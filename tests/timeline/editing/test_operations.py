"""Operations on documents: tables of what each does, and properties that hold for any sequence of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.timeline.making import FONTS, document, media, pictures
from timeline.compile import compile_plan
from timeline.editing.applying import DOERS, apply_operation, replay
from timeline.editing.draft import Draft
from timeline.editing.operations import WORDS, read_operation, write_operation
from timeline.faults import Fault, TimelineError
from timeline.loading import load, parse
from timeline.plan import Blend, RenderPlan, Shot

SECOND = {"until": {"ref": "voice#s2"}}
THIRD = {"until": {"ref": "voice#s3"}}
Row = list[tuple[str, int, int]]


def film() -> Draft:
    """Three pictures on sentences (cuts at frames 44 and 86 of 116), a title, captions, a voice and music."""
    base = pictures(
        {"id": "a", "asset": "p1", "length": SECOND, "motion": "zoom-in"},
        {"id": "a>b", "transition": "crossfade", "duration": "12f"},
        {"id": "b", "asset": "p2", "length": THIRD, "motion": "zoom-out"},
        {"id": "c", "asset": "p3", "length": "fill"},
    )
    title = {"id": "title", "text": "Hello", "style": "title", "place": {"at": "10f"}, "length": "40f"}
    tracks = (
        base,
        {"role": "overlay", "items": [title]},
        {"role": "caption", "from": "voice"},
        {"role": "narration", "items": [{"id": "voice", "asset": "voice"}]},
        {"role": "music", "items": [{"id": "bed", "asset": "bed", "loop": True}]},
    )
    return Draft(parse(document(*tracks)), media())


def done(*operations: Mapping[str, Any], to: Draft | None = None) -> Draft:
    draft = to or film()
    for operation in operations:
        draft = apply_operation(draft, read_operation(dict(operation)))
    return draft


def row(draft: Draft, role: str = "picture") -> Row:
    """Id, first frame and length of what lies on a track; sounds in frames too."""
    track = next(track for track in draft.resolved.tracks if track.role == role)
    unit = 1 if track.kind == "video" else 1600
    return [(item.id, item.first // unit, item.count // unit) for item in track.items if item.clip]


def refused(*operations: Mapping[str, Any]) -> str:
    with pytest.raises(TimelineError) as caught:
        done(*operations)
    return caught.value.faults[0].code


def plan(draft: Draft) -> RenderPlan:
    return compile_plan(draft.resolved, "preview", FONTS, "build")


def windows(made: RenderPlan) -> dict[int, Decimal]:
    """How wide the camera's window on the last picture of each segment is, by frame of the film."""
    found = {}
    for segment in made.segments:
        shot = segment.picture.b if isinstance(segment.picture, Blend) else segment.picture
        if isinstance(shot, Shot) and shot.motion is not None:
            path = shot.motion
            for frame in range(segment.frames):
                share = Decimal(path.offset + frame) / max(path.item_frames - 1, 1)
                found[segment.start + frame] = (
                    Decimal(path.start.w) + (Decimal(path.end.w) - Decimal(path.start.w)) * share
                )
    return found


class TestTime:
    @pytest.mark.parametrize(
        ("wish", "becomes"),
        [
            ({"edge": "end", "frames": 7}, [("a", 0, 51), ("b", 51, 35), ("c", 86, 30)]),
            ({"edge": "end", "frames": -7}, [("a", 0, 37), ("b", 37, 49), ("c", 86, 30)]),
            ({"edge": "end", "frames": -7, "how": "ripple"}, [("a", 0, 37), ("b", 37, 42), ("c", 79, 37)]),
            ({"edge": "end", "frames": 7, "how": "ripple"}, [("a", 0, 51), ("b", 51, 42), ("c", 93, 23)]),
            ({"edge": "end", "frames": -7, "how": "gap"}, [("a", 0, 37), ("b", 44, 42), ("c", 86, 30)]),
            ({"edge": "start", "frames": 5}, [("a", 5, 39), ("b", 44, 42), ("c", 86, 30)]),
            ({"edge": "start", "frames": 5, "how": "ripple"}, [("a", 0, 39), ("b", 39, 42), ("c", 81, 35)]),
        ],
    )
    def test_trimming_an_edge(self, wish: Mapping[str, Any], becomes: Row) -> None:
        assert row(done({"op": "trim", "item": "a", **wish})) == becomes

    def test_what_did_not_move_keeps_what_was_meant(self) -> None:
        after = done({"op": "trim", "item": "a", "edge": "end", "frames": 7})
        lengths = [item.length for item in after.resolved.tracks[0].items if item.clip]
        assert lengths[1:] == ["until start of voice#s3", "fill"]

    def test_a_length_is_given_in_frames(self) -> None:
        assert row(done({"op": "length", "item": "b", "frames": 50})) == [("a", 0, 44), ("b", 44, 50), ("c", 94, 22)]

    def test_a_gap_takes_the_transition_away(self) -> None:
        after = done({"op": "trim", "item": "a", "edge": "end", "frames": -7, "how": "gap"})
        assert [item.kind for item in after.resolved.tracks[0].items] == ["clip", "gap", "clip", "clip"]

    def test_a_sound_begins_later_in_its_file(self) -> None:
        after = done({"op": "trim", "item": "voice", "edge": "start", "frames": 30, "how": "ripple"})
        voice = after.resolved.tracks[3].items[0]
        assert voice.clip is not None
        assert (voice.first, str(voice.clip.source.in_)) == (0, "1")
        assert after.resolved.tracks[2].words[0].text == "Four"

    def test_a_title_moves_and_a_picture_slides_between_its_neighbours(self) -> None:
        assert row(done({"op": "move", "item": "title", "frames": 5}), "overlay") == [("title", 15, 40)]
        slid = done({"op": "move", "item": "b", "frames": -4})
        assert row(slid) == [("a", 0, 40), ("b", 40, 42), ("c", 82, 34)]

    @pytest.mark.parametrize(
        ("after", "becomes"),
        [
            ("", [("c", 0, 30), ("a", 30, 44), ("b", 74, 42)]),
            ("a", [("a", 0, 44), ("c", 44, 30), ("b", 74, 42)]),
            ("b", [("a", 0, 44), ("b", 44, 42), ("c", 86, 30)]),
        ],
    )
    def test_the_order_changes_and_lengths_go_along(self, after: str, becomes: Row) -> None:
        changed = done({"op": "reorder", "item": "c", "after": after})
        assert row(changed) == becomes
        assert sum(item.kind == "transition" for item in changed.resolved.tracks[0].items) == 1

    @pytest.mark.parametrize(
        ("how", "becomes"),
        [
            ("gap", [("a", 0, 44), ("c", 86, 30)]),
            ("ripple", [("a", 0, 44), ("c", 44, 72)]),
            ("neighbour", [("a", 0, 86), ("c", 86, 30)]),
        ],
    )
    def test_deleting(self, how: str, becomes: Row) -> None:
        after = done({"op": "delete", "item": "b", "how": how})
        assert row(after) == becomes
        assert any(item.transition for item in after.resolved.tracks[0].items) == (how != "gap")

    def test_a_split_shows_the_same_and_puts_together_again(self) -> None:
        whole, halves = plan(film()), done({"op": "split", "item": "b", "at": 20})
        assert row(halves) == [("a", 0, 44), ("b", 44, 20), ("b~2", 64, 22), ("c", 86, 30)]
        kept = {segment.key for segment in whole.segments} & {segment.key for segment in plan(halves).segments}
        assert (
            len(kept) == len(whole.segments) - 2
        )  # the body that is split, and the transition that its first half takes part in
        before, after = [windows(each) for each in (whole, plan(halves))]
        assert all(abs(before[frame] - after[frame]) < Decimal("0.00001") for frame in range(38, 86))
        again = done({"op": "delete", "item": "b~2", "how": "neighbour"}, to=halves)
        assert row(again) == row(film())


class TestRefusals:
    @pytest.mark.parametrize(
        ("wish", "code"),
        [
            ({"op": "trim", "item": "a", "edge": "end", "frames": -44}, "E_ZERO_LENGTH"),
            ({"op": "trim", "item": "a", "edge": "end", "frames": 80}, "E_ZERO_LENGTH"),
            ({"op": "trim", "item": "c", "edge": "end", "frames": 1}, "E_AFTER_END"),
            ({"op": "trim", "item": "a", "edge": "end", "frames": 900, "how": "ripple"}, "E_ZERO_LENGTH"),
            ({"op": "trim", "item": "a", "edge": "start", "frames": -1}, "E_BEFORE_START"),
            ({"op": "trim", "item": "a", "edge": "end", "frames": 1, "how": "gap"}, "E_OVERLAP"),
            ({"op": "trim", "item": "voice", "edge": "start", "frames": -1}, "E_SOURCE_RANGE"),
            ({"op": "move", "item": "title", "frames": -11}, "E_BEFORE_START"),
            ({"op": "move", "item": "title", "frames": 200}, "E_AFTER_END"),
            ({"op": "split", "item": "a", "at": 44}, "E_ZERO_LENGTH"),
            ({"op": "delete", "item": "nothing"}, "E_UNKNOWN_REF"),
            ({"op": "delete", "item": "voice"}, "E_UNKNOWN_REF"),
            ({"op": "reorder", "item": "a", "after": "title"}, "E_UNKNOWN_REF"),
            ({"op": "transition", "item": "a", "kind": "crossfade", "frames": 90}, "E_TRANSITION_TOO_LONG"),
            ({"op": "transition", "item": "voice", "kind": "wipe", "frames": 9}, "E_TRANSITION_KIND"),
            ({"op": "motion", "item": "voice", "motion": "zoom-in"}, "E_EDIT"),
            ({"op": "place", "item": "a", "anchor": "top"}, "E_EDIT"),
            ({"op": "gain", "item": "a", "gain_db": "-3"}, "E_EDIT"),
            ({"op": "text", "item": "a", "text": "Hi"}, "E_EDIT"),
            ({"op": "fades", "item": "title", "fade_in": 30, "fade_out": 11}, "E_FADE_TOO_LONG"),
            ({"op": "asset", "item": "title", "sha256": "f" * 64, "width": 8, "height": 8}, "E_ASSET_KIND"),
            ({"op": "effect", "item": "a", "effect": "blur", "on": False}, "E_EDIT"),
            ({"op": "effect", "item": "a", "effect": "blur", "params": {"radius": "9"}}, "E_VALUE"),
            ({"op": "motion", "item": "a", "motion": "zoom-on"}, "E_OPERATION"),
            ({"op": "fly", "item": "a"}, "E_UNKNOWN_EDIT"),
        ],
    )
    def test_what_cannot_be_done_says_why_and_changes_nothing(self, wish: Mapping[str, Any], code: str) -> None:
        assert refused(wish) == code

    def test_a_transition_says_the_largest_that_fits(self) -> None:
        with pytest.raises(TimelineError) as caught:
            done({"op": "transition", "item": "a", "kind": "crossfade", "frames": 90})
        assert caught.value.faults[0].allowed


class TestLooks:
    def test_a_transition_is_put_changed_and_taken_away(self) -> None:
        put = done({"op": "transition", "item": "b", "kind": "wipe", "frames": 10})
        found = [item for item in put.resolved.tracks[0].items if item.transition]
        assert [(item.transition.transition, item.count) for item in found if item.transition] == [
            ("crossfade", 12),
            ("wipe", 10),
        ]
        changed = done({"op": "transition", "item": "b", "edge": "start", "kind": "dip", "frames": 8}, to=put)
        assert [item.count for item in changed.resolved.tracks[0].items if item.transition] == [8, 10]
        gone = done({"op": "transition", "item": "a", "kind": "none"}, to=changed)
        assert [item.count for item in gone.resolved.tracks[0].items if item.transition] == [10]

    def test_another_picture_is_shown_and_an_unused_one_forgotten(self) -> None:
        wish = {"op": "asset", "item": "b", "width": 800, "height": 600, "fit": "contain"}
        once = done({**wish, "sha256": "e" * 64})
        twice = done({**wish, "sha256": "f" * 64}, to=once)
        assert "f" * 64 in plan(twice).assets
        assert not any(name.startswith("picture-e") for name in twice.document.assets)
        assert "e" * 64 in {each.sha256 for each in once.media.values()}

    @pytest.mark.parametrize(
        ("wish", "field", "value"),
        [
            ({"op": "motion", "item": "a", "motion": "none"}, "motion", None),
            ({"op": "fades", "item": "title", "fade_in": 6}, "fades", {"in": "6f", "out": None, "curve": "linear"}),
            ({"op": "text", "item": "title", "text": "Bye"}, "text", "Bye"),
        ],
    )
    def test_a_field_changes(self, wish: Mapping[str, Any], field: str, value: Any) -> None:
        after = done(wish)
        items = [item for track in after.plain["sequence"]["tracks"] for item in track["items"]]
        assert next(item for item in items if item["id"] == wish["item"])[field] == value

    def test_effects_gain_place_and_captions(self) -> None:
        after = done(
            {"op": "effect", "item": "a", "effect": "blur", "params": {"radius": "0.05"}},
            {"op": "effect", "item": "a", "effect": "sepia"},
            {"op": "effect", "item": "a", "effect": "sepia", "on": False},
            {"op": "gain", "item": "bed", "gain_db": "-6.5"},
            {"op": "place", "item": "title", "anchor": "top-left"},
            {"op": "captions", "effect": "karaoke", "accent": "#ff0000"},
        )
        tracks = after.document.sequence.tracks
        assert [use.effect for use in tracks[0].items[0].effects] == ["blur"]  # type: ignore[union-attr]
        assert float(tracks[4].items[0].audio.gain_db) == -6.5  # type: ignore[union-attr]
        assert tracks[1].items[0].layout.anchor == "top-left"  # type: ignore[union-attr]
        assert tracks[2].effect == "karaoke"
        assert after.document.profiles[0].captions.accent == "#ff0000"  # type: ignore[union-attr]
        off = done({"op": "captions", "effect": "none", "on": False}, to=after)
        assert plan(after).cues
        assert not plan(off).cues


# ── Properties ────────────────────────────────────────────────────────────────────────────────────────────
ITEMS = st.sampled_from(["a", "b", "c", "b~2", "a~2", "title", "voice", "bed", "gone"])
FRAMES = st.integers(-60, 60)
WISHES = st.one_of(
    st.builds(
        lambda item, edge, frames, how: {"op": "trim", "item": item, "edge": edge, "frames": frames, "how": how},
        ITEMS,
        st.sampled_from(["start", "end"]),
        FRAMES,
        st.sampled_from(["roll", "ripple", "gap"]),
    ),
    st.builds(lambda item, n: {"op": "length", "item": item, "frames": abs(n) + 1}, ITEMS, FRAMES),
    st.builds(lambda item, n: {"op": "move", "item": item, "frames": n}, ITEMS, FRAMES),
    st.builds(
        lambda item, after: {"op": "reorder", "item": item, "after": after}, ITEMS, st.one_of(st.just(""), ITEMS)
    ),
    st.builds(lambda item, n: {"op": "split", "item": item, "at": abs(n) + 1}, ITEMS, FRAMES),
    st.builds(
        lambda item, how: {"op": "delete", "item": item, "how": how},
        ITEMS,
        st.sampled_from(["gap", "ripple", "neighbour"]),
    ),
    st.builds(
        lambda item, edge, kind, n: {
            "op": "transition",
            "item": item,
            "edge": edge,
            "kind": kind,
            "frames": abs(n) + 1,
        },
        ITEMS,
        st.sampled_from(["start", "end"]),
        st.sampled_from(["crossfade", "wipe", "none"]),
        FRAMES,
    ),
    st.builds(lambda item, n: {"op": "fades", "item": item, "fade_in": abs(n), "fade_out": 3}, ITEMS, FRAMES),
    st.builds(lambda item: {"op": "motion", "item": item, "motion": "drift"}, ITEMS),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(WISHES, min_size=1, max_size=8))
def test_any_sequence_leaves_a_document_that_checks(wishes: list[dict[str, Any]]) -> None:
    """Each operation answers a document that loads, resolves and compiles, or faults; other tracks never move."""
    draft, told = film(), list[Fault]()
    for wish in wishes:
        before = {track.id: track.items for track in draft.resolved.tracks}
        try:
            after = apply_operation(draft, read_operation(wish), lambda new: plan(new) and None)
        except TimelineError as error:
            told += error.faults
            continue
        moved = [track.id for track in after.resolved.tracks if _times(track.items) != _times(before[track.id])]
        touched = [track.id for track in after.resolved.tracks if any(i.id == wish["item"] for i in before[track.id])]
        if wish["item"] != "voice":
            assert set(moved) <= set(touched)
        assert load(after.document.model_dump_json()) == after.document
        draft = after
    assert all(fault.code.startswith(("E_", "W_")) and fault.message for fault in told)


def _times(items: Any) -> list[tuple[str, int, int]]:
    return [(item.id, item.first, item.count) for item in items]


def test_a_stored_list_is_done_again_and_what_does_not_fit_is_named() -> None:
    wishes = [
        {"op": "trim", "item": "a", "edge": "end", "frames": 7},
        {"op": "delete", "item": "gone"},
        {"op": "motion", "item": "b", "motion": "drift"},
    ]
    operations = [read_operation(wish) for wish in wishes]
    again = replay(film(), [read_operation(write_operation(each)) for each in operations])
    assert [(each.number, each.faults[0].code) for each in again.unfit] == [(1, "E_UNKNOWN_REF")]
    assert again.draft.document == done(wishes[0], wishes[2]).document


def test_every_operation_has_a_doer() -> None:
    assert set(WORDS) == set(DOERS)
