"""A flat colour."""

from __future__ import annotations

import numpy as np

from adapters.media.contents.base import Source, coloured, still
from adapters.media.workshop import Workshop
from timeline.plan import Layer
from timeline.stage import Fill


def make(content: Fill, layer: Layer, shop: Workshop) -> Source:
    return still(coloured(np.full((layer.box.h, layer.box.w), 255, np.uint8), content.colour))
