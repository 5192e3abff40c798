"""Where pictures lie on the canvas: anchor, position and size become a box of whole pixels."""

from __future__ import annotations

from fractions import Fraction

from timeline.ass import ALIGNMENTS
from timeline.document import Layout
from timeline.plan import Box
from timeline.profiles import Profile
from timeline.time import round_half_up


def box_of(layout: Layout, natural: tuple[int, int], profile: Profile, px: Fraction) -> Box:
    """Answer the box of an overlay; `natural` is the picture's size, `px` one authored pixel on this canvas.

    Without a position the anchor point lies at the same corner, edge or middle of the profile's safe box.
    """
    canvas = (profile.width, profile.height)
    width, height = _size(layout, natural, canvas, px)
    column, row = _thirds(layout.anchor or "center")
    if layout.position:
        x = layout.position[0].pixels(canvas[0], canvas, px)
        y = layout.position[1].pixels(canvas[1], canvas, px)
    else:
        safe = profile.safe
        x, y = safe.x + Fraction(safe.w * column, 2), safe.y + Fraction(safe.h * row, 2)
    left, top = round_half_up(x - width * column / 2), round_half_up(y - height * row / 2)
    return Box(x=left, y=top, w=max(round_half_up(width), 1), h=max(round_half_up(height), 1))


def _thirds(anchor: str) -> tuple[int, int]:
    """Answer column (0 left … 2 right) and row (0 top … 2 bottom) of an anchor word."""
    number = ALIGNMENTS[anchor] - 1
    return number % 3, 2 - number // 3


def _size(layout: Layout, natural: tuple[int, int], canvas: tuple[int, int], px: Fraction) -> tuple[Fraction, Fraction]:
    """Answer width and height; a missing one keeps the ratio, both missing keep the picture's own pixels."""
    width, height = layout.size or (None, None)
    ratio = Fraction(natural[0], natural[1])
    if width is not None:
        across = width.pixels(canvas[0], canvas, px)
        return across, height.pixels(canvas[1], canvas, px) if height is not None else across / ratio
    if height is not None:
        down = height.pixels(canvas[1], canvas, px)
        return down * ratio, down
    return natural[0] * px, natural[1] * px
