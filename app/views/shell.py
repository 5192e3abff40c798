"""The frame of every signed-in page: workspace, project, navigation."""

from __future__ import annotations

import colorsys
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.i18n import N_, Tongue
from app.views.marks import LANGUAGE_NAMES, said
from app.views.waiting import say_pause
from domain.production.queries.projects import ProjectLine
from tenants.people import Person, Seat
from tenants.roles import Permission, Role, permissions_of


@dataclass(frozen=True)
class Look:
    """Theme and density of a page, and whether single keys do something."""

    theme: str = "system"
    density: str = "comfortable"
    shortcuts: bool = True


@dataclass(frozen=True)
class Glyph:
    """The little sign of a workspace or project, coloured by its name."""

    shape: str
    back: str
    front: str
    light: str


@dataclass(frozen=True)
class Entry:
    """A workspace or project in a menu."""

    name: str
    href: str
    look: Glyph
    note: str = ""
    current: bool = False


@dataclass(frozen=True)
class Count:
    """How much waits behind a line of the navigation; `name` is that line's section."""

    name: str
    number: int
    said: str


@dataclass(frozen=True)
class Link:
    """A line of the main navigation; it exists only when its page does."""

    label: str
    icon: str
    href: str
    current: bool
    count: Count | None = None
    key: str = ""


@dataclass(frozen=True)
class Shell:
    """All that the frame shows; `here` is the project of the page itself, `project` also the one worked in last.

    `side` is the stream of the counts, which are those of the project `counted`.
    """

    workspace: Entry
    workspaces: Sequence[Entry]
    project: Entry | None
    projects: Sequence[Entry]
    links: Sequence[Link]
    tools: Sequence[Link] = ()
    notice: str = ""
    here: str = ""
    find: str = ""
    pauses: Sequence[str] = ()
    side: str = ""
    counted: str = ""


def look_of(person: Person | None) -> Look:
    return Look() if person is None else Look(person.theme, person.density, person.shortcuts)


def glyph_of(seed: str, shape: str) -> Glyph:
    """Make a sign whose colours follow from the name."""
    hue = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:2], "big") / 65536
    if shape == "workspace":
        return Glyph(shape, "#1d2433", _hex(hue, 0.81, 1.0), "")
    return Glyph(shape, _hex(hue, 0.22, 0.6), _hex(hue, 0.42, 0.55), _hex((hue + 0.45) % 1, 0.85, 0.9))


def _hex(hue: float, light: float, saturation: float) -> str:
    red, green, blue = colorsys.hls_to_rgb(hue, light, saturation)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def make_shell(
    tongue: Tongue,
    seats: Sequence[Seat],
    seat: Seat,
    projects: Sequence[ProjectLine],
    project_id: UUID | None,
    section: str,
) -> Shell:
    """Build the frame; `section` is the navigation line that is current, and the one a switch of project keeps.

    Pages of the workspace itself keep the way to the project worked in last, which is the first.
    """
    line = next((line for line in projects if line.id == project_id), projects[0] if projects else None)
    entries = [_project(tongue, seat, one, one is line, section) for one in projects]
    current = next((entry for entry in entries if entry.current), None)
    counted = line.slug if line is not None else ""
    counts = {count.name: count for count in counts_of(tongue, seat.role, projects, counted)}
    return Shell(
        workspace=_workspace(tongue, seat, True),
        workspaces=[_workspace(tongue, other, other.tenant_id == seat.tenant_id) for other in seats],
        project=current,
        projects=entries,
        links=_links(tongue, seat, line, section, counts) if line is not None else (),
        tools=_tools(tongue, seat, section, counts),
        notice=_notice(tongue, seat),
        here=current.name if current is not None and project_id is not None else seat.name,
        find=f"/w/{seat.slug}/find",
        pauses=_pauses(tongue, seat, line),
        side=side_address(seat.slug, counted),
        counted=counted,
    )


def side_address(workspace: str, project: str) -> str:
    """The stream that brings the counts of the navigation."""
    return f"/w/{workspace}/events?side={project}"


def _workspace(tongue: Tongue, seat: Seat, current: bool) -> Entry:
    note = tongue.gettext("archived") if seat.archived_at else ""
    return Entry(seat.name, f"/w/{seat.slug}", glyph_of(seat.slug, "workspace"), note, current)


def _project(tongue: Tongue, seat: Seat, line: ProjectLine, current: bool, section: str) -> Entry:
    spoken = ", ".join(said(tongue, LANGUAGE_NAMES, language) for language in line.languages)
    kept = next((path for name, path, *_ in SECTIONS if name == section), SECTIONS[0][1])
    href = f"/w/{seat.slug}/p/{line.slug}/{kept}"
    return Entry(line.name, href, glyph_of(line.slug, "project"), line.tagline or spoken, current)


