"""The inbox of questions: gates of all projects that wait for a person, oldest first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from app.errors import Missing
from app.forms import read_form
from app.room import Room
from app.site import AnyRequest
from app.views.approvals import make_inbox
from domain.production.commands.decide_gate import NOTE_LIMIT, decide_gate
from domain.production.queries.line import inbox
from domain.production.queries.projects import projects_of

PATH = "/w/{tenant:str}/approvals"


@get(PATH)
async def show_inbox(request: AnyRequest) -> Response[str]:
    """Every question this person may see."""
    room = await Room.enter(request)
    async with room.open() as unit:
        questions = await inbox(unit)
        projects = await projects_of(unit)
    view = make_inbox(room.tongue, questions, f"/w/{room.seat.slug}", room.site.clock.now())
    shell = room.shell(projects, None, "approvals")
    decided = request.query_params.get("decided", "")
    return room.page(
        "approvals/inbox.html",
        "content",
        view=view,
        shell=shell,
        limit=NOTE_LIMIT,
        decided=decided if decided in ("approved", "changes") else "",
    )


@post(PATH + "/{approval:str}")
async def decide(request: AnyRequest) -> Response[Any]:
    """Answer one question with the version that was seen; then the next one stands first."""
    room = await Room.enter(request)
    room.principal.require("approvals:decide")
    values = await read_form(request)
    try:
        wanted = UUID(str(request.path_params["approval"]))
    except ValueError:
        raise Missing from None
    decision = values.get("decision", "")
    if decision not in ("approved", "changes"):
        raise Missing
    async with room.open() as unit:
        question = next((one for one in await inbox(unit) if one.id == wanted), None)
        if question is None:
            raise Missing
        await decide_gate(
            unit,
            question.job_id,
            question.id,
            "approved" if decision == "approved" else "changes",
            values.get("seen", "")[:200],
            values.get("note", ""),
        )
    return room.go(f"/w/{room.seat.slug}/approvals?decided={decision}")
