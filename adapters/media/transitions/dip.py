"""Both pictures sink towards a colour (`colour`) and rise from it, as far as `depth` says."""

from __future__ import annotations

from adapters.media.transitions.tools import Params, Picture, colour_over, dissolve, number


def mix(a: Picture, b: Picture, progress: float, params: Params) -> None:
    """A dissolve under a tint that is deepest in the middle."""
    depth = number(params, "depth", 0.8, 0.0, 1.0)
    dissolve(a, b, progress)
    colour_over(a, params.get("colour", "#ffffff"), depth * (1.0 - abs(1.0 - 2.0 * progress)))
