"""The frame of every signed-in page: workspace, project, navigation."""

from __future__ import annotations

import colorsys
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.i18n import Tongue
from app.views.marks import LANGUAGE_NAMES, said
from domain.production.queries.projects import ProjectLine
from tenants.people import Person, Seat


@dataclass(frozen=True)
class Look:
    """Theme and density of a page."""

    theme: str = "system"
    density: str = "comfortable"


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
class Link:
    """A line of the main navigation; it exists only when its page does."""

    label: str
    icon: str
    href: str
    current: bool
    count: int = 0
    count_said: str = ""


@dataclass(frozen=True)
class Shell:
    """All that the frame shows."""

    workspace: Entry
    workspaces: Sequence[Entry]
    project: Entry | None
    projects: Sequence[Entry]
    links: Sequence[Link]


def look_of(person: Person | None) -> Look:
    return Look() if person is None else Look(person.theme, person.density)


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
    """Build the frame; `section` is the navigation line that is current."""
    entries = [_project(tongue, seat, line, line.id == project_id) for line in projects]
    current = next((entry for entry in entries if entry.current), None)
    line = next((line for line in projects if line.id == project_id), None)
    return Shell(
        workspace=_workspace(seat, True),
        workspaces=[_workspace(other, other.tenant_id == seat.tenant_id) for other in seats],
        project=current,
        projects=entries,
        links=_links(tongue, seat, line, section) if line is not None else (),
    )


def _workspace(seat: Seat, current: bool) -> Entry:
    return Entry(seat.name, f"/w/{seat.slug}", glyph_of(seat.slug, "workspace"), current=current)


def _project(tongue: Tongue, seat: Seat, line: ProjectLine, current: bool) -> Entry:
    spoken = ", ".join(said(tongue, LANGUAGE_NAMES, language) for language in line.languages)
    note = line.tagline or spoken
    return Entry(line.name, f"/w/{seat.slug}/p/{line.slug}/jobs", glyph_of(line.slug, "project"), note, current)


def _links(tongue: Tongue, seat: Seat, line: ProjectLine, section: str) -> list[Link]:
    return [
        Link(
            label=tongue.gettext("Jobs"),
            icon="list-video",
            href=f"/w/{seat.slug}/p/{line.slug}/jobs",
            current=section == "jobs",
            count=line.open_jobs,
            count_said=tongue.ngettext("%(num)s unfinished", "%(num)s unfinished", line.open_jobs),
        ),
        Link(
            label=tongue.gettext("Pictures"),
            icon="image",
            href=f"/w/{seat.slug}/p/{line.slug}/pictures",
            current=section == "pictures",
        ),
        Link(
            label=tongue.gettext("Providers"),
            icon="plug",
            href=f"/w/{seat.slug}/p/{line.slug}/providers",
            current=section == "providers",
        ),
    ]
