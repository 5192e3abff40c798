"""A progress bar that fills its box over the item, smooth to parts of a pixel."""

from __future__ import annotations

import numpy as np

from adapters.media.contents.base import Source, coloured
from adapters.media.planes import Plane
from adapters.media.sheets import over
from adapters.media.workshop import Workshop
from timeline.plan import Layer
from timeline.stage import Bar


def make(content: Bar, layer: Layer, shop: Workshop) -> Source:
    def draw(k: int, frame: int) -> Plane:
        w, h = layer.box.w, layer.box.h
        pixels = np.zeros((h, w, 4), np.uint8)
        if content.ground:
            pixels = coloured(np.full((h, w), 255, np.uint8), content.ground)
        done = min(max((k + 1) / max(layer.item_frames, 1), 0.0), 1.0)
        over(pixels, coloured(_filled(content.direction, done, w, h), content.colour))
        return pixels

    return Source(draw, lambda k, frame: k)


def _filled(direction: str, done: float, w: int, h: int) -> Plane:
    length = w if direction in ("right", "left") else h
    line = np.clip((done * length - np.arange(length)) * 255 + 0.5, 0, 255).astype(np.uint8)
    if direction in ("left", "up"):
        line = line[::-1]
    rows = line[None, :] if direction in ("right", "left") else line[:, None]
    return np.ascontiguousarray(np.broadcast_to(rows, (h, w)))
