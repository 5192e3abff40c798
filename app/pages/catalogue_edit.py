"""Changing the catalogue: new items and new versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from sqlalchemy.exc import IntegrityError

from app.bodies.entries import Trouble
from app.bodies.kinds import FORMS, SORT_FIELD, form_of, sorts_of
from app.bodies.reading import Given, beginning, read_item
from app.catalogue_reading import Desk, Trial, expected_of, item_of, kind_of, open_desk, short_name, try_prompt
from app.errors import Missing
from app.forms import FormState, read_form
from app.pages.catalogue import EDIT, ITEM, PATH, base_of
from app.room import Room
from app.site import AnyRequest
from app.views.bodies import FieldDiff, compare_bodies, make_entries
from app.views.catalogue import NEW, SORTS, TITLES
from app.views.marks import kind_name, said
from app.views.settings import Option
from app.views.troubles import tell_troubles
from app.views.variables import VARIABLES
from domain.catalog.commands import StaleVersion, save_version
from domain.catalog.items import ItemFilter, ItemLine, NoSuchItem, find_item, list_items, slugs_of_kind
from domain.production.queries.projects import ProjectLine, projects_of
from tenants.unit import Unit


@dataclass(frozen=True)
class Work:
    """A form at work: of an item, or of one that does not exist yet. `line`: the item as it is now."""

    room: Room
    kind: str
    desk: Desk
    projects: Sequence[ProjectLine]
    project: ProjectLine | None
    line: ItemLine | None = None


# ── New ───────────────────────────────────────────────────────────────────────────────────────────────────
@get(PATH + "/new")
async def show_new_item(request: AnyRequest) -> Response[str]:
    """The empty form, or that of a copy (`from`); of kinds with several forms, first the choice (`sort`)."""
    room = await Room.enter(request)
    kind, given = kind_of(room), request.query_params
    room.principal.require(EDIT)
    earlier = await _earlier(room, kind, given.get("from", ""))
    form = form_of(kind, earlier.body) if earlier else _form_of(kind, given.get("sort", ""))
    if form not in FORMS:
        return await _choose(room, kind)
    body = dict(earlier.body) if earlier else beginning(kind, form)
    if kind == "recipe" and not body.get("steps"):
        body |= await _first_recipe(room)
    work = await _begin(room, kind, form, body, given.get("project", ""))
    name = room.tongue.gettext("%(name)s (copy)", name=earlier.name) if earlier else ""
    return await _page(work, FormState({**work.desk.sheet.values(), "name": name}))


def _form_of(kind: str, sort: str) -> str:
    return f"{kind}:{sort}" if kind in SORT_FIELD else kind


async def _earlier(room: Room, kind: str, slug: str) -> ItemLine | None:
    if not slug:
        return None
    async with room.open() as unit:
        try:
            return await find_item(unit, kind, slug)
        except NoSuchItem as error:
            raise Missing from error


async def _first_recipe(room: Room) -> dict[str, Any]:
    """The usual line of steps, with what a recipe of the workspace uses, else the first that can be chosen."""
    kinds = {
        "script": [], "narrate": ["script"], "illustrate": ["script"], "compose": ["narrate", "illustrate"],
        "render": ["compose"], "mux": ["render"], "check": ["mux"], "package": ["check"],
    }  # fmt: skip
    async with room.open() as unit:
        desk = await open_desk(unit, "recipe", "recipe", {}, None)
        known = (await list_items(unit, "recipe", ItemFilter())).lines
    slots = ("prompt", "voice", "ssml", "video")
    first = {slot: next(iter(desk.sheet.offer[slot]), "") for slot in slots}
    like = _like(known, room.tongue.language)
    together = {slot: like[slot] for slot in slots if like.get(slot) in desk.sheet.offer[slot]}
    return {
        **first, **together, "steps": [{"kind": kind, "needs": needs} for kind, needs in kinds.items()],
        "language": like.get("language", "en"), "profile": like.get("profile", "longform-16x9"),
        "seconds": 60, "tone": "", "writer": "offline", "narrator": "espeak",
        "pictures": ["library", "artboard"], "knowledge": {"tiers": [1, 2], "documents": []},
    }  # fmt: skip


def _like(known: Sequence[ItemLine], language: str) -> Mapping[str, Any]:
    """A recipe to begin like, best in a person's own language: its prompt, voice and looks go together."""
    spoken = [line.body for line in known if line.body.get("language") == language]
    return next(iter([*spoken, *(line.body for line in known)]), {})


