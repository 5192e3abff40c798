"""Pictures with transparency laid over a frame: only inside their own rectangle, premultiplied."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from adapters.media.planes import MATRIX, Plane, Planes, Size, halved, resize
from adapters.media.probe import load_picture
from timeline.plan import Box, Key


@dataclass(frozen=True)
class Patch:
    """A rectangle at even (x, y): colour planes times coverage, and what of the ground stays (0..255)."""

    x: int
    y: int
    colour: Planes
    stays: tuple[Plane, Plane]


def opacity_at(keys: Sequence[Key], frame: int) -> float:
    """Opacity 0..1 by linear interpolation between keys; 1 without keys."""
    if not keys:
        return 1.0
    after = bisect_right(keys, frame, key=lambda key: key.frame)
    if after == 0:
        return float(keys[0].value)
    if after == len(keys):
        return float(keys[-1].value)
    a, b = keys[after - 1], keys[after]
    share = (frame - a.frame) / (b.frame - a.frame)
    return float(a.value) + (float(b.value) - float(a.value)) * share


def patch_of(premultiplied: Plane, alpha: Plane, at: tuple[int, int], canvas: Size) -> Patch | None:
    """Make a patch of RGB (times alpha) and alpha at a place of the canvas; None when nothing of it shows."""
    x0, y0 = at
    left, top = max(x0, 0), max(y0, 0)
    right, bottom = min(x0 + alpha.shape[1], canvas[0]), min(y0 + alpha.shape[0], canvas[1])
    if left >= right or top >= bottom:
        return None
    # Rectangles begin and end on even pixels, so that chroma samples belong to them wholly.
    x, y, r, b = left & ~1, top & ~1, right + (right & 1), bottom + (bottom & 1)
    edges = (top - y, b - bottom, left - x, r - right)
    part = np.s_[top - y0 : bottom - y0, left - x0 : right - x0]
    rgb = cv2.copyMakeBorder(premultiplied[part], *edges, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    cover = cv2.copyMakeBorder(alpha[part], *edges, cv2.BORDER_CONSTANT, value=0)
    return _converted(np.asarray(rgb), np.asarray(cover), (x, y))


def _converted(rgb: Plane, cover: Plane, at: tuple[int, int]) -> Patch:
    """Premultiplied RGB to premultiplied YUV: the offsets 16 and 128 are premultiplied too."""
    linear = MATRIX[:, :3]
    ycc = cv2.transform(rgb.astype(np.float32), linear)
    share = cover.astype(np.float32) / 255.0
    full = [
        np.clip(ycc[..., i] + share * offset + 0.5, 0, 255).astype(np.uint8)
        for i, offset in enumerate((16.0, 128.0, 128.0))
    ]
    planes = Planes(full[0], halved(full[1]), halved(full[2]))
    return Patch(at[0], at[1], planes, (255 - cover, 255 - halved(cover)))


def overlay(path: Path, box: Box, canvas: Size) -> Patch | None:
    """Load a picture with transparency into its box."""
    image = load_picture(path, max(box.w, box.h))
    if image.shape[2] == 3:
        image = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    alpha = image[..., 3:].astype(np.uint16)
    premultiplied = ((image[..., :3] * alpha + 127) // 255).astype(np.uint8)
    size = (box.w, box.h)
    return patch_of(resize(premultiplied, size), resize(image[..., 3], size), (box.x, box.y), canvas)


def lay(patch: Patch, target: Planes, opacity: float) -> None:
    """Source-over in place."""
    for index, (colour, plane) in enumerate(zip(patch.colour.each, target.each, strict=True)):
        half = 1 if index == 0 else 2
        y, x = patch.y // half, patch.x // half
        ground = plane[y : y + colour.shape[0], x : x + colour.shape[1]]
        stays = patch.stays[min(index, 1)]
        if opacity < 1.0:
            colour = np.asarray(cv2.convertScaleAbs(colour, alpha=opacity), np.uint8)
            faded = cv2.convertScaleAbs(stays, alpha=opacity, beta=255.0 * (1.0 - opacity))
            stays = np.asarray(faded, np.uint8)
        cv2.multiply(ground, stays, dst=ground, scale=1 / 255)
        cv2.add(ground, colour, dst=ground)
