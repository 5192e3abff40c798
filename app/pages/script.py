"""The script of a job: reading it, changing one scene, and seeing what that makes again before anything runs."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post

from adapters.wiring import narrator_build
from app.errors import Missing
from app.forms import FormFault, FormState, read_form
from app.job_reading import read_view, read_writing
from app.pages.money import TARIFFS
from app.room import Room
from app.scene_form import (
    FIELDS,
    TEXT_LIMIT,
    check_instruction,
    check_scene,
    mark_of,
    read_scene_form,
    split_text,
    visible,
)
from app.site import AnyRequest
from app.views.job import JobView
from app.views.script import Outlook, SceneView, ScriptView, make_outlook, make_script
from app.views.shell import Shell
from app.views.writing import Writing
from domain.production.asking import choose_facts
from domain.production.commands.edit_script import edit_script
from domain.production.commands.redo_step import redo_step
from domain.production.cutting import read_changes
from domain.production.editing import preview_edit, read_film, read_script
from domain.production.preview import Film
from domain.production.queries.job import JobDetail, find_job, job_detail
from domain.production.spec import JobSpec
from domain.studio.edits import replace_sentences
from domain.studio.script import Scene

PATH = "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/script"


@get(PATH)
async def show_script(request: AnyRequest) -> Response[str]:
    """The script; `scene` in the address opens that scene's form."""
    room = await Room.enter(request)
    desk = await _sit_down(room)
    wanted = str(request.query_params.get("scene", ""))
    if "again" in request.query_params and desk.may_rewrite:
        return desk.page(Rewriting(FormState({})))
    if not wanted or desk.script is None:
        return desk.page()
    room.principal.require("jobs:run", desk.detail.job.project_id)
    scene = desk.scene(wanted)
    return desk.page(Editing(scene, FormState({"scene": scene.id, "text": scene.text})))


@post(PATH)
async def check_edit(request: AnyRequest) -> Response[str]:
    """Check a scene's new text and show what it would make again; nothing is written."""
    room = await Room.enter(request)
    values = await read_form(request)
    desk = await _sit_down(room)
    return await _preview(room, desk, values)


@post(f"{PATH}/make")
async def start_edit(request: AnyRequest) -> Response[Any]:
    """Make the new film, but only of a text whose preview the person has seen."""
    room = await Room.enter(request)
    values = await read_form(request)
    desk = await _sit_down(room)
    form = read_scene_form(values)
    room.principal.require("jobs:run", desk.detail.job.project_id)
    scene = desk.scene_of(form.scene)
    if check_scene(room.tongue, values, scene) or not _keyed(form.idem_key) or form.seen != mark_of(form.text):
        return await _preview(room, desk, values, stale=bool(form.seen))
    async with room.open() as unit:
        edits = {scene.id: split_text(form.text, scene)}
        job = await edit_script(unit, desk.detail.job.id, edits, idem_key=form.idem_key, tariffs=TARIFFS)
        number = job.number
    return room.go(f"{room.jobs_base}/{number}")


@post(f"{PATH}/again")
async def write_again(request: AnyRequest) -> Response[Any]:
    """Have the script written again with an instruction; what rests on it is made again from what can be reused."""
    room = await Room.enter(request)
    values = await read_form(request)
    desk = await _sit_down(room)
    room.principal.require("jobs:control", desk.detail.job.project_id)
    step = next((step for step in desk.detail.steps if step.kind == "script"), None)
    if step is None or not desk.may_rewrite:
        raise Missing
    if faults := check_instruction(room.tongue, values):
        return desk.page(Rewriting(FormState({"instruction": visible(values.get("instruction", ""))}, faults)), 422)
    async with room.open() as unit:
        await redo_step(unit, desk.detail.job.id, step.id, values["instruction"].strip())
    return room.go(room.job_base)


def _keyed(idem_key: str) -> bool:
    return 8 <= len(idem_key) <= 200


# ── The page ──────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Editing:
    """The scene whose form is open. `stale`: the text was changed after its preview."""

    scene: SceneView
    form: FormState
    outlook: Outlook | None = None
    stale: bool = False


@dataclass(frozen=True)
class Rewriting:
    """The form that asks for another script is open."""

    form: FormState


