"""The wizard's gates: the decision about what a step has made, and the script edited on the spot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from app.errors import Missing
from app.forms import FormFault, FormState, hidden_characters, read_form
from app.i18n import Tongue
from app.job_reading import read_view
from app.pages.job import show_page
from app.room import Room
from app.scene_form import TEXT_LIMIT, check_scene, split_text, visible
from app.site import AnyRequest
from app.views.gate import short_version
from domain.production.commands.decide_gate import DECISIONS, NOTE_LIMIT, Decision, decide_gate, edit_at_gate
from domain.production.editing import read_script
from domain.production.errors import Decided
from domain.production.model import Job
from domain.production.queries.gate import Decision as Question
from domain.production.queries.gate import decisions_of
from domain.production.queries.job import find_job, job_detail
from domain.production.queries.line import inbox
from domain.studio.script import Script
from tenants.unit import Unit

PATH = "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/gate"
INBOX = "inbox"
"""Where a person came from: after the decision they get the next question."""


@post(PATH)
async def decide(request: AnyRequest) -> Response[Any]:
    """Answer the open question of a job; whoever is second reads who was first."""
    room = await Room.enter(request)
    room.principal.require("approvals:decide")
    values = await read_form(request)
    wanted = next((one for one in DECISIONS if one == values.get("decision", "")), None)
    if wanted is None:
        raise Missing
    faults = check_note(room.tongue, wanted, values.get("note", ""))
    if faults:
        return await show_page(request, "overview", status=422, answer=FormState(values, faults))
    try:
        async with room.open() as unit:
            job = await _job(room, unit)
            approval, seen = read_id(values.get("approval", "")), values.get("seen", "")[:200]
            await decide_gate(unit, job.id, approval, wanted, seen, values.get("note", ""))
    except Decided as late:
        return await show_page(request, "overview", status=409, late=say_late(room, late))
    return room.go(await where_next(room, values.get("from", "")))


@get(f"{PATH}/edit")
async def show_edit(request: AnyRequest) -> Response[str]:
    """The script that waits, as a form."""
    room = await Room.enter(request)
    return await _edit_page(room, None)


@post(f"{PATH}/edit")
async def save_edit(request: AnyRequest) -> Response[Any]:
    """Go on with the edited script."""
    room = await Room.enter(request)
    room.principal.require("approvals:decide")
    values = await read_form(request)
    async with room.open() as unit:
        job = await _job(room, unit)
        detail = await job_detail(unit, job)
    script = await read_script(room.site.store, detail)
    if script is None:
        raise Missing
    edits, faults = read_edits(room.tongue, values, script)
    if faults:
        return await _edit_page(room, FormState({k: visible(v) for k, v in values.items()}, faults), 422)
    try:
        async with room.open() as unit:
            approval, seen = read_id(values.get("approval", "")), values.get("seen", "")[:200]
            await edit_at_gate(unit, job.id, approval, edits, seen)
    except Decided as late:
        return await show_page(request, "overview", status=409, late=say_late(room, late))
    return room.go(await where_next(room, values.get("from", "")))


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────
def read_id(text: str) -> UUID:
    """An id from a form. Raises Missing."""
    try:
        return UUID(text)
    except ValueError:
        raise Missing from None


async def _job(room: Room, unit: Unit) -> Job:
    job = await find_job(unit, room.project_slug, room.number)
    if job is None:
        raise Missing
    return job


def check_note(tongue: Tongue, decision: Decision, note: str) -> list[FormFault]:
    """Everything wrong with the note of a decision."""
    faults = []
    if decision == "changes" and not note.strip():
        text = tongue.gettext("The note is empty. Say what should be different, or have another version made.")
        faults.append(FormFault("note", text))
    if len(note.strip()) > NOTE_LIMIT:
        faults.append(
            FormFault("note", tongue.gettext("The note is longer than %(limit)s characters.", limit=NOTE_LIMIT))
        )
    if hidden_characters(note):
        faults.append(FormFault("note", tongue.gettext("The note has a control character. Remove it.")))
    return faults


def read_edits(
    tongue: Tongue, values: Mapping[str, str], script: Script
) -> tuple[dict[str, list[str]], list[FormFault]]:
    """The scenes whose text was changed, and everything wrong with them."""
    edits: dict[str, list[str]] = {}
    faults: list[FormFault] = []
    for number, scene in enumerate(script.scenes, start=1):
        text = values.get(f"scene-{scene.id}")
        if text is None or (sentences := split_text(text, scene)) == [one.text for one in scene.sentences]:
            continue
        edits[scene.id] = sentences
        where = tongue.gettext("Scene %(number)s", number=number)
        wrong = check_scene(tongue, {"text": text}, scene)
        faults += [FormFault(f"scene-{scene.id}", f"{where}: {fault.text}") for fault in wrong]
    if not edits:
        text = tongue.gettext("Nothing is changed. Change the text, or approve it as it is.")
        faults.append(FormFault("", text))
    return edits, faults


def say_late(room: Room, late: Decided) -> str:
    """Why a decision came too late."""
    tongue, when = room.tongue, late.at
    if late.state == "expired":
        return tongue.gettext("The time to decide this has passed; the job has been cancelled.")
    if late.state in ("void", "changed"):
        return tongue.gettext("There is a newer version than the one you saw. Look at it, then decide again.")
    if not late.by or when is None:
        return tongue.gettext("This has been decided already.")
    moment = tongue.moment(when, room.site.clock.now())
    return tongue.gettext("%(name)s was faster and has decided this: %(when)s.", name=late.by, when=moment)


async def where_next(room: Room, came_from: str) -> str:
    """After a decision: the next question of the inbox for who came from there, else the job."""
    if came_from != INBOX:
        return room.job_base
    async with room.open() as unit:
        waiting = [one for one in await inbox(unit) if one.may_decide]
    if not waiting:
        return f"{room.base}/approvals?decided=all"
    one = waiting[0]
    return f"{room.base}/p/{one.project}/jobs/{one.number}?from={INBOX}#gates"


async def _edit_page(room: Room, form: FormState | None, status: int = 200) -> Response[str]:
    async with room.open() as unit:
        project, projects = await room.project(unit)
        job = await _job(room, unit)
        room.principal.require("approvals:decide", job.project_id)
        detail = await job_detail(unit, job)
        question = await _script_question(unit, job)
    script = await read_script(room.site.store, detail)
    if question is None or script is None:
        return room.go(room.job_base)
    values = {f"scene-{scene.id}": "\n".join(one.text for one in scene.sentences) for scene in script.scenes}
    return room.page(
        "jobs/job_gate_edit.html",
        "content",
        status,
        view=read_view(room, detail, "script"),
        shell=room.shell(projects, project, "jobs"),
        tab="script",
        script=script,
        form=form or FormState(values),
        question=question.approval,
        version=short_version(question.approval.seen_version),
        came_from=room.request.query_params.get("from", "") or (form.value("from") if form else ""),
        limit=TEXT_LIMIT,
    )


async def _script_question(unit: Unit, job: Job) -> Question | None:
    asked = [one for one in await decisions_of(unit, job.id) if one.approval.state == "waiting"]
    return next((one for one in asked if one.kind == "script"), None)
