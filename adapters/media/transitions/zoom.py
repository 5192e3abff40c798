"""The first picture swells and dissolves into the second, which settles from larger (`amount`: how much larger)."""

from __future__ import annotations

import cv2

from adapters.media.transitions.tools import Params, Picture, magnified, number


def mix(a: Picture, b: Picture, progress: float, params: Params) -> None:
    """`a` goes from 1 to 1 + amount, `b` from 1 + half of it to 1; the dissolve fills the middle half."""
    amount = number(params, "amount", 0.5, 0.05, 3.0)
    shown = min(max((progress - 0.25) / 0.5, 0.0), 1.0)
    for under, upper in zip(a.each, b.each, strict=True):
        swollen = magnified(under, 1.0 + amount * progress)
        # Starting larger than the canvas too: smaller, its edges would show.
        arriving = magnified(upper, 1.0 + amount * 0.5 * (1.0 - progress))
        cv2.addWeighted(swollen, 1.0 - shown, arriving, shown, 0.0, dst=under)
