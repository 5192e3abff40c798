"""Colours of art boards: composed palettes, one chosen by a project's name and turned slightly for each board."""

from __future__ import annotations

import colorsys
import hashlib
from dataclasses import dataclass

Colour = tuple[float, float, float]
"""Red, green and blue in sRGB, 0 to 1."""

MIN_CONTRAST = 4.5


@dataclass(frozen=True)
class Palette:
    """From the darkest ground to the lightest ink; `accent` and `second` are for light, lines and figures."""

    name: str
    ground: Colour
    deep: Colour
    mid: Colour
    accent: Colour
    second: Colour
    ink: Colour


def _hex(value: str) -> Colour:
    red, green, blue = (int(value[start : start + 2], 16) / 255 for start in (0, 2, 4))
    return red, green, blue


def _palette(name: str, *values: str) -> Palette:
    ground, deep, mid, accent, second, ink = map(_hex, values)
    return Palette(name, ground, deep, mid, accent, second, ink)


PALETTES = (
    _palette("midnight", "050a1c", "0f1f4b", "2d4fa2", "7fb4ff", "ffb86b", "f6f8ff"),
    _palette("aurora", "03131a", "063a43", "0f7c78", "5ff0c8", "a58bff", "f1fffb"),
    _palette("violet", "0d0620", "2a1257", "5f2fb0", "c59bff", "ff8fb3", "fbf6ff"),
    _palette("ember", "14070a", "43121a", "9c2f2c", "ffb169", "ff6f61", "fff6ee"),
    _palette("lagoon", "04121f", "0a3556", "1b7aa3", "74e2ff", "ffd27a", "f3fbff"),
    _palette("dusk", "100a1f", "33204f", "86436f", "ffb59b", "8fb8ff", "fff7f4"),
    _palette("forest", "06120d", "123a2b", "2f7a55", "b6f09c", "ffd67f", "f6fff4"),
    _palette("copper", "120b06", "3b2413", "8a5526", "ffc07f", "7fd4d0", "fff8f0"),
)
FAMILIES = {"deep-sky": "midnight"}
"""Projects whose colours are part of their brand."""


def choose_palette(project: str, board: str) -> Palette:
    """Answer the project's palette, turned by up to ±22° of hue for the board; the same names give the same colours."""
    digest = hashlib.sha256(project.encode()).digest()
    wanted = FAMILIES.get(project, project)
    base = next((palette for palette in PALETTES if palette.name == wanted), PALETTES[digest[0] % len(PALETTES)])
    turn = (hashlib.sha256(f"hue:{board}".encode()).digest()[0] / 255 - 0.5) * 44 / 360
    colours = (base.ground, base.deep, base.mid, base.accent, base.second)
    ground, deep, mid, accent, second = (turn_hue(colour, turn) for colour in colours)
    ink = base.ink
    return Palette(base.name, ground, deep, mid, readable(accent, ground, ink), readable(second, ground, ink), ink)


def turn_hue(colour: Colour, turn: float) -> Colour:
    """Turn the hue by a share of the circle, keeping lightness and saturation."""
    hue, light, saturation = colorsys.rgb_to_hls(*colour)
    return colorsys.hls_to_rgb((hue + turn) % 1, light, saturation)


def luminance(colour: Colour) -> float:
    """Relative luminance after WCAG 2."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: float, other: float) -> float:
    """Contrast of two luminances after WCAG 2: 1 (none) to 21."""
    low, high = sorted((one, other))
    return (high + 0.05) / (low + 0.05)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Blend two colours: 0 gives the first, 1 the other."""
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def readable(colour: Colour, ground: Colour, ink: Colour) -> Colour:
    """Move a colour towards the ink until text in it stands well on the ground (contrast 7 or more)."""
    for step in range(11):
        candidate = mix(colour, ink, step / 10)
        if contrast(luminance(candidate), luminance(ground)) >= 7:
            return candidate
    return ink
