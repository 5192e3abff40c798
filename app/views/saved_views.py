"""Saved views in words: the row above the job list, the page that keeps them, and why one is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.i18n import N_, Tongue
from app.views.job_search import STATE_GROUPS
from domain.production.queries.saved_views import ViewLine
from domain.production.saved_views import REASONS

ALL = "all"
"""The view of an address that means all jobs, whatever the list opens with."""
SHOWN = 8
"""Views in the row; the page has all of them."""
REFUSALS: Mapping[str, str] = {
    "name": N_("Give the view a name of 1 to 60 visible characters."),
    "taken": N_("There is a view with this name already. Choose another name."),
    "too-many": N_("You keep 30 views of this project, the most there can be. Delete one that you no longer use."),
    "empty": N_("Nothing is filtered. Choose a filter or search for something, then save the view."),
    "words": N_("This filter cannot be saved. Choose it on the list of jobs, then save the view."),
    "changed": N_("Somebody has changed this view meanwhile. Look at how it is now, then change it again."),
}
assert REFUSALS == REASONS  # the same words, marked for translation


@dataclass(frozen=True)
class ViewTab:
    """A view in the row; `note` says whose it is where it is not one's own."""

    name: str
    href: str
    current: bool
    shared: bool
    opening: bool
    note: str


@dataclass(frozen=True)
class Change:
    """A view that the list comes from and no longer shows as it was saved."""

    id: UUID
    name: str
    version: int


@dataclass(frozen=True)
class ViewTabs:
    """The row of views. `fresh`: the list shows what none of them holds; `change`: the one it came from could."""

    tabs: tuple[ViewTab, ...]
    more: int = 0
    all_current: bool = False
    unknown: str = ""
    fresh: bool = False
    change: Change | None = None


NO_TABS = ViewTabs(())


@dataclass(frozen=True)
class ViewRow:
    """A view on the page of views."""

    id: str
    name: str
    href: str
    says: str
    unknown: str
    shared: bool
    opening: bool
    by: str
    version: int
    may_change: bool


def make_tabs(
    tongue: Tongue,
    lines: Sequence[ViewLine],
    chosen: ViewLine | None,
    said: Mapping[str, str] | None,
    names: Mapping[str, str],
    base: str,
) -> ViewTabs:
    """Build the row. `said`: what the address itself asks for, None where its view does; `names`: of recipes."""
    kept = [line for line in lines if line is chosen or line in lines[:SHOWN]]
    asked = {name: text for name, text in (said or {}).items() if text}
    return ViewTabs(
        tabs=tuple(_tab(tongue, line, line is chosen, base) for line in kept),
        more=len(lines) - len(kept),
        all_current=chosen is None and not asked,
        unknown=say_gone(tongue, chosen.wanted if chosen is not None and said is None else asked, names),
        fresh=bool(asked) and (chosen is None or asked != chosen.wanted),
        change=_change(chosen, asked),
    )


def _change(chosen: ViewLine | None, asked: Mapping[str, str]) -> Change | None:
    """The view that could hold what the list shows instead of what it was saved with."""
    if chosen is None or not chosen.may_change or not asked or asked == chosen.wanted:
        return None
    return Change(chosen.id, chosen.name, chosen.version)


def _tab(tongue: Tongue, line: ViewLine, current: bool, base: str) -> ViewTab:
    note = "" if line.own else tongue.gettext("shared by %(name)s", name=line.made_by_name)
    return ViewTab(line.name, f"{base}?view={line.id}", current, line.shared, line.opening, note)


def make_rows(tongue: Tongue, lines: Sequence[ViewLine], names: Mapping[str, str], base: str) -> list[ViewRow]:
    """Build the page's rows."""
    return [
        ViewRow(
            id=str(line.id),
            name=line.name,
            href=f"{base}?view={line.id}",
            says=say_wanted(tongue, line.wanted, names),
            unknown=say_gone(tongue, line.wanted, names),
            shared=line.shared,
            opening=line.opening,
            by="" if line.own else line.made_by_name,
            version=line.version,
            may_change=line.may_change,
        )
        for line in lines
    ]


def say_wanted(tongue: Tongue, wanted: Mapping[str, str], names: Mapping[str, str]) -> str:
    """What a view shows, in the words of the list's filters."""
    state, recipe = wanted.get("state", ""), wanted.get("recipe", "")
    said = [
        tongue.gettext(STATE_GROUPS[state][0]) if state in STATE_GROUPS else state,
        names.get(recipe, recipe),
        wanted.get("q", ""),
    ]
    return " · ".join(part for part in said if part)


def say_gone(tongue: Tongue, wanted: Mapping[str, str], names: Mapping[str, str]) -> str:
    """What a filter asks for that there is not, or no longer."""
    state, recipe, said = wanted.get("state", ""), wanted.get("recipe", ""), []
    if state and state not in STATE_GROUPS:
        said.append(tongue.gettext("There is no state “%(word)s”, so it does not narrow the list.", word=state))
    if recipe and recipe not in names:
        said.append(tongue.gettext("There is no recipe “%(word)s” here, so nothing matches it.", word=recipe))
    return " ".join(said)
