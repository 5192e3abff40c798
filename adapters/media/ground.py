"""What layers are laid on: the frame's own planes, or a picture with transparency."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np

from adapters.media.layers import Patch, lay, patch_of
from adapters.media.planes import MATRIX, Plane, Planes, Size, from_rgb
from adapters.media.sheets import Sheet, blended, clipped, over, weakened

_TO_YCC = np.vstack([MATRIX, [0, 0, 0, 1]])
FROM_YCC = np.linalg.inv(_TO_YCC)[:3]
"""Rows give R'G'B' from Y, Cb, Cr and 1."""


class Ground(Protocol):
    """A canvas that sheets are laid on."""

    @property
    def size(self) -> Size: ...

    def lay(self, sheet: Sheet, opacity: float, mode: str) -> None: ...


class SheetGround:
    """A premultiplied RGBA canvas."""

    def __init__(self, pixels: Plane) -> None:
        self.pixels = pixels

    @property
    def size(self) -> Size:
        return self.pixels.shape[1], self.pixels.shape[0]

    def lay(self, sheet: Sheet, opacity: float, mode: str) -> None:
        seen = clipped(sheet, self.size)
        if seen is None:
            return
        (x, y), (w, h) = seen.at, seen.size
        part = self.pixels[y : y + h, x : x + w]
        pixels = weakened(seen.pixels, opacity)
        if mode == "normal":
            over(part, pixels)
        else:
            part[:] = blended(part, pixels, mode)


class PlanesGround:
    """The planes of a frame; sheets that come again as the same object are converted once."""

    def __init__(self, planes: Planes) -> None:
        self.planes = planes
        self._patches: dict[int, tuple[Sheet, Patch | None]] = {}

    @property
    def size(self) -> Size:
        return self.planes.size

    def lay(self, sheet: Sheet, opacity: float, mode: str) -> None:
        if mode == "normal":
            patch = self._patch(sheet)
            if patch is not None:
                lay(patch, self.planes, opacity)
            return
        seen = clipped(sheet, self.size)
        if seen is not None:
            self._blend(seen, opacity, mode)

    def _patch(self, sheet: Sheet) -> Patch | None:
        known = self._patches.get(id(sheet))
        if known is not None and known[0] is sheet:
            return known[1]
        rgb, alpha = np.ascontiguousarray(sheet.pixels[..., :3]), np.ascontiguousarray(sheet.pixels[..., 3])
        patch = patch_of(rgb, alpha, sheet.at, self.size)
        if len(self._patches) >= 32:
            self._patches.clear()
        self._patches[id(sheet)] = sheet, patch
        return patch

    def _blend(self, seen: Sheet, opacity: float, mode: str) -> None:
        (x, y), (w, h) = seen.at, seen.size
        left, top, right, bottom = x & ~1, y & ~1, x + w + (x + w & 1), y + h + (y + h & 1)
        frame = np.zeros((bottom - top, right - left, 4), np.uint8)
        frame[y - top : y - top + h, x - left : x - left + w] = weakened(seen.pixels, opacity)
        part = region(self.planes, left, top, right, bottom)
        ground = cv2.cvtColor(rgb_of_planes(part), cv2.COLOR_RGB2RGBA)
        mixed = from_rgb(np.ascontiguousarray(blended(np.asarray(ground, np.uint8), frame, mode)[..., :3]))
        mixed.copy_to(part)


def region(planes: Planes, left: int, top: int, right: int, bottom: int) -> Planes:
    """An even rectangle of planes, over the same memory."""
    half = np.s_[top // 2 : bottom // 2, left // 2 : right // 2]
    return Planes(planes.y[top:bottom, left:right], planes.u[half], planes.v[half])


def rgb_of_planes(planes: Planes) -> Plane:
    """BT.709 limited planes as RGB (h, w, 3)."""
    size = planes.size
    u, v = (_doubled(plane, size) for plane in (planes.u, planes.v))
    merged = cv2.merge([np.ascontiguousarray(planes.y), u, v])
    return np.asarray(cv2.transform(merged, FROM_YCC), np.uint8)


def _doubled(plane: Plane, size: Size) -> Plane:
    """Chroma at full size; sited on even columns, between rows."""
    w, h = size
    matrix = np.array([[0.5, 0.0, 0.0], [0.0, 0.5, -0.25]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plane, matrix, (w, h), flags=flags, borderMode=cv2.BORDER_REPLICATE))
