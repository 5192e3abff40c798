"""How many units one machine runs: up firmly, down calmly, one at a time, never for work that limits hold."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.dispatch.scaling import CALM_S, Bounds, Memory, decide, wanted_units

BOUNDS = Bounds(1, 4, {"io": 2, "cpu": 2})


@dataclass(frozen=True)
class Pool:
    desired: int
    slots: int = 0


class TestWanted:
    @pytest.mark.parametrize(
        ("cpu", "io", "mine", "units"),
        [
            (Pool(0), Pool(0), 0, 1),  # never fewer than the fewest
            (Pool(1, 2), Pool(0, 2), 1, 1),
            (Pool(3, 2), Pool(0, 2), 1, 2),  # two slots each: the third slot needs a second unit
            (Pool(100, 2), Pool(0, 2), 1, 4),  # never more than the most
            (Pool(6, 8), Pool(0, 2), 1, 1),  # six slots of other machines clear it
            (Pool(2, 2), Pool(5, 2), 1, 3),  # the pool that wants most decides
        ],
    )
    def test_units(self, cpu: Pool, io: Pool, mine: int, units: int) -> None:
        assert wanted_units({"cpu": cpu, "io": io, "gpu": Pool(99)}, BOUNDS, mine) == units

    @pytest.mark.parametrize(("fewest", "most", "slots"), [(2, 1, {"io": 1}), (-1, 1, {"io": 1}), (0, 0, {"io": 1})])
    def test_senseless_bounds(self, fewest: int, most: int, slots: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="--min"):
            Bounds(fewest, most, slots)

    def test_a_unit_without_slots(self) -> None:
        with pytest.raises(ValueError, match="slot"):
            Bounds(0, 1, {})


class TestMoves:
    @pytest.mark.parametrize(
        ("desired", "mine", "memory", "now", "start", "drain"),
        [
            (0, 0, Memory(), 0.0, 1, 0),  # below the fewest: at once
            (9, 5, Memory(), 0.0, 0, 1),  # above the most: one at a time
            (6, 1, Memory(), 0.0, 0, 0),  # one look may be a burst
            (6, 1, Memory(firm=1), 0.0, 2, 0),  # two looks are not
            (2, 1, Memory(firm=1), 0.0, 0, 0),
            (2, 2, Memory(), 0.0, 0, 0),  # fewer would do: the calm begins
            (2, 2, Memory(0, 0.0), CALM_S - 1, 0, 0),
            (2, 2, Memory(0, 0.0), CALM_S, 0, 1),
        ],
    )
    def test_one_look(self, desired: int, mine: int, memory: Memory, now: float, start: int, drain: int) -> None:
        move = decide({"cpu": Pool(desired, mine * 2)}, BOUNDS, mine, memory, now)
        assert (move.start, move.drain) == (start, drain)

    def test_a_breathing_farm_does_not_pump(self) -> None:
        """Need that comes and goes within the calm time neither starts nor drains anything."""
        memory, moves = Memory(), 0
        for look in range(100):
            move = decide({"cpu": Pool(4 if look % 2 else 2, 4)}, BOUNDS, 2, memory, look * 5.0)
            memory, moves = move.memory, moves + move.start + move.drain
        assert moves == 0

    @given(st.lists(st.integers(0, 40), min_size=1, max_size=60))
    def test_always_within_bounds(self, wishes: list[int]) -> None:
        mine, memory = 0, Memory()
        for look, desired in enumerate(wishes):
            move = decide({"cpu": Pool(desired, mine * 2)}, BOUNDS, mine, memory, look * 30.0)
            assert move.drain <= 1
            assert not (move.start and move.drain)
            mine, memory = mine + move.start - move.drain, move.memory
            assert BOUNDS.fewest <= mine <= BOUNDS.most
