"""The inbox of questions: gates of all projects that wait for a person, oldest first."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from app.errors import Missing
from app.forms import FormState, read_form
from app.pages.gate import check_note, read_id, say_late
from app.room import Room
from app.site import AnyRequest
from app.views.approvals import make_inbox
from domain.production.commands.decide_gate import DECISIONS, NOTE_LIMIT, decide_gate
from domain.production.errors import Decided
from domain.production.queries.gate import job_of_question
from domain.production.queries.line import inbox
from domain.production.queries.projects import projects_of

PATH = "/w/{tenant:str}/approvals"


@get(PATH)
async def show_inbox(request: AnyRequest) -> Response[str]:
    """Every question this person may see."""
    return await _page(await Room.enter(request))


async def _page(room: Room, form: FormState | None = None, status: int = 200, late: str = "") -> Response[str]:
    async with room.open() as unit:
        questions = await inbox(unit)
        projects = await projects_of(unit)
    view = make_inbox(room.tongue, questions, f"/w/{room.seat.slug}", room.site.clock.now())
    shell = room.shell(projects, None, "approvals")
    decided = room.request.query_params.get("decided", "")
    return room.page(
        "approvals/inbox.html",
        "content",
        status,
        view=view,
        form=form or FormState({}),
        shell=shell,
        limit=NOTE_LIMIT,
        decided=decided if decided in (*DECISIONS, "all") else "",
        late=late,
    )


@post(PATH + "/{approval:str}")
async def decide(request: AnyRequest) -> Response[Any]:
    """Answer one question with the version that was seen; then the next one stands first.

    Whoever is second reads who was first, and on what.
    """
    room = await Room.enter(request)
    room.principal.require("approvals:decide")
    values = await read_form(request)
    wanted = read_id(str(request.path_params["approval"]))
    decision = next((one for one in DECISIONS if one == values.get("decision", "")), None)
    if decision is None:
        raise Missing
    if faults := check_note(room.tongue, decision, values.get("note", "")):
        return await _page(room, FormState({**values, "approval": str(wanted)}, faults), 422)
    try:
        async with room.open() as unit:
            job_id = await job_of_question(unit, wanted)
            if job_id is None:
                raise Missing
            await decide_gate(unit, job_id, wanted, decision, values.get("seen", "")[:200], values.get("note", ""))
    except Decided as late:
        return await _page(room, status=409, late=say_late(room, late))
    return room.go(f"{room.base}/approvals?decided={decision}")
