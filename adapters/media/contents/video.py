"""A moving picture: trimmed, at any speed, frozen, reversed or repeated, all of which lies in its numbers."""

from __future__ import annotations

from fractions import Fraction

from adapters.media.contents.base import Source
from adapters.media.footage import Footage
from adapters.media.sheets import premultiplied
from adapters.media.workshop import Workshop
from timeline.plan import Layer
from timeline.stage import Video


def frame_number(content: Video, footage: Footage, k: int) -> int:
    """The file's frame at item frame k."""
    moment = content.start + k * content.step
    if content.loop and content.high > content.low:
        moment = content.low + (moment - content.low) % (content.high - content.low)
    if moment >= content.high > content.low:
        # The range is half-open: its last frame is the one that shows just before its end.
        last = footage.number_at(Fraction(content.high, content.scale))
        exact = footage.begins_at(last) >= Fraction(content.high, content.scale)
        return max(last - 1 if exact else last, 0)
    return footage.number_at(Fraction(max(moment, content.low), content.scale))


def make(content: Video, layer: Layer, shop: Workshop) -> Source:
    """Frames with their own pixels; the same frame twice is one state."""
    footage = shop.footage(content.asset)
    return Source(
        lambda k, frame: premultiplied(footage.picture(frame_number(content, footage, k))),
        lambda k, frame: frame_number(content, footage, k),
        footage.size,
    )
