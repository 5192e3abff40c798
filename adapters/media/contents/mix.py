"""A transition between two layers on a transparent canvas of the film's size."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from adapters.media.contents.base import Source
from adapters.media.geometry import eased
from adapters.media.ground import SheetGround
from adapters.media.planes import Plane
from adapters.media.sheets import Sheet
from adapters.media.transitions import transition
from adapters.media.workshop import Drawer, Workshop
from timeline.plan import Layer
from timeline.stage import Mix


def make(content: Mix, layer: Layer, shop: Workshop) -> Source:
    """Both sides are drawn by the segment's clock; progress counts from the owning layer's first frame."""
    sides = [shop.painter(side) if side else None for side in (content.a, content.b)]
    mix = transition(content.transition)

    def drawn(side: Drawer | None, frame: int) -> Sheet:
        ground = SheetGround(np.zeros((shop.canvas[1], shop.canvas[0], 4), np.uint8))
        if side is not None:
            side.draw(frame, ground)
        return Sheet(ground.pixels)

    def draw(k: int, frame: int) -> Plane:
        a, b = (drawn(side, frame) for side in sides)
        passed = content.offset + frame - layer.first + 1
        mix(a, b, eased(passed, content.length + 1, content.ease), content.params)
        return a.pixels

    def state(k: int, frame: int) -> Hashable:
        return frame

    return Source(draw, state, at=(0, 0))