@dataclass(frozen=True)
class Desk:
    """A job's script with all that its page shows around it; `script` and `film` are None until it is written."""

    room: Room
    shell: Shell
    detail: JobDetail
    view: JobView
    film: Film | None
    script: ScriptView | None
    writing: Writing | None = None
    unmade: int = 0
    """Changes of the timeline that no film has been made with."""

    def scene(self, scene_id: str) -> SceneView:
        """A scene as shown. Raises Missing."""
        found = self.script.scene(scene_id) if self.script else None
        if found is None:
            raise Missing
        return found

    def scene_of(self, scene_id: str) -> Scene:
        """A scene as stored. Raises Missing."""
        scenes = self.film.script.scenes if self.film else []
        found = next((scene for scene in scenes if scene.id == scene_id), None)
        if found is None:
            raise Missing
        return found

    @property
    def may_rewrite(self) -> bool:
        """Whether this person may ask for another script now; edits are kept by never writing under them."""
        job = self.detail.job
        may = self.room.principal.can("jobs:control", job.project_id)
        busy = job.control != "none" or any(step.state == "running" for step in self.detail.steps)
        return may and not busy and self.script is not None and not job.spec.get("script_edits")

    def page(self, work: Editing | Rewriting | None = None, status: int = 200) -> Response[str]:
        """The whole page, or for a part of it just the scene at work, else the script."""
        principal, project = self.room.principal, self.detail.job.project_id
        editing = work if isinstance(work, Editing) else None
        step = next((step for step in self.detail.steps if step.kind == "script"), None)
        return self.room.page(
            "jobs/job_script.html",
            "one" if editing else "script",
            status,
            view=self.view,
            shell=self.shell,
            tab="script",
            script=self.script,
            writing=self.writing,
            language=self.detail.job.spec.get("language", ""),
            editing=editing,
            rewriting=work if isinstance(work, Rewriting) else None,
            may_rewrite=self.may_rewrite,
            timeline_edits=len(self.detail.job.spec.get("timeline_edits", ())),
            timeline_unmade=self.unmade,
            instruction=(step.instruction or "") if step else "",
            may_edit=principal.can("jobs:run", project),
            limit=TEXT_LIMIT,
        )


async def _sit_down(room: Room) -> Desk:
    """Read a job and its script. Raises Missing."""
    async with room.open() as unit:
        project, projects = await room.project(unit)
        job = await find_job(unit, room.project_slug, room.number)
        if job is None:
            raise Missing
        detail = await job_detail(unit, job)
        voice = await narrator_build(unit, job.spec)
        writing = await read_writing(room, unit, detail)
        changes = await read_changes(unit, job.id)
    view = read_view(room, detail, "script")
    store = room.site.store
    written = await read_script(store, detail)
    film = await read_film(store, detail, written, voice) if written else None
    script = None
    if film is not None:
        script = make_script(room.tongue, detail, film, view.outputs.pictures, _sources(film, detail), room.job_base)
    return Desk(
        room,
        room.shell(projects, project, "jobs"),
        detail,
        view,
        film,
        script,
        None if script else writing,
        changes.unmade,
    )


def _sources(film: Film, detail: JobDetail) -> Mapping[str, str]:
    """Where the facts come from that the script rests on, by their ids."""
    if not any(scene.facts for scene in film.script.scenes):
        return {}
    step = next(step for step in detail.steps if step.kind == "script")
    spec = JobSpec.read(detail.job.spec)
    return {fact.id: fact.source for fact in choose_facts(spec, step.instruction or "")}


async def _preview(room: Room, desk: Desk, values: Mapping[str, str], *, stale: bool = False) -> Response[str]:
    """The form again, with what the change does or with everything that is wrong with it."""
    room.principal.require("jobs:run", desk.detail.job.project_id)
    form = read_scene_form(values)
    scene, film = desk.scene_of(form.scene), desk.film
    assert film is not None
    faults = check_scene(room.tongue, values, scene)
    shown = {name: values.get(name, "")[: TEXT_LIMIT * 2] for name in FIELDS}
    if faults:
        return desk.page(_refused(desk, scene, shown, faults), 422)
    after = replace_sentences(film.script, {scene.id: split_text(form.text, scene)})
    async with room.open() as unit:
        found = await preview_edit(unit, film, after)
    state = FormState({**shown, "seen": mark_of(form.text), "idem_key": secrets.token_urlsafe(18)})
    outlook = make_outlook(room.tongue, found)
    return desk.page(Editing(desk.scene(scene.id), state, outlook, stale and form.seen != mark_of(form.text)))


def _refused(desk: Desk, scene: Scene, shown: Mapping[str, str], faults: list[FormFault]) -> Editing:
    return Editing(desk.scene(scene.id), FormState({**shown, "text": visible(shown["text"]), "seen": ""}, faults))
