"""The job list and the form that starts a job."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from app.errors import Missing
from app.forms import FormFault, FormState, hidden_characters, read_form
from app.i18n import Tongue
from app.pages.money import TARIFFS, foresee, read_quote
from app.room import Room
from app.site import AnyRequest
from app.views.bulk import act_options, read_outcome
from app.views.jobs import JobsView, Wish, is_explicit, make_jobs, read_view, read_wish
from app.views.money import QuoteView, read_dollars
from app.views.new_job import GATE_KINDS, make_choices
from app.views.saved_views import ALL, make_tabs
from domain.catalog.voices import VoiceLine, list_voices
from domain.dispatch.policy import PRIORITIES
from domain.production.commands.create_job import create_job
from domain.production.commands.new_job import GATES, MODES, SECONDS, TOPIC_LIMIT, NewJob
from domain.production.errors import InvalidInput
from domain.production.queries.jobs import list_jobs
from domain.production.queries.projects import ProjectLine, RecipeLine, recipe_names, recipes_of
from domain.production.queries.saved_views import ViewLine, views_of
from tenants.names import is_blank
from tenants.unit import Unit

GATE_FIELDS = tuple(f"gate_{kind}" for kind in GATE_KINDS)
FIELDS = ("topic", "recipe", "language", "voice", "seconds", "cost_limit", "mode", "level", *GATE_FIELDS, "idem_key")


@get("/w/{tenant:str}/p/{project:str}/jobs")
async def show_jobs(request: AnyRequest) -> Response[Any]:
    """A page of jobs; every filter is in the address, or in the saved view that it names."""
    room = await Room.enter(request)
    query: dict[str, str] = dict(request.query_params.items())
    live = query.get("part") == "list"
    # A page that brings itself up to date shows the jobs it had; newer ones are a button, so that no row moves.
    seen = _whole(query.get("seen", "")) if live else None
    async with room.open() as unit:
        project, projects = await room.project(unit)
        views = [] if live else await views_of(unit, project.id)
        opening = next((line for line in views if line.opening), None)
        if opening is not None and not query:
            return room.go(f"{room.jobs_base}?view={opening.id}")
        chosen = _chosen(query, views)
        wish = read_wish(query if live else _filled(query, chosen, opening), seen)
        said = wish.words if chosen is None or is_explicit(query) else None
        view = await _read_list(room, unit, project.id, wish, Row(views, chosen, said))
    return room.page(
        "jobs/list.html",
        "rows" if live else "content",
        view=view,
        shell=room.shell(projects, project, "jobs"),
        may_run=room.principal.can("jobs:run", project.id),
        acts=act_options(room.tongue) if room.principal.can("jobs:control", project.id) else (),
        seen=view.newest if seen is None else seen,
        bulk=read_outcome(room.tongue, query),
        may_share=room.principal.can("views:share", project.id),
        kept=query.get("kept", "") == "1",
    )


@dataclass(frozen=True)
class Row:
    """The saved views above a list, the one it comes from, and what its address says instead of it."""

    views: Sequence[ViewLine]
    chosen: ViewLine | None
    said: Mapping[str, str] | None


async def _read_list(room: Room, unit: Unit, project_id: UUID, wish: Wish, row: Row) -> JobsView:
    found = await list_jobs(unit, project_id, wish.filter)
    recipes, names = await recipes_of(unit, project_id), await recipe_names(unit, project_id)
    return make_jobs(
        room.tongue,
        found,
        recipes,
        names,
        base=room.jobs_base,
        wish=wish,
        now=room.site.clock.now(),
        tabs=make_tabs(room.tongue, row.views, row.chosen, row.said, names, room.jobs_base),
    )


def _chosen(query: Mapping[str, str], views: Sequence[ViewLine]) -> ViewLine | None:
    """The saved view that the list comes from. Raises Missing for one that is not there and says nothing itself."""
    try:
        wanted = read_view(query)
    except ValueError:
        raise Missing from None
    found = next((line for line in views if line.id == wanted), None)
    if wanted is not None and found is None and not is_explicit(query):
        raise Missing
    return found


def _filled(query: dict[str, str], chosen: ViewLine | None, opening: ViewLine | None) -> dict[str, str]:
    """The address with what its view holds; where a view opens the list, all jobs are called so."""
    if chosen is None:
        return {**query, "view": ALL if opening is not None else ""}
    return query if is_explicit(query) else {**query, **{name: str(text) for name, text in chosen.wanted.items()}}


@get("/w/{tenant:str}/p/{project:str}/jobs/new")
async def show_new_job(request: AnyRequest) -> Response[str]:
    """The empty form, with the first recipe's own values."""
    room = await Room.enter(request)
    async with room.open() as unit:
        project, projects = await room.project(unit)
        room.principal.require("jobs:run", project.id)
        recipes = await recipes_of(unit, project.id)
        wanted = request.query_params.get("recipe", "")
        chosen = next((line for line in recipes if line.slug == wanted), recipes[0] if recipes else None)
        values = {
            "topic": request.query_params.get("topic", "")[:TOPIC_LIMIT],
            "recipe": chosen.slug if chosen else "",
            "language": "",
            "voice": "",
            "seconds": "",
            "cost_limit": "",
            "mode": "auto",
            "level": "standard",
            **{f"gate_{kind}": "yes" for kind in GATES},
            "idem_key": secrets.token_urlsafe(18),
        }
        voices = await list_voices(unit, project.id)
        quote = await read_quote(room, unit, values)
    return _form_page(room, project, projects, recipes, voices, FormState(values), quote)


