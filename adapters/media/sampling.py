"""Sampling moving stills at sub-pixel places, plane by plane, straight into a frame.

Two ways give the same picture: `cv2.warpAffine` (any place, dear) and `cv2.resize` (a third of the cost, but
it always starts at one phase). A resize begun some columns earlier, if need be of a copy shifted by half a
pixel, comes within a hundredth of a pixel nearly always; where it does not, the warp is used.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

from adapters.media.geometry import LEADS, PARTS, Axis, Phase, Rect, best_phase, view
from adapters.media.planes import Plane, Planes, Size

TOLERANCE = 0.02
GOOD = 0.008
"""Errors, in source pixels, up to which a phase is taken; below GOOD no shifted copy is made for it."""
STEPS = (1, 2)
PAD = 112
_WARP = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


class Sampler:
    """A fitted still that can be seen through any window; at most four copies of it are kept, made when needed."""

    def __init__(self, planes: Planes, canvas: Size) -> None:
        self._planes, self._canvas = planes, canvas
        self._copies: dict[tuple[int, int, int], Plane] = {}

    def draw(self, window: Rect, target: Planes) -> None:
        """Fill the target with what the window shows."""
        seen = view(window, self._planes.size, self._canvas)
        sources = self._planes.each
        axes = ((seen.luma_x, seen.luma_y), *((seen.chroma_x, seen.chroma_y),) * 2)
        for index, (plane, (x, y)) in enumerate(zip(target.each, axes, strict=True)):
            if _is_identity(x) and _is_identity(y) and plane.shape == sources[index].shape:
                plane[:] = sources[index]
            elif not self._resized(index, x, y, plane):
                warp(sources[index], x, y, plane)

    def _resized(self, index: int, x: Axis, y: Axis, target: Plane) -> bool:
        across, down = nearest_phase(x), nearest_phase(y)
        if max(abs(across.error), abs(down.error)) > TOLERANCE or min(x.scale, y.scale) < 0.25:
            return False
        height, width = target.shape
        left, top = across.start + PAD, down.start + PAD
        right, bottom = left + _reach(width, across, x), top + _reach(height, down, y)
        source = self._copy(index, across.part, down.part)
        if min(left, top) < 0 or right > source.shape[1] or bottom > source.shape[0]:
            return False
        drawn = cv2.resize(
            source[top:bottom, left:right],
            None,
            fx=1 / x.scale,
            fy=1 / y.scale,
            interpolation=cv2.INTER_LINEAR,
        )
        target[:] = drawn[down.lead : down.lead + height, across.lead : across.lead + width]
        return True

    def _copy(self, index: int, across: int, down: int) -> Plane:
        key = (index, across, down)
        if key not in self._copies:
            self._copies[key] = shifted(self._planes.each[index], across / PARTS, down / PARTS)
        return self._copies[key]


@lru_cache(maxsize=64)
def nearest_phase(axis: Axis) -> Phase:
    """The phase to use: one without a shifted copy when it is good enough."""
    for steps in STEPS:
        found = best_phase(axis, steps)
        if abs(found.error) <= GOOD:
            break
    return found


def _reach(length: int, phase: Phase, axis: Axis) -> int:
    """How many source pixels a resize must be given to draw `length` pixels after its lead."""
    return math.ceil((length + phase.lead) * axis.scale) + 1


def _is_identity(axis: Axis) -> bool:
    return axis.scale == 1.0 and axis.shift == 0.0


def warp(source: Plane, x: Axis, y: Axis, target: Plane) -> None:
    """Sample with linear interpolation at any place and scale, writing into the target's own memory."""
    matrix = np.array([[x.scale, 0.0, x.shift], [0.0, y.scale, y.shift]])
    size = (target.shape[1], target.shape[0])
    drawn = cv2.warpAffine(source, matrix, size, dst=target, flags=_WARP, borderMode=cv2.BORDER_REPLICATE)
    if drawn.ctypes.data != target.ctypes.data:
        target[:] = drawn


def shifted(plane: Plane, across: float, down: float) -> Plane:
    """A copy sampled `across`, `down` pixels further with a cubic kernel; its edges repeated PAD wide."""
    padded = np.asarray(cv2.copyMakeBorder(plane, PAD, PAD, PAD, PAD, cv2.BORDER_REPLICATE), np.uint8)
    if not (across or down):
        return padded
    kernels = _cubic(across), _cubic(down)
    moved = cv2.sepFilter2D(padded, -1, *kernels, anchor=(1, 1), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _cubic(d: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Catmull-Rom weights for the pixels at −1, 0, 1 and 2 when sampling at 0 + d."""
    return np.array(
        [
            (-d + 2 * d**2 - d**3) / 2,
            (2 - 5 * d**2 + 3 * d**3) / 2,
            (d + 4 * d**2 - 3 * d**3) / 2,
            (-(d**2) + d**3) / 2,
        ],
        np.float32,
    )


assert PAD > LEADS * 1.2
