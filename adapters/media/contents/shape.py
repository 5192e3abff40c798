"""Drawn figures: rectangle, ellipse, triangle, line, arrow, star, polygon."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np

from adapters.media.contents.base import Source, coloured, still
from adapters.media.errors import PlanUnrenderable
from adapters.media.planes import Plane
from adapters.media.sheets import over
from adapters.media.workshop import Workshop
from timeline.plan import Layer
from timeline.stage import Shape

FINER = 4
"""Figures are drawn so many times larger and scaled down by area: smooth edges, the same everywhere."""
Points = Sequence[tuple[float, float]]


def _star(points: int = 5, inner: float = 0.4) -> Points:
    turns = [math.pi * k / points - math.pi / 2 for k in range(2 * points)]
    corners = [(math.cos(turn) * (1, inner)[k % 2], math.sin(turn) * (1, inner)[k % 2]) for k, turn in enumerate(turns)]
    low_x, high_x = min(x for x, _ in corners), max(x for x, _ in corners)
    low_y, high_y = min(y for _, y in corners), max(y for _, y in corners)
    return [((x - low_x) / (high_x - low_x), (y - low_y) / (high_y - low_y)) for x, y in corners]


CORNERS: Mapping[str, Callable[[], Points]] = {
    "rectangle": lambda: [(0, 0), (1, 0), (1, 1), (0, 1)],
    "triangle": lambda: [(0, 1), (0.5, 0), (1, 1)],
    "arrow": lambda: [(0, 0.3), (0.6, 0.3), (0.6, 0), (1, 0.5), (0.6, 1), (0.6, 0.7), (0, 0.7)],
    "star": _star,
}


def make(content: Shape, layer: Layer, shop: Workshop) -> Source:
    """Fill first, stroke over it, both inside the box."""
    w, h = layer.box.w, layer.box.h
    pixels = np.zeros((h, w, 4), np.uint8)
    whole = _outline(content, w, h)
    if content.shape == "line":
        width = max(content.stroke_width, 1)
        over(pixels, coloured(_line(w, h, width), content.stroke or content.fill))
        return still(pixels)
    if content.fill:
        over(pixels, coloured(_small(whole, w, h), content.fill))
    if content.stroke and content.stroke_width:
        over(pixels, coloured(_small(_rim(whole, content.stroke_width), w, h), content.stroke))
    return still(pixels)


def _outline(content: Shape, w: int, h: int) -> Plane:
    large = np.zeros((h * FINER, w * FINER), np.uint8)
    if content.shape == "line":
        return large
    if content.shape == "ellipse":
        y, x = np.ogrid[0 : h * FINER, 0 : w * FINER]
        inside = ((x + 0.5) / (w * FINER) - 0.5) ** 2 + ((y + 0.5) / (h * FINER) - 0.5) ** 2 <= 0.25
        large[inside] = 255
        return large
    corners = [(float(x), float(y)) for x, y in content.points] if content.shape == "polygon" else _named(content)
    if len(corners) < 3:
        raise PlanUnrenderable(f"A polygon needs three corners, not {len(corners)}.")
    places = np.array([(x * w * FINER - 0.5, y * h * FINER - 0.5) for x, y in corners])
    cv2.fillPoly(large, [np.rint(places * 16).astype(np.int32)], (255,), shift=4)
    return large


def _named(content: Shape) -> Points:
    return CORNERS[content.shape]()


def _rim(whole: Plane, width: int) -> Plane:
    """What lies within `width` pixels of the figure's edge, inside it."""
    framed = np.pad(whole, 1)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    return np.where((whole > 0) & (depth <= width * FINER), 255, 0).astype(np.uint8)


def _line(w: int, h: int, width: int) -> Plane:
    """From top left to bottom right with round ends; a flat box gives a level line."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float32) + 0.5
    half = width / 2
    ends = [(min(half, w / 2), min(half, h / 2)), (max(w - half, w / 2), max(h - half, h / 2))]
    (ax, ay), (bx, by) = ends
    length = max((bx - ax) ** 2 + (by - ay) ** 2, 1e-6)
    along = np.clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length, 0, 1)
    away = np.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay))
    return np.asarray(np.clip((half - away + 0.5) * 255, 0, 255), np.uint8)


def _small(large: Plane, w: int, h: int) -> Plane:
    return np.asarray(cv2.resize(large, (w, h), interpolation=cv2.INTER_AREA))
