"""The timeline of a job: looking at it, changing it operation by operation, and making the film again with it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post

from app.errors import Missing
from app.forms import FormFault, FormState, read_form
from app.guards import FILE_POLICY
from app.pages.money import TARIFFS
from app.room import Room, is_partial
from app.site import AnyRequest
from app.timeline_desk import Table, find_choice, sit_down, takes_picture
from app.timeline_form import read_frame, read_wish
from app.views.cut_edits import form_faults
from app.views.recut import make_recut
from app.views.refusals import say_refusal
from domain.production.commands.edit_timeline import change_timeline, make_edited, redo_timeline, stepped, undo_timeline
from domain.production.errors import Outdated, WrongState
from domain.production.recut import foresee_recut
from tenants.unit import Unit
from timeline.editing.applying import apply_operation
from timeline.editing.draft import Draft
from timeline.editing.operations import AnyOperation, Delete, Split, write_operation
from timeline.faults import TimelineError

PATH = "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/timeline"
KEPT = "private, max-age=86400"


@get(PATH)
async def show_timeline(request: AnyRequest) -> Response[str]:
    """The tracks; the address names the item looked at, the zoom and the frame."""
    room = await Room.enter(request)
    return (await sit_down(room, request.query_params)).page()


@post(PATH)
async def edit_timeline(request: AnyRequest) -> Response[Any]:
    """Do one operation; what cannot be done is told, and what changes nothing is not kept."""
    room = await Room.enter(request)
    values = await read_form(request)
    table = await sit_down(room, _sight_of(values))
    room.principal.require("jobs:run", table.detail.job.project_id)
    desk = table.need_desk()
    try:
        wish = read_wish(values, desk.draft, await _picture(room, table, values))
        after = await asyncio.to_thread(apply_operation, desk.draft, wish, table.check)
    except TimelineError as error:
        return table.page(FormState(values, form_faults(room.tongue, error.faults, table.names)), status=422)
    seen = _seen(values)
    if desk.changes.version == seen and after.document == desk.draft.document:
        return await _changed(room, values, _next_item(wish, desk.draft, after))
    try:
        async with room.open() as unit:
            same = after if desk.changes.version == seen else None
            await change_timeline(unit, table.detail.job.id, desk.cut, seen, wish, same)
    except Outdated as error:
        return await _outdated(room, values, error, write_operation(wish))
    except WrongState as error:
        return table.page(FormState(values, [FormFault("", say_refusal(room.tongue, error))]), status=422)
    return await _changed(room, values, _next_item(wish, desk.draft, after))


@post(f"{PATH}/undo")
async def undo(request: AnyRequest) -> Response[Any]:
    """Take the last change back."""
    return await _step(request, undo_timeline, "undone")


@post(f"{PATH}/redo")
async def redo(request: AnyRequest) -> Response[Any]:
    """Do the last change taken back again."""
    return await _step(request, redo_timeline, "done")


async def _step(request: AnyRequest, command: Any, state: str) -> Response[Any]:
    room = await Room.enter(request)
    values = await read_form(request)
    table = await sit_down(room, _sight_of(values))
    room.principal.require("jobs:run", table.detail.job.project_id)
    desk, seen = table.need_desk(), _seen(values)
    after = await asyncio.to_thread(stepped, desk.cut, desk.changes, state) if desk.changes.version == seen else None
    try:
        async with room.open() as unit:
            await command(unit, table.detail.job.id, desk.cut, seen, after)
    except Outdated as error:
        return await _outdated(room, values, error)
    except WrongState as error:
        return table.page(FormState(values, [FormFault("", say_refusal(room.tongue, error))]), status=422)
    return await _changed(room, values, values.get("selected", ""))


async def _changed(room: Room, values: Mapping[str, str], item: str) -> Response[Any]:
    """Back to the page: a plain form is sent there, a part of the page is answered at once."""
    sight = {**_sight_of(values), "item": item}
    table = await sit_down(room, sight)
    if not is_partial(room.request):
        return room.go(table.sight.href())
    answer = table.page()
    answer.headers["HX-Replace-Url"] = table.sight.href()
    return answer


async def _outdated(
    room: Room, values: Mapping[str, str], error: Outdated, mine: Mapping[str, Any] | None = None
) -> Response[str]:
    """What others have changed meanwhile, with the person's own change kept for the present version."""
    table = await sit_down(room, _sight_of(values))
    return table.page(FormState({**values, "version": str(error.version)}), status=409, since=error.seen, mine=mine)


