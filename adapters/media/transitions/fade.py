"""The first picture fades to a colour (`colour`, black if not given), then the second comes out of it."""

from __future__ import annotations

from adapters.media.transitions.tools import Params, Picture, colour_over


def mix(a: Picture, b: Picture, progress: float, params: Params) -> None:
    """Linear to the colour until the middle, linear from it afterwards."""
    if progress >= 0.5:
        for under, upper in zip(a.each, b.each, strict=True):
            under[:] = upper
    colour_over(a, params.get("colour", "#000000"), 1.0 - abs(1.0 - 2.0 * progress))
