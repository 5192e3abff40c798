"""Layers on a transparent canvas of their own, treated as one picture."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from adapters.media.contents.base import Source, coloured
from adapters.media.ground import SheetGround
from adapters.media.planes import Plane
from adapters.media.workshop import Workshop
from timeline.plan import Layer
from timeline.stage import Group


def make(content: Group, layer: Layer, shop: Workshop) -> Source:
    painters = [shop.painter(inner) for inner in content.layers]
    size = content.height, content.width

    def draw(k: int, frame: int) -> Plane:
        bare = np.zeros((*size, 4), np.uint8)
        ground = SheetGround(coloured(np.full(size, 255, np.uint8), content.ground) if content.ground else bare)
        for each in painters:
            each.draw(frame, ground)
        return ground.pixels

    def state(k: int, frame: int) -> Hashable:
        return tuple(each.state(frame) for each in painters)

    return Source(draw, state, (content.width, content.height))
