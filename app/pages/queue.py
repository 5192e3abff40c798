"""The queue of a workspace: its page, its live stream, and the pause of workspace or project with a reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from adapters.queue.names import events_channel, progress_channel
from app.errors import Missing
from app.forms import FormFault, FormState, read_form
from app.live_page import PageStream, still_reads
from app.room import Room
from app.side import Side
from app.site import AnyRequest
from app.views.bulk import read_outcome
from app.views.queue import letter_filters, make_queue, project_choices
from app.views.schedules import make_schedules
from domain.production.commands.hold_work import (
    REASON_LIMIT,
    pause_project,
    pause_workspace,
    resume_project,
    resume_workspace,
)
from domain.production.errors import InvalidInput
from domain.production.queries.projects import ProjectLine, projects_of
from domain.production.queries.queue import QueueWish, letter_choices, read_queue
from tenants.unit import Unit

PATH = "/w/{tenant:str}/queue"
BLOCKS = {
    "q-load": "load",
    "q-pauses": "pauses",
    "q-pools": "pools",
    "q-waiting": "waiting",
    "q-workers": "workers",
    "q-delayed": "delayed",
    "q-dead": "dead",
    "q-schedules": "schedules",
}
"""Element on the page → block of the template."""


@get(PATH)
async def show_queue(request: AnyRequest) -> Response[str]:
    """Everything that waits, runs, is tried again or has failed; filters are in the address."""
    return await _page(await Room.enter(request))


@get(f"{PATH}/events")
async def stream_queue(request: AnyRequest) -> Response[Any]:
    """Open the page's stream."""
    room = await Room.enter(request)
    async with room.open() as unit:
        await read_wish(room, unit)
    tenant = room.principal.tenant_id

    async def read() -> dict[str, Any]:
        async with room.open() as unit:
            return room.values(shell=None, **await read_page(room, unit))

    channels = (events_channel(tenant), progress_channel(tenant))
    side = Side(room, request.query_params.get("side", "")[:80])
    return PageStream(
        room.site, room.tongue, "queue/queue.html", BLOCKS, channels, read, lambda: still_reads(room), side
    ).response()


@post(f"{PATH}/pause")
async def pause(request: AnyRequest) -> Response[Any]:
    """Start nothing more in the workspace, or in one project; the reason is shown to everybody."""
    room = await Room.enter(request)
    room.principal.require("queue:operate")
    values = await read_form(request)
    try:
        async with room.open() as unit:
            project = await _named(room, unit, values.get("project", ""))
            if project is None:
                await pause_workspace(unit, values.get("reason", ""))
            else:
                await pause_project(unit, project.id, values.get("reason", ""))
    except InvalidInput:
        text = room.tongue.gettext(
            "Say in a few words why, at most %(limit)s characters; everybody sees it.", limit=REASON_LIMIT
        )
        return await _page(room, FormState(values, [FormFault("reason", text)]), 422)
    return room.go(_back(room, values))


@post(f"{PATH}/resume")
async def resume(request: AnyRequest) -> Response[Any]:
    """Let the workspace, or one project, go on."""
    room = await Room.enter(request)
    room.principal.require("queue:operate")
    values = await read_form(request)
    async with room.open() as unit:
        project = await _named(room, unit, values.get("project", ""))
        if project is None:
            await resume_workspace(unit)
        else:
            await resume_project(unit, project.id)
    return room.go(_back(room, values))


def _back(room: Room, values: dict[str, str]) -> str:
    project = values.get("project", "")
    return f"{room.base}/queue?project={project}" if project else f"{room.base}/queue"


async def _named(room: Room, unit: Unit, slug: str) -> ProjectLine | None:
    """The project of a form; empty = the whole workspace. Raises Missing."""
    if not slug:
        return None
    found = next((line for line in await projects_of(unit) if line.slug == slug), None)
    if found is None:
        raise Missing
    return found


async def read_wish(room: Room, unit: Unit, given: str | None = None) -> tuple[QueueWish, list[ProjectLine]]:
    """What the address narrows the page to. Raises Missing for a project that is not there."""
    query = room.request.query_params
    projects = await projects_of(unit)
    slug = query.get("project", "") if given is None else given
    project = next((line for line in projects if line.slug == slug), None)
    if slug and project is None:
        raise Missing
    wanted: UUID | None = project.id if project else None
    return QueueWish(wanted, query.get("kind", "")[:40], query.get("error", "")[:80]), projects


async def read_page(room: Room, unit: Unit, given: str | None = None) -> dict[str, Any]:
    """The values of the page, for the page and its stream."""
    wish, projects = await read_wish(room, unit, given)
    found = await read_queue(unit, wish)
    view = make_queue(room.tongue, found, room.base, wish, projects)
    choices = await letter_choices(unit, wish.project_id)
    return {
        "view": view,
        "projects": project_choices(room.tongue, projects, room.base, view.project),
        "filters": letter_filters(room.tongue, choices, room.base, view.project, wish),
        "schedules": make_schedules(room.tongue, found.schedules[:5], room.base, found.now),
        "may_operate": room.principal.can("queue:operate", wish.project_id),
        "may_control": room.principal.can("jobs:control", wish.project_id),
        "lines": projects,
    }


async def _page(room: Room, form: FormState | None = None, status: int = 200) -> Response[str]:
    async with room.open() as unit:
        values = await read_page(room, unit, form.value("project") if form else None)
    # The page says its pauses itself, and keeps them up to date.
    values["shell"] = replace(room.shell(values.pop("lines"), None, "queue"), pauses=())
    return room.page(
        "queue/queue.html",
        "content",
        status,
        form=form or FormState({}),
        limit=REASON_LIMIT,
        done=read_outcome(room.tongue, room.request.query_params),
        **values,
    )
