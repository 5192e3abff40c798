"""The quick way for what fills the canvas: pictures and videos that stay YUV planes from file to frame.

Anything that needs transparency, effects, turning or blending takes the general way (`layer_painter`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import cv2
import numpy as np

from adapters.media.contents.video import frame_number
from adapters.media.curves import by_property
from adapters.media.footage import Footage
from adapters.media.geometry import Rect, closest_zoom, moves, window_at
from adapters.media.planes import (
    BACKDROP_DIM,
    Plane,
    Planes,
    Size,
    backdrop_size,
    blank,
    even,
    fitted,
    flat,
    resize,
    scaled_size,
)
from adapters.media.probe import probe_picture
from adapters.media.sampling import Sampler
from adapters.media.workshop import Workshop
from timeline.plan import Layer
from timeline.stage import Fill, Image, Video

Fit = Callable[[int, Planes], None]
"""Draws a frame of a video, by its number, into planes that are used again and again."""
MOSTLY = 0.75
"""From this share of a frame on that is seen, all of it is scaled while its colours are changed."""


@dataclass(frozen=True)
class Covering:
    """Fills all planes of a frame with item frame k; equal states look the same."""

    fill: Callable[[int, Planes], None]
    state: Callable[[int], Hashable]


def covering(layer: Layer, shop: Workshop) -> Covering | None:
    """The quick way to draw a layer, or None when it needs the general one."""
    box = layer.box
    plain = (
        (box.x, box.y, box.w, box.h) == (0, 0, *shop.canvas)
        and not (layer.effects or layer.radius or layer.shadow)
        and layer.blend == "normal"
        and float(layer.rotation) % 360 == 0
        and float(layer.scale) == 1.0
        and set(by_property(layer.curves)) <= {"opacity"}
        and all(float(part) == 0 for part in layer.crop)
        and (layer.fit in ("cover", "fill") or (layer.fit == "contain" and layer.backdrop != "none"))
    )
    if not plain:
        return None
    if isinstance(layer.content, Fill):
        planes = flat(layer.content.colour, shop.canvas)
        return Covering(lambda k, target: planes.copy_to(target), lambda k: 0)
    if isinstance(layer.content, Image):
        return _picture(layer, layer.content, shop)
    return _video(layer, layer.content, shop) if isinstance(layer.content, Video) else None


def _window(layer: Layer, k: int) -> Rect:
    return window_at(layer.motion and layer.motion.model_copy(update={"offset": 0}), k)


def _picture(layer: Layer, content: Image, shop: Workshop) -> Covering | None:
    path = shop.path(content.asset)
    if probe_picture(path).alpha or layer.fit == "fill":
        return None
    moving = moves(layer.motion)
    size = scaled_size(shop.canvas, closest_zoom(layer.motion), moving=moving)
    focus = float(layer.focus[0]), float(layer.focus[1])
    sampler = Sampler(fitted(path, size, layer.fit, layer.backdrop, focus), shop.canvas)
    if moving:
        return Covering(lambda k, target: sampler.draw(_window(layer, k), target), lambda k: k)
    still = blank(shop.canvas)
    sampler.draw(_window(layer, 0), still)
    return Covering(lambda k, target: still.copy_to(target), lambda k: 0)


def _video(layer: Layer, content: Video, shop: Workshop) -> Covering | None:
    footage = shop.footage(content.asset)
    if footage.clear:
        return None
    moving = moves(layer.motion)
    size = scaled_size(shop.canvas, closest_zoom(layer.motion), moving=moving)
    fit = _fitting(layer, footage, size)
    plain, kept = size == shop.canvas and not moving, _Kept(blank(size))

    def fill(k: int, target: Planes) -> None:
        number = frame_number(content, footage, k)
        if plain and kept.number != number != frame_number(content, footage, k + 1):
            fit(number, target)
            return
        if kept.number != number:
            fit(number, kept.planes)
            kept.number = number
        if plain:
            kept.planes.copy_to(target)
        else:
            Sampler(kept.planes, shop.canvas).draw(_window(layer, k), target)

    return Covering(fill, lambda k: (frame_number(content, footage, k), k if moving else 0))


@dataclass
class _Kept:
    planes: Planes
    number: int = -1


def _fitting(layer: Layer, footage: Footage, size: Size) -> Fit:
    """How frames of one video come to the size of the canvas."""
    own = footage.size
    if layer.fit == "fill":
        return lambda number, out: footage.planes(number, size).copy_to(out)
    if layer.fit == "cover":
        return _covered(layer, footage, size)
    factor = min(size[0] / own[0], size[1] / own[1])
    inside = min(size[0], even(own[0] * factor)), min(size[1], even(own[1] * factor))
    return lambda number, out: _contain(footage.planes(number, inside), layer.backdrop, out)


def _covered(layer: Layer, footage: Footage, size: Size) -> Fit:
    own = footage.size
    factor = max(size[0] / own[0], size[1] / own[1])
    wide, high = size[0] / (own[0] * factor), size[1] / (own[1] * factor)
    x = min(max(float(layer.focus[0]) - wide / 2, 0.0), 1.0 - wide)
    y = min(max(float(layer.focus[1]) - high / 2, 0.0), 1.0 - high)
    part = Rect(x, y, wide, high)
    whole = None
    if wide * high >= MOSTLY:
        whole = max(size[0], even(own[0] * factor)), max(size[1], even(own[1] * factor))
    return lambda number, out: _scale(part_of(footage.planes(number, whole), part), out)


def part_of(planes: Planes, part: Rect) -> Planes:
    """A rectangle in fractions, widened to whole chroma samples, over the same memory."""
    w, h = planes.u.shape[1], planes.u.shape[0]
    x0, y0 = min(round(part.x * w), w - 1), min(round(part.y * h), h - 1)
    x1, y1 = min(max(round((part.x + part.w) * w), x0 + 1), w), min(max(round((part.y + part.h) * h), y0 + 1), h)
    small = np.s_[y0:y1, x0:x1]
    return Planes(planes.y[2 * y0 : 2 * y1, 2 * x0 : 2 * x1], planes.u[small], planes.v[small])


def _scale(planes: Planes, out: Planes) -> None:
    for plane, target in zip(planes.each, out.each, strict=True):
        target[:] = resize(plane, (target.shape[1], target.shape[0]))


def _contain(planes: Planes, backdrop: str, out: Planes) -> None:
    """A frame in the middle of the canvas; `planes` have its size there."""
    inside, size = planes.size, out.size
    x, y = (size[0] - inside[0]) // 4 * 2, (size[1] - inside[1]) // 4 * 2
    if backdrop == "blur":
        _blur(planes, out, (y, y + inside[1]) if inside[0] == size[0] else None)
    else:
        flat(backdrop, size).copy_to(out)
    for index, (ground, picture) in enumerate(zip(out.each, planes.each, strict=True)):
        half = 2 if index else 1
        ground[y // half : y // half + picture.shape[0], x // half : x // half + picture.shape[1]] = picture


def _blur(planes: Planes, out: Planes, hidden: tuple[int, int] | None) -> None:
    """The same picture enlarged to cover, blurred and dimmed, made at a fraction of the size.

    Rows [first, last) that are `hidden` behind the picture itself are left undrawn.
    """
    own, size = planes.size, out.size
    factor = max(size[0] / own[0], size[1] / own[1])
    wide, high = size[0] / (own[0] * factor), size[1] / (own[1] * factor)
    part = part_of(planes, Rect((1 - wide) / 2, (1 - high) / 2, wide, high))
    for index, (plane, target) in enumerate(zip(part.each, out.each, strict=True)):
        h, w = target.shape
        small = _shrunk(plane, backdrop_size((w, h)))
        soft = cv2.GaussianBlur(small, (0, 0), max(small.shape) / 24, borderType=cv2.BORDER_REPLICATE)
        zero = 128.0 if index else 16.0
        dim = np.asarray(cv2.convertScaleAbs(soft, alpha=BACKDROP_DIM, beta=zero * (1 - BACKDROP_DIM)), np.uint8)
        if hidden is None:
            cv2.resize(dim, (w, h), dst=target, interpolation=cv2.INTER_LINEAR)
        else:
            half = 2 if index else 1
            _enlarge_around(dim, target, hidden[0] // half, hidden[1] // half)


def _shrunk(plane: Plane, size: Size) -> Plane:
    """Scale down by area; whole halves first, which are many times quicker than parts of pixels."""
    while plane.shape[1] >= 4 * size[0] and plane.shape[0] >= 4 * size[1]:
        h, w = plane.shape[0] & ~1, plane.shape[1] & ~1
        plane = np.asarray(cv2.resize(plane[:h, :w], (w // 2, h // 2), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)


def _enlarge_around(small: Plane, target: Plane, first: int, last: int) -> None:
    """Enlarge to the whole of a plane, but draw only the rows before `first` and from `last` on.

    Rows below may lie half a row off where they would in the whole, which a blur does not show.
    """
    (h, w), (rows, columns) = target.shape, small.shape
    ratio = h / rows
    above = min(math.ceil(first / ratio) + 2, rows)
    target[:first] = _enlarged(small[:above], w / columns, ratio)[:first]
    start = max(math.floor(last / ratio) - 2, 0)
    drawn = _enlarged(small[start:], w / columns, ratio)
    lead = min(last - round(start * ratio), drawn.shape[0] - (h - last))
    target[last:] = drawn[lead : lead + h - last]


def _enlarged(small: Plane, across: float, down: float) -> Plane:
    return np.asarray(cv2.resize(small, None, fx=across, fy=down, interpolation=cv2.INTER_LINEAR), np.uint8)
