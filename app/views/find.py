"""The command palette: pages, jobs, projects and actions that a person may reach, found by a few letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.i18n import N_, Tongue
from app.views.catalogue import ICONS, WORDS, item_href
from app.views.marks import job_mark
from app.views.shell import SECTIONS, TOOLS, shortcut_of
from domain.catalog.items import ItemLine
from domain.production.queries.find import FoundJob
from domain.production.queries.projects import ProjectLine
from domain.production.queries.saved_views import FoundView as SavedLine
from tenants.people import Seat
from tenants.roles import Permission, permissions_of

LIMIT = 80
"""Letters of a search that are read."""
MOST = 8
"""Entries of one group."""


@dataclass(frozen=True)
class FoundLine:
    """Where an entry leads; `key` is the shortcut that does the same."""

    label: str
    note: str
    href: str
    icon: str
    key: str = ""


@dataclass(frozen=True)
class FoundGroup:
    """Entries of one kind."""

    title: str
    lines: tuple[FoundLine, ...]


@dataclass(frozen=True)
class FoundView:
    """What was found; `said` counts it for those who do not see the list."""

    text: str
    base: str
    groups: tuple[FoundGroup, ...]
    said: str


ACTIONS: tuple[tuple[str, str, str, Permission], ...] = (
    (N_("Invite somebody"), "members#form", "users", "members:manage"),
    (N_("Create a project"), "projects#form", "plus", "projects:manage"),
    (N_("Add a provider"), "providers/new", "plug", "credentials:manage"),
    (N_("New recipe"), "catalogue/recipes/new", "workflow", "catalog:edit"),
    (N_("New prompt"), "catalogue/prompts/new", "message-square-text", "catalog:edit"),
    (N_("Set monthly limits"), "usage#limits", "coins", "budget:manage"),
)
"""What can be begun in a workspace: label, path under it, icon, and the right it needs."""
PROJECT_ACTIONS: tuple[tuple[str, str, str, Permission], ...] = (
    (N_("New job"), "jobs/new", "plus", "jobs:run"),
    (N_("Add pictures"), "pictures/new", "image", "catalog:edit"),
)
"""What can be begun in a project."""
OWN: tuple[tuple[str, str, str], ...] = (
    (N_("Personal settings"), "/settings", "sliders-horizontal"),
    (N_("Sign-in and sessions"), "/settings/security", "shield-check"),
    (N_("Keyboard shortcuts"), "/settings#keys", "circle-question-mark"),
    (N_("New workspace"), "/workspaces/new", "plus"),
)
"""Pages of the person."""


def make_found(
    tongue: Tongue,
    text: str,
    seat: Seat,
    seats: Sequence[Seat],
    projects: Sequence[ProjectLine],
    jobs: Sequence[FoundJob],
    views: Sequence[SavedLine] = (),
    items: Sequence[ItemLine] = (),
) -> FoundView:
    """Sort what matches into groups; `jobs` and `items` match already. The project worked in last stands for "here"."""
    base, matches = f"/w/{seat.slug}", matcher(text)
    found = (
        (tongue.gettext("Jobs"), [_job(tongue, base, job) for job in jobs]),
        (tongue.gettext("Saved views"), _views(tongue, base, views, matches)),
        (tongue.gettext("Catalogue"), [_item(tongue, base, item) for item in items]),
        (tongue.gettext("Actions"), _actions(tongue, base, seat, projects, matches)),
        (tongue.gettext("Pages"), _pages(tongue, base, seat, projects, matches)),
        (tongue.gettext("Projects"), _projects(base, projects, matches)),
        (tongue.gettext("Workspaces"), _workspaces(seat, seats, matches)),
    )
    groups = tuple(FoundGroup(title, tuple(lines[:MOST])) for title, lines in found if lines)
    count = sum(len(group.lines) for group in groups)
    said = tongue.ngettext("%(num)s result", "%(num)s results", count) if count else tongue.gettext("Nothing found")
    return FoundView(text, base, groups, said)


def matcher(text: str) -> Callable[[str], bool]:
    """Whether all words of a search occur in a label, whatever their case, accents and order."""
    words = _plain(text).split()

    def matches(label: str) -> bool:
        plain = _plain(label)
        return all(word in plain for word in words)

    return matches


def _plain(text: str) -> str:
    split = unicodedata.normalize("NFD", text.casefold())
    return "".join(sign for sign in split if not unicodedata.combining(sign))


def _job(tongue: Tongue, base: str, job: FoundJob) -> FoundLine:
    word = job_mark(tongue, job.state).word
    return FoundLine(
        f"#{job.number} {job.title}",
        f"{job.project_name} · {word}",
        f"{base}/p/{job.project}/jobs/{job.number}",
        "list-video",
    )


def _item(tongue: Tongue, base: str, item: ItemLine) -> FoundLine:
    note = " · ".join(filter(None, (tongue.gettext(WORDS[item.kind]), item.project_name)))
    return FoundLine(item.name, note, item_href(base, item.kind, item.slug, item.body), ICONS[item.kind])


def _views(tongue: Tongue, base: str, views: Sequence[SavedLine], matches: Callable[[str], bool]) -> list[FoundLine]:
    word = tongue.gettext("Saved views")
    return [
        FoundLine(view.name, view.project_name, f"{base}/p/{view.project}/jobs?view={view.id}", _sign(view))
        for view in views
        if matches(f"{view.name} {view.project_name} {word}")
    ]


def _sign(view: SavedLine) -> str:
    return "users" if view.shared else "list-video"


def _actions(
    tongue: Tongue, base: str, seat: Seat, projects: Sequence[ProjectLine], matches: Callable[[str], bool]
) -> list[FoundLine]:
    if seat.archived_at is not None:
        return []
    held = permissions_of(seat.role)
    lines = [
        FoundLine(tongue.gettext(label), project.name, f"{base}/p/{project.slug}/{path}", icon)
        for project in projects
        for label, path, icon, needed in PROJECT_ACTIONS
        if needed in held
    ]
    lines += [
        FoundLine(tongue.gettext(label), "", f"{base}/{path}", icon)
        for label, path, icon, needed in ACTIONS
        if needed in held
    ]
    return [line for line in lines if matches(f"{line.label} {line.note}")]


def _pages(
    tongue: Tongue, base: str, seat: Seat, projects: Sequence[ProjectLine], matches: Callable[[str], bool]
) -> list[FoundLine]:
    held = permissions_of(seat.role)
    lines = [
        FoundLine(tongue.gettext(label), project.name, f"{base}/p/{project.slug}/{path}", icon, shortcut_of(name))
        for project in projects[:1]
        for name, path, icon, label in SECTIONS
    ]
    lines += [
        FoundLine(tongue.gettext(label), "", f"{base}/{path}", icon, shortcut_of(name))
        for name, path, icon, label, needed in TOOLS
        if needed in held
    ]
    lines += [FoundLine(tongue.gettext(label), "", path, icon) for label, path, icon in OWN]
    return [line for line in lines if matches(f"{line.label} {line.note}")]


def _projects(base: str, projects: Sequence[ProjectLine], matches: Callable[[str], bool]) -> list[FoundLine]:
    return [
        FoundLine(project.name, project.tagline, f"{base}/p/{project.slug}/jobs", "folder-open")
        for project in projects
        if matches(f"{project.name} {project.tagline}")
    ]


def _workspaces(seat: Seat, seats: Sequence[Seat], matches: Callable[[str], bool]) -> list[FoundLine]:
    return [
        FoundLine(other.name, "", f"/w/{other.slug}", "layers")
        for other in seats
        if other.tenant_id != seat.tenant_id and matches(other.name)
    ]
