"""What layers can show. Adding one = a file here, a line below, a golden test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.media.contents import bar, code, fill, gradient, group, image, mix, shape, text, video, wave
from adapters.media.contents.base import Source
from adapters.media.workshop import Workshop
from timeline.plan import Layer

Make = Callable[[Any, Layer, Workshop], Source]

CONTENTS: dict[str, Make] = {
    "image": image.make,
    "video": video.make,
    "fill": fill.make,
    "gradient": gradient.make,
    "shape": shape.make,
    "bar": bar.make,
    "wave": wave.make,
    "code": code.make,
    "text": text.make,
    "group": group.make,
    "mix": mix.make,
}


def source_of(layer: Layer, shop: Workshop) -> Source:
    """A layer's content ready to be drawn. Raises the errors of reading it."""
    return CONTENTS[layer.content.kind](layer.content, layer, shop)
