"""How a layer's content comes to its box, and its box to its place on the canvas."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

from adapters.media.geometry import Rect, closest_zoom, window_at
from adapters.media.planes import BACKDROP_DIM, MAX_ZOOM, Plane, Size, backdrop_size, resize, rgb_of
from adapters.media.sheets import Sheet, over, padded, weakened
from timeline.plan import Layer
from timeline.stage import Shadow

SMALLEST = 0.6
"""Below this scale pictures are shrunk by area first: a linear sampler would skip pixels."""


# ── Content to box ────────────────────────────────────────────────────────────────────────────────────────
def cropped(pixels: Plane, size: Size, crop: tuple[str, str, str, str]) -> tuple[Plane, Size]:
    """Cut fractions off left, top, right and bottom; answers the rest and its own size."""
    left, top, right, bottom = (min(max(float(part), 0.0), 1.0) for part in crop)
    h, w = pixels.shape[:2]
    x0, y0 = min(round(left * w), w - 1), min(round(top * h), h - 1)
    x1, y1 = max(round((1 - right) * w), x0 + 1), max(round((1 - bottom) * h), y0 + 1)
    if (x0, y0, x1, y1) == (0, 0, w, h):
        return pixels, size
    wide, high = max(1, round(size[0] * (x1 - x0) / w)), max(1, round(size[1] * (y1 - y0) / h))
    return pixels[y0:y1, x0:x1], (wide, high)


def fitted_size(layer: Layer) -> Size:
    """Size of the fitted picture: the box, as many times larger as the camera goes in."""
    zoom = min(closest_zoom(layer.motion), MAX_ZOOM)
    return max(1, round(layer.box.w * zoom)), max(1, round(layer.box.h * zoom))


def fitted(pixels: Plane, own: Size, size: Size, layer: Layer) -> Plane:
    """Fit a premultiplied picture of own size (square pixels) into `size` with CSS meaning."""
    focus = float(layer.focus[0]), float(layer.focus[1])
    if layer.fit == "fill":
        return resize(pixels, size)
    if layer.fit == "cover":
        return resize(_covering(pixels, own, size, focus), size)
    if layer.fit == "none":
        zoom = size[0] / layer.box.w
        inside = max(1, round(own[0] * zoom)), max(1, round(own[1] * zoom))
    else:
        factor = min(size[0] / own[0], size[1] / own[1])
        inside = max(1, min(size[0], round(own[0] * factor))), max(1, min(size[1], round(own[1] * factor)))
    canvas = _backdrop(pixels, own, size, layer.backdrop if layer.fit == "contain" else "none")
    share = (0.5, 0.5) if layer.fit == "contain" else focus
    at = tuple(round((size[k] - inside[k]) * share[k]) for k in (0, 1))
    _laid(canvas, resize(pixels, inside), (at[0], at[1]))
    return canvas


def _laid(canvas: Plane, picture: Plane, at: tuple[int, int]) -> None:
    x, y = at
    h, w = canvas.shape[:2]
    part = picture[max(-y, 0) : h - y, max(-x, 0) : w - x]
    over(canvas[max(y, 0) : max(y, 0) + part.shape[0], max(x, 0) : max(x, 0) + part.shape[1]], part)


def _covering(pixels: Plane, own: Size, size: Size, focus: tuple[float, float]) -> Plane:
    """The largest part of the aspect of `size`, in the picture's own (perhaps not square) pixels."""
    h, w = pixels.shape[:2]
    aspect = size[0] / size[1] * (own[1] / h) / (own[0] / w)
    wide, high = min(w, max(1, round(h * aspect))), min(h, max(1, round(w / aspect)))
    x = round(min(max(focus[0] * w - wide / 2, 0), w - wide))
    y = round(min(max(focus[1] * h - high / 2, 0), h - high))
    return pixels[y : y + high, x : x + wide]


def _backdrop(pixels: Plane, own: Size, size: Size, kind: str) -> Plane:
    canvas = np.zeros((size[1], size[0], 4), np.uint8)
    if kind == "blur":
        small = backdrop_size(size)
        cover = resize(_covering(pixels, own, size, (0.5, 0.5)), small)
        soft = cv2.GaussianBlur(cover, (0, 0), max(small) / 24, borderType=cv2.BORDER_REPLICATE)
        canvas[:] = cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR)
        canvas[..., :3] = cv2.convertScaleAbs(canvas[..., :3], alpha=BACKDROP_DIM)
    elif kind != "none":
        canvas[:] = (*rgb_of(kind), 255)
    return canvas


