"""ASS text: styles, escaping of what people wrote, and override tags. Positions are pixels of the canvas."""

from __future__ import annotations

from fractions import Fraction

from timeline.colours import ass_bgr, ass_colour
from timeline.metrics import FontMetrics
from timeline.plan import AssStyle
from timeline.time import format_decimal

ALIGNMENTS = {
    "bottom-left": 1,
    "bottom": 2,
    "bottom-right": 3,
    "left": 4,
    "center": 5,
    "right": 6,
    "top-left": 7,
    "top": 8,
    "top-right": 9,
}
"""Anchor words as numbers of the numeric pad."""

_HARMLESS = "\\\u200b"
"""A backslash that commands nothing: what follows it is a space without width."""


def escape(text: str) -> str:
    """Make a text safe inside an event: braces and backslashes lose their meaning, white space becomes plain."""
    return _safe(" ".join(text.split()))


def _safe(plain: str) -> str:
    return plain.replace("\\", _HARMLESS).replace("{", "\\{").replace("}", "\\}")


def spell(text: str, font: FontMetrics) -> str:
    """Make a text safe and name the face of every part that the style's own face cannot show."""
    parts = []
    for face, run in font.runs(" ".join(text.split())):
        parts.append(_safe(run) if face is font else f"{{{_face(face)}}}{_safe(run)}{{{_face(font)}}}")
    return "".join(parts)


def _face(font: FontMetrics) -> str:
    return f"\\fn{font.family}\\b{int(font.bold)}"


def style(
    name: str, font: FontMetrics, size: int, colour: str, outline_colour: str, outline: int, language: str
) -> AssStyle:
    """Write a style line: one face, one size (pixels per em), an outline and no hard shadow.

    `language` chooses among national forms of characters.
    """
    fields = [
        font.family,
        font.ass_size(size),
        ass_colour(colour),
        ass_colour(colour),
        ass_colour(outline_colour),
        ass_colour("#000000", 0x80),
        "-1" if font.bold else "0",
        "0,0,0,100,100,0,0,1",
        str(outline),
        "0,5,0,0,0,-1",
    ]
    return AssStyle(name=name, value=",".join(fields), language=language)


def at(anchor: int, x: Fraction | int, y: Fraction | int) -> str:
    """Write alignment and position tags."""
    return f"\\an{anchor}\\pos({format_decimal(Fraction(x), 2)},{format_decimal(Fraction(y), 2)})"


def fill_colour(colour: str) -> str:
    return f"\\1c&H{ass_bgr(colour)}&"


def soft_shadow(spread: int, alpha: int = 0x58) -> str:
    """Write tags that turn an event into its own soft shadow: black, spread and blurred."""
    spread_tag = format_decimal(Fraction(spread, 2), 1)
    return f"\\1c&H000000&\\3c&H000000&\\1a&H{alpha:02X}&\\3a&H{alpha:02X}&\\bord{spread_tag}\\blur{spread_tag}"


def rectangle(x: Fraction, y: Fraction, w: Fraction, h: Fraction, colour: str, alpha: int = 0) -> str:
    """Write an event that draws a filled rectangle with its corner at (x, y)."""
    right, bottom = format_decimal(w, 2), format_decimal(h, 2)
    path = f"m 0 0 l {right} 0 l {right} {bottom} l 0 {bottom}"
    tags = f"{at(7, x, y)}{fill_colour(colour)}\\1a&H{alpha:02X}&\\bord0\\shad0\\blur0\\p1"
    return f"{{{tags}}}{path}{{\\p0}}"
