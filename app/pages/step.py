"""One step of a job: what it made, how it went, earlier runs beside the present one; make it again, skip it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from sqlalchemy import select

from app.errors import Missing
from app.forms import FormFault, FormState, hidden_characters, read_form
from app.i18n import Tongue
from app.job_reading import read_view, read_writing
from app.pages.job import read_wave
from app.room import Room, is_partial
from app.site import AnyRequest
from app.views.job import JobView
from app.views.outlook import say_understood
from app.views.shell import Shell
from app.views.step import REDOABLE, Comparison, Reading, make_comparison, make_step, way_of_run
from app.views.writing import Writing
from domain.dispatch.model import Attempt, Step
from domain.production.commands.redo_step import INSTRUCTION_LIMIT, redo_step
from domain.production.commands.skip_step import skip_step
from domain.production.graph import may_skip
from domain.production.model import StepRun
from domain.production.outlook import foresee_redo
from domain.production.queries.gate import line_of, runs_of
from domain.production.queries.job import JobDetail, find_job, job_detail
from domain.production.wishes import hearing, understood
from domain.studio.diff import Piece, diff_words
from tenants.unit import Unit

PATH = "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/step/{step:str}"
TEXT = "script.md"
"""The output of a script that people read; it is compared in words."""


@get(PATH)
async def show_step(request: AnyRequest) -> Response[str]:
    """The step; `run` in the address puts an earlier run beside it, `part` asks for a script's draft alone."""
    desk = await sit_down(await Room.enter(request))
    if request.query_params.get("part") != "draft" or not is_partial(request):
        return await desk.page(FormState({}))
    # What was made, and what can be done with it, stands on the page: it is shown anew when the step has ended.
    return (
        await desk.page(FormState({}), block="draft") if desk.writes else Response("", headers={"HX-Refresh": "true"})
    )


@post(f"{PATH}/{{action:str}}")
async def act_on_step(request: AnyRequest) -> Response[Any]:
    """Make the step again with an instruction, or skip it."""
    room = await Room.enter(request)
    action, values = str(request.path_params["action"]), await read_form(request)
    if action not in ("redo", "skip"):
        raise Missing
    desk = await sit_down(room)
    room.principal.require("jobs:control", desk.detail.job.project_id)
    if action == "skip":
        async with room.open() as unit:
            await skip_step(unit, desk.detail.job.id, desk.read.step.id)
        return room.go(room.job_base)
    wish = values.get("instruction", "").strip()
    if faults := check_wish(room.tongue, desk.read.step.kind, desk.detail.job.spec, wish):
        return await desk.page(FormState({"instruction": wish[: INSTRUCTION_LIMIT * 2]}, faults), 422)
    async with room.open() as unit:
        await redo_step(unit, desk.detail.job.id, desk.read.step.id, wish)
    return room.go(room.job_base)


def check_wish(tongue: Tongue, kind: str, spec: Any, wish: str) -> list[FormFault]:
    """Everything wrong with an instruction for a step of this kind; empty ones are fine."""
    faults, heard = [], hearing(kind, spec)
    if len(wish) > INSTRUCTION_LIMIT:
        text = tongue.gettext(
            "The instruction has %(length)s characters; at most %(limit)s are allowed. Shorten it.",
            length=tongue.number(len(wish)),
            limit=tongue.number(INSTRUCTION_LIMIT),
        )
        faults.append(text)
    if hidden_characters(wish):
        faults.append(tongue.gettext("The instruction has a control character. Remove it."))
    if wish and heard.takes == "none":
        faults.append(tongue.gettext("This step takes no instruction. Leave it empty, or change an earlier step."))
    if wish and heard.takes == "some" and not understood(kind, wish):
        faults.append(tongue.gettext("Nothing of this is understood here. Use the words below the field."))
    return [FormFault("instruction", text) for text in faults]


