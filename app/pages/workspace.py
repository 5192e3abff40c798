"""A workspace itself: found a new one, rename, archive, bring back, delete."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from litestar import Response, get, post

from app.door import door_page
from app.films import move_films
from app.forms import FormFault, FormState, read_form
from app.i18n import N_, Tongue
from app.pages.settings import visitor_of
from app.room import Room, go
from app.session import browser_of, tongue_of
from app.site import AnyRequest, site_of
from tenants import workspaces
from tenants.directory import SLUG
from tenants.names import is_name
from tenants.people import SlugRefused, Visitor

PATH = "/w/{tenant:str}/settings"
DONE: Mapping[str, str] = {
    "renamed": N_("Saved."),
    "factor-on": N_("From the next click on, only members with a second factor get in."),
    "factor-off": N_("A password alone lets members in again."),
    "archived": N_("The workspace is archived: it can be read, and nothing starts in it."),
    "restored": N_("The workspace is back."),
    "doomed": N_("The workspace will be deleted. Until then you can bring it back here."),
}


@get("/workspaces/new")
async def show_new(request: AnyRequest) -> Response[str]:
    """The form for another workspace."""
    return _new(request, await visitor_of(request), FormState({}))


@post("/workspaces/new")
async def found(request: AnyRequest) -> Response[Any]:
    """Make a workspace that the person owns."""
    visitor = await visitor_of(request)
    values = await read_form(request)
    tongue = tongue_of(request, visitor)
    name, slug, faults = _read(tongue, values)
    if not faults:
        try:
            await workspaces.found_workspace(
                site_of(request).units, visitor.person, slug, name, address=browser_of(request).address
            )
            return go(request, f"/w/{slug}")
        except SlugRefused:
            faults.append(_taken(tongue))
        except workspaces.WorkspaceRefused:
            faults.append(
                FormFault("", tongue.gettext("You own 50 workspaces already. Delete or hand over one first."))
            )
    return _new(request, visitor, FormState({"name": name, "slug": slug}, faults), 422)


@get(PATH)
async def show_settings(request: AnyRequest) -> Response[str]:
    """Name, address, and the end of a workspace."""
    return await _page(await Room.enter(request))


@post(PATH)
async def rename(request: AnyRequest) -> Response[Any]:
    """Give the workspace another name or address."""
    room = await Room.enter(request)
    room.principal.require("workspace:manage")
    values = await read_form(request)
    name, slug, faults = _read(room.tongue, values)
    if not faults:
        try:
            await workspaces.rename_workspace(room.site.units, room.principal, slug, name, address=_from(room))
            await asyncio.to_thread(move_films, room.site.settings.films, room.seat.slug, slug)
            return room.go(f"/w/{slug}/settings?done=renamed")
        except SlugRefused:
            faults.append(_taken(room.tongue))
    return await _page(room, FormState({"name": name, "slug": slug}, faults), 422)


@post(f"{PATH}/second-factor")
async def ask_for_factor(request: AnyRequest) -> Response[Any]:
    """Let members in only with a second factor, or no longer ask for one."""
    room = await Room.enter(request)
    room.principal.require("workspace:manage")
    wanted = (await read_form(request)).get("needed") == "1"
    await workspaces.ask_for_factor(room.site.units, room.principal, wanted, address=_from(room))
    return room.go(f"{room.base}/settings?done=factor-{'on' if wanted else 'off'}")


@post(f"{PATH}/archive")
async def archive(request: AnyRequest) -> Response[Any]:
    """Make the workspace read-only."""

    async def act(room: Room) -> str:
        await workspaces.archive_workspace(room.site.units, room.principal, address=_from(room))
        return "archived"

    return await _act(request, act)


@post(f"{PATH}/restore", opt={"archived": True})
async def restore(request: AnyRequest) -> Response[Any]:
    """Bring the workspace back."""

    async def act(room: Room) -> str:
        await workspaces.restore_workspace(room.site.units, room.principal, address=_from(room))
        return "restored"

    return await _act(request, act)


@post(f"{PATH}/delete", opt={"archived": True, "recent": "/settings"})
async def doom(request: AnyRequest) -> Response[Any]:
    """Ask for deletion; the workspace's address must be typed, so that it does not happen by a slip."""
    room = await Room.enter(request)
    room.principal.require("workspace:delete")
    values = await read_form(request)
    if values.get("typed", "").strip() != room.seat.slug:
        text = room.tongue.gettext("Type the workspace’s address, %(slug)s, to confirm.", slug=room.seat.slug)
        return await _page(room, FormState(_present(room), [FormFault("typed", text)]), 422)
    await workspaces.doom_workspace(room.site.units, room.principal, address=_from(room))
    return room.go(f"{room.base}/settings?done=doomed")


async def _act(request: AnyRequest, act: Callable[[Room], Awaitable[str]]) -> Response[Any]:
    room = await Room.enter(request)
    await read_form(request)
    return room.go(f"{room.base}/settings?done={await act(room)}")


def _read(tongue: Tongue, values: Mapping[str, str]) -> tuple[str, str, list[FormFault]]:
    """Name, address, and everything wrong with them."""
    name, slug = " ".join(values.get("name", "").split()), values.get("slug", "").strip().lower()
    faults = []
    if not is_name(name, workspaces.NAME_LIMIT):
        text = tongue.gettext("Give a name of 1 to %(limit)s visible characters.", limit=workspaces.NAME_LIMIT)
        faults.append(FormFault("name", text))
    if not SLUG.fullmatch(slug):
        faults.append(FormFault("slug", tongue.gettext("Use 1 to 40 lower-case letters, digits and dashes.")))
    return name, slug, faults


def _taken(tongue: Tongue) -> FormFault:
    return FormFault("slug", tongue.gettext("This address is taken. Choose another."))


def _present(room: Room) -> dict[str, str]:
    return {"name": room.seat.name, "slug": room.seat.slug}


def _from(room: Room) -> str:
    return browser_of(room.request).address


def _new(request: AnyRequest, visitor: Visitor, form: FormState, status: int = 200) -> Response[str]:
    return door_page(request, "workspace/new.html", status, visitor=visitor, form=form, seats=visitor.seats)


async def _page(room: Room, form: FormState | None = None, status: int = 200) -> Response[str]:
    room.principal.require("workspace:manage")
    done = room.request.query_params.get("done", "")
    return await room.workspace_page(
        "workspace/settings.html",
        "workspace",
        status,
        form=form or FormState(_present(room)),
        seat=room.seat,
        may_delete=room.principal.can("workspace:delete"),
        days=workspaces.GRACE.days,
        doomed=room.tongue.day(room.seat.delete_after) if room.seat.delete_after else "",
        done=room.tongue.gettext(DONE[done]) if done in DONE and not (form and form.faults) else "",
        base=room.base,
    )
