"""Schedules of a project: jobs that start at a time, once or again and again."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Response, get, post

from app.errors import Missing
from app.forms import FormFault, FormState, read_form
from app.i18n import Tongue
from app.pages.jobs import FIELDS, check_new_job, read_new_job, shortened
from app.pages.money import TARIFFS
from app.room import Room
from app.site import AnyRequest
from app.views.new_job import make_choices
from app.views.schedules import day_options, make_schedules, repeat_options, zone_options
from domain.production.commands.schedule_job import (
    add_schedule,
    pause_schedule,
    remove_schedule,
    run_now,
)
from domain.production.errors import InvalidInput
from domain.production.queries.projects import recipes_of
from domain.production.queries.queue import next_schedules
from domain.production.schedules import FURTHEST, REPEATS, known_zone
from tenants.unit import Unit

PATH = "/w/{tenant:str}/p/{project:str}/schedules"
OWN = ("at", "repeat", "zone", *(f"d{day}" for day in range(7)))
"""The form's fields besides those of a job."""
DONE = ("added", "paused", "resumed", "removed")


@get(PATH)
async def show_schedules(request: AnyRequest) -> Response[str]:
    """What starts when."""
    room = await Room.enter(request)
    return await _list(room)


@get(f"{PATH}/new")
async def show_new_schedule(request: AnyRequest) -> Response[str]:
    """The empty form: tomorrow at nine, where the person is."""
    room = await Room.enter(request)
    tomorrow = (room.site.clock.now() + timedelta(days=1)).astimezone(room.tongue.tz)
    values = {
        "repeat": "once",
        "zone": room.tongue.tz.key,
        "at": f"{tomorrow:%Y-%m-%d}T09:00",
        "topic": request.query_params.get("topic", "")[:500],
        "idem_key": secrets.token_urlsafe(18),
    }
    return await _form(room, FormState(values))


@post(PATH)
async def add(request: AnyRequest) -> Response[Any]:
    """Check everything, then keep the schedule."""
    room = await Room.enter(request)
    values = await read_form(request)
    job_values = {"cost_limit": "", "seconds": "", "language": "", **_without(values)}
    async with room.open() as unit:
        project, _ = await room.project(unit)
        room.principal.require("jobs:run", project.id)
        faults = check_new_job(room.tongue, job_values, project, await recipes_of(unit, project.id))
        faults += check_time(room.tongue, values, room.site.clock.now())
        if not faults:
            try:
                new = read_new_job(job_values, project.slug)
                at, days = read_time(values), read_days(values)
                await add_schedule(unit, new, at, values["repeat"], values["zone"], days)
            except InvalidInput as error:
                # Raised before anything is written, so this transaction has nothing to keep.
                faults = [FormFault(fault.field, f"{fault.message} {fault.fix}") for fault in error.faults]
    if faults:
        own = {name: values.get(name, "")[:80] for name in OWN}
        return await _form(room, FormState({**shortened(job_values), **own}, faults), 422)
    return room.go(f"{_base(room)}?done=added")


@post(f"{PATH}/{{schedule:uuid}}/{{act:str}}")
async def change(request: AnyRequest) -> Response[Any]:
    """Pause, resume, remove or run now."""
    room = await Room.enter(request)
    act, schedule = str(request.path_params["act"]), UUID(str(request.path_params["schedule"]))
    if act not in ("pause", "resume", "remove", "run"):
        raise Missing
    values = await read_form(request)
    try:
        async with room.open() as unit:
            await room.project(unit)
            target = await _act(unit, schedule, act, values)
    except InvalidInput as error:
        told = " ".join(f"{fault.message} {fault.fix}" for fault in error.faults)
        return await _list(room, room.tongue.gettext("It did not start. %(why)s", why=told), 422)
    return room.go(f"{room.jobs_base}/{target}" if act == "run" else f"{_base(room)}?done={target}")


async def _act(unit: Unit, schedule: UUID, act: str, values: Mapping[str, str]) -> str:
    """Do it and answer the word for it, or the number of the job started."""
    if act == "run":
        key = values.get("key", "") or secrets.token_hex(8)
        return str((await run_now(unit, schedule, key, tariffs=TARIFFS)).number)
    if act == "remove":
        await remove_schedule(unit, schedule)
        return "removed"
    await pause_schedule(unit, schedule, act == "pause")
    return "paused" if act == "pause" else "resumed"


def check_time(tongue: Tongue, values: Mapping[str, str], now: datetime) -> list[FormFault]:
    """Everything wrong with the time of the form, in the person's language."""
    faults = []
    if values.get("repeat") not in REPEATS:
        faults.append(FormFault("repeat", tongue.gettext("Choose one of the entries of the list.")))
    if not known_zone(values.get("zone", "")):
        faults.append(FormFault("zone", tongue.gettext("Choose one of the entries of the list.")))
        return faults
    try:
        at = read_time(values)
    except (ValueError, OverflowError):
        return [*faults, FormFault("at", tongue.gettext("Give a date and a time, such as 2030-05-01 09:00."))]
    if at <= now:
        text = tongue.gettext("This time has passed already. Choose one that is still to come; nothing was scheduled.")
        faults.append(FormFault("at", text))
    elif at > now + FURTHEST:
        faults.append(FormFault("at", tongue.gettext("This is more than a year away. Choose an earlier time.")))
    return faults


def read_time(values: Mapping[str, str]) -> datetime:
    """The local time of the form in its zone. Raises ValueError."""
    local = datetime.fromisoformat(values.get("at", "").strip())
    if local.tzinfo is not None:
        raise ValueError("a local time has no zone of its own")
    return local.replace(tzinfo=ZoneInfo(values["zone"]))


def read_days(values: Mapping[str, str]) -> list[int]:
    """The weekdays of a weekly schedule; for others ticked days mean nothing."""
    return [day for day in range(7) if values.get(f"d{day}")] if values.get("repeat") == "weekly" else []


def _without(values: Mapping[str, str]) -> dict[str, str]:
    """The job's fields of the form; unknown ones stay, so that they are told."""
    return {name: value for name, value in values.items() if name in FIELDS or name not in OWN}


def _base(room: Room) -> str:
    return f"{room.base}/p/{room.project_slug}/schedules"


async def _list(room: Room, refused: str = "", status: int = 200) -> Response[str]:
    async with room.open() as unit:
        project, projects = await room.project(unit)
        rows = await next_schedules(unit, project.id, 200)
    now, done = room.site.clock.now(), room.request.query_params.get("done", "")
    return room.page(
        "schedules/list.html",
        "content",
        status,
        rows=make_schedules(room.tongue, rows, room.base, now),
        shell=room.shell(projects, project, "schedules"),
        base=_base(room),
        may_run=room.principal.can("jobs:run", project.id),
        keys={str(row.id): secrets.token_urlsafe(12) for row, _ in rows},
        done=done if done in DONE and not refused else "",
        refused=refused,
    )


async def _form(room: Room, form: FormState, status: int = 200) -> Response[str]:
    async with room.open() as unit:
        project, projects = await room.project(unit)
        room.principal.require("jobs:run", project.id)
        recipes = await recipes_of(unit, project.id)
    if not form.value("recipe") and recipes:
        form = FormState({**form.values, "recipe": recipes[0].slug}, form.faults)
    return room.page(
        "schedules/new.html",
        "form",
        status,
        form=form,
        choices=make_choices(room.tongue, project, recipes),
        repeats=repeat_options(room.tongue),
        days=day_options(room.tongue),
        zones=zone_options(),
        shell=room.shell(projects, project, "schedules"),
        base=_base(room),
    )
