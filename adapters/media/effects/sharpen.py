"""Sharpens edges (`amount`; `radius` as a fraction of the canvas height): what a blur takes away is added."""

from __future__ import annotations

import cv2
import numpy as np

from adapters.media.effects.tools import Moment, Params, number
from adapters.media.planes import Plane
from adapters.media.sheets import recoloured


def apply(pixels: Plane, params: Params, moment: Moment) -> Plane:
    amount = number(params, "amount", 0.6, 0.0, 3.0)
    sigma = max(number(params, "radius", 0.0015, 0.0003, 0.02) * moment.height, 0.4)

    def change(rgb: Plane) -> Plane:
        blurred = cv2.GaussianBlur(rgb, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.addWeighted(rgb, 1.0 + amount, blurred, -amount, 0.0), np.uint8)

    return recoloured(pixels, change)
