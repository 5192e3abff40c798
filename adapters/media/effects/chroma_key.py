"""Makes one colour transparent (`colour`, `similarity`, `softness`), and takes its cast off the rest (`spill`)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from adapters.media.effects.tools import Moment, Params, number
from adapters.media.planes import MATRIX, Plane, rgb_of
from adapters.media.sheets import premultiplied, straight

_CHROMA = MATRIX[1:, :3] / 112.0
"""Cb and Cr of R'G'B' 0..255, so that full saturation is about 1."""


def apply(pixels: Plane, params: Params, moment: Moment) -> Plane:
    """Coverage grows with the distance of chroma from the key's, from `similarity` over `softness`."""
    similarity = number(params, "similarity", 0.12, 0.0, 1.0)
    softness = max(number(params, "softness", 0.06, 0.0, 1.0), 0.004)
    key = _CHROMA @ np.array(rgb_of(params.get("colour", "#00b140")), np.float64)
    rgb = straight(pixels)
    chroma = cv2.transform(rgb.astype(np.float32), _CHROMA)
    away = np.hypot(chroma[..., 0] - key[0], chroma[..., 1] - key[1])
    cover = np.clip((away - similarity) / softness, 0, 1) * pixels[..., 3]
    clean = _despilled(rgb, chroma, key, number(params, "spill", 0.5, 0.0, 1.0))
    return premultiplied(np.dstack([clean, (cover + 0.5).astype(np.uint8)]))


def _despilled(rgb: Plane, chroma: NDArray[Any], key: NDArray[Any], spill: float) -> Plane:
    """Less of the chroma that points towards the key, at the same luma."""
    length = float(np.hypot(key[0], key[1]))
    if spill == 0.0 or length < 0.05:
        return rgb
    unit = key / length
    towards = np.maximum(chroma[..., 0] * unit[0] + chroma[..., 1] * unit[1], 0.0) * spill
    # Back from Cb, Cr (luma unchanged) to R'G'B'.
    cb, cr = (-towards * unit[k] * 112.0 * 255 / 224 for k in (0, 1))
    change = np.dstack([1.5748 * cr, -0.1873 * cb - 0.4681 * cr, 1.8556 * cb])
    return np.asarray(np.clip(rgb + change + 0.5, 0, 255), np.uint8)
