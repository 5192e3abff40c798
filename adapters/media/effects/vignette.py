"""Darkens towards the corners (`amount`; `size`: where it begins, from the middle to the corner)."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from adapters.media.effects.tools import Moment, Params, number
from adapters.media.planes import Plane
from adapters.media.sheets import recoloured


def apply(pixels: Plane, params: Params, moment: Moment) -> Plane:
    height, width = pixels.shape[:2]
    amount, size = number(params, "amount", 0.5, 0.0, 1.0), number(params, "size", 0.5, 0.0, 1.0)
    light = _light(width, height, round(amount, 4), round(size, 4))
    return recoloured(pixels, lambda rgb: np.asarray(cv2.multiply(rgb, light, scale=1 / 255), np.uint8))


@lru_cache(maxsize=2)
def _light(width: int, height: int, amount: float, size: float) -> Plane:
    """What of the light stays, 0..255, in three channels: a smooth step from `size` to the corner."""
    x = (np.arange(width) + 0.5) / width * 2 - 1
    y = (np.arange(height) + 0.5) / height * 2 - 1
    away = np.sqrt((x**2)[None, :] + (y**2)[:, None]) / np.sqrt(2.0)
    step = np.clip((away - size) / max(1.0 - size, 1e-3), 0, 1)
    stays = 1.0 - amount * step * step * (3 - 2 * step)
    return np.asarray(cv2.merge([np.clip(stays * 255 + 0.5, 0, 255).astype(np.uint8)] * 3))
