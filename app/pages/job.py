"""One job: its tabs, and the buttons that steer it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from litestar import Response, get, post

from app.errors import Missing
from app.forms import FormState, read_form
from app.gate_reading import read_asked, show_asked
from app.job_reading import WINDOW_OVERVIEW, read_doubts, read_log, read_shown, read_view
from app.room import Room
from app.site import AnyRequest
from app.views.config import make_config
from app.views.job import make_children
from app.views.money import make_cost_tab
from app.views.waterfall import make_waterfall
from domain.dispatch.policy import PRIORITIES
from domain.production.commands.control_job import cancel_job, pause_job, resume_job, retry_job
from domain.production.commands.hold_work import set_priority
from domain.production.log_queries import LOG_WINDOW
from domain.production.model import Job
from domain.production.queries.cost import money_of
from domain.production.queries.gate import forks_of
from domain.production.queries.job import JobDetail, find_job, job_detail, tries_of
from tenants.unit import Unit

ACTIONS: Mapping[str, Callable[[Unit, Any], Awaitable[Job]]] = {
    "pause": pause_job,
    "resume": resume_job,
    "cancel": cancel_job,
    "retry": retry_job,
}


@get("/w/{tenant:str}/p/{project:str}/jobs/{number:str}")
async def show_job(request: AnyRequest) -> Response[str]:
    """The overview."""
    return await show_page(request, "overview")


@get("/w/{tenant:str}/p/{project:str}/jobs/{number:str}/artifacts")
async def show_artifacts(request: AnyRequest) -> Response[str]:
    """The outputs; its own handler, because the addresses of the files begin the same way."""
    return await show_page(request, "artifacts")


@get("/w/{tenant:str}/p/{project:str}/jobs/{number:str}/{part:str}")
async def show_tab(request: AnyRequest) -> Response[str]:
    """Another tab."""
    tab = str(request.path_params["part"])
    if tab not in TAB_READERS or tab == "overview":
        raise Missing
    return await show_page(request, tab)


@post("/w/{tenant:str}/p/{project:str}/jobs/{number:str}/{part:str}")
async def steer_job(request: AnyRequest) -> Response[Any]:
    """Pause, resume, cancel, retry, or change the level; then back to where the person was."""
    room = await Room.enter(request)
    part = str(request.path_params["part"])
    if part not in ACTIONS and part != "priority":
        raise Missing
    values = await read_form(request)
    if part == "priority" and values.get("level", "") not in PRIORITIES:
        raise Missing
    async with room.open() as unit:
        job = await find_job(unit, room.project_slug, room.number)
        if job is None:
            raise Missing
        if part == "priority":
            await set_priority(unit, job.id, values["level"])
        else:
            await ACTIONS[part](unit, job.id)
    if request.headers.get("hx-request"):
        return await show_page(request, "overview", "head")
    return room.go(room.job_base)


async def show_page(
    request: AnyRequest, tab: str, block: str = "content", status: int = 200, **extra: Any
) -> Response[str]:
    """A tab of a job. `extra`: a refused answer to a gate (`answer`), or why one came too late (`late`)."""
    room = await Room.enter(request)
    values: dict[str, Any] = {"answer": FormState({}), "late": "", "came_from": _came_from(request), **extra}
    async with room.open() as unit:
        project, projects = await room.project(unit)
        job = await find_job(unit, room.project_slug, room.number)
        if job is None:
            raise Missing
        detail = await job_detail(unit, job)
        values |= await TAB_READERS[tab](room, unit, detail)
    view = read_view(room, detail, tab)
    if tab in ("overview", "artifacts"):
        values["wave"] = await read_wave(room, view)
        values["shown"] = await read_shown(room, view) if tab == "artifacts" else None
    if tab == "manifest":
        values["manifest"] = await _manifest(room, detail)
    if tab == "overview":
        values |= await show_asked(room, detail, values.pop("asked"))
    shell = room.shell(projects, project, "jobs")
    return room.page(f"jobs/job_{tab}.html", block, status, view=view, shell=shell, tab=tab, **values)


def _came_from(request: AnyRequest) -> str:
    """`inbox` for who came from there; kept through a refused answer."""
    return "inbox" if request.query_params.get("from", "") == "inbox" else ""


async def read_wave(room: Room, view: Any) -> str:
    """The waveform of the narration, or nothing while there is none."""
    from app.views.wave import wave_path

    narration = view.outputs.narration
    return await wave_path(room.site.store, room.principal.tenant_id, narration.sha256) if narration else ""


# ── What each tab reads besides the frame ─────────────────────────────────────────────────────────────────
async def _read_overview(room: Room, unit: Unit, detail: JobDetail) -> dict[str, Any]:
    log = await read_log(room, unit, detail, WINDOW_OVERVIEW)
    doubts = await read_doubts(room, unit, detail)
    forks = make_children(room.tongue, await forks_of(unit, detail.job), room.jobs_base)
    return {"log": log, "doubts": doubts, "forks": forks, "asked": await read_asked(unit, detail)}


async def _read_logs(room: Room, unit: Unit, detail: JobDetail) -> dict[str, Any]:
    return {"log": await read_log(room, unit, detail, LOG_WINDOW)}


async def _read_steps(room: Room, unit: Unit, detail: JobDetail) -> dict[str, Any]:
    tries = await tries_of(unit, detail.job.id)
    return {"fall": make_waterfall(room.tongue, detail.steps, tries, room.job_base, room.site.clock.now())}


async def _read_config(room: Room, unit: Unit, detail: JobDetail) -> dict[str, Any]:
    return {"config": make_config(room.tongue, detail.job)}


async def _read_cost(room: Room, unit: Unit, detail: JobDetail) -> dict[str, Any]:
    cost = make_cost_tab(room.tongue, await money_of(unit, detail.job), detail.job.quote)
    return {"cost": cost, "wrong": room.request.query_params.get("wrong", "") == "1"}


async def _read_nothing(room: Room, unit: Unit, detail: JobDetail) -> dict[str, Any]:
    return {}


TAB_READERS: Mapping[str, Callable[[Room, Unit, JobDetail], Awaitable[dict[str, Any]]]] = {
    "overview": _read_overview,
    "steps": _read_steps,
    "artifacts": _read_nothing,
    "logs": _read_logs,
    "cost": _read_cost,
    "manifest": _read_nothing,
    "config": _read_config,
}


async def _manifest(room: Room, detail: JobDetail) -> Mapping[str, Any] | None:
    """The stored manifest, or None until the job has written it."""
    found = next((output for output in detail.outputs if output.role == "manifest"), None)
    if found is None:
        return None
    body = await room.site.store.get_bytes(room.principal.tenant_id, found.sha256)
    read: Any = json.loads(body)
    return read if isinstance(read, dict) else {"manifest": read}
