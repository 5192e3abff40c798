"""A system of times that depend on each other: solved in one pass, cycles named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

Formula = Callable[[Sequence[Fraction]], Fraction | None]
"""From the values of what it rests on to its own; None = cannot be known (reported elsewhere)."""

MAX_DENOMINATOR = 10**40
"""Sums of times with ever new denominators stop here; honest documents stay many orders below."""


class Graph:
    """Unknown times, each with a formula over others. Unknowns are numbered in the order they are added."""

    def __init__(self) -> None:
        self._needs: list[tuple[int, ...]] = []
        self._formulas: list[Formula] = []

    def add(self, needs: Sequence[int] = (), formula: Formula | None = None) -> int:
        """Add an unknown; without a formula it stays unknown until `define`."""
        self._needs.append(tuple(needs))
        self._formulas.append(formula or _unknown)
        return len(self._needs) - 1

    def define(self, node: int, needs: Sequence[int], formula: Formula) -> None:
        self._needs[node] = tuple(needs)
        self._formulas[node] = formula

    def solve(self) -> tuple[list[Fraction | None], list[int]]:
        """Answer all values, and the nodes of one cycle in order (empty if there is none). Linear time."""
        waiting = [len(needs) for needs in self._needs]
        users: list[list[int]] = [[] for _ in self._needs]
        for node, needs in enumerate(self._needs):
            for need in needs:
                users[need].append(node)
        values: list[Fraction | None] = [None] * len(waiting)
        ready = [node for node, count in enumerate(waiting) if count == 0]
        for node in ready:
            values[node] = self._value(node, values)
            for user in users[node]:
                waiting[user] -= 1
                if waiting[user] == 0:
                    ready.append(user)
        return values, self._cycle(waiting)

    def _value(self, node: int, values: Sequence[Fraction | None]) -> Fraction | None:
        known = [value for need in self._needs[node] if (value := values[need]) is not None]
        if len(known) != len(self._needs[node]):
            return None
        value = self._formulas[node](known)
        return None if value is not None and value.denominator > MAX_DENOMINATOR else value

    def _cycle(self, waiting: Sequence[int]) -> list[int]:
        """Every unsolved node rests on another unsolved one, so walking back must come round."""
        start = next((node for node, count in enumerate(waiting) if count), None)
        if start is None:
            return []
        place: dict[int, int] = {}
        path: list[int] = []
        node = start
        while node not in place:
            place[node] = len(path)
            path.append(node)
            node = next(need for need in self._needs[node] if waiting[need])
        return path[place[node] :][::-1]


def _unknown(_: Sequence[Fraction]) -> Fraction | None:
    return None
