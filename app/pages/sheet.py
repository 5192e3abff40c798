"""A job's contact sheet: whose picture each scene has, one made again on request, and the decision at its gate."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from sqlalchemy import select

from app.errors import Missing
from app.forms import FormFault, FormState, hidden_characters, read_form
from app.job_reading import read_view
from app.room import Room
from app.site import AnyRequest
from app.views.sheet import make_sheet
from domain.dispatch.model import Step
from domain.production.commands.decide_gate import decide_gate
from domain.production.commands.redo_step import INSTRUCTION_LIMIT, redo_step
from domain.production.model import Approval
from domain.production.queries.job import JobDetail, find_job, job_detail
from tenants.unit import Unit

PATH = "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/sheet"


@get(PATH)
async def show_sheet(request: AnyRequest) -> Response[str]:
    """All pictures of the job, scene by scene."""
    return await _page(await Room.enter(request))


@post(PATH)
async def decide_sheet(request: AnyRequest) -> Response[Any]:
    """Let the job go on with these pictures; it waits because its recipe asks for a person here."""
    room = await Room.enter(request)
    values = await read_form(request)
    async with room.open() as unit:
        detail = await _detail(room, unit)
        room.principal.require("approvals:decide", detail.job.project_id)
        waiting = await _waiting(unit, detail)
        if waiting is None:
            raise Missing
        await decide_gate(unit, detail.job.id, waiting.id, "approved", values.get("seen", ""))
    return room.go(room.job_base)


@post(f"{PATH}/{{scene:str}}")
async def remake_picture(request: AnyRequest) -> Response[Any]:
    """Have one scene's picture made again, with what should be different."""
    room = await Room.enter(request)
    values = await read_form(request)
    async with room.open() as unit:
        room.principal.require("jobs:control", (await _detail(room, unit)).job.project_id)
    scene, wish = str(request.path_params["scene"]), " ".join(values.get("instruction", "").split())
    faults = []
    if len(wish) > INSTRUCTION_LIMIT or hidden_characters(wish):
        text = room.tongue.gettext(
            "Say what should be different in up to %(limit)s plain characters.", limit=INSTRUCTION_LIMIT
        )
        faults.append(FormFault(f"instruction-{scene}", text))
        return await _page(room, FormState({f"instruction-{scene}": wish[:INSTRUCTION_LIMIT]}, faults), 422)
    async with room.open() as unit:
        detail = await _detail(room, unit)
        step = _illustrate(detail)
        shown = {output.facts.get("scene") for output in detail.outputs if output.role == "picture"}
        if step is None or scene not in shown:
            raise Missing
        await redo_step(unit, detail.job.id, step.id, wish, scene=scene)
    return room.go(room.job_base)


async def _detail(room: Room, unit: Unit) -> JobDetail:
    job = await find_job(unit, room.project_slug, room.number)
    if job is None:
        raise Missing
    return await job_detail(unit, job)


def _illustrate(detail: JobDetail) -> Step | None:
    return next((step for step in detail.steps if step.kind == "illustrate"), None)


async def _waiting(unit: Unit, detail: JobDetail) -> Approval | None:
    """The open decision about the pictures, if the job waits for one."""
    step = _illustrate(detail)
    if step is None or step.state != "waiting_approval":
        return None
    found = select(Approval).where(Approval.step_id == step.id, Approval.state == "waiting")
    return (await unit.session.scalars(found.order_by(Approval.created_at.desc()).limit(1))).first()


async def _page(room: Room, form: FormState | None = None, status: int = 200) -> Response[str]:
    async with room.open() as unit:
        project, projects = await room.project(unit)
        detail = await _detail(room, unit)
        waiting = await _waiting(unit, detail)
    principal, job = room.principal, detail.job
    step = _illustrate(detail)
    busy = step is None or step.state not in ("succeeded", "waiting_approval") or job.control != "none"
    return room.page(
        "jobs/job_sheet.html",
        "content",
        status,
        view=read_view(room, detail, "artifacts"),
        shell=room.shell(projects, project, "jobs"),
        tab="sheet",
        sheet=make_sheet(room.tongue, detail.outputs, room.job_base),
        form=form or FormState({}),
        waiting=waiting.seen_version if waiting else None,
        may_decide=principal.can("approvals:decide", job.project_id),
        may_remake=principal.can("jobs:control", job.project_id) and not busy and job.state != "cancelled",
        limit=INSTRUCTION_LIMIT,
    )
