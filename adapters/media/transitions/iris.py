"""A circle about (`x`, `y`) opens on the second picture, or with `mode` close shuts over the first (`softness`)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from adapters.media.transitions.tools import Params, Picture, masked, number, scales


def mix(a: Picture, b: Picture, progress: float, params: Params) -> None:
    """The circle reaches the farthest corner at 1."""
    closing = params.get("mode", "open") == "close"
    middle = number(params, "x", 0.5, 0.0, 1.0), number(params, "y", 0.5, 0.0, 1.0)
    soft = number(params, "softness", 0.02, 0.001, 1.0)
    grown = 1.0 - progress if closing else progress
    for under, upper, scale in zip(a.each, b.each, scales(a), strict=True):
        inside = _disc(under.shape[0], under.shape[1], middle, grown, soft, scale)
        masked(under, upper, np.ascontiguousarray(1.0 - inside) if closing else inside)


def _disc(
    height: int, width: int, middle: tuple[float, float], grown: float, soft: float, scale: int
) -> NDArray[np.float32]:
    """1 inside the circle, 0 outside, with an edge `soft` times the largest radius wide."""
    x, y = middle[0] * width, middle[1] * height
    largest = math.hypot(max(x, width - x), max(y, height - y))
    across = (np.arange(width, dtype=np.float32) + 0.5 - x) ** 2
    down = (np.arange(height, dtype=np.float32) + 0.5 - y) ** 2
    away = np.sqrt(across[None, :] + down[:, None]) / largest
    edge = max(soft, 1.5 / (largest * scale))
    return np.asarray(np.clip((grown * (1 + edge) - away) / edge, 0, 1), np.float32)
