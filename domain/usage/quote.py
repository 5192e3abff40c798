"""What a job will cost, before it runs: low, likely and high per step, from what the step is expected to consume.

Pure. Amounts are micro-dollars; rates are micro-dollars for one unit. A price that is not known makes its line unknown
(None), which is never the same as free.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol

LOCAL: Mapping[str, str] = {
    "offline": "calls",
    "espeak": "characters",
    "library": "pictures",
    "artboard": "pictures",
    "": "seconds",
}
"""What is made on our own machines and costs nothing, and the unit it is counted in."""

PRIOR_SAMPLES = 3
"""Until there are this many jobs the estimate itself counts as the missing ones."""
NEWEST = 0.3
"""Weight of the newest job in what is learnt."""
BOUNDS = (0.2, 5.0)
"""A job teaches no more than this: beyond it something else was different."""


@dataclass(frozen=True)
class Range:
    """Low, likely and high counts."""

    low: float
    likely: float
    high: float

    def times(self, factor: float) -> Range:
        return Range(self.low * factor, self.likely * factor, self.high * factor)

    def plus(self, other: Range) -> Range:
        return Range(self.low + other.low, self.likely + other.likely, self.high + other.high)


def exactly(count: float) -> Range:
    """A count that is known."""
    return Range(count, count, count)


NO_TIME = exactly(0)


@dataclass(frozen=True)
class Demand:
    """What one step will ask of one provider: calls, and units by name. `shown` is the unit people read."""

    step: str
    provider: str
    model: str
    shown: str
    calls: Range
    units: Mapping[str, Range]
    prompt_tokens: int = 0

    def count(self) -> Range:
        total = exactly(0)
        for name, amount in self.units.items():
            if name in SHOWN.get(self.shown, (self.shown,)):
                total = total.plus(amount)
        return total


SHOWN: Mapping[str, Sequence[str]] = {"tokens": ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read")}
"""Units that are shown as a sum of priced ones; all others are shown as they are."""


class Tariffs(Protocol):
    """What providers charge (adapters/prices/tariffs.py)."""

    def rates(self, provider: str, model: str, prompt_tokens: int = 0) -> Mapping[str, Fraction | None] | None:
        """Micro-dollars for one unit, by unit; None for a provider or model without a price file."""
        ...

    def picture(
        self, provider: str, model: str, options: Mapping[str, str], width: int, height: int
    ) -> Mapping[str, Range]:
        """What one picture consumes, by unit, besides the prompt's text."""
        ...

    def prompt_unit(self, provider: str) -> str:
        """The unit in which a picture provider bills the text of a prompt; empty = it does not."""
        ...


class NoTariffs:
    """Knows no prices: only what is made on our own machines has one."""

    def rates(self, provider: str, model: str, prompt_tokens: int = 0) -> Mapping[str, Fraction | None] | None:
        return None

    def picture(
        self, provider: str, model: str, options: Mapping[str, str], width: int, height: int
    ) -> Mapping[str, Range]:
        return {}

    def prompt_unit(self, provider: str) -> str:
        return ""


@dataclass(frozen=True)
class Lesson:
    """What earlier jobs have taught of a step: actual ÷ estimated cost, and how far single jobs lay from it."""

    n: int
    ratio: float
    spread: float = 0.0

    @property
    def factor(self) -> float:
        trust = min(self.n, PRIOR_SAMPLES) / PRIOR_SAMPLES
        return 1.0 + trust * (self.ratio - 1.0)

    def after(self, sample: float) -> Lesson:
        """The lesson after one more job; the first few are averaged evenly."""
        sample = min(max(sample, BOUNDS[0]), BOUNDS[1])
        weight = max(NEWEST, 1.0 / (self.n + 1))
        spread = self.spread + weight * (abs(sample - self.ratio) - self.spread) if self.n else 0.0
        return Lesson(self.n + 1, self.ratio + weight * (sample - self.ratio), spread)


@dataclass(frozen=True)
class QuoteLine:
    """One step's part of a quote at one provider: its counts and money, and what it rests on.

    `plain` is the likely price before lessons (None = unknown); lessons are learnt against it. `prompt_tokens`: the
    length of a script's prompt, estimated or as its provider counts it.
    """

    step: str
    provider: str
    model: str
    unit: str
    count: tuple[int, int, int]
    calls: tuple[int, int, int]
    money: tuple[int, int, int] | None
    plain: int | None
    lessons: int = 0
    prompt_tokens: int = 0

    def as_json(self) -> dict[str, Any]:
        money = self.money or (None, None, None)
        return {
            "step": self.step,
            "provider": self.provider,
            "model": self.model,
            "unit": self.unit,
            "count": self.count[1],
            "counts": list(self.count),
            "calls": list(self.calls),
            "micro_dollars": money[1],
            "low": money[0],
            "high": money[2],
            "plain": self.plain,
            "lessons": self.lessons,
            **({"prompt_tokens": self.prompt_tokens} if self.prompt_tokens else {}),
        }


