"""A text as libass draws it, at its own place on the canvas."""

from __future__ import annotations

import cv2
import numpy as np

from adapters.media.contents.base import Source, still
from adapters.media.sheets import padded
from adapters.media.workshop import Workshop
from timeline.plan import Layer
from timeline.stage import Text

ROOM = 0.05
"""Room around the ink for effects, as a share of the canvas height."""


def make(content: Text, layer: Layer, shop: Workshop) -> Source:
    """Only the ink is kept; with effects, some room around it."""
    ink = shop.ink((content.style, content.events))
    if ink is None:
        return still(np.zeros((1, 1, 4), np.uint8), at=(0, 0))
    pixels = np.dstack([cv2.min(ink.rgb, cv2.merge([ink.alpha] * 3)), ink.alpha])
    room = round(shop.canvas[1] * ROOM) if layer.effects else 0
    return still(padded(pixels, room), at=(ink.at[0] - room, ink.at[1] - room))
