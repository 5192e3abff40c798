"""OpenTimelineIO: out and in again is the same; edits come back by item; hostile files are refused in a sentence."""

from __future__ import annotations

import json

import opentimelineio as otio
import pytest

from adapters.interchange.edl import write_edl
from adapters.interchange.otio_reader import read_otio
from adapters.interchange.otio_writer import write_otio
from tests.timeline.making import GOLDEN, deep_sky_media, document, media, pictures
from timeline.document import Document
from timeline.faults import TimelineError
from timeline.loading import load, parse
from timeline.resolve import resolve
from timeline.resolved import ResolvedTimeline


def deep_sky() -> tuple[Document, ResolvedTimeline]:
    read = load((GOLDEN / "deep_sky.json").read_text())
    return read, resolve(read, deep_sky_media())


def cut_film() -> tuple[Document, ResolvedTimeline]:
    read = parse(
        document(
            pictures(
                {"id": "a", "asset": "p1", "length": "60f"},
                {"id": "x", "transition": "crossfade", "duration": "8f"},
                {"id": "b", "asset": "p2", "length": "60f", "motion": "zoom-in"},
                {"id": "n", "sequence": "inner", "length": "20f"},
                {"id": "c", "text": "end", "place": {"at": "6"}, "length": "30f"},
            )
        )
        | {"sequences": {"inner": {"tracks": [pictures({"id": "i", "asset": "p3", "length": "1"})]}}}
    )
    return read, resolve(read, media())


def timeline_of(text: str) -> otio.schema.Timeline:
    return otio.adapters.read_from_string(text, "otio_json")


def text_of(timeline: otio.schema.Timeline) -> str:
    return str(otio.adapters.write_to_string(timeline, "otio_json"))


class TestRoundTrip:
    @pytest.mark.parametrize("make", [deep_sky, cut_film])
    def test_out_and_in_again_is_the_same_document(self, make):
        before, resolved = make()
        after, report = read_otio(write_otio(before, resolved))
        assert after == before
        assert (report.changed, report.lost) == ([], [])

    def test_times_are_whole_numbers_at_the_rate(self):
        timeline = timeline_of(write_otio(*cut_film()))
        a, x, b, *_ = timeline.tracks[0]
        assert (a.source_range.duration.value, a.source_range.duration.rate) == (60, 30)
        assert (x.in_offset.value, x.out_offset.value) == (4, 4)
        assert b.range_in_parent().start_time.value == 60


class TestMerge:
    def test_a_trim_and_a_new_order_come_back_by_item(self):
        read, resolved = cut_film()
        timeline = timeline_of(write_otio(read, resolved))
        track = timeline.tracks[0]
        b = next(child for child in track if child.name == "b")
        b.source_range = otio.opentime.TimeRange(b.source_range.start_time, otio.opentime.RationalTime(45, 30))
        merged, report = read_otio(text_of(timeline))
        found = {item.id: item for item in resolve(merged, media()).tracks[0].items}
        assert (found["b"].first, found["b"].count) == (60, 45)
        assert found["n"].first == 105
        assert found["b"].clip is not None
        assert found["b"].clip.motion is not None
        assert report.kept[:2] == ["a", "x"]
        assert any(row.startswith("b: length 60 → 45") for row in report.changed)

    def test_removed_new_and_unknown_things_are_told(self):
        timeline = timeline_of(write_otio(*cut_film()))
        track = timeline.tracks[0]
        del track[-1]
        new = otio.schema.Clip(
            name="new",
            source_range=otio.opentime.TimeRange(otio.opentime.RationalTime(0, 30), otio.opentime.RationalTime(15, 30)),
            media_reference=otio.schema.ExternalReference(target_url="p9"),
        )
        new.effects.append(otio.schema.Effect(effect_name="LensFlare"))
        track.append(new)
        track.append(otio.schema.Clip(name="ghost", source_range=new.source_range))
        merged, report = read_otio(text_of(timeline))
        assert merged.sequence.tracks[0].items[-1].id.startswith("imported-")
        assert any("c: removed" in row for row in report.changed)
        assert any("ghost" in row for row in report.lost)

    def test_changes_inside_a_nested_sequence_are_not_taken_over_silently(self):
        timeline = timeline_of(write_otio(*cut_film()))
        nest = next(child for child in timeline.tracks[0] if isinstance(child, otio.schema.Stack))
        nest[0].append(otio.schema.Gap(duration=otio.opentime.RationalTime(5, 30)))
        _, report = read_otio(text_of(timeline))
        assert report.lost == ["n: changes inside a nested sequence"]

    def test_a_strangers_timeline_is_read(self):
        timeline = otio.schema.Timeline(name="theirs")
        track = otio.schema.Track(kind="Video")
        span = otio.opentime.TimeRange(otio.opentime.RationalTime(0, 24), otio.opentime.RationalTime(48, 24))
        track.append(otio.schema.Clip("one", otio.schema.ExternalReference("p1"), span))
        timeline.tracks.append(track)
        read, report = read_otio(text_of(timeline))
        assert read.sequence.fps == 24
        assert report.lost


class TestHostile:
    def test_old_schemas_are_read(self):
        old = write_otio(*cut_film()).replace('"Clip.2"', '"Clip.1"')
        data = json.loads(old)
        for child in data["tracks"]["children"][0]["children"]:
            if child["OTIO_SCHEMA"] == "Clip.1":
                child["media_reference"] = child.pop("media_references")["DEFAULT_MEDIA"]
                child.pop("active_media_reference_key")
        data["tracks"]["children"][0]["OTIO_SCHEMA"] = "Sequence.1"
        read, report = read_otio(json.dumps(data))
        assert read == cut_film()[0]
        assert not report.changed

    @pytest.mark.parametrize("word", ["Inf", "NaN", "-Inf"])
    def test_times_that_are_none_are_refused(self, word):
        text = write_otio(*cut_film()).replace('"value": 60.0', f'"value": {word}', 1)
        with pytest.raises(TimelineError, match="time that is none"):
            read_otio(text)

    @pytest.mark.parametrize(
        "text",
        ["", "{", "[]", "null", "[" * 100_000, '{"OTIO_SCHEMA": "Clip.2"}', '{"OTIO_SCHEMA": "Nothing.1"}', "\0" * 50],
    )
    def test_what_is_no_timeline_is_refused(self, text):
        with pytest.raises(TimelineError, match="OpenTimelineIO"):
            read_otio(text)


class TestEdl:
    def test_events_and_losses(self):
        text, losses = write_edl(cut_film()[1])
        lines = text.splitlines()
        assert lines[0].startswith("TITLE:")
        assert "001  P1       V     C        00:00:00:00 00:00:02:00 00:00:00:00 00:00:02:00" in lines
        assert any(line.startswith("002  P2       V     D    008") for line in lines)
        assert any("the camera path" in loss for loss in losses)