# ── The page ──────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Desk:
    """A step with all that its page shows around it."""

    room: Room
    shell: Shell
    detail: JobDetail
    view: JobView
    read: Reading
    writing: Writing | None = None

    @property
    def writes(self) -> bool:
        """Whether the step is writing a script."""
        return self.read.step.kind == "script" and self.read.step.state == "running"

    async def page(self, form: FormState, status: int = 200, block: str = "content") -> Response[str]:
        room, job, step = self.room, self.detail.job, self.read.step
        shown = make_step(room.tongue, self.read, room.job_base, self.why_not())
        may = room.principal.can("jobs:control", job.project_id)
        compare = await self.comparison()
        return room.page(
            "jobs/job_step.html",
            block,
            status,
            view=self.view,
            shell=self.shell,
            tab="steps",
            step=shown,
            form=form,
            writes=self.writes,
            writing=self.writing,
            language=job.spec.get("language", ""),
            compare=compare,
            wave=await read_wave(room, self.view) if step.kind == "narrate" else "",
            understood=say_understood(room.tongue, understood(step.kind, step.instruction or "")),
            may_redo=may and not shown.why_not,
            may_retry=may and step.state == "dead" and self.view.can_retry,
            may_skip=may and step.state == "dead" and may_skip(job.spec, step.kind),
            may_fork=room.principal.can("jobs:run", job.project_id) and not step.shard,
            limit=INSTRUCTION_LIMIT,
        )

    def why_not(self) -> str:
        """Why the step cannot be made again now; empty when it can."""
        tongue, job, step = self.room.tongue, self.detail.job, self.read.step
        if job.state in ("cancelled", "cancelling"):
            return tongue.gettext("The job is cancelled. Fork it from this step to go on in a new job.")
        if job.control == "pause":
            return tongue.gettext("The job is paused. Resume it first.")
        if step.state not in REDOABLE:
            return tongue.gettext("The step has no result yet. It can be made again when it has ended.")
        busy = {one.kind for one in self.read.line.steps if one.state == "running"}
        if busy & {kind for kind, _ in foresee_redo(self.read.line, step).kinds}:
            return tongue.gettext("A later step runs on the present result. Wait until it has ended.")
        return ""

    async def comparison(self) -> Comparison | None:
        """The earlier run that the address asks for, else the latest one, beside the present result."""
        asked = str(self.room.request.query_params.get("run", ""))
        run = next((one for one in self.read.runs if str(one.id) == asked), next(iter(self.read.runs), None))
        if run is None or self.read.step.state not in ("succeeded", "waiting_approval"):
            return None
        pieces = await self._pieces(run) if way_of_run(run) == "text" else []
        return make_comparison(self.room.tongue, self.read, run, self.room.job_base, pieces)

    async def _pieces(self, run: StepRun) -> list[Piece]:
        old = run.files.get(TEXT)
        new = next((one for one in self.read.outputs if one.name == TEXT), None)
        if old is None or new is None:
            return []
        store, tenant = self.room.site.store, self.room.principal.tenant_id
        texts = [await store.get_bytes(tenant, str(sha256)) for sha256 in (old["sha256"], new.sha256)]
        return diff_words(*(text.decode("utf-8", "replace") for text in texts))


async def sit_down(room: Room) -> Desk:
    """Read the step of the address. Raises Missing."""
    async with room.open() as unit:
        project, projects = await room.project(unit)
        job = await find_job(unit, room.project_slug, room.number)
        if job is None:
            raise Missing
        detail = await job_detail(unit, job)
        step = find_step(room, detail)
        line = await line_of(unit, detail)
        read = Reading(step, line, detail.outputs, await _attempts(unit, step.id), await runs_of(unit, step.id))
        writing = await read_writing(room, unit, detail) if step.kind == "script" else None
    return Desk(room, room.shell(projects, project, "jobs"), detail, read_view(room, detail, "steps"), read, writing)


def find_step(room: Room, detail: JobDetail) -> Step:
    """The step of the address: its kind, and its part after a dot. Raises Missing."""
    kind, _, shard = str(room.request.path_params["step"]).partition(".")
    found = next((one for one in detail.steps if (one.kind, one.shard) == (kind, shard)), None)
    if found is None:
        raise Missing
    return found


async def _attempts(unit: Unit, step_id: UUID) -> list[Attempt]:
    rows = await unit.session.scalars(select(Attempt).where(Attempt.step_id == step_id).order_by(Attempt.number))
    return list(rows)