@post("/w/{tenant:str}/p/{project:str}/jobs")
async def start_job(request: AnyRequest) -> Response[Any]:
    """Check everything, then create the job and go to its page."""
    room = await Room.enter(request)
    values = await read_form(request)
    foreseen = await foresee(room, values)
    async with room.open() as unit:
        project, projects = await room.project(unit)
        room.principal.require("jobs:run", project.id)
        recipes, voices = await recipes_of(unit, project.id), await list_voices(unit, project.id)
        only_quote = values.pop("only_quote", "") != ""
        faults = check_new_job(room.tongue, values, project, recipes)
        if not faults and not only_quote:
            try:
                job = await create_job(unit, read_new_job(values, project.slug), tariffs=TARIFFS, foreseen=foreseen)
                number = job.number
            except InvalidInput as error:
                # Raised before anything is written, so this transaction has nothing to keep.
                faults = [FormFault(fault.field, f"{fault.message} {fault.fix}") for fault in error.faults]
        quote = await read_quote(room, unit, values, foreseen) if faults or only_quote else None
    if faults or only_quote:
        shown = FormState(shortened(values), faults)
        return _form_page(room, project, projects, recipes, voices, shown, quote, 422 if faults else 200)
    return room.go(f"{room.jobs_base}/{number}")


def read_new_job(values: Mapping[str, str], project: str) -> NewJob:
    """The command's input, from a form that has been checked."""
    return NewJob(
        project=project,
        recipe=values["recipe"],
        topic=values["topic"],
        language=values.get("language", ""),
        seconds=_whole(values.get("seconds", "")),
        idem_key=values["idem_key"],
        voice=values.get("voice", ""),
        cost_limit=read_dollars(values.get("cost_limit", "")),
        mode=values.get("mode") or "auto",
        priority=PRIORITIES[values.get("level") or "standard"],
        gates=tuple(kind for kind in GATE_KINDS if values.get(f"gate_{kind}")),
    )


def check_new_job(
    tongue: Tongue, values: Mapping[str, str], project: ProjectLine, recipes: Sequence[RecipeLine]
) -> list[FormFault]:
    """Everything wrong with the form, in the person's language."""
    faults = [
        FormFault("", tongue.gettext("The form has no field “%(name)s”.", name=name[:60]))
        for name in values
        if name not in FIELDS
    ]
    faults += check_topic(tongue, values.get("topic", ""))
    if values.get("recipe", "") not in {line.slug for line in recipes}:
        faults.append(FormFault("recipe", tongue.gettext("This recipe does not exist. Choose one of the list.")))
    if values.get("language") and values["language"] not in project.languages:
        faults.append(
            FormFault("language", tongue.gettext("The project does not speak this language. Choose one of the list."))
        )
    low, high = SECONDS
    given = values.get("seconds", "").strip()
    if given and not low <= (_whole(given) or 0) <= high:
        text = tongue.gettext("The length must be a whole number from %(low)s to %(high)s seconds.", low=low, high=high)
        faults.append(FormFault("seconds", text))
    try:
        read_dollars(values.get("cost_limit", ""))
    except ValueError:
        text = tongue.gettext("Write an amount in dollars, like 25 or 12.50; left empty, there is no limit.")
        faults.append(FormFault("cost_limit", text))
    for name, known in (("mode", MODES), ("level", tuple(PRIORITIES))):
        if values.get(name, "") not in ("", *known):
            faults.append(FormFault(name, tongue.gettext("Choose one of the entries of the list.")))
    if values.get("mode") == "wizard" and not any(values.get(name) for name in GATE_FIELDS):
        text = tongue.gettext(
            "The wizard needs at least one step to stop after. Choose one, or let the job run through."
        )
        faults.append(FormFault("gates", text))
    key = values.get("idem_key", "")
    if not 8 <= len(key) <= 200 or not key.isprintable():
        faults.append(FormFault("", tongue.gettext("The form is out of date. Open it again and copy your topic over.")))
    return faults


def check_topic(tongue: Tongue, topic: str) -> list[FormFault]:
    """What is wrong with a topic."""
    if is_blank(topic):
        return [FormFault("topic", tongue.gettext("The topic is empty. Say in a few words what the film is about."))]
    faults = []
    if len(topic) > TOPIC_LIMIT:
        text = tongue.gettext(
            "The topic has %(length)s characters; at most %(limit)s are allowed. Shorten it to what the film is about.",
            length=tongue.number(len(topic)),
            limit=tongue.number(TOPIC_LIMIT),
        )
        faults.append(FormFault("topic", text))
    if hidden := hidden_characters(topic):
        place, name = hidden[0]
        text = tongue.gettext(
            "The topic has a control character (%(name)s) at position %(place)s. Remove it; plain text and line "
            "breaks are fine.",
            name=name,
            place=place,
        )
        faults.append(FormFault("topic", text))
    return faults


def shortened(values: Mapping[str, str]) -> dict[str, str]:
    """The form's values to show again: a topic far too long comes back cut, hidden characters are left out."""
    topic = "".join(sign for sign in values.get("topic", "")[: TOPIC_LIMIT * 2] if sign.isprintable() or sign in "\n\t")
    kept = {name: values.get(name, "")[:200] for name in FIELDS}
    return {**kept, "topic": topic, "idem_key": kept["idem_key"] or secrets.token_urlsafe(18)}


def _form_page(
    room: Room,
    project: ProjectLine,
    projects: list[ProjectLine],
    recipes: Sequence[RecipeLine],
    voices: Sequence[VoiceLine],
    form: FormState,
    quote: QuoteView | None,
    status: int = 200,
) -> Response[str]:
    return room.page(
        "jobs/new.html",
        "form",
        status,
        form=form,
        quote=quote,
        choices=make_choices(room.tongue, project, recipes, voices),
        shell=room.shell(projects, project, "jobs"),
        base=room.jobs_base,
        limit=TOPIC_LIMIT,
    )


def _whole(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