def _sight_of(values: Mapping[str, str]) -> dict[str, str]:
    return {"item": values.get("selected", ""), "zoom": values.get("zoom", ""), "at": values.get("frame", "")}


def _seen(values: Mapping[str, str]) -> int:
    text = values.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _next_item(wish: AnyOperation, before: Draft, after: Draft) -> str:
    """What is looked at after an operation."""
    if isinstance(wish, Delete):
        return ""
    if isinstance(wish, Split):
        known = {item.id for track in before.resolved.tracks for item in track.items}
        return next((i.id for t in after.resolved.tracks for i in t.items if i.clip and i.id not in known), wish.item)
    return getattr(wish, "item", "captions")


async def _picture(room: Room, table: Table, values: Mapping[str, str]) -> Mapping[str, Any] | None:
    """What is known of the picture chosen in a form. Raises TimelineError for one that is not there."""
    if values.get("op") != "asset":
        return None
    async with room.open() as unit:
        return await find_choice(unit, table, values.get("picture", ""))


# ── The film ──────────────────────────────────────────────────────────────────────────────────────────────
@get(f"{PATH}/make")
async def ask_making(request: AnyRequest) -> Response[str]:
    """What making the film with the changes takes; nothing is written."""
    room = await Room.enter(request)
    table = await sit_down(room, request.query_params)
    room.principal.require("jobs:run", table.detail.job.project_id)
    return await _ask(room, table)


@post(f"{PATH}/make")
async def make_film(request: AnyRequest) -> Response[Any]:
    """Make a new job with the timeline as the person has seen it; once, however often the form is sent."""
    room = await Room.enter(request)
    values = await read_form(request)
    table = await sit_down(room, request.query_params)
    room.principal.require("jobs:run", table.detail.job.project_id)
    table.need_desk()
    key = values.get("idem_key", "")
    if not 8 <= len(key) <= 200:
        return await _ask(room, table)
    try:
        async with room.open() as unit:
            job = await make_edited(unit, table.detail.job.id, _seen(values), idem_key=key, tariffs=TARIFFS)
            number = job.number
    except Outdated as error:
        return await _ask(room, table, since=error.seen)
    except WrongState as error:
        return table.page(FormState(values, [FormFault("", say_refusal(room.tongue, error))]), status=422)
    return room.go(f"{room.jobs_base}/{number}")


async def _ask(room: Room, table: Table, since: int | None = None) -> Response[str]:
    desk = table.need_desk()
    plan = await asyncio.to_thread(room.site.frames.plan, desk.draft, desk.cut.spec)
    async with room.open() as unit:
        found = await foresee_recut(unit, desk.cut.spec, desk.cut.plan, plan)
    outlook = make_recut(room.tongue, found, table.names)
    form = FormState({"idem_key": secrets.token_urlsafe(18)})
    return table.page(form, status=200 if since is None else 409, since=since, outlook=outlook)


# ── Pictures ──────────────────────────────────────────────────────────────────────────────────────────────
@get(f"{PATH}/frame")
async def serve_frame(request: AnyRequest) -> Response[bytes]:
    """One frame of the film as it is now, drawn when it is first asked for."""
    room = await Room.enter(request)
    table = await sit_down(room, request.query_params, bare=True)
    desk = table.need_desk()
    frame = read_frame(str(request.query_params.get("at", "")), desk.draft.resolved.frames)
    try:
        data = await room.site.frames.get(room.principal.tenant_id, desk.draft, desk.cut.spec, frame)
    except (TimelineError, FileNotFoundError):
        raise Missing from None
    return Response(data, media_type="image/jpeg", headers=_headers())


@get(f"{PATH}/picture/{{sha256:str}}")
async def serve_small(request: AnyRequest) -> Response[bytes]:
    """A small version of a picture that the job shows, or could show from its project's library."""
    room = await Room.enter(request)
    sha256 = str(request.path_params["sha256"])
    async with room.open() as unit:
        await _require_picture(room, unit, sha256)
    try:
        data = await room.site.thumbnails.get(room.principal.tenant_id, sha256, 320)
    except FileNotFoundError:
        raise Missing from None
    return Response(data, media_type="image/webp", headers=_headers())


async def _require_picture(room: Room, unit: Unit, sha256: str) -> None:
    if not await takes_picture(room, unit, sha256):
        raise Missing


def _headers() -> dict[str, str]:
    return {
        "Cache-Control": KEPT,
        "Content-Disposition": "inline",
        "Content-Security-Policy": FILE_POLICY,
        "X-Content-Type-Options": "nosniff",
    }