def through(picture: Plane, layer: Layer, k: int) -> Plane:
    """What the camera window shows of a fitted picture at item frame k, at the size of the box."""
    box = layer.box
    seen = Rect(0.0, 0.0, 1.0, 1.0)
    if layer.motion is not None:
        seen = window_at(layer.motion.model_copy(update={"offset": 0}), k)
    h, w = picture.shape[:2]
    scale_x, scale_y = seen.w * w / box.w, seen.h * h / box.h
    if (w, h) == (box.w, box.h) and scale_x == scale_y == 1.0 and seen.x == seen.y == 0.0:
        return picture
    matrix = np.array(
        [
            [scale_x, 0.0, seen.x * w + 0.5 * scale_x - 0.5],
            [0.0, scale_y, seen.y * h + 0.5 * scale_y - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(picture, matrix, (box.w, box.h), flags=flags, borderMode=cv2.BORDER_REPLICATE))


# ── Box to canvas ─────────────────────────────────────────────────────────────────────────────────────────
@lru_cache(maxsize=8)
def rounded(w: int, h: int, radius: int) -> Plane:
    """A mask of a box with round corners."""
    radius = min(radius, w // 2, h // 2)
    x = np.maximum(np.abs(np.arange(w) + 0.5 - w / 2) - (w / 2 - radius), 0)[None, :]
    y = np.maximum(np.abs(np.arange(h) + 0.5 - h / 2) - (h / 2 - radius), 0)[:, None]
    return np.asarray(np.clip((radius - np.hypot(x, y) + 0.5) * 255, 0, 255), np.uint8)


def shadowed(sheet: Sheet, shadow: Shadow) -> Sheet:
    """A sheet with its soft shadow under it, as much larger as that needs."""
    edge = 3 * shadow.blur + max(abs(shadow.x), abs(shadow.y)) + 1
    picture = padded(sheet.pixels, edge)
    cover = np.roll(picture[..., 3], (shadow.y, shadow.x), (0, 1))
    if shadow.blur:
        cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), shadow.blur), np.uint8)
    below = np.empty_like(picture)
    for channel, level in enumerate((*rgb_of(shadow.colour), 255)):
        below[..., channel] = cv2.convertScaleAbs(cover, alpha=level / 255 * float(shadow.opacity))
    over(below, picture)
    return Sheet(below, (sheet.at[0] - edge, sheet.at[1] - edge))


def turned(
    sheet: Sheet,
    scale: float,
    degrees: float,
    pivot: tuple[float, float],
    offset: tuple[float, float],
    canvas: Size,
) -> Sheet | None:
    """Scale and turn clockwise about a canvas point, then move; samples between pixels. None when off the canvas."""
    if scale <= 0.0:
        return None
    whole = (round(offset[0]), round(offset[1]))
    if scale == 1.0 and degrees % 360 == 0 and max(abs(offset[k] - whole[k]) for k in (0, 1)) < 1e-3:
        return Sheet(sheet.pixels, (sheet.at[0] + whole[0], sheet.at[1] + whole[1]))
    pixels, inner = sheet.pixels, 1.0
    if scale < SMALLEST:
        size = max(1, math.ceil(sheet.size[0] * scale)), max(1, math.ceil(sheet.size[1] * scale))
        pixels, inner = resize(pixels, size), 0.0
    shrunk = (pixels.shape[1] / sheet.size[0], pixels.shape[0] / sheet.size[1]) if inner == 0.0 else (1.0, 1.0)
    turn = math.radians(degrees)
    spin = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    middle, place = np.array(pivot), np.array(sheet.at, float)
    # Continuous canvas point of continuous sheet point p: spin·(p / shrunk + at − pivot) + pivot + offset.
    linear = spin / np.array(shrunk)[None, :]
    shift = spin @ (place - middle) + middle + np.array(offset)
    h, w = pixels.shape[:2]
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], float) @ linear.T + shift
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 1, 0)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, canvas)
    if left >= right or top >= bottom:
        return None
    # Pixel centres lie at half places on both sides.
    at = linear @ np.array([0.5, 0.5]) + shift - 0.5 - np.array([left, top])
    matrix = np.column_stack([linear, at])
    drawn = cv2.warpAffine(pixels, matrix, (int(right - left), int(bottom - top)), flags=cv2.INTER_LINEAR)
    return Sheet(np.asarray(drawn, np.uint8), (int(left), int(top)))


def with_radius(pixels: Plane, radius: int) -> Plane:
    return weakened(pixels, rounded(pixels.shape[1], pixels.shape[0], radius)) if radius else pixels
