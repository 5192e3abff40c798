"""Softens the picture (`radius` as a fraction of the canvas height)."""

from __future__ import annotations

from adapters.media.effects.tools import Moment, Params, number, soft
from adapters.media.planes import Plane


def apply(pixels: Plane, params: Params, moment: Moment) -> Plane:
    """A Gaussian whose sigma is half the radius."""
    return soft(pixels, number(params, "radius", 0.01, 0.0, 0.2) * moment.height / 2)
