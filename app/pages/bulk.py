"""Acts on many jobs: first the question with its number, then the act; on a project's list and on dead letters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post

from app.errors import Missing
from app.forms import read_form
from app.pages.queue import read_wish as read_queue_wish
from app.room import Room
from app.site import AnyRequest
from app.views.bulk import make_question
from app.views.jobs import Wish, address, read_wish
from domain.production.commands.bulk import ACTS, MOST, Outcome, do_each
from domain.production.queries.jobs import jobs_for, newest_number
from domain.production.queries.queue import letters
from tenants.unit import Unit

JOBS = "/w/{tenant:str}/p/{project:str}/jobs/bulk"
LETTERS = "/w/{tenant:str}/queue/letters"
LETTER_ACTS = ("retry", "discard")
FILTER = ("view", "state", "recipe", "q", "newest", "jobs")


@get(JOBS)
async def ask_jobs(request: AnyRequest) -> Response[str]:
    """How many jobs of the selection, else of the filter, can be acted on; nothing is done yet."""
    room = await Room.enter(request)
    room.principal.require("jobs:control")
    query = request.query_params
    act = _act(query.get("act", ""), ACTS)
    picked = ",".join(_numbers(query.getall("job", [])))
    async with room.open() as unit:
        project, projects = await room.project(unit)
        newest = await newest_number(unit, project.id)
        wish = _wish({**{name: query.get(name, "") for name in FILTER}, "newest": str(newest), "jobs": picked})
        total, jobs = await jobs_for(unit, project.id, wish.filter, ACTS[act].states, MOST)
    hidden = {**wish.parts, "newest": str(newest), "jobs": picked}
    question = make_question(
        room.tongue, act, total, jobs, action=f"{room.jobs_base}/bulk", back=_list(room, wish), hidden=hidden
    )
    return room.page(
        "jobs/bulk.html", "content", question=question, shell=room.shell(projects, project, "jobs"), where="jobs"
    )


@post(JOBS)
async def do_jobs(request: AnyRequest) -> Response[Any]:
    """Do it with each job that still allows it; jobs newer than the question are left alone."""
    room = await Room.enter(request)
    room.principal.require("jobs:control")
    values = await read_form(request)
    act, wish = _act(values.get("act", ""), ACTS), _wish(values)
    async with room.open() as unit:
        project, _ = await room.project(unit)
        _, jobs = await jobs_for(unit, project.id, wish.filter, ACTS[act].states, MOST)
    done = await do_each(room.site.units, room.principal, act, (job_id for job_id, _, _ in jobs))
    return room.go(_list(room, wish, **_told(done)))


@get(LETTERS)
async def ask_letters(request: AnyRequest) -> Response[str]:
    """How many failed jobs would be tried again or discarded."""
    room = await Room.enter(request)
    room.principal.require("jobs:control")
    query = request.query_params
    act = _act(query.get("act", ""), LETTER_ACTS)
    picked = query.getall("job", [])[:MOST]
    async with room.open() as unit:
        _, projects = await read_queue_wish(room, unit)
        found = await _letters(room, unit, picked)
    kept = {name: query.get(name, "")[:80] for name in ("project", "kind", "error")}
    question = make_question(
        room.tongue,
        act,
        len(found),
        [(job_id, number, title) for job_id, _, number, title in found],
        action=f"{room.base}/queue/letters",
        back=_queue(room, kept),
        hidden={**kept, "jobs": ",".join(str(job_id) for job_id, *_ in found[:MOST])},
    )
    return room.page(
        "jobs/bulk.html", "content", question=question, shell=room.shell(projects, None, "queue"), where="queue"
    )


@post(LETTERS)
async def do_letters(request: AnyRequest) -> Response[Any]:
    """Do it with exactly the jobs that the question was about."""
    room = await Room.enter(request)
    room.principal.require("jobs:control")
    values = await read_form(request)
    act = _act(values.get("act", ""), LETTER_ACTS)
    async with room.open() as unit:
        found = await _letters(room, unit, values.get("jobs", "").split(",")[:MOST], values.get("project", ""))
    done = await do_each(room.site.units, room.principal, act, (job_id for job_id, *_ in found))
    kept = {name: values.get(name, "")[:80] for name in ("project", "kind", "error")}
    return room.go(_queue(room, {**kept, **_told(done)}))


def _told(done: Outcome) -> dict[str, str]:
    """What was done, for the address of the page that says it."""
    told = {"done": str(done.done), "refused": str(done.refused)}
    return {**told, "left": str(done.left)} if done.left else told


async def _letters(
    room: Room, unit: Unit, picked: list[str], project: str | None = None
) -> list[tuple[UUID, str, int, str]]:
    """The dead letters of a selection, else of the address's filter."""
    wish, _ = await read_queue_wish(room, unit, project)
    return await letters(unit, wish, _ids(picked) if any(picked) else None)


def _ids(texts: Iterable[str]) -> list[UUID]:
    """Ids out of a selection; what is none is left out. Raises Missing when none is left."""
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    if not found:
        raise Missing
    return found


def _act(word: str, known: Iterable[str]) -> str:
    """An act that there is. Raises Missing."""
    if word not in known:
        raise Missing
    return word


def _numbers(texts: Iterable[str]) -> list[str]:
    return [text for text in list(texts)[:MOST] if text.isascii() and text.isdigit() and len(text) < 10]


def _wish(values: Mapping[str, str]) -> Wish:
    """The filter of a bulk act: a selection stands for itself, whatever else is in the address."""
    picked = tuple(int(number) for number in _numbers(values.get("jobs", "").split(",")))
    newest = values.get("newest", "")
    wish = read_wish({name: values.get(name, "") for name in ("view", "state", "recipe", "q")})
    bound = int(newest) if newest.isascii() and newest.isdigit() and len(newest) < 10 else None
    if picked:
        return replace(wish, filter=replace(read_wish({}).filter, numbers=picked, newest=bound))
    return replace(wish, filter=replace(wish.filter, newest=bound))


def _list(room: Room, wish: Wish, **told: str) -> str:
    return address(room.jobs_base, {**wish.parts, **told})


def _queue(room: Room, parts: Mapping[str, str]) -> str:
    query = urlencode({name: value for name, value in parts.items() if value})
    return f"{room.base}/queue?{query}" if query else f"{room.base}/queue"
