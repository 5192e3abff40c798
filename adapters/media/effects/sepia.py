"""Turns the picture brown like an old print (`amount`: how far)."""

from __future__ import annotations

import numpy as np

from adapters.media.effects.tools import LUMA, Moment, Params, by_matrix, number
from adapters.media.planes import Plane

TONE = (1.07, 0.90, 0.68)
"""Red, green and blue of a print, for each part of light."""


def apply(pixels: Plane, params: Params, moment: Moment) -> Plane:
    amount = number(params, "amount", 1.0, 0.0, 1.0)
    brown = np.array([[tone * part for part in LUMA] for tone in TONE])
    return by_matrix(pixels, amount * brown + (1.0 - amount) * np.eye(3))
