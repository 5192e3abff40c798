"""The two parts of a split item: together they show what it has shown."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from timeline.easing import EASINGS
from timeline.editing.draft import Bench, Span, Spot, refused
from timeline.looks import Motion
from timeline.time import format_decimal

Plain = dict[str, Any]


def halve(bench: Bench, spot: Spot, first: Plain, later: Plain, cut: Fraction) -> None:
    """Share out what belongs to one part only: source, camera path, fades, entrances. Raises TimelineError."""
    start = spot.span[0]
    if any(animation.property for animation in spot.clip.animations) or spot.clip.audio.curve:
        raise refused("E_EDIT", f"{spot.clip.id!r} has keyframes, which cannot be cut in two.", spot.clip.id)
    _source(bench, spot, first, later, cut - start)
    for item in (first, later):
        item["fades"] = dict(item["fades"])
    first["fades"]["out"], later["fades"]["in"] = None, None
    first["animations"] = [each for each in first["animations"] if each["edge"] == "in"]
    later["animations"] = [each for each in later["animations"] if each["edge"] == "out"]
    if spot.clip.motion is not None:
        begin, stop = (bench.frame(edge) for edge in _seen(bench, spot))
        first["motion"], later["motion"] = _paths(spot.clip.motion, bench.frame(cut) - begin, stop - begin)


def _seen(bench: Bench, spot: Spot) -> Span:
    """From when to when an item is seen: its camera path goes on through the transitions at its edges."""
    begin, stop = spot.span
    for item in bench.draft.resolved.tracks[spot.track].items:
        if item.transition is not None:
            cut = item.first + item.reach[0]
            begin = min(begin, item.start) if cut == spot.resolved.first else begin
            stop = max(stop, item.end) if cut == spot.resolved.stop else stop
    return begin, stop


def _source(bench: Bench, spot: Spot, first: Plain, later: Plain, offset: Fraction) -> None:
    clip = spot.clip
    media = bench.media.get(clip.asset or "")
    if clip.sequence is None and (media is None or media.duration is None):
        return
    begin, used = clip.source.in_.at(bench.fps), offset * clip.speed
    next_in = begin + used
    if clip.loop and media is not None and media.duration:
        next_in %= media.duration
    left = clip.source.dur.at(bench.fps) - used if clip.source.dur else None
    later["source"] = {"in": str(next_in), "dur": str(left) if left is not None else None}
    if left is not None:
        first["source"] = {"in": str(begin), "dur": str(used)}


def _paths(motion: Motion, frames: int, whole: int) -> tuple[Plain, Plain]:
    """A camera path in two, after `frames` of `whole`: straight ones go on exactly, eased ones at an even pace.

    A path is at its start on its first frame and at its end on its last.
    """
    last, next_ = (_at(motion, Fraction(frame, max(whole - 1, 1))) for frame in (frames - 1, frames))
    begin, end = ([format_decimal(value) for value in window] for window in (motion.from_, motion.to))
    return {"from": begin, "to": last, "ease": "linear"}, {"from": next_, "to": end, "ease": "linear"}


def _at(motion: Motion, share: Fraction) -> list[str]:
    """The window of a path at a share of its time."""
    reached = share if motion.ease == EASINGS["linear"] else _eased(motion.ease, share)
    return [format_decimal(a + (b - a) * reached) for a, b in zip(motion.from_, motion.to, strict=True)]


def _eased(curve: tuple[str, ...], share: Fraction) -> Fraction:
    """The value of a Bézier easing at a share of its time, by halving the parameter until it is near enough."""
    x1, y1, x2, y2 = (Fraction(part) for part in curve)
    low, high = Fraction(0), Fraction(1)
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if _bezier(x1, x2, middle) < share else (low, middle)
    return _bezier(y1, y2, low)


def _bezier(a: Fraction, b: Fraction, t: Fraction) -> Fraction:
    return 3 * (1 - t) ** 2 * t * a + 3 * (1 - t) * t**2 * b + t**3
