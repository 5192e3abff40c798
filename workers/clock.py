"""Notices that the wall clock was moved, or that the machine has slept."""

from __future__ import annotations

import time
from collections.abc import Callable

NOTABLE_S = 2.0


class ClockWatch:
    """Compares the wall clock with the steady one between two looks."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._steady = wall, steady
        self._between = wall() - steady()

    def jumped(self) -> bool:
        """Whether the wall clock has moved against the steady one since the last look."""
        before, self._between = self._between, self._wall() - self._steady()
        return abs(self._between - before) > NOTABLE_S
