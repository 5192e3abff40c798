"""The second picture pushes the first off the canvas (`direction`: the way both move)."""

from __future__ import annotations

from adapters.media.transitions.tools import Params, Picture, direction_of, moved, scales, shift_of


def mix(a: Picture, b: Picture, progress: float, params: Params) -> None:
    """Both move by the same way, edge at edge."""
    x, y = shift_of(a, direction_of(params, "left"), progress)
    height, width = a.each[0].shape[:2]
    gone_x = x - width if x > 0 else x + width if x < 0 else 0
    gone_y = y - height if y > 0 else y + height if y < 0 else 0
    for under, upper, scale in zip(a.each, b.each, scales(a), strict=True):
        moved(under.copy(), under, gone_x // scale, gone_y // scale)
        moved(upper, under, x // scale, y // scale)
