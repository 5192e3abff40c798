"""Reading what people gave for an item of the catalogue: every fault at once, with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from adapters.text.liquid import check_prompt
from app.bodies.entries import Entry, Offer, Trouble, names_of, read_entries, show_entries
from app.bodies.kinds import BEGINNINGS, FORMS, SORT_FIELD, form_of
from app.bodies.steps import kinds_shown, read_steps, show_steps, step_fields
from domain.catalog.bodies import check_body
from domain.catalog.knowledge import KnowledgeDocument, parse_document
from domain.catalog.validators import InvalidValidator, make_validator
from domain.catalog.words import same_language
from tenants.names import is_name

NAME_LIMIT, NOTE_LIMIT, SLUG_LIMIT = 120, 200, 60
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
RESERVED = frozenset({"new", "import"})
"""Short names that addresses need for something else."""
COMMON = ("name", "note", "expected", "slug", "project", "sort")
ACTS = ("preview", "topic", "sample")
"""Fields of the form that are no part of the item: a button, and what to try a prompt with."""


@dataclass(frozen=True)
class Given:
    """A form as it was read; the body is whole only where there is no trouble."""

    name: str
    note: str
    slug: str
    body: dict[str, Any]
    troubles: Sequence[Trouble]


@dataclass(frozen=True)
class Sheet:
    """The form of one item: its kind and sort, what can be chosen, and the body it begins with."""

    kind: str
    form: str
    offer: Offer
    body: Mapping[str, Any]
    voices: Mapping[str, str]

    @property
    def entries(self) -> Sequence[Entry]:
        return FORMS[self.form]

    @property
    def step_kinds(self) -> list[str]:
        return kinds_shown(self.body.get("steps", ())) if self.kind == "recipe" else []

    def values(self) -> dict[str, str]:
        """The body as the values of the form."""
        return self.values_of(self.body)

    def values_of(self, body: Mapping[str, Any]) -> dict[str, str]:
        """Another body as the values of the form."""
        shown = show_entries(self.entries, body)
        return {**shown, **show_steps(body.get("steps", ()))} if self.kind == "recipe" else shown


def open_sheet(
    kind: str, form: str, body: Mapping[str, Any], offer: Mapping[str, Sequence[str]], voices: Mapping[str, str]
) -> Sheet:
    """Make the form of a body. What the body has already can be kept, even where nobody would choose it today."""
    kept = {
        entry.path: [*entry.choices, *([value] if value and value not in entry.choices else [])]
        for entry in FORMS[form]
        if entry.way == "one" and not entry.source and isinstance(value := body.get(entry.path), str)
    }
    return Sheet(kind, form, {**kept, **offer}, body, voices)


def beginning(kind: str, form: str) -> dict[str, Any]:
    """What an empty form holds."""
    sort = {SORT_FIELD[kind]: form.partition(":")[2]} if kind in SORT_FIELD else {}
    given = {**sort, **BEGINNINGS.get(form, {})}
    try:
        return check_body(kind, given)
    except ValidationError:
        return given


# ── Reading a form ────────────────────────────────────────────────────────────────────────────────────────
async def read_item(sheet: Sheet, values: Mapping[str, str], *, fresh: bool) -> Given:
    """Read and check a form; `fresh`: of an item that does not exist yet, whose short name can be chosen."""
    troubles = _unknown_fields(sheet, values)
    name, note, slug = (" ".join(values.get(key, "").split()) for key in ("name", "note", "slug"))
    if not is_name(name, NAME_LIMIT):
        troubles.append(Trouble("name", "name", {"high": NAME_LIMIT}))
    if len(note) > NOTE_LIMIT or not note.isprintable():
        troubles.append(Trouble("note", "note", {"high": NOTE_LIMIT}))
    if fresh and slug and not is_slug(slug):
        troubles.append(Trouble("slug", "slug", {"high": SLUG_LIMIT}))
    body, wrong = await read_body(sheet, values, name)
    return Given(name, note, slug, body, [*troubles, *wrong])


def is_slug(text: str) -> bool:
    """Whether a text can be the short name of an item that people make."""
    return SLUG.fullmatch(text) is not None and len(text) <= SLUG_LIMIT and text not in RESERVED


def _unknown_fields(sheet: Sheet, values: Mapping[str, str]) -> list[Trouble]:
    known = {*COMMON, *ACTS, *names_of(sheet.entries), *step_fields(sheet.step_kinds)}
    return [
        Trouble("", "field", {"name": name[:60]})
        for name in values
        if name not in known and f"{name.partition('.')[0]}." not in known
    ]


async def read_body(sheet: Sheet, values: Mapping[str, str], name: str) -> tuple[dict[str, Any], list[Trouble]]:
    """Read and check a body alone; files that are brought in are read the same way."""
    body, troubles = read_entries(sheet.entries, values, sheet.offer)
    if sheet.kind in SORT_FIELD:
        body[SORT_FIELD[sheet.kind]] = sheet.form.partition(":")[2]
    if sheet.kind == "knowledge":
        body["title"] = name
    if sheet.form == "preset:ssml":
        body["pauses"] = {**sheet.body.get("pauses", {}), **body.get("pauses", {})}
        if not values.get("pauses-comma", "").strip():
            body["pauses"].pop("comma", None)
    if sheet.kind == "recipe":
        body["steps"], wrong = read_steps(sheet.step_kinds, values)
        troubles += wrong
    troubles += await _closer(sheet, body)
    if not troubles:
        try:
            body = check_body(sheet.kind, body)
        except ValidationError as error:
            troubles += [Trouble("", "told", {"said": _told(fault)}) for fault in error.errors(include_url=False)]
    return body, troubles


def _told(fault: Mapping[str, Any]) -> str:
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"


# ── What entries cannot tell ──────────────────────────────────────────────────────────────────────────────
async def _closer(sheet: Sheet, body: Mapping[str, Any]) -> list[Trouble]:
    if sheet.kind == "prompt":
        return [trouble for name in ("system", "template") for trouble in await _template(name, body.get(name) or "")]
    if sheet.kind == "validator":
        return _validator(body)
    if sheet.kind == "knowledge":
        return _document(body)
    return _recipe(sheet, body) if sheet.kind == "recipe" else []


async def _template(name: str, text: str) -> list[Trouble]:
    return [
        Trouble(
            name,
            f"liquid-{fault.code}",
            {"line": fault.line, "name": fault.name, "near": fault.near, "said": fault.said},
        )
        for fault in (await check_prompt(text) if text else [])
    ]


_ORDER = re.compile(r"(min_\w+) is greater than (max_\w+)")
_PREFIX = re.compile(r"^(?:Value error, )?")


def _validator(body: Mapping[str, Any]) -> list[Trouble]:
    settings = body.get("settings", {})
    try:
        make_validator(str(body["validator"]), settings, severity=str(body.get("severity", "error")))
    except InvalidValidator as error:
        return [_of_validator(fault) for fault in error.faults]
    low, high = settings.get("min_seconds"), settings.get("max_seconds")
    return [Trouble("settings-min_seconds", "order")] if low is not None and high is not None and low > high else []


def _of_validator(fault: str) -> Trouble:
    place, _, said = fault.partition(": ")
    if found := _ORDER.search(fault):
        return Trouble(f"settings-{found[1]}", "order")
    # What a required field lacks is told by its entry already, in words that fit.
    return Trouble(f"settings-{place.split('.')[0]}", "checked", {"said": _PREFIX.sub("", said)})


def _document(body: Mapping[str, Any]) -> list[Trouble]:
    if not body.get("text"):
        return []
    facts = parse_document(KnowledgeDocument("x", str(body.get("title", "")), str(body["text"])))
    return [] if facts else [Trouble("text", "no-facts")]


def _recipe(sheet: Sheet, body: Mapping[str, Any]) -> list[Trouble]:
    spoken = sheet.voices.get(str(body.get("voice", "")), "")
    if not same_language(spoken, str(body.get("language", ""))):
        return [Trouble("voice", "voice-language", {"language": spoken})]
    return []


# ── Reading a file ────────────────────────────────────────────────────────────────────────────────────────
def with_defaults(kind: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], str, list[Trouble]]:
    """A body with every default filled in, its form, and what is wrong with its shape."""
    try:
        whole = check_body(kind, body)
    except ValidationError as error:
        return {}, "", [Trouble("file", "told", {"said": _told(fault)}) for fault in error.errors(include_url=False)]
    form = form_of(kind, whole)
    if form not in FORMS:
        return {}, "", [Trouble("file", "sort", {"name": form.partition(":")[2][:60]})]
    return whole, form, []
