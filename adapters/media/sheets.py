"""Pictures with transparency: RGB times coverage, and coverage, as one (h, w, 4) array; and how they are combined.

Everything here is premultiplied, so that edges never show the colour of what is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from adapters.media.planes import Plane, Size, rgb_of

Real = NDArray[np.float32]


@dataclass(frozen=True)
class Sheet:
    """A premultiplied RGBA picture (h, w, 4) whose first pixel lies at `at` of the canvas."""

    pixels: Plane
    at: tuple[int, int] = (0, 0)

    @property
    def size(self) -> Size:
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def each(self) -> tuple[Plane]:
        return (self.pixels,)

    def tint(self, colour: str) -> tuple[tuple[int, ...]]:
        """An opaque colour as values of this sheet's channels."""
        return ((*rgb_of(colour), 255),)


def empty(size: Size) -> Sheet:
    """A sheet on which nothing is."""
    return Sheet(np.zeros((size[1], size[0], 4), np.uint8))


def premultiplied(image: Plane) -> Plane:
    """Make straight RGB or RGBA premultiplied RGBA."""
    if image.shape[2] == 3:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA))
    return _times(image, image[..., 3])


def _times(image: Plane, cover: Plane) -> Plane:
    out = np.empty_like(image)
    for channel in range(3):
        out[..., channel] = cv2.multiply(image[..., channel], cover, scale=1 / 255)
    out[..., 3] = image[..., 3]
    return out


def straight(pixels: Plane) -> Plane:
    """RGB (h, w, 3) of a premultiplied picture as if it were opaque."""
    rgb = np.ascontiguousarray(pixels[..., :3])
    if is_opaque(pixels):
        return rgb
    cover = np.maximum(pixels[..., 3:], 1).astype(np.float32)
    return np.asarray(np.clip(rgb * (255.0 / cover) + 0.5, 0, 255), np.uint8)


def is_opaque(pixels: Plane) -> bool:
    return bool(pixels[..., 3].min(initial=255) == 255)


def recoloured(pixels: Plane, change: Callable[[Plane], Plane]) -> Plane:
    """Apply a change of straight RGB colours; coverage stays as it is."""
    rgb = change(straight(pixels))
    whole = np.dstack([rgb, pixels[..., 3]])
    return whole if is_opaque(pixels) else _times(whole, np.ascontiguousarray(pixels[..., 3]))


def weakened(pixels: Plane, share: float | Plane) -> Plane:
    """All four channels times a number 0..1, or times a mask (h, w) of 0..255."""
    if isinstance(share, float):
        return pixels if share >= 1.0 else np.asarray(cv2.convertScaleAbs(pixels, alpha=max(share, 0.0)), np.uint8)
    return np.asarray(cv2.multiply(pixels, cv2.merge([share] * 4), scale=1 / 255), np.uint8)


def padded(pixels: Plane, edge: int) -> Plane:
    """A border of nothing all around."""
    return np.asarray(cv2.copyMakeBorder(pixels, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0)))


# ── Laying one over another ───────────────────────────────────────────────────────────────────────────────
def over(ground: Plane, pixels: Plane) -> None:
    """Source-over in place, on grounds with or without coverage (h, w, 4 | 3)."""
    channels = ground.shape[2]
    stays = cv2.merge([cv2.bitwise_not(np.ascontiguousarray(pixels[..., 3]))] * channels)
    kept = cv2.multiply(ground, stays, scale=1 / 255)
    ground[:] = cv2.add(kept, np.ascontiguousarray(pixels[..., :channels]))


def clipped(sheet: Sheet, size: Size) -> Sheet | None:
    """The part of a sheet that lies on a canvas of a size; None when nothing does."""
    (x, y), (w, h) = sheet.at, sheet.size
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, size[0]), min(y + h, size[1])
    if left >= right or top >= bottom:
        return None
    return Sheet(sheet.pixels[top - y : bottom - y, left - x : right - x], (left, top))


def _soft_light(b: Real, s: Real) -> Real:
    lighter = np.where(b <= 0.25, ((16 * b - 12) * b + 4) * b, np.sqrt(b))
    return np.where(s <= 0.5, b - (1 - 2 * s) * b * (1 - b), b + (2 * s - 1) * (lighter - b)).astype(np.float32)


def _overlay(b: Real, s: Real) -> Real:
    return np.where(b <= 0.5, 2 * b * s, 1 - 2 * (1 - b) * (1 - s)).astype(np.float32)


BLENDS: Mapping[str, Callable[[Real, Real], Real]] = {
    "multiply": lambda b, s: b * s,
    "screen": lambda b, s: b + s - b * s,
    "overlay": _overlay,
    "darken": np.minimum,
    "lighten": np.maximum,
    "add": lambda b, s: np.minimum(b + s, np.float32(1)),
    "difference": lambda b, s: np.abs(b - s),
    "soft-light": _soft_light,
}
"""Separable blend functions of straight colours 0..1, backdrop first (W3C Compositing and Blending, level 1)."""


def blended(ground: Plane, pixels: Plane, mode: str) -> Plane:
    """Lay premultiplied pixels over premultiplied ground in a blend mode: Co = S·(1−αb) + B·(1−αs) + αs·αb·f(b, s)."""
    b, s = ground.astype(np.float32) / 255, pixels.astype(np.float32) / 255
    ab, a = b[..., 3:], s[..., 3:]
    plain_b, plain_s = b[..., :3] / np.maximum(ab, 1 / 255), s[..., :3] / np.maximum(a, 1 / 255)
    both = a * ab * BLENDS[mode](np.minimum(plain_b, 1), np.minimum(plain_s, 1))
    colour = s[..., :3] * (1 - ab) + b[..., :3] * (1 - a) + both
    out = np.dstack([colour, a + ab - a * ab])
    return np.asarray(np.clip(out * 255 + 0.5, 0, 255), np.uint8)
