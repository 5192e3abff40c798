"""What items show, as contents of plan layers: files, generators, and the exact clock of moving pictures."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from timeline.document import Clip
from timeline.generators import GradientFill
from timeline.media import WORD_RATE
from timeline.resolved import ResolvedItem, ResolvedTimeline
from timeline.stage import Bar, Code, Content, Fill, Gradient, Image, Shape, Stop, Video, Wave
from timeline.time import format_decimal, round_half_up, snap_sample

if TYPE_CHECKING:
    from timeline.drawing import Span

LIVE_WINDOW = WORD_RATE // 5
_SIZES = {
    "shape": (Fraction(20), Fraction(20), "vmin"),
    "qr": (Fraction(24), Fraction(24), "vmin"),
    "progress": (Fraction(60), Fraction(1), "vw"),
    "waveform": (Fraction(60), Fraction(10), "vw"),
}
"""Width, height and unit (hundredths of the canvas) of drawn things without a size."""


def natural_size(timeline: ResolvedTimeline, clip: Clip, px: Fraction) -> tuple[int, int]:
    """Answer the size that something has by itself: a file's in its own pixels, other things' on the canvas."""
    if clip.asset is not None:
        media, crop = timeline.media[clip.asset], clip.layout.crop or (Fraction(0),) * 4
        width, height = media.width * (1 - crop[0] - crop[2]), media.height * (1 - crop[1] - crop[3])
        return max(round_half_up(width), 1), max(round_half_up(height), 1)
    canvas = timeline.nests[clip.sequence].canvas if clip.sequence else timeline.canvas
    whole = round_half_up(canvas[0] * px), round_half_up(canvas[1] * px)
    if clip.content not in _SIZES:
        return whole
    wide, high, unit = _SIZES[clip.content]
    side = whole[0] if unit == "vw" else min(whole)
    return max(round_half_up(wide * side / 100), 2), max(round_half_up(high * side / 100), 2)


def content_of(timeline: ResolvedTimeline, item: ResolvedItem, clip: Clip, span: Span) -> Content:
    """Answer what a clip shows; texts and nests are made elsewhere."""
    if clip.asset is not None:
        media = timeline.media[clip.asset]
        return Image(asset=media.sha256) if media.kind == "image" else _video(timeline, item, clip, span)
    if clip.gradient is not None:
        return _gradient(clip.gradient)
    if clip.shape is not None:
        figure = clip.shape
        return Shape(
            shape=figure.shape,
            fill=figure.fill or ("" if figure.stroke else "#ffffff"),
            stroke=figure.stroke or "",
            stroke_width=round_half_up(figure.stroke_width) if figure.stroke else 0,
            points=tuple((format_decimal(x), format_decimal(y)) for x, y in figure.points),
        )
    if clip.progress is not None:
        bar = clip.progress
        return Bar(colour=bar.color, ground=bar.ground or "", direction=bar.direction)
    if clip.qr is not None:
        code = clip.qr
        return Code(text=item.text, colour=code.color, ground=code.ground or "", level=code.level, quiet=code.quiet)
    if clip.waveform is not None:
        return _wave(timeline, item, clip, span)
    return Fill(colour=clip.color or timeline.background)


def _gradient(fill: GradientFill) -> Gradient:
    last = max(len(fill.colors) - 1, 1)
    spread = tuple(
        Stop(at=format_decimal(Fraction(place, last)), colour=colour) for place, colour in enumerate(fill.colors)
    )
    given = tuple(
        Stop(at=format_decimal(stop.at), colour=stop.color, opacity=format_decimal(stop.opacity)) for stop in fill.stops
    )
    return Gradient(shape=fill.shape, angle=format_decimal(fill.angle), stops=given or spread)


# ── Clocks ────────────────────────────────────────────────────────────────────────────────────────────────
def _video(timeline: ResolvedTimeline, item: ResolvedItem, clip: Clip, span: Span) -> Video:
    """Answer a film with its clock: item frame 0 lies `lead` frames before the item's own first."""
    assert clip.asset is not None
    media, fps = timeline.media[clip.asset], timeline.fps
    duration = media.duration or Fraction(0)
    begin = item.source_in(fps)
    step = clip.speed / fps
    # Frames begin on the film's grid, an item may not: the picture is the one of the frame's own moment.
    start = begin + (Fraction(item.first - span.lead) / fps - item.start) * clip.speed
    low, high = Fraction(0), duration
    if clip.loop:
        low, high = begin, begin + clip.source.dur.at(fps) if clip.source.dur is not None else duration
    if clip.frozen is not None:
        start, step = clip.frozen.at(fps), Fraction(0)
    elif clip.reversed:
        # A frame shown backwards ends where it would have begun.
        start, step = begin + (item.end - item.start) * clip.speed - (start - begin) - step, -step
    elif span.slow and span.frames > 1:
        first, last = max(start, low), min(start + step * span.frames, high)
        start, step = first, (last - first) / span.frames
    return Video(asset=media.sha256, loop=clip.loop, **_integers(start, step, low, high))


def _integers(start: Fraction, step: Fraction, low: Fraction, high: Fraction) -> dict[str, int]:
    """Write four times over one common denominator."""
    scale = math.lcm(start.denominator, step.denominator, low.denominator, high.denominator)
    return {
        "start": int(start * scale),
        "step": int(step * scale),
        "scale": scale,
        "low": int(low * scale),
        "high": int(high * scale),
    }


def _wave(timeline: ResolvedTimeline, item: ResolvedItem, clip: Clip, span: Span) -> Wave:
    """Answer the shape of the sound that is heard while the item is seen, if one clip plays it, else of its start."""
    assert clip.waveform is not None
    wave, fps = clip.waveform, timeline.fps
    begin = Fraction(span.begin) / fps
    players = [
        other
        for track in timeline.tracks
        for other in track.items
        if track.kind == "audio" and other.clip and other.clip.enabled and other.clip.asset == wave.asset
    ]
    heard = players[0] if len(players) == 1 else None
    start = begin - heard.start + heard.source_in(fps) if heard else item.source_in(fps) - (item.start - begin)
    return Wave(
        asset=timeline.media[wave.asset].sha256,
        style=wave.style,
        mode=wave.mode,
        colour=wave.color,
        ground=wave.ground or "",
        bars=wave.bars,
        start=snap_sample(start, WORD_RATE),
        samples=snap_sample(Fraction(span.frames) / fps, WORD_RATE),
        window=LIVE_WINDOW,
    )
