"""The catalogue of a workspace: lists of each kind; one item with its versions, what uses it, its file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from litestar import Response, get, post

from app.bodies.kinds import form_of
from app.catalogue_files import write_file
from app.catalogue_reading import Desk, Trial, asked_number, expected_of, item_of, kind_of, open_desk, try_prompt
from app.errors import Missing
from app.forms import read_form
from app.room import Room
from app.site import AnyRequest
from app.views.bodies import FieldDiff, compare_bodies, show_body, show_steps
from app.views.catalogue import (
    ABOUT,
    ICONS,
    NEW,
    PATHS,
    TITLES,
    item_href,
    make_list,
    make_tabs,
    make_uses,
    make_versions,
    say_sort,
)
from app.views.settings import Option
from domain.catalog.commands import StaleVersion, save_version
from domain.catalog.items import ItemFilter, ItemLine, find_item, list_items, read_usage, versions_of
from domain.catalog.keeping import InUse, restore_item
from domain.catalog.usage import Use
from domain.production.commands.archive_item import SCHEDULED, archive_unused
from domain.production.queries.projects import projects_of
from domain.production.queries.recipes import DAYS, recipe_records, schedules_by_recipe, version_records
from tenants.roles import Permission
from tenants.unit import Unit

EDIT: Permission = "catalog:edit"
PATH = "/w/{tenant:str}/catalogue/{kind:str}"
ITEM = PATH + "/{slug:str}"
TEXT_LIMIT = 80


def base_of(room: Room, kind: str) -> str:
    return f"{room.base}/catalogue/{PATHS[kind]}"


# ── The list ──────────────────────────────────────────────────────────────────────────────────────────────
@get(PATH)
async def show_items(request: AnyRequest) -> Response[str]:
    """The items of a kind; `q`, `project`, `archived` and `page` narrow the list."""
    room = await Room.enter(request)
    kind, given = kind_of(room), request.query_params
    async with room.open() as unit:
        projects = await projects_of(unit)
        project = next((line for line in projects if line.slug == given.get("project", "")), None)
        wanted = ItemFilter(
            " ".join(given.get("q", "").split())[:TEXT_LIMIT],
            project.id if project else None,
            given.get("archived", "") == "1",
            max(1, asked_number(room, "page") or 1),
        )
        page, usage = await list_items(unit, kind, wanted), await read_usage(unit)
        records = await recipe_records(unit) if kind == "recipe" else {}
    now = room.site.clock.now()
    view = make_list(room.tongue, room.base, kind, wanted, project.slug if project else "", page, usage, records, now)
    return room.page(
        "catalogue/list.html",
        "content",
        shell=room.shell(projects, None, "catalogue"),
        view=view,
        tabs=make_tabs(room.tongue, f"{room.base}/catalogue", kind, page.counts),
        icon_name=ICONS[kind],
        days=DAYS,
        title=room.tongue.gettext(TITLES[kind]),
        new=room.tongue.gettext(NEW[kind]),
        about=room.tongue.gettext(ABOUT[kind]),
        projects_known=[Option("", room.tongue.gettext("All projects")), *(Option(p.slug, p.name) for p in projects)],
        may_edit=room.principal.can(EDIT),
    )


# ── One item ──────────────────────────────────────────────────────────────────────────────────────────────
@get(ITEM)
async def show_item(request: AnyRequest) -> Response[str]:
    """One item at its current version, or at `version`; `beside` compares with another, `topic` tries a prompt."""
    room = await Room.enter(request)
    return await item_page(room)


async def item_page(room: Room, uses_kept: list[Use] | None = None, status: int = 200) -> Response[Any]:
    """The page of the item of the address; `uses_kept`: what has kept it from being archived."""
    kind, given = kind_of(room), room.request.query_params
    async with room.open() as unit:
        line = await item_of(room, unit, asked_number(room, "version"))
        if kind == "preset" and line.body.get("preset") == "voice":
            return room.go(item_href(room.base, kind, line.slug, line.body))
        desk = await open_desk(unit, kind, form_of(kind, line.body), line.body, line.project_id)
        lines, projects = await versions_of(unit, line), await projects_of(unit)
        uses = await _uses(unit, line)
        records = await version_records(unit, line.slug) if kind == "recipe" else {}
        beside = asked_number(room, "beside")
        other = await item_of(room, unit, beside) if beside is not None else None
    trial = await _trial(room, line) if "topic" in given else None
    base, tongue, now = f"{base_of(room, kind)}/{line.slug}", room.tongue, room.site.clock.now()
    return room.page(
        "catalogue/item.html",
        "content",
        status,
        shell=room.shell(projects, None, "catalogue"),
        line=line,
        kind=kind,
        list_href=base_of(room, kind),
        title=tongue.gettext(TITLES[kind]),
        icon_name=ICONS[kind],
        base=base,
        sort=say_sort(tongue, line),
        when=tongue.moment(line.at, now),
        fields=show_body(tongue, kind, line.body, desk.labels, room.base),
        steps=show_steps(tongue, line.body),
        versions=make_versions(tongue, lines, base, line.number, records, now),
        uses=make_uses(tongue, room.base, uses),
        kept=make_uses(tongue, room.base, uses_kept or []),
        compare=_compare(room, kind, other, line, desk),
        other=other,
        trial=trial,
        samples=[Option(project.slug, project.name) for project in projects],
        topic=given.get("topic", ""),
        sample=given.get("project", ""),
        told={name: given.get(name) == "1" for name in ("saved", "archived", "restored")},
        may_edit=room.principal.can(EDIT, line.project_id),
    )


def _compare(room: Room, kind: str, old: ItemLine | None, new: ItemLine, desk: Desk) -> list[FieldDiff]:
    return [] if old is None else compare_bodies(room.tongue, kind, old.body, new.body, desk.labels)


async def _uses(unit: Unit, line: ItemLine) -> list[Use]:
    if line.kind == "recipe":
        timed = (await schedules_by_recipe(unit)).get(line.slug, [])
        starting = [Use(line.slug, line.name, SCHEDULED, one.project, one.project_name) for one in timed]
        return [*starting, *(await read_usage(unit)).of_recipe(line.slug)]
    return (await read_usage(unit)).of(line.kind, line.slug, line.body)


async def _trial(room: Room, line: ItemLine) -> Trial | None:
    given = room.request.query_params
    if line.kind != "prompt":
        raise Missing
    return await try_prompt(room, line.slug, line.body, given.get("project", ""), given.get("topic", ""))


# ── What can be done with one ─────────────────────────────────────────────────────────────────────────────
@post(ITEM + "/{action:str}")
async def do_with_item(request: AnyRequest) -> Response[Any]:
    """Use an earlier version again, take the item out of use, or bring it back."""
    room = await Room.enter(request)
    action = ACTIONS.get(str(request.path_params["action"]))
    if action is None:
        raise Missing
    room.principal.require(EDIT)
    values = await read_form(request)
    async with room.open() as unit:
        line = await item_of(room, unit)
        room.principal.require(EDIT, line.project_id)
    return await action(room, line, values)


async def _again(room: Room, line: ItemLine, values: Mapping[str, str]) -> Response[Any]:
    """Save an earlier version as the newest."""
    wanted = values.get("version", "")
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 7) or line.archived_at is not None:
        raise Missing
    async with room.open() as unit:
        earlier = await item_of(room, unit, int(wanted))
        note = room.tongue.gettext("Version %(number)s again", number=earlier.number)
        try:
            await save_version(
                unit, line.kind, line.slug, line.name, earlier.body, note=note, project_id=line.project_id,
                expected=expected_of(values),
            )  # fmt: skip
        except StaleVersion:
            return room.go(f"{base_of(room, line.kind)}/{line.slug}?version={wanted}&beside={line.current}#compare")
    return room.go(f"{base_of(room, line.kind)}/{line.slug}?saved=1")


async def _archive(room: Room, line: ItemLine, _values: Mapping[str, str]) -> Response[Any]:
    try:
        async with room.open() as unit:
            await archive_unused(unit, line.kind, line.slug)
    except InUse as error:
        seen = [use for use in error.uses if await _sees(room, use)]
        return await item_page(room, seen or [Use("", room.tongue.gettext("another project"), "")], 409)
    return room.go(f"{base_of(room, line.kind)}/{line.slug}?archived=1")


async def _sees(room: Room, use: Use) -> bool:
    """Whether this person may know of what uses an item."""
    if not use.project:
        async with room.open() as unit:
            try:
                await find_item(unit, "recipe", use.recipe)
            except LookupError:
                return False
        return True
    return any(line.slug == use.project for line in await room.projects())


async def _restore(room: Room, line: ItemLine, _values: Mapping[str, str]) -> Response[Any]:
    async with room.open() as unit:
        await restore_item(unit, line.kind, line.slug)
    return room.go(f"{base_of(room, line.kind)}/{line.slug}?restored=1")


ACTIONS: Mapping[str, Callable[[Room, ItemLine, Mapping[str, str]], Awaitable[Response[Any]]]] = {
    "again": _again,
    "archive": _archive,
    "restore": _restore,
}


# ── Its file ──────────────────────────────────────────────────────────────────────────────────────────────
@get(ITEM + "/file")
async def export_item(request: AnyRequest) -> Response[bytes]:
    """One version as a file, JSON or YAML, that can be brought in again here or elsewhere."""
    room = await Room.enter(request)
    async with room.open() as unit:
        line = await item_of(room, unit, asked_number(room, "version"))
    form = "yaml" if request.query_params.get("form") == "yaml" else "json"
    return Response(
        write_file(line, form),
        media_type=f"application/{form}",
        headers={
            "Content-Disposition": f'attachment; filename="{line.kind}-{line.slug}-v{line.number}.{form}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


HANDLERS = (show_items, show_item, export_item, do_with_item)
