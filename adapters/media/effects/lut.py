"""Regrades the colours by a table in a .cube file (`asset`; `amount`: how far towards it)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from adapters.media.effects.tools import Moment, Params, number
from adapters.media.errors import PlanUnrenderable
from adapters.media.planes import Plane
from adapters.media.sheets import recoloured

LARGEST = 65
LARGEST_FILE = 16 << 20
Table = NDArray[np.float32]


@dataclass(frozen=True)
class Cube:
    """`values`: (n·n, n, 3) with row blue·n + green, column red; or (n, 3) for three curves. Inputs low..high."""

    values: Table
    size: int
    low: NDArray[np.float32]
    high: NDArray[np.float32]

    @property
    def curves(self) -> bool:
        return self.values.ndim == 2


def apply(pixels: Plane, params: Params, moment: Moment) -> Plane:
    """Interpolated between the eight nearest entries. Raises PlanUnrenderable."""
    cube = load(moment.path(params["asset"]))
    amount = number(params, "amount", 1.0, 0.0, 1.0)

    def change(rgb: Plane) -> Plane:
        graded = _curved(rgb, cube) if cube.curves else _looked_up(rgb, cube)
        return np.asarray(cv2.addWeighted(rgb, 1.0 - amount, graded, amount, 0.0), np.uint8)

    return recoloured(pixels, change)


@lru_cache(maxsize=4)
def load(path: Path) -> Cube:
    """Read a .cube file. Raises PlanUnrenderable naming the line."""
    if path.stat().st_size > LARGEST_FILE:
        raise _bad(path, 0, "it is larger than any table")
    return parse(path.read_text("utf-8", "replace"), path)


def parse(text: str, path: Path) -> Cube:
    size, solid = 0, True
    low, high = np.zeros(3, np.float32), np.ones(3, np.float32)
    rows: list[list[float]] = []
    for at, line in enumerate(text.splitlines(), 1):
        words = line.split("#", 1)[0].split()
        if not words or words[0] == "TITLE":
            continue
        try:
            if words[0] in ("LUT_3D_SIZE", "LUT_1D_SIZE"):
                size, solid = int(words[1]), words[0] == "LUT_3D_SIZE"
            elif words[0] == "DOMAIN_MIN":
                low = np.array(words[1:4], np.float32)
            elif words[0] == "DOMAIN_MAX":
                high = np.array(words[1:4], np.float32)
            elif words[0] not in ("LUT_1D_INPUT_RANGE", "LUT_3D_INPUT_RANGE"):
                rows.append([float(word) for word in words])
        except (ValueError, IndexError):
            raise _bad(path, at, f"line {at} is {line[:60]!r}") from None
    return _checked(rows, size, solid, low, high, path)


def _checked(
    rows: list[list[float]], size: int, solid: bool, low: NDArray[np.float32], high: NDArray[np.float32], path: Path
) -> Cube:
    most = LARGEST if solid else 65536
    if not 2 <= size <= most:
        raise _bad(path, 0, f"its size is {size}; it must be from 2 to {most}")
    wanted = size**3 if solid else size
    if len(rows) != wanted or any(len(row) != 3 for row in rows):
        raise _bad(path, 0, f"it has {len(rows)} rows instead of {wanted} of three numbers")
    if low.shape != (3,) or high.shape != (3,) or not (high > low).all():
        raise _bad(path, 0, "its domain is empty")
    values = np.nan_to_num(np.array(rows, np.float32)).clip(0, 1) * 255
    return Cube(values.reshape(size * size, size, 3) if solid else values, size, low, high)


def _bad(path: Path, line: int, why: str) -> PlanUnrenderable:
    return PlanUnrenderable(
        f"The colour table {path.name} cannot be read: {why}.", fix="Save it again as a .cube file."
    )


def _places(rgb: Plane, cube: Cube) -> Table:
    unit = rgb.astype(np.float32) / 255
    return np.asarray(np.clip((unit - cube.low) / (cube.high - cube.low), 0, 1) * (cube.size - 1), np.float32)


def _curved(rgb: Plane, cube: Cube) -> Plane:
    index = np.arange(cube.size)
    steps = np.arange(256, dtype=np.float32)[:, None].repeat(3, axis=1)[None].astype(np.uint8)
    at = _places(steps, cube)[0]
    table = np.stack([np.interp(at[:, c], index, cube.values[:, c]) for c in range(3)], axis=1)
    return np.asarray(cv2.LUT(rgb, (table + 0.5).astype(np.uint8)[:, None, :].reshape(1, 256, 3)), np.uint8)


def _looked_up(rgb: Plane, cube: Cube) -> Plane:
    """Two bilinear look-ups in the slices of blue below and above, mixed by what lies between."""
    place = _places(rgb, cube)
    red, green, blue = (np.ascontiguousarray(place[..., c]) for c in range(3))
    below = np.minimum(np.floor(blue), cube.size - 2)
    rest = np.ascontiguousarray(blue - below)[..., None]
    rows = below * cube.size + green
    first = cv2.remap(cube.values, red, np.asarray(rows, np.float32), cv2.INTER_LINEAR)
    second = cv2.remap(cube.values, red, np.asarray(rows + cube.size, np.float32), cv2.INTER_LINEAR)
    return np.asarray(first + (second - first) * rest + 0.5, np.uint8)
