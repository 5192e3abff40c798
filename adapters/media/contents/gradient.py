"""Colours running into each other, with a grain of half a level so that no bands show."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from adapters.media.contents.base import Source, still
from adapters.media.planes import rgb_of
from adapters.media.workshop import Workshop
from timeline.plan import Layer
from timeline.stage import Gradient


def make(content: Gradient, layer: Layer, shop: Workshop) -> Source:
    """Stops are mixed premultiplied, so that a colour fading to nothing keeps its hue."""
    way = _way(content, layer.box.w, layer.box.h)
    places = [float(stop.at) for stop in content.stops]
    opacities = np.array([float(stop.opacity) for stop in content.stops])
    colours = np.array([rgb_of(stop.colour) for stop in content.stops], np.float64) * opacities[:, None]
    channels = [*colours.T, opacities * 255.0]
    noise = np.random.default_rng(1).uniform(0.0, 1.0, way.shape).astype(np.float32)
    rows = [np.interp(way, places, channel).astype(np.float32) + noise for channel in channels]
    pixels = np.clip(np.dstack(rows), 0, 255).astype(np.uint8)
    return still(np.minimum(pixels, pixels[..., 3:]))


def _way(content: Gradient, w: int, h: int) -> NDArray[np.float64]:
    """How far along the gradient each pixel lies, 0..1."""
    x = (np.arange(w) + 0.5 - w / 2)[None, :]
    y = (np.arange(h) + 0.5 - h / 2)[:, None]
    if content.shape == "radial":
        return np.asarray(np.hypot(x, y) / math.hypot(w / 2, h / 2))
    turn = math.radians(float(content.angle))
    across, down = math.cos(turn), math.sin(turn)
    length = abs(w * across) + abs(h * down)
    return np.asarray((x * across + y * down) / length + 0.5)
