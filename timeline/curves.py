"""Keyframes, entrances, exits and effects of items, as curves over item frames."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from timeline.document import Clip
from timeline.document import Motion as CameraPath
from timeline.effects import EFFECTS
from timeline.looks import Animation
from timeline.parts import Curve, CurveKey, Ease, Effect, Motion, Window
from timeline.presets import ENTRANCES
from timeline.resolved import ResolvedItem, ResolvedTimeline
from timeline.time import format_decimal, round_half_up
from timeline.values import read_length

if TYPE_CHECKING:
    from timeline.drawing import Span


def curves_of(
    clip: Clip, item: ResolvedItem, span: Span, fps: Fraction, canvas: tuple[int, int], px: Fraction
) -> tuple[Curve, ...]:
    """Answer the curves of a layer's own properties; lengths in pixels of the canvas."""
    curves: list[Curve] = []
    for animation in clip.animations:
        if animation.preset is not None:
            curves += _entrance(animation, animation.preset, item, span, fps, canvas, px)
        elif animation.property is not None and "." not in animation.property:
            scale = px if animation.property in ("x", "y") else Fraction(1)
            curves.append(Curve(property=animation.property, keys=_keys(animation, item, span, fps, scale)))
    return tuple(curves)


def _keys(animation: Animation, item: ResolvedItem, span: Span, fps: Fraction, scale: Fraction) -> tuple[CurveKey, ...]:
    """Answer keys in order of time; of several on one frame the last written holds."""
    keys: dict[int, CurveKey] = {}
    for key in animation.keys:
        frame = span.lead + round_half_up(key.t.at(item.end - item.start, fps) * fps)
        value = format_decimal(key.v * scale)
        if key.ease == "hold":
            keys[frame] = CurveKey(frame=frame, value=value, hold=True)
        else:
            keys[frame] = CurveKey(frame=frame, value=value, ease=key.ease)
    return tuple(keys[frame] for frame in sorted(keys))


def _entrance(
    animation: Animation,
    preset: str,
    item: ResolvedItem,
    span: Span,
    fps: Fraction,
    canvas: tuple[int, int],
    px: Fraction,
) -> Iterator[Curve]:
    """Answer the curves of an entrance, or of an exit, which runs the other way and ends with the item's last frame."""
    frames = max(min(round_half_up(animation.duration.at(fps) * fps), item.count - 1), 1)
    begin = span.lead if animation.edge == "in" else span.lead + item.count - 1 - frames
    for name, (away, rest) in ENTRANCES[preset].items():
        if name in ("x", "y"):
            values = [read_length(each).pixels(canvas[name == "y"], canvas, px) for each in (away, rest)]
        else:
            values = [Fraction(away), Fraction(rest)]
        ease = animation.ease
        if animation.edge == "out":
            values, ease = values[::-1], _turned(ease)
        first, last = (format_decimal(value) for value in values)
        keys = (CurveKey(frame=begin, value=first, ease=ease), CurveKey(frame=begin + frames, value=last))
        yield Curve(property=name, keys=keys)


def _turned(ease: Ease) -> Ease:
    """Answer an easing run backwards."""
    x1, y1, x2, y2 = (1 - Fraction(part) for part in ease)
    return format_decimal(x2), format_decimal(y2), format_decimal(x1), format_decimal(y1)


# ── Effects ───────────────────────────────────────────────────────────────────────────────────────────────
def effects_of(
    timeline: ResolvedTimeline, clip: Clip, item: ResolvedItem, span: Span, px: Fraction
) -> tuple[Effect, ...]:
    """Answer the effects of a clip in order; those that change time alone are in its clock."""
    effects: list[Effect] = []
    for use in clip.effects:
        if not use.enabled or use.effect not in EFFECTS:
            continue
        params = EFFECTS[use.effect].read_params(use.params)
        if use.effect == "lut":
            params["asset"] = timeline.media[params["asset"]].sha256
        curves = tuple(
            Curve(
                property=animation.property.partition(".")[2],
                keys=_keys(animation, item, span, timeline.fps, Fraction(1)),
            )
            for animation in clip.animations
            if animation.property is not None and animation.property.partition(".")[0] == use.effect
            if "." in animation.property
        )
        effects.append(Effect(name=use.effect, params=params, curves=curves))
    return tuple(effects)


# ── Camera ────────────────────────────────────────────────────────────────────────────────────────────────
def motion_of(path: CameraPath, span: Span, offset: int) -> Motion:
    """Answer a camera path over the item's frames, for a segment that begins at item frame `offset`."""
    return Motion(
        start=window_of(path.from_), end=window_of(path.to), ease=path.ease, item_frames=span.frames, offset=offset
    )


@lru_cache(maxsize=4096)
def window_of(rect: tuple[Fraction, Fraction, Fraction, Fraction]) -> Window:
    """Correct a rectangle to the box's aspect (equal fractions) about its centre, and keep it inside the picture."""
    x, y, w, h = rect
    size = max(w, h)
    left = min(max(x + w / 2 - size / 2, Fraction(0)), 1 - size)
    top = min(max(y + h / 2 - size / 2, Fraction(0)), 1 - size)
    side = format_decimal(size)
    return Window(x=format_decimal(left), y=format_decimal(top), w=side, h=side)
