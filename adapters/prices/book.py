"""Price files and what a call costs by them.

A file names its provider and the day its prices were read (`as_of`). Rates are US dollars for a million of a unit, as
text, which makes them micro-dollars for one: sums are exact fractions and only the total is rounded, up, to whole
micro-dollars. A rate that is not known is null, and makes a price that rests on it unknown (None), never 0.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
_DATED = re.compile(r"-\d{8}$")


class PriceFault(ValueError):
    """Raised when a price file cannot be used; the message names file and place."""


@dataclass(frozen=True)
class Band:
    """Rates for requests of up to `up_to` prompt tokens (None = any)."""

    up_to: int | None
    rates: Mapping[str, Fraction | None]


@dataclass(frozen=True)
class ModelPrice:
    """A model's bands, smallest first, and the most tokens it can answer (0 = not known)."""

    bands: tuple[Band, ...]
    max_output: int = 0

    def rates(self, prompt_tokens: int) -> Mapping[str, Fraction | None]:
        """The rates of the band a request of this size falls into."""
        return next(b for b in self.bands if b.up_to is None or prompt_tokens <= b.up_to).rates


@dataclass(frozen=True)
class PriceBook:
    """One provider's prices as they were on a day."""

    provider: str
    as_of: date
    models: Mapping[str, ModelPrice]
    multipliers: Mapping[str, Fraction]

    def model(self, name: str) -> ModelPrice | None:
        """A model's prices; a dated id (`…-20251001`) has those of its family."""
        return self.models.get(name) or self.models.get(_DATED.sub("", name))

    def price(
        self, model: str, counts: Mapping[str, int], *, prompt_tokens: int = 0, multiplier: str = ""
    ) -> int | None:
        """Micro-dollars of a call from its counts by unit; None when any rate in it is unknown."""
        known = self.model(model)
        factor = self.multipliers.get(multiplier) if multiplier else Fraction(1)
        if known is None or factor is None:
            return None
        rates = known.rates(prompt_tokens)
        total = Fraction(0)
        for unit, count in counts.items():
            rate = rates.get(unit)
            if count and rate is None:
                return None
            total += count * (rate or 0)
        return math.ceil(total * factor)


@cache
def price_book(provider: str) -> PriceBook:
    """The prices that come with the program."""
    return read_prices(FOLDER / f"{provider}.json")


def read_prices(path: Path) -> PriceBook:
    """Read a price file. Raises PriceFault."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise PriceFault(f"The price file {path.name} cannot be used: {type(fault).__name__} {fault}.") from fault
    return make_book(content, path.name)


def make_book(content: Any, name: str) -> PriceBook:
    """Make a price book of a price file's JSON; `name` says which file is at fault. Raises PriceFault."""
    try:
        models = {name: _model(values) for name, values in content["models"].items()}
        factors = {name: Fraction(text) for name, text in content.get("multipliers", {}).items()}
        return PriceBook(content["provider"], date.fromisoformat(content["as_of"]), models, factors)
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError, IndexError) as fault:
        raise PriceFault(f"The price file {name} cannot be used: {type(fault).__name__} {fault}.") from fault


def _model(values: Mapping[str, Any]) -> ModelPrice:
    bands = tuple(_band(band) for band in values["bands"])
    if not bands or bands[-1].up_to is not None:
        raise ValueError("the last band of a model must have no upper end")
    return ModelPrice(bands, int(values.get("max_output", 0)))


def _band(values: Mapping[str, Any]) -> Band:
    rates = {unit: None if rate is None else Fraction(rate) for unit, rate in values["rates"].items()}
    if any(rate is not None and rate < 0 for rate in rates.values()):
        raise ValueError("a rate is below zero")
    return Band(values.get("up_to"), rates)