async def _choose(room: Room, kind: str) -> Response[str]:
    """The forms a kind has."""
    here = f"{base_of(room, kind)}/new"
    sorts = [(f"{here}?sort={sort}", room.tongue.gettext(SORTS[f"{kind}:{sort}"])) for sort in sorts_of(kind)]
    if kind == "preset":
        sorts.insert(0, (f"{room.base}/voices/new", said(room.tongue, SORTS, "preset:voice")))
    return await room.workspace_page(
        "catalogue/choose.html",
        "catalogue",
        sorts=sorts,
        list_href=base_of(room, kind),
        list_title=room.tongue.gettext(TITLES[kind]),
        title=room.tongue.gettext(NEW[kind]),
    )


async def _begin(room: Room, kind: str, form: str, body: Mapping[str, Any], project: str) -> Work:
    async with room.open() as unit:
        projects = await projects_of(unit)
        chosen = next((line for line in projects if line.slug == project), None)
        desk = await open_desk(unit, kind, form, body, chosen.id if chosen else None)
    return Work(room, kind, desk, projects, chosen)


@post(PATH)
async def add_item(request: AnyRequest) -> Response[Any]:
    """Save a new item, or only try it."""
    room = await Room.enter(request)
    kind = kind_of(room)
    room.principal.require(EDIT)
    values = await read_form(request)
    form = _form_of(kind, values.get("sort", ""))
    if form not in FORMS:
        return await _choose(room, kind)
    # Which steps a recipe's form lists follows from the body it began with; every kind may be ticked.
    work = await _begin(room, kind, form, beginning(kind, form) if kind != "recipe" else {}, values.get("project", ""))
    given = await read_item(work.desk.sheet, values, fresh=True)
    troubles = list(given.troubles)
    if values.get("project") and work.project is None:
        troubles.append(Trouble("project", "project"))
    if work.project is not None:
        room.principal.require(EDIT, work.project.id)
    if "preview" in values or troubles:
        return await _shown(work, values, given, troubles)
    try:
        return room.go(f"{base_of(room, kind)}/{await _add(work, given)}?saved=1")
    except (StaleVersion, IntegrityError):
        return await _shown(work, values, given, [Trouble("slug", "taken")])


async def _add(work: Work, given: Given) -> str:
    """Save a new item under a short name of its own; the same form sent twice makes one."""
    async with work.room.open() as unit:
        taken = await slugs_of_kind(unit, work.kind)
        if not given.slug and await _just_made(unit, work.kind, given):
            return short_name(work.kind, given.name, set())
        slug = given.slug or short_name(work.kind, given.name, taken)
        project_id = work.project.id if work.project else None
        await save(unit, work.kind, slug, given, project_id, 0)
    return slug


async def _just_made(unit: Unit, kind: str, given: Given) -> bool:
    try:
        line = await find_item(unit, kind, short_name(kind, given.name, set()))
    except NoSuchItem:
        return False
    return (line.name, line.number, dict(line.body)) == (given.name, 1, given.body) and line.archived_at is None


async def save(unit: Unit, kind: str, slug: str, given: Given, project_id: UUID | None, expected: int | None) -> None:
    """Save what was read, and tell that it happened. Raises StaleVersion."""
    note = {"note": given.note, "project_id": project_id, "expected": expected}
    await save_version(unit, kind, slug, given.name, given.body, **note)  # type: ignore[arg-type]
    unit.emit("catalogue.saved", project_id=project_id, kind=kind, slug=slug)


# ── Changing ──────────────────────────────────────────────────────────────────────────────────────────────
@get(ITEM + "/edit")
async def show_edit_item(request: AnyRequest) -> Response[str]:
    """The form with the current version."""
    room = await Room.enter(request)
    room.principal.require(EDIT)
    work = await _open(room)
    line = work.line
    assert line is not None
    values = {**work.desk.sheet.values(), "name": line.name, "expected": str(line.current)}
    return await _page(work, FormState(values))


