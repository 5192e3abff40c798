"""What every content offers: pictures with transparency by item frame."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np

from adapters.media.planes import Plane, Size, rgb_of


@dataclass(frozen=True)
class Source:
    """A content ready to be drawn.

    `draw(k, frame)` gives premultiplied RGBA for item frame k (segment frame `frame`). `size` is its own upright
    size with square pixels, or None when it is drawn for its box. `state(k, frame)` is equal for frames that look
    the same; None: never. `at`: where a content sits that brings its own place instead of the layer's box.
    """

    draw: Callable[[int, int], Plane]
    state: Callable[[int, int], Hashable]
    size: Size | None = None
    at: tuple[int, int] | None = None


def constant(k: int, frame: int) -> Hashable:
    """The state of what never changes."""
    return 0


def still(pixels: Plane, *, size: Size | None = None, at: tuple[int, int] | None = None) -> Source:
    """A content that is one picture."""
    return Source(lambda k, frame: pixels, constant, size, at)


def coloured(mask: Plane, colour: str) -> Plane:
    """A colour where a mask (h, w) of 0..255 lets it."""
    pixels = np.empty((*mask.shape, 4), np.uint8)
    share = mask.astype(np.uint16)
    for channel, level in enumerate((*rgb_of(colour), 255)):
        pixels[..., channel] = (share * level + 127) // 255
    return pixels