@dataclass(frozen=True)
class Quote:
    """An estimate; sums are those of the known lines, and `complete` says whether that is all of them.

    `seconds`: processor time on our own machines, low, likely and high.
    """

    lines: tuple[QuoteLine, ...]
    seconds: tuple[int, int, int] = (0, 0, 0)

    @property
    def complete(self) -> bool:
        return all(line.money is not None for line in self.lines)

    def sum(self, place: int) -> int:
        return sum(line.money[place] for line in self.lines if line.money is not None)

    @property
    def micro_dollars(self) -> int:
        return self.sum(1)

    def as_json(self) -> dict[str, Any]:
        return {
            "lines": [line.as_json() for line in self.lines],
            "low": self.sum(0),
            "micro_dollars": self.micro_dollars,
            "high": self.sum(2),
            "complete": self.complete,
            "seconds": list(self.seconds),
        }


LessonKey = tuple[str, str, str]


def make_quote(
    demands: Sequence[Demand],
    tariffs: Tariffs,
    lessons: Mapping[LessonKey, Lesson] | None = None,
    seconds: Range = NO_TIME,
) -> Quote:
    """Price demands. `lessons` by (step, provider, model)."""
    taught = lessons or {}
    lines = tuple(_line(one, tariffs, taught.get((one.step, one.provider, one.model))) for one in demands)
    return Quote(lines, _whole(seconds))


def _line(demand: Demand, tariffs: Tariffs, lesson: Lesson | None) -> QuoteLine:
    plain = _price(demand, tariffs)
    money = None if plain is None else _taught(plain, lesson)
    return QuoteLine(
        step=demand.step,
        provider=demand.provider,
        model=demand.model,
        unit=demand.shown,
        count=_whole(demand.count()),
        calls=_whole(demand.calls),
        money=money,
        plain=None if plain is None else round(plain.likely),
        lessons=lesson.n if lesson else 0,
        prompt_tokens=demand.prompt_tokens,
    )


def likely_price(demand: Demand, tariffs: Tariffs) -> float:
    """The likely price of a demand before lessons; 0 when it is not known."""
    price = _price(demand, tariffs)
    return price.likely if price else 0.0


def _price(demand: Demand, tariffs: Tariffs) -> Range | None:
    if demand.provider in LOCAL:
        return exactly(0)
    rates = tariffs.rates(demand.provider, demand.model, demand.prompt_tokens)
    if rates is None:
        return None
    total = exactly(0)
    for unit, amount in demand.units.items():
        rate = rates.get(unit)
        if rate is None and amount.high and unit != demand.shown:
            return None
        total = total.plus(amount.times(float(rate or 0)))
    return total if any(rates.get(unit) is not None for unit in demand.units) or not demand.units else None


def _taught(plain: Range, lesson: Lesson | None) -> tuple[int, int, int]:
    """A price after lessons; with enough of them the range is what single jobs have shown, not what was feared."""
    if lesson is None or lesson.n == 0:
        return _whole(plain)
    likely = plain.likely * lesson.factor
    if lesson.n < PRIOR_SAMPLES:
        return _whole(Range(min(plain.low * lesson.factor, likely), likely, max(plain.high * lesson.factor, likely)))
    reach = max(0.05, 2 * lesson.spread / max(lesson.ratio, 0.01))
    return _whole(Range(likely * max(0.0, 1 - reach), likely, max(likely * (1 + reach), plain.likely)))


def _whole(amount: Range) -> tuple[int, int, int]:
    return math.floor(amount.low), round(amount.likely), math.ceil(amount.high)


# ── One call ──────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Expected:
    """What one call should cost, and what it may cost at most; None = not known."""

    likely: int | None = None
    most: int | None = None


FREE = Expected(0, 0)


def expected_cost(quote: Mapping[str, Any], step: str, provider: str, amount: Mapping[str, int]) -> Expected:
    """What one call of a quoted step should cost: its share of the line by `amount`, else by the number of calls."""
    if provider in LOCAL:
        return FREE
    line = next(
        (one for one in quote.get("lines", ()) if one.get("step") == step and one.get("provider") == provider), None
    )
    if line is None or line.get("micro_dollars") is None or line.get("high") is None:
        return Expected()
    calls = line.get("calls") or [1, 1, 1]
    whole, part = int(line.get("count") or 0), amount.get(str(line.get("unit")), 0)
    if whole and part:
        likely = math.ceil(int(line["micro_dollars"]) * part / whole)
        return Expected(likely, math.ceil(likely * HEADROOM))
    likely = math.ceil(int(line["micro_dollars"]) / max(1, int(calls[1])))
    return Expected(likely, max(math.ceil(likely * HEADROOM), math.ceil(int(line["high"]) / max(1, int(calls[2])))))


HEADROOM = 1.25
"""What a single call may cost above its likely price."""


# ── Small questions ───────────────────────────────────────────────────────────────────────────────────────
def price(provider: str, unit: str, count: int) -> int | None:
    """The micro-dollars of some units made on our own machines; nothing costs nothing, and None = unknown."""
    return 0 if not count or LOCAL.get(provider) == unit else None


@dataclass(frozen=True)
class Compared:
    """A line of a quote beside what it came to; `off` is (actual − likely) ÷ actual, None where one is unknown or 0."""

    line: Mapping[str, Any]
    actual: int | None
    calls: int
    off: float | None = field(default=None)


def error_of(likely: int, actual: int) -> float:
    """How far an estimate was off, as a share of what it came to."""
    return abs(likely - actual) / actual if actual else float(likely > 0)
