"""Segments and sound become one film: picture by copy, sound once, ready to stream.

Picture packets keep their order; their times are counted anew, so that every gap is exactly one frame
whatever a segment's own container said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from adapters.media.aac import encode_within
from adapters.media.codecs import reorder
from adapters.media.encoder import file_fault
from adapters.media.errors import MediaError, NotAVideo, PlanUnrenderable
from adapters.media.probe import open_media
from timeline.plan import RenderPlan

MOVFLAGS = "+faststart"
CLOCK = {"movie_timescale": "240000"}
"""Ticks in which frames of every usual rate and samples at 48 kHz are whole, so that lengths stay exact."""


def join_film(
    plan: RenderPlan,
    segments: Sequence[Path],
    sound: Path,
    out: Path,
    folder: Path,
    report: Callable[[int, int], None],
) -> None:
    """Write the finished MP4 to `out`; progress in frames. Raises PlanUnrenderable, DiskFull, ToolFailed."""
    if len(segments) != len(plan.segments):
        raise PlanUnrenderable(f"The plan has {len(plan.segments)} segments; {len(segments)} files came.")
    voice = encode_within(sound, plan.sound.master, plan.output.encoding.audio_bitrate, folder)
    try:
        with av.open(str(out), "w", format="mp4", options=_box_options(plan)) as box:
            _mux(plan, segments, voice, box, report)
    except MediaError:
        raise
    except (av.FFmpegError, OSError) as fault:
        raise file_fault(fault, "write the film") from fault


def _box_options(plan: RenderPlan) -> dict[str, str]:
    rate = plan.output.rate
    scale = rate.num if rate.num >= 10_000 else rate.num * 512
    return {"movflags": MOVFLAGS, "fflags": "+bitexact", "video_track_timescale": str(scale), **CLOCK}


def _mux(plan: RenderPlan, segments: Sequence[Path], voice: Path, box: Any, report: Callable[[int, int], None]) -> None:
    box.metadata["title"] = plan.title
    first = open_media(segments[0], NotAVideo)
    with first, av.open(str(voice)) as sound:
        picture = box.add_stream_from_template(first.streams.video[0], opaque=True)
        picture.time_base = Fraction(plan.output.rate.den, plan.output.rate.num)
        speech = box.add_stream_from_template(sound.streams.audio[0])
        speech.metadata["language"] = "und"
        pending = sound.demux(sound.streams.audio[0])
        heard: Any = next(pending)
        for number, packet in enumerate(picture_packets(plan, segments)):
            at = Fraction(packet.dts) * packet.time_base
            while heard is not None and heard.dts is not None and heard.dts * heard.time_base <= at:
                heard.stream = speech
                box.mux(heard)
                heard = next(pending, None)
            packet.stream = picture
            box.mux(packet)
            report(number + 1, plan.frames)
        while heard is not None and heard.dts is not None:
            heard.stream = speech
            box.mux(heard)
            heard = next(pending, None)


def picture_packets(plan: RenderPlan, segments: Sequence[Path]) -> Iterator[Any]:
    """All picture packets in decoding order with times in frames of the film. Raises PlanUnrenderable."""
    lengths = [segment.frames for segment in plan.segments]
    return _packets(
        segments, lengths, Fraction(plan.output.rate.den, plan.output.rate.num), reorder(plan.output.encoding)
    )


def join_copies(pieces: Sequence[tuple[Path, int]], plan: RenderPlan, out: Path, report: Callable[[int], None]) -> None:
    """Write silent pieces (path, frames) one after another into one MP4 without touching a picture."""
    tick = Fraction(plan.output.rate.den, plan.output.rate.num)
    try:
        with (
            av.open(str(out), "w", format="mp4", options={"fflags": "+bitexact"}) as box,
            open_media(pieces[0][0], NotAVideo) as first,
        ):
            picture = box.add_stream_from_template(first.streams.video[0], opaque=True)
            picture.time_base = tick
            paths, lengths = [path for path, _ in pieces], [frames for _, frames in pieces]
            for number, packet in enumerate(_packets(paths, lengths, tick, reorder(plan.output.encoding))):
                packet.stream = picture
                box.mux(packet)
                report(number + 1)
    except MediaError:
        raise
    except (av.FFmpegError, OSError) as fault:
        raise file_fault(fault, "write the picture") from fault


def _packets(paths: Sequence[Path], lengths: Sequence[int], tick: Fraction, ahead: int) -> Iterator[Any]:
    start, extradata = 0, None
    for number, (path, frames) in enumerate(zip(paths, lengths, strict=True)):
        with open_media(path, NotAVideo) as box:
            stream = box.streams.video[0]
            extradata = extradata or stream.codec_context.extradata
            if stream.codec_context.extradata != extradata:
                raise PlanUnrenderable(
                    f"Segment {number} was made with other settings than the first one.",
                    fix="Make the segments again.",
                )
            count = 0
            for packet in box.demux(stream):
                if packet.dts is None:
                    continue
                shown = Fraction(packet.pts) * stream.time_base / tick
                packet.time_base = tick
                packet.pts, packet.dts = start + round(shown), start + count - ahead
                packet.duration = 1
                count += 1
                yield packet
        if count != frames:
            raise PlanUnrenderable(
                f"Segment {number} has {count} frames instead of {frames}.",
                fix="Make it again.",
            )
        start += count
