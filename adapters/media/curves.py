"""Values that change over an item: keys with easing, and fades at its ends."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from adapters.media.geometry import eased
from timeline.parts import Curve, CurveKey

STEPS = 4096


def value_at(keys: Sequence[CurveKey], frame: float) -> float:
    """The value at an item frame: constant before the first key and after the last, eased between."""
    if frame <= keys[0].frame:
        return float(keys[0].value)
    for before, after in itertools.pairwise(keys):
        if frame < after.frame:
            if before.hold:
                return float(before.value)
            span = after.frame - before.frame
            share = eased(round((frame - before.frame) * STEPS), span * STEPS, before.ease)
            return float(before.value) + (float(after.value) - float(before.value)) * share
    return float(keys[-1].value)


def by_property(curves: Sequence[Curve]) -> Mapping[str, Sequence[CurveKey]]:
    """Curves that have keys, by what they move."""
    return {curve.property: curve.keys for curve in curves if curve.keys}


def moves(keys: Sequence[CurveKey]) -> bool:
    return len({float(key.value) for key in keys}) > 1


def fade_at(frame: int, frames: int, fades: tuple[int, int]) -> float:
    """How much of an item shows at its frame: frame k of a fade of n shows (k + 1) / (n + 1)."""
    rise, fall = fades
    share = 1.0
    if rise and frame < rise:
        share = (frame + 1) / (rise + 1)
    if fall and frame >= frames - fall:
        share = min(share, (frames - frame) / (fall + 1))
    return min(max(share, 0.0), 1.0)
