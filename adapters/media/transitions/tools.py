"""What transitions share: they work plane by plane, on opaque YUV planes and on pictures with transparency alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from adapters.media.errors import PlanUnrenderable
from adapters.media.planes import Plane

Params = Mapping[str, str]
DIRECTIONS = ("right", "left", "down", "up")


class Picture(Protocol):
    """Arrays over the whole canvas, some at half its size; `tint` gives a colour in their values."""

    @property
    def each(self) -> Sequence[Plane]: ...

    def tint(self, colour: str) -> Sequence[Sequence[int]]: ...


def number(params: Params, name: str, default: float, low: float, high: float) -> float:
    """A number among the parameters, kept within limits."""
    return min(max(float(params.get(name, default)), low), high)


def direction_of(params: Params, default: str) -> str:
    """The way something goes. Raises PlanUnrenderable."""
    direction = params.get("direction", default)
    if direction not in DIRECTIONS:
        raise PlanUnrenderable(f"A transition goes {', '.join(DIRECTIONS)}, not {direction!r}.")
    return direction


def dissolve(a: Picture, b: Picture, progress: float) -> None:
    """Leave the weighted sum in `a`."""
    for under, upper in zip(a.each, b.each, strict=True):
        cv2.addWeighted(under, 1.0 - progress, upper, progress, 0.0, dst=under)


def colour_over(picture: Picture, colour: str, share: float) -> None:
    """Mix a colour into a picture: 0 leaves it, 1 leaves only the colour."""
    for plane, values in zip(picture.each, picture.tint(colour), strict=True):
        flat = np.empty_like(plane)
        flat[:] = values if plane.ndim == 3 else values[0]
        cv2.addWeighted(plane, 1.0 - share, flat, share, 0.0, dst=plane)


def masked(under: Plane, upper: Plane, share: NDArray[np.float32]) -> None:
    """Let `upper` show in `under` by a mask 0..1."""
    cv2.blendLinear(upper, under, share, 1.0 - share, dst=under)


def shift_of(picture: Picture, direction: str, progress: float) -> tuple[int, int]:
    """How far something that comes in has still to go, in even pixels of the whole canvas: (x, y)."""
    height, width = picture.each[0].shape[:2]
    left = 1.0 - progress
    x = 2 * round(width * left / 2)
    y = 2 * round(height * left / 2)
    return {"right": (-x, 0), "left": (x, 0), "down": (0, -y), "up": (0, y)}[direction]


def scales(picture: Picture) -> list[int]:
    """Into how many canvas pixels a pixel of each plane reaches: 1 or 2."""
    width = picture.each[0].shape[1]
    return [round(width / plane.shape[1]) for plane in picture.each]


def moved(source: Plane, target: Plane, x: int, y: int) -> None:
    """Copy what of `source`, shifted by whole pixels, falls on `target`."""
    h, w = target.shape[:2]
    if abs(x) >= w or abs(y) >= h:
        return
    target[max(y, 0) : h + min(y, 0), max(x, 0) : w + min(x, 0)] = source[
        max(-y, 0) : h + min(-y, 0), max(-x, 0) : w + min(-x, 0)
    ]


def magnified(plane: Plane, factor: float) -> Plane:
    """Scaled about its middle; beyond its edges there is nothing (black is never seen: edges are repeated)."""
    h, w = plane.shape[:2]
    inverse = 1.0 / factor
    matrix = np.array([[inverse, 0, (w - 1) / 2 * (1 - inverse)], [0, inverse, (h - 1) / 2 * (1 - inverse)]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plane, matrix, (w, h), flags=flags, borderMode=cv2.BORDER_REPLICATE))


def softened(plane: Plane, sigma: float) -> Plane:
    """Gaussian blur; wide ones are made at a smaller size."""
    if sigma < 0.3:
        return plane
    shrink = max(1, int(sigma / 2))
    h, w = plane.shape[:2]
    if shrink == 1 or min(h, w) < 8 * shrink:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))
    small = cv2.resize(plane, (max(2, w // shrink), max(2, h // shrink)), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma / shrink, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(soft, (w, h), interpolation=cv2.INTER_LINEAR))
