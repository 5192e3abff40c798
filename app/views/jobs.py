"""The job list: filters that live in the address, rows, and the way to older ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from app.i18n import Tongue
from app.views.job_search import STATE_GROUPS, Search, read_search, say_unknown, without
from app.views.marks import Mark, job_mark, maker_name
from app.views.saved_views import ALL, NO_TABS, ViewTabs
from app.views.stages import StripCell, make_strip
from app.views.waiting import say_left, say_level, say_waiting
from domain.production.queries.job_filter import JobFilter
from domain.production.queries.jobs import JobLine, JobList
from domain.production.queries.projects import RecipeLine
from domain.production.saved_views import WORDS
from domain.production.states import FINAL


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
    level: str
    waits: str
    left: str


@dataclass(frozen=True)
class JobsView:
    """The list page. `filtered` tells an empty search from an empty project."""

    rows: tuple[JobRow, ...]
    total: str
    base: str
    search: str
    state: str
    recipe: str
    terms: tuple[Chip, ...]
    unknown: str
    tabs: ViewTabs
    chips: tuple[Chip, ...]
    recipes: tuple[Chip, ...]
    older: str
    newest_href: str
    all_href: str
    view: str
    words: Mapping[str, str]
    filtered: bool
    any_at_all: bool
    newest: int
    now: datetime
    live: bool
    query: str


@dataclass(frozen=True)
class Wish:
    """A list as its address asks for it: what was typed, the chosen chips, and the filter they come to."""

    search: Search
    text: str
    state: str
    recipe: str
    filter: JobFilter
    view: str = ""

    @property
    def parts(self) -> dict[str, str]:
        """The address's own words, for links that keep them."""
        return {"view": self.view, **self.words}

    @property
    def words(self) -> dict[str, str]:
        """What the list is narrowed by, as a saved view keeps it."""
        return {"state": self.state, "recipe": self.recipe, "q": self.text}


def is_explicit(query: Mapping[str, str]) -> bool:
    """Whether an address says itself what the list is narrowed by, be it by nothing; else its view does."""
    return any(word in query for word in WORDS)


def read_view(query: Mapping[str, str]) -> UUID | None:
    """The saved view that an address names; None for none, and for all jobs. Raises ValueError."""
    return UUID(query["view"]) if query.get("view", ALL) != ALL else None


def read_wish(query: Mapping[str, str], newest: int | None = None) -> Wish:
    """Read an address; what is not understood does not narrow. Typed terms win over chips."""
    text = " ".join(query.get("q", "").split())[:200]
    search = read_search(text)
    state = query.get("state", "") if query.get("state", "") in STATE_GROUPS else ""
    recipe = query.get("recipe", "")[:80]
    before = query.get("before", "")
    wanted = replace(
        search.filter,
        states=search.filter.states or (STATE_GROUPS[state][1] if state else ()),
        recipe=search.filter.recipe or recipe,
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 10 else None,
        newest=newest,
    )
    return Wish(search, text, state, recipe, wanted, query.get("view", "")[:36])


def make_jobs(
    tongue: Tongue,
    found: JobList,
    recipes: Sequence[RecipeLine],
    names: Mapping[str, str],
    *,
    base: str,
    wish: Wish,
    now: datetime,
    tabs: ViewTabs = NO_TABS,
) -> JobsView:
    """Build the list page."""
    labels = {word: tongue.gettext(text) for word, (text, _) in STATE_GROUPS.items()}
    kept, wanted = wish.parts, wish.filter
    return JobsView(
        rows=tuple(_row(tongue, line, base, names, now) for line in found.lines),
        total=tongue.ngettext("%(num)s job", "%(num)s jobs", found.total),
        base=base,
        search=wish.text,
        state=kept["state"],
        recipe=kept["recipe"],
        terms=tuple(
            Chip(term, address(base, {**kept, "q": without(wish.text, term)}), True) for term in wish.search.terms
        ),
        unknown=" ".join(filter(None, (say_unknown(tongue, wish.search), tabs.unknown))),
        tabs=tabs,
        chips=tuple(_chips(base, kept, "state", labels)),
        recipes=tuple(_chips(base, kept, "recipe", {line.slug: line.name for line in recipes})),
        older=address(base, {**kept, "before": str(found.next_before)}) if found.next_before else "",
        newest_href=address(base, kept) if wanted.before is not None else "",
        all_href=address(base, {"view": ALL}) if kept["view"] else base,
        view=kept["view"],
        words=wish.words,
        filtered=any(wish.words.values()),
        any_at_all=found.any_at_all,
        newest=found.newest,
        now=now,
        live=wanted.before is None,
        query=query_of(kept),
    )


def _chips(base: str, kept: Mapping[str, str], name: str, labels: Mapping[str, str]) -> list[Chip]:
    return [
        Chip(label, address(base, {**kept, name: "" if kept[name] == word else word}), kept[name] == word)
        for word, label in labels.items()
    ]


def address(base: str, parts: Mapping[str, str]) -> str:
    """The address of a list; one that comes of a view says also that nothing narrows it."""
    query = query_of(parts)
    return f"{base}?{query}" if query else base


def query_of(parts: Mapping[str, str]) -> str:
    """The words of a list's address, without those that say nothing."""
    said = {name: value for name, value in parts.items() if value}
    if said.get("view", ALL) != ALL and not is_explicit(said):
        said["q"] = ""
    return urlencode(said)


def _row(tongue: Tongue, line: JobLine, base: str, names: Mapping[str, str], now: datetime) -> JobRow:
    return JobRow(
        number=line.number,
        title=line.title,
        href=f"{base}/{line.number}",
        mark=job_mark(tongue, line.state),
        strip=tuple(make_strip(tongue, line.recipe_kinds, line.stages)),
        recipe=names.get(line.recipe_slug, line.recipe_slug),
        recipe_version=line.recipe_version,
        made_by=maker_name(tongue, line.made_by_name),
        created_at=line.created_at,
        created=tongue.moment(line.created_at, now),
        started_at=line.started_at,
        finished_at=line.finished_at,
        cost=tongue.money(line.micro_dollars),
        moving=line.state in ("running", "cancelling"),
        level=say_level(tongue, line.priority) if line.state not in FINAL else "",
        waits=say_waiting(tongue, line.state, line, now),
        left=say_left(tongue, line.state, line, now),
    )
