"""What a job has cost: the sum, the parts, and the bar that shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.i18n import Tongue
from app.views.marks import kind_name
from domain.production.queries.job import Spent
from domain.usage.quote import LOCAL

WIDTH = 600


@dataclass(frozen=True)
class Part:
    """One stretch of the bar, in units of its view box."""

    name: str
    amount: str
    x: int
    width: int


@dataclass(frozen=True)
class Cost:
    """The cost card. `free` = nothing was paid, nothing is unknown, and nobody works on the job who would be paid."""

    total: str
    limit: str
    estimate: str
    parts: tuple[Part, ...]
    said: str
    free: bool
    calls: int


def make_cost(tongue: Tongue, spent: Sequence[Spent], limit: int | None, quote: Mapping[str, Any]) -> Cost:
    """Build the card; one call without a known price makes the whole sum unknown."""
    unknown = any(line.unknown for line in spent)
    sums: dict[str, int] = {}
    for line in spent:
        name = kind_name(tongue, line.step_kind)
        sums[name] = sums.get(name, 0) + line.micro_dollars
    paid = sum(sums.values())
    parts = _parts(tongue, {name: amount for name, amount in sums.items() if amount > 0}, max(paid, limit or 0))
    said = ", ".join(f"{part.name} {part.amount}" for part in parts) or tongue.gettext("nothing paid")
    estimate = quote.get("micro_dollars")
    return Cost(
        total=tongue.money(None if unknown else paid),
        limit=tongue.money(limit) if limit is not None else "",
        estimate=tongue.money(estimate) if isinstance(estimate, int) and estimate > 0 else "",
        parts=tuple(parts),
        said=tongue.gettext("Cost by step: %(parts)s", parts=said),
        free=not unknown and paid == 0 and all(line.get("provider") in LOCAL for line in quote.get("lines", ())),
        calls=sum(line.calls for line in spent),
    )


def _parts(tongue: Tongue, sums: Mapping[str, int], whole: int) -> list[Part]:
    parts, x = [], 0
    for name, amount in sums.items():
        width = WIDTH * amount // whole
        parts.append(Part(name, tongue.money(amount), x, width))
        x += width
    return parts
