"""A still picture."""

from __future__ import annotations

from adapters.media.contents.base import Source, still
from adapters.media.probe import load_picture
from adapters.media.sheets import premultiplied
from adapters.media.workshop import Workshop
from timeline.plan import Layer
from timeline.stage import Image


def make(content: Image, layer: Layer, shop: Workshop) -> Source:
    """Decode it once, no finer than its box can show."""
    pixels = premultiplied(load_picture(shop.path(content.asset), 2 * max(layer.box.w, layer.box.h)))
    return still(pixels, size=(pixels.shape[1], pixels.shape[0]))
