"""The second picture slides over the first (`direction`: the way it moves)."""

from __future__ import annotations

from adapters.media.transitions.tools import Params, Picture, direction_of, moved, scales, shift_of


def mix(a: Picture, b: Picture, progress: float, params: Params) -> None:
    """`a` stands still under `b`, which comes in from the edge opposite to its way."""
    x, y = shift_of(a, direction_of(params, "left"), progress)
    for under, upper, scale in zip(a.each, b.each, scales(a), strict=True):
        moved(upper, under, x // scale, y // scale)
