"""Adds light to all of the picture (`amount`: −1 black, 0 unchanged, 1 white)."""

from __future__ import annotations

import numpy as np

from adapters.media.effects.tools import Moment, Params, by_table, number
from adapters.media.planes import Plane


def apply(pixels: Plane, params: Params, moment: Moment) -> Plane:
    return by_table(pixels, np.arange(256) + 255.0 * number(params, "amount", 0.1, -1.0, 1.0))
