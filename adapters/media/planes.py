"""Pictures as BT.709 limited-range Y, U and V planes of 4:2:0, ready to be sampled.

A still is decoded, fitted and converted once; after that no RGB is touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from adapters.media.errors import PlanUnrenderable
from adapters.media.probe import load_picture

Plane = NDArray[np.uint8]
Size = tuple[int, int]
MAX_ZOOM = 3.0
REACH = 1.0125
"""How much larger than it is shown at most a picture is kept for a camera that moves."""
BACKDROP_DIM = 0.72
LITTLE = 1.25
"""Up to this shrinking, linear comes as near to a Lanczos filter as area does (both 49 dB), at a sixth of the cost."""

# Rows give Y, Cb, Cr from R'G'B' 0..255 (ITU-R BT.709, limited range: Y 16–235, C 16–240).
_KR, _KG, _KB = 0.2126, 0.7152, 0.0722
_Y, _C = 219 / 255, 224 / 255
MATRIX = np.array(
    [
        [_KR * _Y, _KG * _Y, _KB * _Y, 16.0],
        [-_KR / 1.8556 * _C, -_KG / 1.8556 * _C, (1 - _KB) / 1.8556 * _C, 128.0],
        [(1 - _KR) / 1.5748 * _C, -_KG / 1.5748 * _C, -_KB / 1.5748 * _C, 128.0],
    ]
)
_LEFT = np.array([0.25, 0.5, 0.25], np.float32)
_PAIR = np.array([0.5, 0.5], np.float32)


@dataclass(frozen=True)
class Planes:
    """Y (h, w) and U, V (h/2, w/2); sides are even."""

    y: Plane
    u: Plane
    v: Plane

    @property
    def size(self) -> Size:
        return self.y.shape[1], self.y.shape[0]

    @property
    def each(self) -> tuple[Plane, Plane, Plane]:
        return self.y, self.u, self.v

    def tint(self, colour: str) -> tuple[tuple[int, ...], ...]:
        """An opaque colour as values of these planes."""
        return tuple((int(plane[0, 0]),) for plane in from_rgb(np.full((2, 2, 3), rgb_of(colour), np.uint8)).each)

    def copy_to(self, other: Planes) -> None:
        for mine, theirs in zip(self.each, other.each, strict=True):
            theirs[:] = mine


def blank(size: Size) -> Planes:
    """Planes with undefined content."""
    w, h = size
    return Planes(
        np.empty((h, w), np.uint8), np.empty((h // 2, w // 2), np.uint8), np.empty((h // 2, w // 2), np.uint8)
    )


def halved(full: Plane) -> Plane:
    """Bring a full-size plane to chroma size, sited on even columns and between rows."""
    smooth = cv2.sepFilter2D(full, -1, _LEFT, _PAIR, anchor=(1, 0), borderType=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(smooth[::2, ::2])


def from_rgb(rgb: Plane) -> Planes:
    """Convert (H, W, 3) with even sides."""
    ycc = cv2.transform(rgb, MATRIX)
    y, u, v = cv2.split(ycc)
    return Planes(np.asarray(y, np.uint8), halved(np.asarray(u, np.uint8)), halved(np.asarray(v, np.uint8)))


def rgb_of(colour: str) -> tuple[int, int, int]:
    """#rrggbb as numbers. Raises PlanUnrenderable."""
    try:
        if len(colour) != 7 or colour[0] != "#":
            raise ValueError(colour)
        return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
    except ValueError:
        raise PlanUnrenderable(f"{colour!r} is not a colour of the form #rrggbb.") from None


def flat(colour: str, size: Size) -> Planes:
    """One colour all over."""
    planes = blank(size)
    for value, plane in zip(planes.tint(colour), planes.each, strict=True):
        plane[:] = value[0]
    return planes


def even(length: float) -> int:
    return max(2, 2 * round(length / 2))


