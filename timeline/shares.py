"""Shares (`fr`): items that divide among themselves what is left between the placed items around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from timeline.graph import Graph
from timeline.items import Clip
from timeline.references import Placed

Fixed = Callable[[Placed], Fraction | None]
"""The length of an item that needs nothing else to be known; None when there is none."""


@dataclass(frozen=True)
class Run:
    """Items that follow each other without a hole, from a known start to a known end."""

    items: tuple[Placed, ...]
    end: int
    """The unknown where the run ends."""

    @property
    def shares(self) -> Fraction:
        return sum((share_of(placed) for placed in self.items), Fraction(0))


def share_of(placed: Placed) -> Fraction:
    """Answer an item's share, 0 when it has none."""
    item = placed.item
    return item.length.fr or Fraction(0) if isinstance(item, Clip) and item.length is not None else Fraction(0)


def runs_of(row: Sequence[Placed], end_of_sequence: int) -> list[Run]:
    """Answer the runs of a row that hold shares."""
    runs: list[Run] = []
    current: list[Placed] = []
    for place, placed in enumerate(row):
        current.append(placed)
        following = row[place + 1] if place + 1 < len(row) else None
        if following is None or _is_placed(following) or _ends_by_itself(placed):
            free = following is not None and not _ends_by_itself(placed)
            end = following.start if free and following else placed.end if _ends_by_itself(placed) else end_of_sequence
            runs.append(Run(tuple(current), end))
            current = []
    return [run for run in runs if run.shares]


def _is_placed(placed: Placed) -> bool:
    return isinstance(placed.item, Clip) and placed.item.place.mode != "follow"


def _ends_by_itself(placed: Placed) -> bool:
    """Whether an item's end does not come from its start."""
    item = placed.item
    return isinstance(item, Clip) and item.length is not None and item.length.mode in ("until", "fill")


def define_shares(graph: Graph, run: Run, fixed: Fixed) -> Placed | None:
    """Say where shared items end; answers an item whose length cannot be known beforehand, if there is one."""
    taken = Fraction(0)
    for placed in run.items:
        if share_of(placed):
            continue
        length = fixed(placed)
        if length is None:
            return placed
        taken += length
    first, shares, spent = run.items[0].start, run.shares, taken
    for placed in run.items:
        if share := share_of(placed):
            part = share / shares

            def formula(known: Sequence[Fraction], part: Fraction = part) -> Fraction:
                return known[0] + (known[2] - known[1] - spent) * part

            graph.define(placed.end, (placed.start, first, run.end), formula)
    return None
