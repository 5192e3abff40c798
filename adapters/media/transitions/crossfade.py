"""One picture dissolves into the other."""

from __future__ import annotations

from adapters.media.transitions.tools import Params, Picture, dissolve


def mix(a: Picture, b: Picture, progress: float, params: Params) -> None:
    """Weighted sum; at 0 only `a`, at 1 only `b`."""
    dissolve(a, b, progress)
