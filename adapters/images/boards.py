"""Paints one art board: backdrop, a veil behind the words, the words, grain. Equal requests give equal pixels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from adapters.images.backdrops import BACKDROPS, choose_backdrop
from adapters.images.layouts import Element, Words, lay_out, zone_of
from adapters.images.lettering import clean_text
from adapters.images.palette import MIN_CONTRAST, Colour, choose_palette, contrast, luminance
from adapters.images.surface import Floats, Surface
from domain.production.ports import PictureRequest

OVERSIZE = 1.15
"""Boards are painted larger than the film, so that the camera can move in without softening."""
FOCUS = {"wide": (0.775, 0.44), "tall": (0.5, 0.72), "square": (0.66, 0.58)}
FREE_FOCUS = {"wide": (0.58, 0.44), "tall": (0.5, 0.45), "square": (0.5, 0.47)}
"""Where the eye should go, with words and without."""
VEILS = (0.4, 0.52, 0.63, 0.72, 0.8, 0.87, 0.93, 0.97)
"""Strengths of the veil, tried from the lightest."""
SAFETY = 0.6
"""Contrast kept in reserve for grain and encoding."""


@dataclass(frozen=True)
class Board:
    """Finished pixels, what was chosen, and the words' elements with the pixels that lie behind them."""

    pixels: npt.NDArray[np.uint8]
    backdrop: str
    palette: str
    elements: list[Element]
    behind: Floats


def board_size(width: int, height: int) -> tuple[int, int]:
    """Answer the size painted for a film of this size: larger, and even."""
    across, down = (round(side * OVERSIZE / 2) * 2 for side in (width, height))
    return across, down


def paint(request: PictureRequest) -> Board:
    """Paint a board; raises ProviderRefused when the typeface lacks a character."""
    words = Words(clean_text(request.kicker), clean_text(request.headline), clean_text(request.figure))
    key = "\x1f".join(
        [request.seed, request.prompt, request.palette, *request.keywords, words.kicker, words.headline, words.figure]
    )
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big"))
    size = board_size(request.width, request.height)
    palette = choose_palette(request.palette or request.seed, request.seed)
    focus = (FOCUS if words else FREE_FOCUS)[zone_of(*size)]
    elements = lay_out(words, size, palette, rng) if words else []
    surface = Surface(*size, palette, rng, focus)
    texts = [(word, 1.0) for word in request.keywords] + [(words.headline, 1.0), (request.prompt, 0.4)]
    backdrop = choose_backdrop(texts, rng)
    BACKDROPS[backdrop](surface)
    surface.vignette()
    _veil(surface, elements)
    behind = surface.pixels.copy() if elements else surface.pixels
    for element in elements:
        _print(surface, element)
    return Board(surface.finish(), backdrop, palette.name, elements, behind)


def _union(elements: list[Element]) -> tuple[int, int, int, int]:
    boxes = np.array([element.box for element in elements])
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = boxes[:, 2:].max(axis=0)
    return int(left), int(top), int(right), int(bottom)


def _veil(surface: Surface, elements: list[Element]) -> None:
    """Darken softly where words will stand, as much as their contrast needs and always a little."""
    if not elements:
        return
    left, top, right, bottom = _union(elements)
    x, y = surface.soft_grid()
    reach_x, reach_y = surface.width * 0.24, surface.height * 0.22
    outside_x = np.maximum(np.maximum(left - x, x - right), 0) / reach_x
    outside_y = np.maximum(np.maximum(top - y, y - bottom), 0) / reach_y
    mask = surface.grow(np.asarray(np.exp(-((outside_x**2 + outside_y**2) * 1.9)), np.float32))
    texts = [element for element in elements if element.is_text]
    for strength in VEILS:
        if all(_contrast_veiled(surface, mask, strength, element) >= MIN_CONTRAST + SAFETY for element in texts):
            break
    surface.cover(mask, surface.palette.ground, strength)


def _contrast_veiled(surface: Surface, mask: Floats, strength: float, element: Element) -> float:
    left, top, right, bottom = element.box
    patch, share = surface.pixels[top:bottom, left:right], mask[top:bottom, left:right, None] * np.float32(strength)
    ground = np.asarray(surface.palette.ground, np.float32)
    return _contrast(patch + share * (ground - patch), element)


def contrast_of(behind: Floats, element: Element) -> float:
    """Contrast of an element's darkest colour with the brightest percent of what lies behind it."""
    left, top, right, bottom = element.box
    return _contrast(behind[top:bottom, left:right], element)


def _contrast(pixels: Floats, element: Element) -> float:
    patch = np.clip(pixels[::2, ::2], 0, 1)
    linear = np.where(patch <= 0.04045, patch / 12.92, ((patch + 0.055) / 1.055) ** 2.4)
    bright = float(np.percentile(linear @ np.asarray([0.2126, 0.7152, 0.0722], np.float32), 99))
    return min(contrast(luminance(colour), bright) for colour in element.colours)


def _print(surface: Surface, element: Element) -> None:
    """Lay ink down with a faint shadow; two colours run from left to right across the element."""
    image = Image.new("L", (surface.width, surface.height))
    element.draw(image)
    pad = round(surface.unit * 40)
    left, top = max(element.box[0] - pad, 0), max(element.box[1] - pad, 0)
    right, bottom = min(element.box[2] + pad, surface.width), min(element.box[3] + pad, surface.height)
    mask = np.asarray(image.crop((left, top, right, bottom)), np.float32) / np.float32(255)
    patch = surface.pixels[top:bottom, left:right]
    if element.is_text:
        shadow = np.asarray(cv2.GaussianBlur(mask, (0, 0), max(1.0, surface.unit * 11)), np.float32)
        patch += shadow[..., None] * np.float32(0.5) * (np.asarray(surface.palette.ground, np.float32) - patch)
    patch += mask[..., None] * (_ink(surface, element)[:, left:right] - patch)


def _ink(surface: Surface, element: Element) -> Floats:
    colours: tuple[Colour, ...] = element.colours
    if len(colours) == 1:
        return np.broadcast_to(np.asarray(colours[0], np.float32), (1, surface.width, 3))
    left, _, right, _ = element.box
    along = np.clip((np.arange(surface.width, dtype=np.float32) - left) / max(right - left, 1), 0, 1)[None, :, None]
    first, last = (np.asarray(colour, np.float32) for colour in (colours[0], colours[-1]))
    return np.asarray(first + along * (last - first), np.float32)