@post(ITEM)
async def save_item(request: AnyRequest) -> Response[Any]:
    """Save a new version; when somebody has saved one meanwhile, show what differs instead (409)."""
    room = await Room.enter(request)
    room.principal.require(EDIT)
    values = await read_form(request)
    work = await _open(room)
    line = work.line
    assert line is not None
    given = await read_item(work.desk.sheet, values, fresh=False)
    if "preview" in values or given.troubles:
        return await _shown(work, values, given, given.troubles)
    try:
        async with room.open() as unit:
            await save(unit, work.kind, line.slug, given, line.project_id, expected_of(values))
    except StaleVersion:
        return await _stale(room, values)
    return room.go(f"{base_of(room, work.kind)}/{line.slug}?saved=1")


async def _open(room: Room) -> Work:
    """The form of the item of the address. Raises Missing, Forbidden; archived ones cannot be changed."""
    kind = kind_of(room)
    async with room.open() as unit:
        line = await item_of(room, unit)
        room.principal.require(EDIT, line.project_id)
        form = form_of(kind, line.body)
        if form not in FORMS or line.archived_at is not None:
            raise Missing
        desk = await open_desk(unit, kind, form, line.body, line.project_id)
        projects = await projects_of(unit)
    return Work(room, kind, desk, projects, None, line)


async def _stale(room: Room, values: Mapping[str, str]) -> Response[str]:
    """What was written, what somebody else has saved meanwhile, and the form to go on from there."""
    work, base = await _open(room), expected_of(values)
    line = work.line
    assert line is not None
    async with room.open() as unit:
        before = await item_of(room, unit, base) if 0 < base < line.current else None
    theirs = compare_bodies(room.tongue, work.kind, before.body, line.body, work.desk.labels) if before else []
    shown = FormState({**values, "expected": str(line.current)})
    return await _page(work, shown, 409, theirs=theirs, since=base)


# ── The page of the form ──────────────────────────────────────────────────────────────────────────────────
async def _shown(work: Work, values: Mapping[str, str], given: Given, troubles: Sequence[Trouble]) -> Response[str]:
    """The form again: with all that is wrong, or with the prompt as it would be sent."""
    trial = None
    if "preview" in values and not [one for one in troubles if one.field in ("system", "template")]:
        body = {name: values.get(name, "") for name in ("system", "template", "language")}
        slug = work.line.slug if work.line else ""
        trial = await try_prompt(work.room, slug, body, values.get("sample", ""), values.get("topic", ""))
        return await _page(work, FormState(values), trial=trial)
    return await _page(work, FormState(values, tell_troubles(work.room.tongue, troubles)), 422)


async def _page(
    work: Work,
    form: FormState,
    status: int = 200,
    *,
    trial: Trial | None = None,
    theirs: Sequence[FieldDiff] = (),
    since: int = 0,
) -> Response[str]:
    room, tongue, line, desk = work.room, work.room.tongue, work.line, work.desk
    base = base_of(room, work.kind)
    return room.page(
        "catalogue/form.html",
        "form",
        status,
        shell=room.shell(list(work.projects), None, "catalogue"),
        form=form,
        kind=work.kind,
        sort=desk.sheet.form.partition(":")[2],
        sort_name=tongue.gettext(SORTS[desk.sheet.form]) if desk.sheet.form in SORTS else "",
        entries=make_entries(tongue, desk.sheet, form, desk.labels),
        step_rows=[(kind, kind_name(tongue, kind)) for kind in desk.sheet.step_kinds],
        line=line,
        action=f"{base}/{line.slug}" if line else base,
        back=f"{base}/{line.slug}" if line else base,
        list_href=base,
        list_title=tongue.gettext(TITLES[work.kind]),
        title=line.name if line else tongue.gettext(NEW[work.kind]),
        scopes=[
            Option("", tongue.gettext("The whole workspace")),
            *(Option(one.slug, one.name) for one in work.projects if room.principal.can(EDIT, one.id)),
        ],
        samples=[Option(one.slug, one.name) for one in work.projects],
        variables=[(name, tongue.gettext(text)) for name, text in VARIABLES.items()] if work.kind == "prompt" else [],
        trial=trial,
        stale=status == 409,
        theirs=theirs,
        since=since,
    )


HANDLERS = (show_new_item, add_item, show_edit_item, save_item)