SECTIONS: tuple[tuple[str, str, str, str], ...] = (
    ("jobs", "jobs", "list-video", N_("Jobs")),
    ("schedules", "schedules", "calendar", N_("Schedules")),
    ("recipes", "recipes", "workflow", N_("Recipes")),
    ("pictures", "pictures", "image", N_("Pictures")),
    ("providers", "providers", "plug", N_("Providers")),
)
"""Pages of every project: section, path under the project, icon, label."""
TOOLS: tuple[tuple[str, str, str, str, Permission], ...] = (
    ("queue", "queue", "gauge", N_("Queue"), "jobs:read"),
    ("approvals", "approvals", "hand", N_("Approvals"), "jobs:read"),
    ("projects", "projects", "folder-open", N_("Projects"), "jobs:read"),
    ("accounts", "providers", "plug", N_("Provider accounts"), "catalog:read"),
    ("catalogue", "catalogue/recipes", "book-open", N_("Catalogue"), "catalog:read"),
    ("voices", "voices", "audio-lines", N_("Voices"), "catalog:read"),
    ("usage", "usage", "coins", N_("Usage"), "usage:read"),
    ("members", "members", "users", N_("Members"), "members:read"),
    ("audit", "audit", "scroll-text", N_("Audit trail"), "audit:read"),
    ("keys", "keys", "key", N_("API keys"), "keys:manage"),
    ("webhooks", "webhooks", "bell", N_("Webhooks"), "keys:manage"),
    ("workspace", "settings", "settings", N_("Workspace settings"), "workspace:manage"),
)
"""Pages of a workspace: section, path under the workspace, icon, label, and the right to see it."""
SHORTCUTS: Mapping[str, str] = {
    "jobs": "j",
    "queue": "q",
    "pictures": "p",
    "approvals": "a",
    "usage": "u",
    "members": "m",
}
"""Section → the key that leads there after `g`."""


def shortcut_of(section: str) -> str:
    return SHORTCUTS.get(section, "")


def counts_of(tongue: Tongue, role: Role, projects: Sequence[ProjectLine], project: str) -> tuple[Count, ...]:
    """Unfinished jobs of one project, and how many jobs ask, to those who may answer."""
    line = next((line for line in projects if line.slug == project), None)
    counts = []
    if line is not None:
        said = tongue.ngettext("%(num)s unfinished", "%(num)s unfinished", line.open_jobs)
        counts.append(Count("jobs", line.open_jobs, said))
    if "approvals:decide" in permissions_of(role):
        questions = sum(line.questions for line in projects)
        counts.append(Count("approvals", questions, tongue.ngettext("%(num)s waiting", "%(num)s waiting", questions)))
    return tuple(counts)


def _links(tongue: Tongue, seat: Seat, line: ProjectLine, section: str, counts: Mapping[str, Count]) -> list[Link]:
    return [
        Link(
            label=tongue.gettext(label),
            icon=icon,
            href=f"/w/{seat.slug}/p/{line.slug}/{path}",
            current=section == name,
            count=counts.get(name),
            key=shortcut_of(name),
        )
        for name, path, icon, label in SECTIONS
    ]


def _tools(tongue: Tongue, seat: Seat, section: str, counts: Mapping[str, Count]) -> list[Link]:
    """The workspace's pages that this role may see."""
    return [
        Link(
            label=tongue.gettext(label),
            icon=icon,
            href=f"/w/{seat.slug}/{path}",
            current=section == name,
            count=counts.get(name),
            key=shortcut_of(name),
        )
        for name, path, icon, label, needed in TOOLS
        if needed in permissions_of(seat.role)
    ]


def _pauses(tongue: Tongue, seat: Seat, line: ProjectLine | None) -> list[str]:
    """Why nothing new starts here: everybody reads it on every page of the workspace or project."""
    said = []
    if seat.paused_reason:
        said.append(say_pause(tongue, "workspace", seat.paused_reason, seat.paused_by or ""))
    if line is not None and line.paused_reason:
        said.append(say_pause(tongue, "project", line.paused_reason, line.paused_by or ""))
    return said


def _notice(tongue: Tongue, seat: Seat) -> str:
    """What everybody in the workspace should know on every page."""
    if seat.delete_after is not None:
        day = tongue.day(seat.delete_after)
        return tongue.gettext("This workspace is read-only and will be deleted on %(day)s.", day=day)
    if seat.archived_at is not None:
        return tongue.gettext("This workspace is archived and read-only.")
    return ""
