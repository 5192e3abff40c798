"""Money: quotes beside the form, decisions on calls in doubt, a job's limit, a workspace's month."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post

from adapters.prices.tariffs import PriceFiles
from app.errors import Missing
from app.foresight import foresee_job
from app.forms import FormFault, FormState, read_form
from app.room import Room
from app.site import AnyRequest
from app.views.money import QuoteView, make_quote_view, make_usage, read_dollars
from domain.production.commands.decide_call import decide_call, set_cost_limit
from domain.production.commands.new_job import SECONDS, TOPIC_LIMIT, NewJob
from domain.production.commands.quote_new_job import quote_new_job
from domain.production.errors import InvalidInput
from domain.production.foresight import NO_FORESIGHT, Foreseen
from domain.production.money import this_month
from domain.production.queries.cost import ProjectName, usage_of
from domain.production.queries.job import find_job
from domain.production.queries.projects import projects_of
from domain.usage.caps import month_states, set_project_cap, set_workspace_cap
from tenants.unit import Unit

TARIFFS = PriceFiles()
MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


# ── A quote beside the form ───────────────────────────────────────────────────────────────────────────────
def asked_job(room: Room, values: Mapping[str, str]) -> NewJob | None:
    """The job a form asks for, as far as its price goes; None while its choices make no job."""
    seconds = values.get("seconds", "").strip()
    given = int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 6 else None
    low, high = SECONDS
    if seconds and (given is None or not low <= given <= high):
        return None
    topic = "".join(sign for sign in values.get("topic", "")[:TOPIC_LIMIT] if sign.isprintable() or sign == "\n")
    voice = values.get("voice", "")[:80]
    return NewJob(room.project_slug, values.get("recipe", ""), topic, values.get("language", ""), given, voice=voice)


async def foresee(room: Room, values: Mapping[str, str]) -> Foreseen:
    """What can be found out about a film before it is ordered; no transaction is open meanwhile."""
    new = asked_job(room, values)
    return NO_FORESIGHT if new is None else await foresee_job(room.site, room.principal, new)


async def read_quote(
    room: Room, unit: Unit, values: Mapping[str, str], foreseen: Foreseen = NO_FORESIGHT
) -> QuoteView | None:
    """The quote of what a form asks for; None while its choices make no job."""
    new = asked_job(room, values)
    if new is None:
        return None
    try:
        offer = await quote_new_job(unit, new, TARIFFS, foreseen=foreseen)
    except InvalidInput:
        return None
    return make_quote_view(room.tongue, offer)


@post("/w/{tenant:str}/p/{project:str}/jobs/quote", status_code=200)
async def show_quote(request: AnyRequest) -> Response[str]:
    """The block with the price of what the form asks for now; a topic is long and belongs into no address."""
    room = await Room.enter(request)
    values = await read_form(request)
    async with room.open() as unit:
        await room.project(unit)
    foreseen = await foresee(room, values)
    async with room.open() as unit:
        quote = await read_quote(room, unit, values, foreseen)
    return room.page("jobs/quote.html", "quote", quote=quote, base=room.jobs_base, shell=None)


# ── A job ─────────────────────────────────────────────────────────────────────────────────────────────────
@post("/w/{tenant:str}/p/{project:str}/jobs/{number:str}/calls")
async def decide_one(request: AnyRequest) -> Response[Any]:
    """Repeat a call in doubt or do without it; the job goes on."""
    room = await Room.enter(request)
    values = await read_form(request)
    decision = values.get("decision", "")
    if decision not in ("repeat", "skip"):
        raise Missing
    async with room.open() as unit:
        job = await find_job(unit, room.project_slug, room.number)
        if job is None:
            raise Missing
        await decide_call(unit, job.id, values.get("call", ""), "repeat" if decision == "repeat" else "skip")
    return room.go(room.job_base)


@post("/w/{tenant:str}/p/{project:str}/jobs/{number:str}/limit")
async def change_limit(request: AnyRequest) -> Response[Any]:
    """Change what a job may spend; a job that stopped at its limit goes on."""
    room = await Room.enter(request)
    values = await read_form(request)
    try:
        cap = read_dollars(values.get("limit", ""))
    except ValueError:
        return room.go(f"{room.job_base}/cost?wrong=1")
    async with room.open() as unit:
        job = await find_job(unit, room.project_slug, room.number)
        if job is None:
            raise Missing
        await set_cost_limit(unit, job.id, cap, go_on=values.get("resume", "") == "yes")
    return room.go(f"{room.job_base}/cost")


# ── A workspace ───────────────────────────────────────────────────────────────────────────────────────────
@get("/w/{tenant:str}/usage")
async def show_usage(request: AnyRequest) -> Response[str]:
    """What a month has cost, by project, provider and day, with its limits."""
    return await _usage_page(await Room.enter(request), FormState({}))


@get("/w/{tenant:str}/usage.csv")
async def download_usage(request: AnyRequest) -> Response[str]:
    """The same as a table for a spreadsheet."""
    room = await Room.enter(request)
    month = _month(request)
    async with room.open() as unit:
        lines, _ = await usage_of(unit, month)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(["day", "project", "provider", "model", "calls", "calls_of_unknown_price", "usd"])
    for line in lines:
        usd = f"{line.micro_dollars / 1e6:.6f}"
        # A cell that a spreadsheet would read as a formula is shown as text.
        names = [
            f"'{name}" if name.startswith(("=", "+", "-", "@")) else name
            for name in (line.project, line.provider, line.model)
        ]
        rows.writerow([line.day.isoformat(), *names, line.calls, line.unpriced, usd])
    headers = {"Content-Disposition": f'attachment; filename="usage-{month}.csv"', "Cache-Control": "no-store"}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


@post("/w/{tenant:str}/usage/limits")
async def save_limits(request: AnyRequest) -> Response[Any]:
    """Set the monthly limits of workspace and projects; all of them or none."""
    room = await Room.enter(request)
    values = await read_form(request)
    async with room.open() as unit:
        room.principal.require("budget:manage")
        _, projects = await usage_of(unit, this_month())
        caps, faults = _read_caps(room, values, projects)
        if not faults:
            for project in projects:
                if (name := f"project_{project.slug}") in caps:
                    await set_project_cap(unit, project.id, caps[name])
            if "workspace" in caps:
                await set_workspace_cap(unit, caps["workspace"])
    if faults:
        return await _usage_page(room, FormState(values, faults), 422)
    return room.go(f"/w/{room.seat.slug}/usage")


def _read_caps(
    room: Room, values: Mapping[str, str], projects: list[ProjectName]
) -> tuple[dict[str, int | None], list[FormFault]]:
    known = {"workspace", *(f"project_{project.slug}" for project in projects)}
    caps: dict[str, int | None] = {}
    faults = []
    for name, text in values.items():
        if name not in known:
            faults.append(FormFault("", room.tongue.gettext("The form has no field “%(name)s”.", name=name[:60])))
            continue
        try:
            caps[name] = read_dollars(text)
        except ValueError:
            said = room.tongue.gettext("Write an amount in dollars, like 25 or 12.50; left empty, there is no limit.")
            faults.append(FormFault(name, said))
    return caps, faults


async def _usage_page(room: Room, form: FormState, status: int = 200) -> Response[str]:
    month = _month(room.request)
    async with room.open() as unit:
        projects = await projects_of(unit)
        lines, names = await usage_of(unit, month)
        states = await month_states(unit, month)
    view = make_usage(room.tongue, month, this_month(), lines, names, states, room.principal)
    return room.page(
        "usage/month.html",
        "content",
        status,
        view=view,
        form=form,
        may_limit=room.principal.can("budget:manage") and month == this_month(),
        base=f"/w/{room.seat.slug}/usage",
        shell=room.shell(projects, projects[0] if projects else None, "usage"),
    )


def _month(request: AnyRequest) -> str:
    """The month of the address, else the present one."""
    asked = str(request.query_params.get("month", ""))
    return asked if MONTH.fullmatch(asked) else this_month()