def scaled_size(canvas: Size, zoom: float, *, moving: bool = False) -> Size:
    """Size of the fitted picture for a camera that goes in `zoom` times.

    For one that moves it is a little larger, so that every place can be sampled by the quick way: a resize reaches
    other phases than its own only where its scale is not one.
    """
    zoom = min(zoom, MAX_ZOOM) * (REACH if moving else 1.0)
    return even(canvas[0] * zoom), even(canvas[1] * zoom)


def resize(image: Plane, size: Size) -> Plane:
    """Scale by area when shrinking, by a cubic when enlarging, between neighbours when it becomes a little smaller."""
    w, h = size
    height, width = image.shape[:2]
    if (width, height) == (w, h):
        return image
    if w <= width <= LITTLE * w and h <= height <= LITTLE * h:
        way = cv2.INTER_LINEAR
    else:
        way = cv2.INTER_AREA if w <= width and h <= height else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (w, h), interpolation=way))


def crop_to_aspect(image: Plane, size: Size, focus: tuple[float, float]) -> Plane:
    """The largest part of the aspect of `size`, its middle as near to the focus as the edges allow."""
    height, width = image.shape[:2]
    wide = min(width, round(height * size[0] / size[1])) or 1
    high = min(height, round(width * size[1] / size[0])) or 1
    x = round(min(max(focus[0] * width - wide / 2, 0), width - wide))
    y = round(min(max(focus[1] * height - high / 2, 0), height - high))
    return image[y : y + high, x : x + wide]


def fitted(path: Path, size: Size, fit: str, backdrop: str, focus: tuple[float, float]) -> Planes:
    """Decode a still and fit it into `size` with CSS meaning. Raises the errors of probe.load_picture."""
    image = load_picture(path, max(size))
    if fit == "cover":
        image = opaque(resize(crop_to_aspect(image, size, focus), size), "#000000")
        return from_rgb(image)
    return from_rgb(_contained(image, size, backdrop))


def _contained(image: Plane, size: Size, backdrop: str) -> Plane:
    height, width = image.shape[:2]
    factor = min(size[0] / width, size[1] / height)
    w, h = min(size[0], max(1, round(width * factor))), min(size[1], max(1, round(height * factor)))
    x, y = (size[0] - w) // 2, (size[1] - h) // 2
    canvas = blurred(opaque(image, "#000000"), size) if backdrop == "blur" else _filled(backdrop, size)
    place = canvas[y : y + h, x : x + w]
    place[:] = over(resize(image, (w, h)), place)
    return canvas


def _filled(colour: str, size: Size) -> Plane:
    return np.full((size[1], size[0], 3), rgb_of(colour), np.uint8)


def opaque(image: Plane, colour: str) -> Plane:
    """RGB of a picture laid on one colour."""
    if image.shape[2] == 3:
        return image
    return over(image, _filled(colour, (image.shape[1], image.shape[0])))


def over(image: Plane, ground: Plane) -> Plane:
    """Lay RGB or straight RGBA over RGB of the same size."""
    if image.shape[2] == 3:
        return image
    alpha = image[..., 3:].astype(np.uint16)
    mixed = image[..., :3].astype(np.uint16) * alpha + ground.astype(np.uint16) * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def backdrop_size(size: Size) -> Size:
    """The size in which a backdrop of `size` is blurred: far smaller than what the blur leaves visible."""
    scale = max(1, min(16, min(size) // 32))
    return max(2, size[0] // scale), max(2, size[1] // scale)


def blurred(image: Plane, size: Size) -> Plane:
    """The picture enlarged to cover, blurred and dimmed, made at a fraction of the size."""
    small = backdrop_size(size)
    cover = resize(crop_to_aspect(image, size, (0.5, 0.5)), small)
    soft = cv2.GaussianBlur(cover, (0, 0), max(small) / 24, borderType=cv2.BORDER_REPLICATE)
    dim = cv2.convertScaleAbs(soft, alpha=BACKDROP_DIM)
    return np.array(cv2.resize(dim, size, interpolation=cv2.INTER_CUBIC))
