"""Colours as #rrggbb, and as ASS writes them."""

from __future__ import annotations

import re

_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


def parse_colour(text: object) -> str:
    """Answer #rrggbb in lower case. Raises ValueError."""
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise ValueError(f"Not a colour: {str(text)[:60]!r}. Write #rrggbb, such as #0b1020.")
    digits = text[1:].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def ass_colour(colour: str, alpha: int = 0) -> str:
    """Write #rrggbb as &HAABBGGRR (alpha 0 = opaque), the form of style lines."""
    return f"&H{alpha:02X}{ass_bgr(colour)}"


def ass_bgr(colour: str) -> str:
    """Write #rrggbb as BBGGRR, the digits of override tags."""
    return (colour[5:7] + colour[3:5] + colour[1:3]).upper()
