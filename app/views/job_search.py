"""The one search box of the job list: words, and `status:failed recipe:docs by:ada level:urgent cost:>5`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Literal

from app.i18n import N_, Tongue
from domain.dispatch.policy import PRIORITIES
from domain.production.queries.job_filter import CostBound, JobFilter

STATE_GROUPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "running": (N_("Running"), ("queued", "running", "cancelling")),
    "waiting": (N_("Needs a person"), ("waiting_approval", "paused")),
    "failed": (N_("Failed"), ("failed",)),
    "done": (N_("Done"), ("succeeded",)),
    "cancelled": (N_("Cancelled"), ("cancelled",)),
}
"""Word in the address → label and the states it stands for."""
SINGLE = frozenset({"queued", "waiting_approval", "paused", "cancelling", "succeeded"})
"""States that can be named by themselves, besides the groups."""
MOST_DOLLARS = Decimal(1_000_000)


@dataclass(frozen=True)
class Search:
    """What a search box means. `terms` are its words with a colon, as typed; `unknown` those that mean nothing."""

    filter: JobFilter
    terms: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    words: str = ""
    known: Mapping[str, str] = field(default_factory=dict)


def read_search(text: str) -> Search:
    """Read a search box; what is not understood is told and does not narrow."""
    found, terms, unknown, words = JobFilter(), [], [], []
    for word in text[:200].split():
        name, colon, value = word.partition(":")
        if not colon or not value or name.lower() not in (*READERS, *ALIASES):
            words.append(word)
            continue
        narrowed = READERS[ALIASES.get(name.lower(), name.lower())](found, value)
        if narrowed is None:
            unknown.append(word)
        else:
            found = narrowed
            terms.append(word)
    plain = " ".join(words)
    return Search(replace(found, text=plain), tuple(terms), tuple(unknown), plain)


def _status(found: JobFilter, value: str) -> JobFilter | None:
    states: list[str] = []
    for one in value.lower().replace("-", "_").split(","):
        if one in STATE_GROUPS:
            states += STATE_GROUPS[one][1]
        elif one in SINGLE:
            states.append(one)
        else:
            return None
    return replace(found, states=tuple(dict.fromkeys(states)))


def _recipe(found: JobFilter, value: str) -> JobFilter | None:
    return replace(found, recipe=value[:80])


def _by(found: JobFilter, value: str) -> JobFilter | None:
    return replace(found, by=value[:80])


def _level(found: JobFilter, value: str) -> JobFilter | None:
    level = PRIORITIES.get(value.lower())
    return None if level is None else replace(found, priority=level)


def _cost(found: JobFilter, value: str) -> JobFilter | None:
    sign: Literal[">", "<"] = "<" if value.startswith("<") else ">"
    try:
        dollars = Decimal(value.lstrip("<>=").lstrip("$").replace(",", "."))
    except InvalidOperation:
        return None
    if not dollars.is_finite() or not 0 <= dollars <= MOST_DOLLARS:
        return None
    return replace(found, cost=CostBound(sign, int(dollars * 1_000_000)))


READERS = {"status": _status, "recipe": _recipe, "by": _by, "level": _level, "cost": _cost}
"""Word before the colon → how its value narrows; None when the value means nothing."""
ALIASES = {"state": "status", "priority": "level", "person": "by"}


def without(text: str, term: str) -> str:
    """The search box's text without one of its terms."""
    return " ".join(word for word in text.split() if word != term)


def say_unknown(tongue: Tongue, search: Search) -> str:
    """What of a search was not understood, with the words that are."""
    if not search.unknown:
        return ""
    return tongue.gettext(
        "Not understood: %(words)s. Use status: (running, waiting, failed, done, cancelled), recipe:, by:, "
        "level: (urgent, standard, batch) or cost:>5.",
        words=", ".join(search.unknown),
    )
