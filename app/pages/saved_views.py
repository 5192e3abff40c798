"""Saved views of a project's job list: keep, rename, share, delete, and choose the one the list opens with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post

from app.errors import Missing
from app.forms import FormFault, FormState, read_form
from app.i18n import N_, Tongue
from app.room import Room
from app.site import AnyRequest
from app.views.saved_views import REFUSALS, make_rows, say_gone, say_wanted
from domain.production.commands.save_view import change_view, open_with, remove_view, save_view
from domain.production.queries.projects import recipe_names
from domain.production.queries.saved_views import views_of
from domain.production.saved_views import NAME_LIMIT, WORD_LIMIT, WORDS, ViewRefused, ViewWish

PATH = "/w/{tenant:str}/p/{project:str}/jobs/views"
FIELDS = ("name", "shared", "opening", *WORDS)
DONE: Mapping[str, str] = {
    "changed": N_("The view is changed."),
    "opening": N_("The list of jobs opens with this view."),
    "closed": N_("The list of jobs opens with all jobs."),
    "removed": N_("The view is deleted."),
}


@get(PATH)
async def show_views(request: AnyRequest) -> Response[str]:
    """Every view that the person sees, and the form that keeps the filter of the address."""
    room = await Room.enter(request)
    query = room.request.query_params
    return await _page(room, FormState({name: query.get(name, "")[:WORD_LIMIT] for name in FIELDS}))


@post(PATH)
async def save(request: AnyRequest) -> Response[Any]:
    """Keep a filter under a name; then the list shows it."""
    room = await Room.enter(request)
    values = await read_form(request)
    try:
        async with room.open() as unit:
            project, _ = await room.project(unit)
            view = await save_view(unit, project.id, _wish(values))
            if values.get("opening"):
                await open_with(unit, project.id, view.id)
    except ViewRefused as refused:
        kept = {name: values.get(name, "")[:WORD_LIMIT] for name in FIELDS}
        return await _page(room, FormState(kept, [_fault(room.tongue, refused)]), 422)
    return room.go(f"{room.jobs_base}?view={view.id}&kept=1")


@post(f"{PATH}/opening")
async def choose_opening(request: AnyRequest) -> Response[Any]:
    """Have the list open with a view; without one, with all jobs."""
    room = await Room.enter(request)
    values = await read_form(request)
    wanted = _id(values["view"]) if values.get("view") else None
    async with room.open() as unit:
        project, _ = await room.project(unit)
        await open_with(unit, project.id, wanted)
    return room.go(f"{room.jobs_base}/views?done={'opening' if wanted else 'closed'}")


@post(f"{PATH}/{{view:uuid}}")
async def change(request: AnyRequest) -> Response[Any]:
    """Rename a view, share it or not, or have it hold what the list shows now."""
    room = await Room.enter(request)
    view, values = _id(str(request.path_params["view"])), await read_form(request)
    holds = {name: values[name] for name in WORDS if name in values}
    try:
        async with room.open() as unit:
            project, _ = await room.project(unit)
            await change_view(unit, project.id, view, _version(values), **_changes(values, holds))
    except ViewRefused as refused:
        form = FormState({"name": values.get("name", "")[:WORD_LIMIT]}, [_fault(room.tongue, refused, str(view))])
        return await _page(room, form, 409 if refused.reason == "changed" else 422)
    return room.go(f"{room.jobs_base}?view={view}&kept=1" if holds else f"{room.jobs_base}/views?done=changed")


@post(f"{PATH}/{{view:uuid}}/delete")
async def remove(request: AnyRequest) -> Response[Any]:
    """Forget a view; the page that follows offers to keep it again."""
    room = await Room.enter(request)
    await read_form(request)
    async with room.open() as unit:
        project, _ = await room.project(unit)
        gone = await remove_view(unit, project.id, _id(str(request.path_params["view"])))
    told = {"done": "removed", "name": gone.name, "shared": "1" if gone.shared else "", **gone.wanted}
    return room.go(f"{room.jobs_base}/views?{urlencode({name: text for name, text in told.items() if text})}")


def _wish(values: Mapping[str, str]) -> ViewWish:
    return ViewWish(_name(values), {name: values.get(name, "") for name in WORDS}, bool(values.get("shared")))


def _name(values: Mapping[str, str]) -> str:
    return " ".join(values.get("name", "").split())


def _changes(values: Mapping[str, str], holds: Mapping[str, str]) -> dict[str, Any]:
    """What a form changes: the filter alone, or the name and whether it is shared."""
    return {"wanted": holds} if holds else {"name": _name(values), "shared": bool(values.get("shared"))}


def _version(values: Mapping[str, str]) -> int:
    text = values.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Missing from None


def _fault(tongue: Tongue, refused: ViewRefused, view: str = "") -> FormFault:
    """Why a view is refused, at the field of its own form."""
    named = refused.reason in ("name", "taken", "changed")
    return FormFault(f"name-{view}" if view else "name" if named else "", tongue.gettext(REFUSALS[refused.reason]))


async def _page(room: Room, form: FormState, status: int = 200) -> Response[str]:
    async with room.open() as unit:
        project, projects = await room.project(unit)
        lines = await views_of(unit, project.id)
        names = await recipe_names(unit, project.id)
    wanted = {name: form.value(name) for name in WORDS}
    done = room.request.query_params.get("done", "") if not form.faults else ""
    return room.page(
        "jobs/views.html",
        "content",
        status,
        shell=room.shell(projects, project, "jobs"),
        base=room.jobs_base,
        rows=make_rows(room.tongue, lines, names, room.jobs_base),
        form=form,
        wanted=wanted,
        says=say_wanted(room.tongue, wanted, names),
        unknown=say_gone(room.tongue, wanted, names),
        may_share=room.principal.can("views:share", project.id),
        limit=NAME_LIMIT,
        done=room.tongue.gettext(DONE[done]) if done in DONE else "",
        removed=done == "removed",
    )
