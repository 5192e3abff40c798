"""The first picture blurs away, the second comes out of the blur (`amount`: radius as a fraction of the height)."""

from __future__ import annotations

import cv2
import numpy as np

from adapters.media.planes import Plane
from adapters.media.transitions.tools import Params, Picture, number, softened


def mix(a: Picture, b: Picture, progress: float, params: Params) -> None:
    """The blur is widest in the middle, where the dissolve happens."""
    amount = number(params, "amount", 0.06, 0.005, 0.3)
    height = a.each[0].shape[0]
    shown = min(max((progress - 0.3) / 0.4, 0.0), 1.0)
    sigma = amount * height / 2 * (1.0 - abs(1.0 - 2.0 * progress))
    for under, upper in zip(a.each, b.each, strict=True):
        wide = sigma * under.shape[0] / height
        mixed: Plane = upper if shown >= 1.0 else under
        if 0.0 < shown < 1.0:
            mixed = np.asarray(cv2.addWeighted(under, 1.0 - shown, upper, shown, 0.0), np.uint8)
        under[:] = softened(mixed, wide)
