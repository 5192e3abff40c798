"""What the pages of the catalogue work with: an item's form, what can be chosen in it, and trying a prompt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select

from adapters.text.liquid import render_prompt
from app.bodies.reading import Sheet, open_sheet
from app.errors import Missing
from app.room import Room
from app.views.bodies import Labels
from app.views.catalogue import KIND_OF
from domain.catalog.bodies import PromptBody
from domain.catalog.items import Choice, ItemLine, NoSuchItem, find_item, offered, read_usage
from domain.catalog.model import Project
from domain.catalog.prompting import PromptFault
from domain.catalog.providers import BUILT_IN, list_providers
from domain.catalog.vendors import PORTS, VENDORS, make_slug
from domain.catalog.words import plain, same_language
from domain.production.ports import ScriptRequest
from domain.production.queries.projects import projects_of
from domain.production.trying import fill_prompt, sample_inputs
from tenants.unit import Unit

TOPIC_LIMIT = 300


def kind_of(room: Room) -> str:
    """The kind of the address. Raises Missing."""
    kind = KIND_OF.get(str(room.request.path_params["kind"]))
    if kind is None:
        raise Missing
    return kind


async def item_of(room: Room, unit: Unit, number: int | None = None) -> ItemLine:
    """The item of the address. Raises Missing."""
    try:
        return await find_item(unit, kind_of(room), str(room.request.path_params["slug"]), number)
    except NoSuchItem as error:
        raise Missing from error


def asked_number(room: Room, name: str) -> int | None:
    """A version's number in the address; None when there is none. Raises Missing."""
    text = room.request.query_params.get(name, "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 7):
        raise Missing
    return int(text) if text else None


def expected_of(values: Mapping[str, str]) -> int:
    """The version that a form was opened with; one without it is out of date in any case."""
    text = values.get("expected", "")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 7 else 0


# ── Forms ─────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Desk:
    """A form with the names of what can be chosen in it."""

    sheet: Sheet
    labels: Labels


async def open_desk(unit: Unit, kind: str, form: str, body: Mapping[str, Any], project_id: UUID | None) -> Desk:
    """Make the form of an item of a project, or of the whole workspace."""
    if kind != "recipe":
        return Desk(open_sheet(kind, form, body, {}, {}), {})
    choices = await offered(unit, project_id)
    rows = await list_providers(unit)
    made = {port: {row.slug: row.name for row in rows if VENDORS[row.kind].port == port} for port in PORTS}
    labels: dict[str, Mapping[str, str]] = {**_labels(choices), **made}
    offer: dict[str, Sequence[str]] = {source: list(names) for source, names in labels.items()}
    offer |= {port: [*BUILT_IN[port], *made[port]] for port in PORTS}
    voices = {one.slug: one.language for one in choices if one.sort == "voice"}
    return Desk(open_sheet(kind, form, body, _kept(offer, form, body), voices), labels)


def _labels(choices: Sequence[Choice]) -> dict[str, Mapping[str, str]]:
    def named(kind: str, sort: str = "", tier: int = 0) -> Mapping[str, str]:
        return {
            one.slug: f"{one.name} ({one.language})" if tier else one.name
            for one in choices
            if one.kind == kind and (not sort or one.sort == sort) and (not tier or one.tier == tier)
        }

    presets = {sort: named("preset", sort) for sort in ("voice", "ssml", "video")}
    return {
        "prompt": named("prompt"),
        "validator": named("validator"),
        "document": named("knowledge", tier=2),
    } | presets


def _kept(offer: Mapping[str, Sequence[str]], form: str, body: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """What can be chosen, and what ticks of the body say already, in its order: saving something else drops nothing."""
    documents = body.get("knowledge", {}).get("documents", ())
    ticked = {"validator": body.get("validators", ()), "document": documents} if form == "recipe" else {}
    return {
        **offer,
        **{source: [*given, *(one for one in offer[source] if one not in given)] for source, given in ticked.items()},
    }


def short_name(kind: str, name: str, taken: set[str]) -> str:
    """A short name for a new item."""
    letters = plain(name)
    return make_slug(letters if re.search(r"[a-z0-9]", letters) else kind, taken | {"new", "import"})


# ── Trying a prompt ───────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Trial:
    """A prompt as it would be sent. `fault`: why it cannot be filled; `facts`: how many it was given."""

    topic: str
    project: str
    recipe: str
    request: ScriptRequest | None
    fault: str = ""

    @property
    def facts(self) -> int:
        return len(self.request.facts) if self.request else 0


async def try_prompt(room: Room, slug: str, body: Mapping[str, Any], sample: str, topic: str) -> Trial | None:
    """Fill a prompt for a film of a project; nothing is asked of anybody. None when there is no project to try it in.

    The recipe is the first that uses the prompt, else the length and knowledge are as usual.
    """
    try:
        prompt = PromptBody.model_validate(body)
    except ValidationError:
        return None
    topic = " ".join(topic.split())[:TOPIC_LIMIT]
    async with room.open() as unit:
        project = await _project(unit, sample)
        if project is None:
            return None
        usage = await read_usage(unit)
        uses = [use for use in usage.of("prompt", slug, body) if not use.project or use.project == project.slug]
        recipe = uses[0] if uses else None
        spoken = [tag for tag in project.languages if same_language(tag, prompt.language)]
        language = spoken[0] if spoken else prompt.language
        inputs = await sample_inputs(unit, project, recipe.recipe if recipe else "", language, topic)
    name = recipe.recipe_name if recipe else ""
    try:
        request = await fill_prompt(prompt, inputs, render_prompt)
    except PromptFault as fault:
        return Trial(topic, project.name, name, None, fault.sentence)
    return Trial(topic, project.name, name, request)


async def _project(unit: Unit, slug: str) -> Project | None:
    """The project to try in; of none that is named, the one worked in last."""
    lines = await projects_of(unit)
    line = next((one for one in lines if one.slug == slug), lines[0] if lines else None)
    return None if line is None else await unit.session.scalar(select(Project).where(Project.id == line.id))
