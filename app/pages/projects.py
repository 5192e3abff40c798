"""Projects of a workspace: list, create, change, archive, bring back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from sqlalchemy.exc import IntegrityError

from app.errors import Missing
from app.forms import FormFault, FormState, read_form
from app.i18n import Tongue
from app.room import Room
from app.site import AnyRequest
from app.views.marks import LANGUAGE_NAMES, said
from domain.catalog import projects as commands
from domain.catalog.commands import SLUG, create_project
from domain.catalog.furnish import furnish
from domain.catalog.projects import ProjectCard, all_projects
from domain.production.queries.projects import projects_of
from tenants.names import is_name

PATH = "/w/{tenant:str}/projects"
NAME_LIMIT, LINE_LIMIT = 80, 160


@get(PATH)
async def show_projects(request: AnyRequest) -> Response[str]:
    """Every project, and the form for another one."""
    return await _list(await Room.enter(request))


@post(PATH)
async def create(request: AnyRequest) -> Response[Any]:
    """Make a project; with the first one come recipes that it can run."""
    room = await Room.enter(request)
    room.principal.require("projects:manage")
    values = await read_form(request)
    slug = values.get("slug", "").strip().lower()
    faults = _faults(room.tongue, values)
    if not SLUG.fullmatch(slug) or len(slug) > 60:
        text = room.tongue.gettext("Use lower-case letters, digits and single dashes, at most 60.")
        faults.append(FormFault("slug", text))
    if not faults:
        try:
            async with room.open() as unit:
                await create_project(unit, slug, _name(values), languages=_languages(values), tagline=_line(values))
                await furnish(unit)
            return room.go(f"{room.base}/p/{slug}/jobs")
        except IntegrityError:
            faults.append(FormFault("slug", room.tongue.gettext("This address is taken. Choose another.")))
    return await _list(room, FormState({**values, "slug": slug}, faults), 422)


@get(f"{PATH}/{{project:str}}/edit")
async def show_edit(request: AnyRequest) -> Response[str]:
    """The form with what is set now."""
    room = await Room.enter(request)
    card = await _card(room)
    values = {"name": card.name, "tagline": card.tagline, **{f"l-{tag}": "1" for tag in card.languages}}
    return await _edit(room, card, FormState(values))


@post(f"{PATH}/{{project:str}}/edit")
async def save(request: AnyRequest) -> Response[Any]:
    """Save name, line and languages."""
    room = await Room.enter(request)
    card = await _card(room)
    values = await read_form(request)
    faults = _faults(room.tongue, values)
    if faults:
        return await _edit(room, card, FormState(values, faults), 422)
    async with room.open() as unit:
        await commands.edit_project(
            unit, card.slug, name=_name(values), tagline=_line(values), languages=_languages(values)
        )
    return room.go(f"{room.base}/projects?done=1")


@post(f"{PATH}/{{project:str}}/archive")
async def archive(request: AnyRequest) -> Response[Any]:
    """Take a project out of the menus."""
    room = await Room.enter(request)
    await read_form(request)
    async with room.open() as unit:
        await commands.archive_project(unit, room.project_slug)
    return room.go(f"{room.base}/projects?done=1")


@post(f"{PATH}/{{project:str}}/restore")
async def restore(request: AnyRequest) -> Response[Any]:
    """Bring a project back."""
    room = await Room.enter(request)
    await read_form(request)
    async with room.open() as unit:
        await commands.restore_project(unit, room.project_slug)
    return room.go(f"{room.base}/projects?done=1")


def _name(values: Mapping[str, str]) -> str:
    return " ".join(values.get("name", "").split())


def _line(values: Mapping[str, str]) -> str:
    return " ".join(values.get("tagline", "").split())


def _languages(values: Mapping[str, str]) -> list[str]:
    return [tag for tag in LANGUAGE_NAMES if values.get(f"l-{tag}")]


def _faults(tongue: Tongue, values: Mapping[str, str]) -> list[FormFault]:
    name, line = _name(values), _line(values)
    faults = []
    if not is_name(name, NAME_LIMIT):
        faults.append(
            FormFault("name", tongue.gettext("Give a name of 1 to %(limit)s visible characters.", limit=NAME_LIMIT))
        )
    if len(line) > LINE_LIMIT or not line.isprintable():
        faults.append(FormFault("tagline", tongue.gettext("Use at most %(limit)s characters.", limit=LINE_LIMIT)))
    if not _languages(values):
        faults.append(FormFault("languages", tongue.gettext("Choose at least one language.")))
    return faults


async def _card(room: Room) -> ProjectCard:
    room.principal.require("projects:manage")
    async with room.open() as unit:
        found = next((card for card in await all_projects(unit) if card.slug == room.project_slug), None)
    if found is None:
        raise Missing
    return found


def _spoken(room: Room) -> list[tuple[str, str]]:
    return [(f"l-{tag}", said(room.tongue, LANGUAGE_NAMES, tag)) for tag in LANGUAGE_NAMES]


async def _edit(room: Room, card: ProjectCard, form: FormState, status: int = 200) -> Response[str]:
    return await room.workspace_page(
        "projects/edit.html", "projects", status, card=card, form=form, languages_known=_spoken(room), base=room.base
    )


async def _list(room: Room, form: FormState | None = None, status: int = 200) -> Response[str]:
    async with room.open() as unit:
        lines, cards = await projects_of(unit), await all_projects(unit)
    return await room.workspace_page(
        "projects/list.html",
        "projects",
        status,
        projects=lines,
        cards=cards,
        spoken={card.id: ", ".join(said(room.tongue, LANGUAGE_NAMES, tag) for tag in card.languages) for card in cards},
        manages=room.principal.can("projects:manage"),
        form=form or FormState({"l-en": "1"}),
        languages_known=_spoken(room),
        done="done" in room.request.query_params and not form,
        base=room.base,
    )
