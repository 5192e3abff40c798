"""What effects share. They take and give premultiplied RGBA; colours are changed as if nothing were transparent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from adapters.media.planes import Plane
from adapters.media.sheets import is_opaque, recoloured

Params = Mapping[str, str]
LUMA = (0.2126, 0.7152, 0.0722)


@dataclass(frozen=True)
class Moment:
    """When and where an effect works: item frame, height of the canvas in pixels, and where files lie."""

    frame: int
    height: int
    path: Callable[[str], Path]


def number(params: Params, name: str, default: float, low: float, high: float) -> float:
    return min(max(float(params.get(name, default)), low), high)


def by_table(pixels: Plane, curve: NDArray[Any]) -> Plane:
    """Change each colour channel by a curve of 256 values 0..255."""
    table = np.clip(curve + 0.5, 0, 255).astype(np.uint8)
    return recoloured(pixels, lambda rgb: np.asarray(cv2.LUT(rgb, table), np.uint8))


def by_matrix(pixels: Plane, matrix: NDArray[Any]) -> Plane:
    """Change colours by a 3×3 or 3×4 matrix on RGB."""
    return recoloured(pixels, lambda rgb: np.asarray(cv2.transform(rgb, matrix), np.uint8))


def soft(pixels: Plane, sigma: float) -> Plane:
    """Gaussian blur of all channels; wide ones are made at a smaller size."""
    if sigma < 0.2:
        return pixels
    edge = cv2.BORDER_REPLICATE if is_opaque(pixels) else cv2.BORDER_CONSTANT
    shrink = max(1, int(sigma / 3))
    h, w = pixels.shape[:2]
    if shrink == 1 or min(h, w) < 8 * shrink:
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma, borderType=edge), np.uint8)
    small = cv2.resize(pixels, (max(2, w // shrink), max(2, h // shrink)), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), sigma / shrink, borderType=edge)
    return np.asarray(cv2.resize(blurred, (w, h), interpolation=cv2.INTER_CUBIC), np.uint8)
