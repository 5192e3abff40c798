"""Fork a job from a step: what changes, what is taken over, what it costs, before anything runs."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from sqlalchemy import select

from app.errors import Missing
from app.forms import FormFault, FormState, read_form
from app.i18n import Tongue
from app.pages.jobs import check_topic
from app.pages.money import TARIFFS
from app.pages.step import Desk, check_wish, find_step, sit_down
from app.room import Room
from app.site import AnyRequest
from app.views.fork import ForkView, make_fork, make_fork_choices
from domain.catalog.provider_rows import Provider
from domain.catalog.resolution import find_presets
from domain.production.commands.fork_choices import PORTS, PRESET_SLOTS, Changes
from domain.production.commands.fork_job import ForkOffer, draft_fork, fork_job, quote_fork
from domain.production.commands.new_job import SECONDS, TOPIC_LIMIT
from domain.production.editing import read_script
from domain.production.errors import InvalidInput
from domain.production.foresight import NO_FORESIGHT, Foreseen, library_of
from domain.production.matching import Shelf
from domain.production.queries.job import find_job, job_detail
from domain.production.queries.projects import recipes_of
from domain.production.sketches import film_of

PATH = "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/step/{step:str}/fork"
FIELDS = ("instruction", "topic", "seconds", "profile", "recipe", *PRESET_SLOTS, *PORTS, "idem_key")


@get(PATH)
async def show_fork(request: AnyRequest) -> Response[str]:
    """The form, with everything as it is in the earlier job."""
    room = await Room.enter(request)
    desk = await sit_down(room)
    _require(room, desk)
    spec, step = desk.detail.job.spec, desk.read.step
    values = {
        "topic": str(spec.get("topic", "")),
        "instruction": step.instruction or "",
        "idem_key": secrets.token_urlsafe(18),
    }
    return await _page(room, desk, FormState(values))


@post(PATH)
async def start_fork(request: AnyRequest) -> Response[Any]:
    """Start the fork, or only work out what it would make and cost."""
    room = await Room.enter(request)
    values = await read_form(request)
    only_quote = values.pop("only_quote", "") != ""
    desk = await sit_down(room)
    _require(room, desk)
    faults = check_fork(room.tongue, values, desk)
    if faults or only_quote:
        return await _page(room, desk, FormState(_kept(values), faults), 422 if faults else 200)
    try:
        foreseen = await _foresee(room, desk, read_changes(values))
        async with room.open() as unit:
            job = await find_job(unit, room.project_slug, room.number)
            if job is None:
                raise Missing
            step = find_step(room, await job_detail(unit, job))
            wish = values.get("instruction", "").strip()
            changes, key = read_changes(values), values["idem_key"]
            made = await fork_job(
                unit, job.id, step.id, wish, changes, idem_key=key, tariffs=TARIFFS, foreseen=foreseen
            )
            number = made.number
    except InvalidInput as error:
        # Raised before anything is written.
        return await _page(room, desk, FormState(_kept(values), _told(error)), 422)
    return room.go(f"{room.jobs_base}/{number}")


def _told(error: InvalidInput) -> list[FormFault]:
    return [FormFault(fault.field, f"{fault.message} {fault.fix}") for fault in error.faults]


def _require(room: Room, desk: Desk) -> None:
    room.principal.require("jobs:run", desk.detail.job.project_id)
    if desk.read.step.shard:
        raise Missing


def read_changes(values: Mapping[str, str]) -> Changes:
    """The changes of a form that has been checked; what is empty stays as it is."""
    seconds = values.get("seconds", "").strip()
    return Changes(
        topic=values.get("topic", ""),
        seconds=int(seconds) if seconds else None,
        profile=values.get("profile", ""),
        recipe=values.get("recipe", ""),
        presets={slot: values.get(slot, "") for slot in PRESET_SLOTS},
        providers={port: values.get(port, "") for port in PORTS},
    )


def check_fork(tongue: Tongue, values: Mapping[str, str], desk: Desk) -> list[FormFault]:
    """Everything wrong with the form that can be told without the catalogue."""
    faults = [
        FormFault("", tongue.gettext("The form has no field “%(name)s”.", name=name[:60]))
        for name in values
        if name not in FIELDS
    ]
    faults += check_topic(tongue, values.get("topic", ""))
    faults += check_wish(tongue, desk.read.step.kind, desk.detail.job.spec, values.get("instruction", "").strip())
    low, high = SECONDS
    given = values.get("seconds", "").strip()
    if given and not (given.isascii() and given.isdigit() and len(given) < 6 and low <= int(given) <= high):
        text = tongue.gettext("The length must be a whole number from %(low)s to %(high)s seconds.", low=low, high=high)
        faults.append(FormFault("seconds", text))
    if not 8 <= len(values.get("idem_key", "")) <= 200:
        faults.append(FormFault("", tongue.gettext("The form is out of date. Open it again and copy your topic over.")))
    return faults


def _kept(values: Mapping[str, str]) -> dict[str, str]:
    kept = {name: values.get(name, "")[: TOPIC_LIMIT * 2] for name in FIELDS}
    return {**kept, "idem_key": kept["idem_key"] or secrets.token_urlsafe(18)}


async def _foresee(room: Room, desk: Desk, changes: Changes) -> Foreseen:
    """What can be found out about the fork's film: all, where it takes its script over. Raises InvalidInput."""
    async with room.open() as unit:
        spec, anew = await draft_fork(unit, desk.detail.job.id, desk.read.step.id, changes)
    if "script" in anew:
        return await room.site.counter.foresee(room.principal.tenant_id, spec)
    script = await read_script(room.site.store, desk.detail)
    return (
        Foreseen(films=[film_of(script, spec.ssml.body.lexicon, Shelf(library_of(spec)))]) if script else NO_FORESIGHT
    )


async def _page(room: Room, desk: Desk, form: FormState, status: int = 200) -> Response[str]:
    faults, foreseen = list(form.faults), NO_FORESIGHT
    offer: ForkOffer | None = None
    try:
        foreseen = NO_FORESIGHT if faults else await _foresee(room, desk, read_changes(form.values))
    except InvalidInput as error:
        faults = _told(error)
    async with room.open() as unit:
        presets = await find_presets(unit.session, desk.detail.job.project_id)
        providers = list(await unit.session.scalars(select(Provider).where(Provider.enabled).order_by(Provider.name)))
        recipes = await recipes_of(unit, desk.detail.job.project_id)
        if not faults:
            changes = read_changes(form.values)
            offer = await quote_fork(unit, desk.detail.job.id, desk.read.step.id, changes, TARIFFS, foreseen=foreseen)
    choices = make_fork_choices(room.tongue, desk.detail.job.spec, recipes, presets, providers)
    fork: ForkView | None = make_fork(room.tongue, offer) if offer else None
    return room.page(
        "jobs/job_fork.html",
        "content",
        422 if faults else status,
        view=desk.view,
        shell=desk.shell,
        tab="steps",
        step=desk.read.step,
        name=choices.step_name(desk.read.step.kind),
        form=FormState(form.values, faults),
        choices=choices,
        fork=fork,
        back=f"{room.job_base}/step/{desk.read.step.kind}",
        limit=TOPIC_LIMIT,
    )
