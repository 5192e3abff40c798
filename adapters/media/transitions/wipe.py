"""A soft edge travels across the canvas (`direction`: right, left, down or up; `softness` as a fraction)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from adapters.media.transitions.tools import Params, Picture, direction_of, masked, number


def mix(a: Picture, b: Picture, progress: float, params: Params) -> None:
    """Show `b` behind the edge and `a` before it."""
    direction = direction_of(params, "right")
    soft = number(params, "softness", 0.08, 0.001, 1.0)
    for under, upper in zip(a.each, b.each, strict=True):
        masked(under, upper, _share(under.shape[0], under.shape[1], progress, direction, soft))


def _share(height: int, width: int, progress: float, direction: str, soft: float) -> NDArray[np.float32]:
    """How much of `b` each pixel shows."""
    length = width if direction in ("right", "left") else height
    place = (np.arange(length, dtype=np.float32) + 0.5) / length
    if direction in ("left", "up"):
        place = place[::-1]
    ramp = np.clip((progress * (1 + soft) - place) / soft, 0, 1).astype(np.float32)
    line = ramp[None, :] if direction in ("right", "left") else ramp[:, None]
    return np.ascontiguousarray(np.broadcast_to(line, (height, width)))
