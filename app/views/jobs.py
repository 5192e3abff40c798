"""The job list: filters that live in the address, rows, and the way to older ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from app.i18n import N_, Tongue
from app.views.marks import Mark, job_mark
from app.views.stages import StripCell, make_strip
from domain.production.queries.jobs import JobFilter, JobLine, JobList
from domain.production.queries.projects import RecipeLine

STATE_GROUPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "running": (N_("Running"), ("queued", "running", "cancelling")),
    "waiting": (N_("Needs a person"), ("waiting_approval", "paused")),
    "failed": (N_("Failed"), ("failed",)),
    "done": (N_("Done"), ("succeeded",)),
    "cancelled": (N_("Cancelled"), ("cancelled",)),
}
"""Word in the address → label and the states it stands for."""


@dataclass(frozen=True)
class Chip:
    """A filter as a link; `current` filters are switched off by following it."""

    label: str
    href: str
    current: bool


@dataclass(frozen=True)
class JobRow:
    number: int
    title: str
    href: str
    mark: Mark
    strip: tuple[StripCell, ...]
    recipe: str
    recipe_version: int
    made_by: str
    created_at: datetime
    created: str
    started_at: datetime | None
    finished_at: datetime | None
    cost: str
    moving: bool


@dataclass(frozen=True)
class JobsView:
    """The list page. `filtered` tells an empty search from an empty project."""

    rows: tuple[JobRow, ...]
    total: str
    base: str
    search: str
    state: str
    recipe: str
    chips: tuple[Chip, ...]
    recipes: tuple[Chip, ...]
    older: str
    newest_href: str
    filtered: bool
    any_at_all: bool
    newest: int
    now: datetime
    live: bool
    query: str


def read_filter(state: str, recipe: str, text: str, before: str) -> JobFilter:
    """Make a filter from an address; what is not understood does not narrow."""
    states = STATE_GROUPS[state][1] if state in STATE_GROUPS else ()
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 10 else None
    return JobFilter(states, recipe[:80], text.strip()[:200], number)


def make_jobs(
    tongue: Tongue,
    found: JobList,
    recipes: Sequence[RecipeLine],
    names: Mapping[str, str],
    *,
    base: str,
    state: str,
    wanted: JobFilter,
    now: datetime,
) -> JobsView:
    """Build the list page."""
    labels = {word: tongue.gettext(text) for word, (text, _) in STATE_GROUPS.items()}
    kept = {"state": state if state in STATE_GROUPS else "", "recipe": wanted.recipe, "q": wanted.text}
    return JobsView(
        rows=tuple(_row(tongue, line, base, names, now) for line in found.lines),
        total=tongue.ngettext("%(num)s job", "%(num)s jobs", found.total),
        base=base,
        search=wanted.text,
        state=kept["state"],
        recipe=wanted.recipe,
        chips=tuple(_chips(base, kept, "state", labels)),
        recipes=tuple(_chips(base, kept, "recipe", {line.slug: line.name for line in recipes})),
        older=_address(base, {**kept, "before": str(found.next_before)}) if found.next_before else "",
        newest_href=_address(base, kept) if wanted.before is not None else "",
        filtered=any(kept.values()),
        any_at_all=found.any_at_all,
        newest=found.newest,
        now=now,
        live=wanted.before is None,
        query=urlencode({name: value for name, value in kept.items() if value}),
    )


def _chips(base: str, kept: Mapping[str, str], name: str, labels: Mapping[str, str]) -> list[Chip]:
    return [
        Chip(label, _address(base, {**kept, name: "" if kept[name] == word else word}), kept[name] == word)
        for word, label in labels.items()
    ]


def _address(base: str, parts: Mapping[str, str]) -> str:
    query = urlencode({name: value for name, value in parts.items() if value})
    return f"{base}?{query}" if query else base


def _row(tongue: Tongue, line: JobLine, base: str, names: Mapping[str, str], now: datetime) -> JobRow:
    return JobRow(
        number=line.number,
        title=line.title,
        href=f"{base}/{line.number}",
        mark=job_mark(tongue, line.state),
        strip=tuple(make_strip(tongue, line.recipe_kinds, line.stages)),
        recipe=names.get(line.recipe_slug, line.recipe_slug),
        recipe_version=line.recipe_version,
        made_by=line.made_by_name or tongue.gettext("the factory"),
        created_at=line.created_at,
        created=tongue.moment(line.created_at, now),
        started_at=line.started_at,
        finished_at=line.finished_at,
        cost=tongue.money(line.micro_dollars),
        moving=line.state in ("running", "cancelling"),
    )
