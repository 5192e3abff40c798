"""Easing: named cubic Bézier curves and `cubic-bezier(x1, y1, x2, y2)`, as control points in decimals."""

from __future__ import annotations

import re
from fractions import Fraction

from timeline.faults import nearest
from timeline.time import format_decimal

Curve = tuple[str, str, str, str]

EASINGS: dict[str, Curve] = {
    "linear": ("0", "0", "1", "1"),
    "ease": ("0.25", "0.1", "0.25", "1"),
    "in": ("0.42", "0", "1", "1"),
    "out": ("0", "0", "0.58", "1"),
    "in-out": ("0.42", "0", "0.58", "1"),
}

_NUMBER = r"\s*(-?\d{0,6}(?:\.\d{1,6})?)\s*"
_BEZIER = re.compile(rf"cubic-bezier\({_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}\)")


def parse_ease(text: str) -> Curve:
    """Answer control points of a curve. Raises ValueError naming the accepted words."""
    if text in EASINGS:
        return EASINGS[text]
    found = _BEZIER.fullmatch(text.strip())
    if not found or not all(found.groups()) or "-" in found.groups():
        hint = nearest(text, EASINGS)
        raise ValueError(
            f"No easing {text[:60]!r}; use {', '.join(EASINGS)} or cubic-bezier(x1,y1,x2,y2). {hint}".strip()
        )
    x1, y1, x2, y2 = (Fraction(part) for part in found.groups())
    if not (0 <= x1 <= 1 and 0 <= x2 <= 1 and abs(y1) <= 4 and abs(y2) <= 4):
        raise ValueError(f"In {text[:60]!r} both x must lie in 0..1, so that time runs forward, and both y in -4..4.")
    return tuple(format_decimal(part) for part in (x1, y1, x2, y2))  # type: ignore[return-value]
