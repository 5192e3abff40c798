"""Things laid over the picture: absolute on the film here, cut into segment-relative pieces by `lay`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from timeline.plan import Key, Overlay, TextState
from timeline.stage import Layer as Drawn
from timeline.time import format_decimal

Keys = tuple[Key, ...]
Make = Callable[[int, int, Keys], Overlay | TextState]
"""From first frame, number of frames and opacity to the piece a segment carries."""


@dataclass(frozen=True)
class Layer:
    """Something shown for film frames [first, stop).

    `make(first, frames, opacity)` writes its piece of a segment. Fades in frames; `opacity` is its level between.
    """

    first: int
    stop: int
    make: Make
    opacity: Fraction = Fraction(1)
    fade_in: int = 0
    fade_out: int = 0

    def knots(self) -> list[tuple[int, Fraction]]:
        """Answer the corners of its opacity in its own frames; no frame of a fade is wholly without it."""
        length, level = self.stop - self.first, self.opacity
        knots = [(0, level)]
        if self.fade_in:
            knots = [(0, level / (self.fade_in + 1)), (self.fade_in, level)]
        if self.fade_out:
            knots += [(length - 1 - self.fade_out, level), (length - 1, level / (self.fade_out + 1))]
        return knots

    def level(self, frame: int) -> Fraction:
        """Answer the opacity at one of its own frames."""
        knots = self.knots()
        after = bisect_right(knots, frame, key=lambda knot: knot[0])
        if after == len(knots):
            return knots[-1][1]
        (f0, v0), (f1, v1) = knots[max(after - 1, 0)], knots[after]
        return v0 if f1 == f0 else v0 + (v1 - v0) * Fraction(frame - f0, f1 - f0)

    def keys(self, begin: int, stop: int) -> Keys:
        """Answer the opacity keys of its frames [begin, stop), as if they began at frame 0; none when opaque."""
        inner = [frame for frame, _ in self.knots() if begin < frame < stop - 1]
        frames = sorted({begin, *inner, stop - 1})
        levels = [(frame - begin, format_decimal(self.level(frame))) for frame in frames]
        if len({level for _, level in levels}) == 1:
            return () if levels[0][1] == "1" else (Key(frame=0, value=levels[0][1]),)
        return tuple(Key(frame=frame, value=level) for frame, level in levels)

    def piece(self, begin: int, stop: int, first: int) -> Overlay | TextState:
        """Answer its film frames [begin, stop) as they lie in a segment where they start at frame `first`."""
        keys = self.keys(begin - self.first, stop - self.first)
        moved = tuple(Key(frame=key.frame + first, value=key.value) for key in keys)
        return self.make(first, stop - begin, moved)


Draw = Callable[[int, int, int], Drawn]
"""From first segment frame, number of frames and item frame to a layer of the plan."""


@dataclass(frozen=True)
class Cut:
    """Something with a clock of its own, shown for film frames [first, stop); its frame 0 is film frame `zero`."""

    first: int
    stop: int
    zero: int
    draw: Draw

    def piece(self, begin: int, stop: int, first: int) -> Drawn:
        return self.draw(first, stop - begin, begin - self.zero)


Sheet = Layer | Cut


def clipped(sheets: Sequence[Sheet], begin: int, stop: int, first: int) -> list[Overlay | TextState | Drawn]:
    """Answer what is seen of film frames [begin, stop), where those start at segment frame `first`."""
    seen = [(max(sheet.first, begin), min(sheet.stop, stop), sheet) for sheet in sheets]
    return [sheet.piece(a, b, first + a - begin) for a, b, sheet in seen if b > a]


def lay(sheets: Sequence[Sheet], starts: Sequence[int], total: int) -> list[list[Overlay | TextState | Drawn]]:
    """Cut sheets at segment starts and answer each segment's pieces, in the order of the sheets."""
    pieces: list[list[Overlay | TextState | Drawn]] = [[] for _ in starts]
    stops = [*starts[1:], total]
    for sheet in sheets:
        place = max(bisect_right(starts, sheet.first) - 1, 0)
        while place < len(starts) and starts[place] < sheet.stop:
            begin, stop = max(sheet.first, starts[place]), min(sheet.stop, stops[place])
            if stop > begin:
                pieces[place].append(sheet.piece(begin, stop, begin - starts[place]))
            place += 1
    return pieces
