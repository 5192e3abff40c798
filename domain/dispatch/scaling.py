"""How many worker units one machine should run: up at once when work waits, down only after a calm time. Pure.

Times in seconds of a steady clock. A unit serves some pools with some slots each; the signal is that of
domain/dispatch/capacity.py, so work that limits or pauses hold never starts a unit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

CALM_S = 60.0
"""So long fewer units must have been enough before one is drained."""
FIRM_LOOKS = 2
"""So many looks in a row must want more units before they are started; one look may be a burst that is over."""


class Need(Protocol):
    """What is known of a pool."""

    @property
    def desired(self) -> int: ...
    @property
    def slots(self) -> int: ...


@dataclass(frozen=True)
class Bounds:
    """Fewest and most units of this machine, and the slots of one unit by pool. Raises ValueError when senseless."""

    fewest: int
    most: int
    slots: Mapping[str, int]

    def __post_init__(self) -> None:
        if not 0 <= self.fewest <= self.most or self.most < 1:
            raise ValueError("give 0 ≤ --min ≤ --max, and --max of at least 1")
        if not self.slots or any(count < 1 for count in self.slots.values()):
            raise ValueError("a unit needs at least one slot in each of its pools")


@dataclass(frozen=True)
class Memory:
    """What earlier looks leave behind: how many wanted more, and since when fewer units would be enough."""

    firm: int = 0
    calm_since: float | None = None


@dataclass(frozen=True)
class Move:
    """What to do now: units to start, units to drain (at most one at a time), why, and what to remember."""

    start: int
    drain: int
    wanted: int
    why: str
    memory: Memory


def wanted_units(needs: Mapping[str, Need], bounds: Bounds, mine: int) -> int:
    """How many units of ours cover what the pools want beyond the slots of other machines."""
    found = 0
    for pool, slots in bounds.slots.items():
        need = needs.get(pool)
        if need is None:
            continue
        others = max(0, need.slots - mine * slots)
        found = max(found, math.ceil(max(0, need.desired - others) / slots))
    return min(max(found, bounds.fewest), bounds.most)


def decide(needs: Mapping[str, Need], bounds: Bounds, mine: int, memory: Memory, now: float) -> Move:
    """Decide by one look. `mine` are our units that take work (those that drain do not count)."""
    wanted = wanted_units(needs, bounds, mine)
    if mine < bounds.fewest:
        return Move(bounds.fewest - mine, 0, wanted, "below the fewest", Memory())
    if mine > bounds.most:
        return Move(0, 1, wanted, "above the most", Memory())
    if wanted > mine:
        firm = memory.firm + 1
        if firm < FIRM_LOOKS:
            return Move(0, 0, wanted, "more is wanted; looking once more", Memory(firm))
        return Move(wanted - mine, 0, wanted, "more work waits than the slots clear in time", Memory())
    if wanted == mine:
        return Move(0, 0, wanted, "just right", Memory())
    since = now if memory.calm_since is None else memory.calm_since
    if now - since < CALM_S:
        return Move(0, 0, wanted, f"fewer would do; waiting {CALM_S:.0f} s of calm", Memory(0, since))
    # One at a time, and the calm begins anew: a farm that breathes must not pump.
    return Move(0, 1, wanted, "fewer have been enough for a while", Memory(0, now))
