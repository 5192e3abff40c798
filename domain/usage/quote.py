"""What a job will cost, before it runs: a pure estimate from what it is made of. Amounts are micro-dollars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

WORDS_PER_SECOND = 2.4
"""How fast narration is spoken, for guesses before there is any."""

SECONDS_PER_PICTURE = 8.0


@dataclass(frozen=True)
class Price:
    """The price of one unit; None = unknown, which is never the same as free."""

    unit: str
    micro_dollars: int | None


PRICES: Mapping[str, Price] = {
    "offline": Price("calls", 0),
    "espeak": Price("characters", 0),
    "library": Price("pictures", 0),
    "artboard": Price("pictures", 0),
}
"""Provider → price. One that is not listed has an unknown price."""


@dataclass(frozen=True)
class QuoteLine:
    """One provider's part of a quote."""

    provider: str
    unit: str
    count: int
    micro_dollars: int | None


@dataclass(frozen=True)
class Quote:
    """An estimate; `micro_dollars` sums the known lines and `complete` says whether that is all of them."""

    lines: tuple[QuoteLine, ...]

    @property
    def micro_dollars(self) -> int:
        return sum(line.micro_dollars or 0 for line in self.lines)

    @property
    def complete(self) -> bool:
        return all(line.micro_dollars is not None for line in self.lines)

    def as_json(self) -> dict[str, Any]:
        lines = [asdict(line) for line in self.lines]
        return {"lines": lines, "micro_dollars": self.micro_dollars, "complete": self.complete}


def quote(seconds: int, writer: str, narrator: str, pictures: str) -> Quote:
    """Estimate a job of a film length (seconds) from its providers."""
    words = round(seconds * WORDS_PER_SECOND)
    return Quote(
        (
            _line(writer, "calls", 1),
            _line(narrator, "characters", words * 6),
            _line(pictures, "pictures", max(1, round(seconds / SECONDS_PER_PICTURE))),
        )
    )


def price(provider: str, unit: str, count: int) -> int | None:
    """Estimate the micro-dollars of some units; nothing costs nothing, and None = unknown."""
    return _line(provider, unit, count).micro_dollars if count else 0


def _line(provider: str, unit: str, count: int) -> QuoteLine:
    price = PRICES.get(provider)
    known = price is not None and price.micro_dollars is not None and price.unit == unit
    return QuoteLine(provider, unit, count, price.micro_dollars * count if known and price else None)  # type: ignore[operator]
