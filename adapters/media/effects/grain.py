"""Moving film grain, the same on every run (`amount`, `size` in thousandths of the height, `seed`)."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from adapters.media.effects.tools import Moment, Params, number
from adapters.media.planes import Plane
from adapters.media.sheets import recoloured

ROOM = 64
"""Each frame shows another part of one field, shifted by up to so many pixels and mirrored."""


def apply(pixels: Plane, params: Params, moment: Moment) -> Plane:
    """Grey noise with a standard deviation of `amount` of full scale."""
    height, width = pixels.shape[:2]
    seed = int(number(params, "seed", 0, 0, 65535))
    coarse = max(1.0, number(params, "size", 1.5, 1.0, 8.0) * moment.height / 1080)
    field = _field(width + ROOM, height + ROOM, seed, round(coarse, 3))
    random = np.random.default_rng((seed, moment.frame & 0xFFFFFFFF))
    y, x = random.integers(0, ROOM, 2)
    part = field[y : y + height, x : x + width]
    if random.integers(2):
        part = part[:, ::-1]
    amount = number(params, "amount", 0.06, 0.0, 0.5) * 255
    noise = np.rint(part * amount).astype(np.int16)
    return recoloured(pixels, lambda rgb: np.clip(rgb.astype(np.int16) + noise[..., None], 0, 255).astype(np.uint8))


@lru_cache(maxsize=2)
def _field(width: int, height: int, seed: int, coarse: float) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    small = random.standard_normal((int(height / coarse) + 1, int(width / coarse) + 1), np.float32)
    field = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC) if coarse > 1 else small
    field = np.asarray(field[:height, :width], np.float32)
    return np.asarray(field / field.std(), np.float32)
