"""Spreads light and dark about middle grey (`amount`: 0 flat grey, 1 unchanged)."""

from __future__ import annotations

import numpy as np

from adapters.media.effects.tools import Moment, Params, by_table, number
from adapters.media.planes import Plane


def apply(pixels: Plane, params: Params, moment: Moment) -> Plane:
    return by_table(pixels, (np.arange(256) - 127.5) * number(params, "amount", 1.2, 0.0, 4.0) + 127.5)
