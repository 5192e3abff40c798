"""Words of open sets that take parameters: their names, what they do, and how parameter texts are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from timeline.colours import parse_colour
from timeline.faults import nearest
from timeline.time import format_decimal

Reader = Callable[[str], str]


@dataclass(frozen=True)
class Param:
    """A parameter: its default, and how its text is checked and made canonical (raises ValueError)."""

    default: str
    read: Reader


@dataclass(frozen=True)
class Kind:
    """One word of a set, such as a transition. `summary` is one sentence for people."""

    name: str
    summary: str
    params: Mapping[str, Param] = field(default_factory=dict)

    def read_params(self, given: Mapping[str, str]) -> dict[str, str]:
        """Answer all parameters in canonical form. Raises ValueError on an unknown name or a bad value."""
        for name in given:
            if name not in self.params:
                known = ", ".join(self.params) or "none"
                hint = nearest(name, self.params)
                raise ValueError(f"{self.name} has no parameter {name[:60]!r} (it has: {known}). {hint}".strip())
        return {name: param.read(given.get(name, param.default)) for name, param in sorted(self.params.items())}


def colour(text: str) -> str:
    return parse_colour(text)


def one_of(*words: str) -> Reader:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{text[:60]!r} is not one of {', '.join(words)}. {nearest(text, words)}".strip())
        return text

    return read


def fraction(low: str, high: str) -> Reader:
    def read(text: str) -> str:
        try:
            value = Fraction(text) if len(text) <= 12 else None
        except (ValueError, ZeroDivisionError):
            value = None
        if value is None or not Fraction(low) <= value <= Fraction(high):
            raise ValueError(f"{text[:60]!r} is not a number from {low} to {high}.")
        return format_decimal(value)

    return read


def whole(low: int, high: int) -> Reader:
    def read(text: str) -> str:
        if not re.fullmatch(r"-?\d{1,9}", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError(f"{text[:60]!r} is not a whole number from {low} to {high}.")
        return str(int(text))

    return read


def word(text: str) -> str:
    """Read a name that must not be empty."""
    if not text or len(text) > 120:
        raise ValueError("A name is needed.")
    return text
