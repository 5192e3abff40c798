"""Where a picture is sampled, frame by frame: easing, camera windows, and maps from canvas to planes.

Plan values are exact decimals; they become floats only here. A map along one axis, `scale·i + shift`, runs
between pixel indices (centres at whole numbers).

Chroma of 4:2:0 is sited as H.264 assumes it: horizontally on even luma columns, vertically between two rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from timeline.plan import Motion, Window

Ease = tuple[str, str, str, str]
LINEAR: Ease = ("0", "0", "1", "1")
PARTS = 2
"""Into how many parts copies divide a pixel along each axis."""
LEADS = 80
"""How many extra leading columns or rows a resize may draw to reach a wanted phase."""
NEAR = 0.002
_MIDDLES = np.arange(LEADS) + 0.5


@dataclass(frozen=True)
class Axis:
    """A map along one axis: source index = scale · index + shift."""

    scale: float
    shift: float


@dataclass(frozen=True)
class View:
    """The four maps of one frame."""

    luma_x: Axis
    luma_y: Axis
    chroma_x: Axis
    chroma_y: Axis


@dataclass(frozen=True)
class Phase:
    """How a resize reaches a map: from whole source pixel `start` of the copy shifted by `part`/PARTS, after
    `lead` columns or rows that are thrown away; `error` is what is left, in source pixels."""

    start: int
    part: int
    lead: int
    error: float


@lru_cache(maxsize=4096)
def eased(at: int, of: int, ease: Ease) -> float:
    """Progress 0..1 of step `at` among `of` steps through a cubic Bézier from (0,0) to (1,1)."""
    if of <= 0:
        return 0.0
    u = min(max(at / of, 0.0), 1.0)
    if ease == LINEAR or u in (0.0, 1.0):
        return u
    x1, y1, x2, y2 = (float(part) for part in ease)
    low, high = 0.0, 1.0
    for _ in range(52):
        middle = (low + high) / 2
        if _bezier(middle, x1, x2) < u:
            low = middle
        else:
            high = middle
    return _bezier((low + high) / 2, y1, y2)


def _bezier(s: float, p1: float, p2: float) -> float:
    return 3 * (1 - s) ** 2 * s * p1 + 3 * (1 - s) * s * s * p2 + s**3


@dataclass(frozen=True)
class Rect:
    """A window in fractions of the fitted picture, as floats."""

    x: float
    y: float
    w: float
    h: float


WHOLE = Rect(0.0, 0.0, 1.0, 1.0)


def window_at(motion: Motion | None, frame: int) -> Rect:
    """The camera window at a frame of the segment."""
    if motion is None:
        return WHOLE
    along = eased(motion.offset + frame, motion.item_frames - 1, motion.ease)
    a, b = _rect(motion.start), _rect(motion.end)
    return Rect(*(p + (q - p) * along for p, q in zip(_parts(a), _parts(b), strict=True)))


@lru_cache(maxsize=256)
def _rect(window: Window) -> Rect:
    return Rect(float(window.x), float(window.y), float(window.w), float(window.h))


def _parts(rect: Rect) -> tuple[float, float, float, float]:
    return rect.x, rect.y, rect.w, rect.h


def moves(motion: Motion | None) -> bool:
    """Whether the window changes at all."""
    return motion is not None and motion.item_frames > 1 and _rect(motion.start) != _rect(motion.end)


def closest_zoom(motion: Motion | None) -> float:
    """How far the camera goes in at most: whole width over the smallest window's width, at least 1."""
    if motion is None:
        return 1.0
    smallest = min(min(rect.w, rect.h) for rect in (_rect(motion.start), _rect(motion.end)))
    return max(1.0, 1.0 / max(smallest, 1e-3))


def view(rect: Rect, source: tuple[int, int], canvas: tuple[int, int]) -> View:
    """Maps from a canvas (w, h) to planes of a fitted picture (w, h) seen through a window."""
    x = _axis(rect.x * source[0], rect.w * source[0] / canvas[0])
    y = _axis(rect.y * source[1], rect.h * source[1] / canvas[1])
    return View(x, y, Axis(x.scale, x.shift / 2), Axis(y.scale, (0.5 * y.scale + y.shift - 0.5) / 2))


def _axis(origin: float, scale: float) -> Axis:
    return Axis(scale, origin + 0.5 * scale - 0.5)


def best_phase(axis: Axis, parts: int = PARTS, leads: int = LEADS) -> Phase:
    """How a plain resize, which always starts at 0.5·scale − 0.5, comes nearest to a map.

    Only every `PARTS / parts`-th copy is looked at; the fewest leads among equally near ones are taken.
    """
    wanted = axis.shift - _MIDDLES[:leads] * axis.scale + 0.5
    steps = np.rint(wanted * parts)
    errors = wanted - steps / parts
    distance = np.abs(errors)
    near = distance <= NEAR
    lead = int(near.argmax())
    if not near[lead]:
        lead = int(distance.argmin())
    start, part = divmod(int(steps[lead]) * (PARTS // parts), PARTS)
    return Phase(start, part, lead, float(errors[lead]))
