"""Deepens or drains the colours (`amount`: 0 grey, 1 unchanged)."""

from __future__ import annotations

import numpy as np

from adapters.media.effects.tools import LUMA, Moment, Params, by_matrix, number
from adapters.media.planes import Plane


def apply(pixels: Plane, params: Params, moment: Moment) -> Plane:
    """Away from or towards the luma of each pixel."""
    amount = number(params, "amount", 1.3, 0.0, 4.0)
    return by_matrix(pixels, amount * np.eye(3) + (1.0 - amount) * np.array([LUMA] * 3))
