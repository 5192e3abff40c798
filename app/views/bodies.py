"""Bodies of catalogue items as shown: the entries of a form, a body to be read, and what differs between two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.bodies.entries import Entry, choices_of, dig, show_entries
from app.bodies.kinds import FORMS, form_of
from app.bodies.reading import Sheet
from app.forms import FormState
from app.i18n import N_, Tongue
from app.views.catalogue import item_href
from app.views.marks import kind_name
from app.views.settings import Option
from domain.catalog.knowledge import KnowledgeDocument, parse_document
from domain.studio.diff import Piece, diff_words, only_near

LONG = ("text", "rows", "pairs", "json")
"""Ways whose values take several lines."""
SOURCE_NAMES: Mapping[str, str] = {
    "offline": N_("Offline writer (draft)"),
    "espeak": N_("Offline voice, espeak (draft)"),
    "library": N_("Picture library"),
    "artboard": N_("Art board"),
}
STEP_NOTES: Mapping[str, str] = {
    "gate": N_("stops for a person"),
    "gate_on_fallback": N_("stops when another maker stood in"),
    "optional": N_("may be skipped"),
}

Labels = Mapping[str, Mapping[str, str]]
"""Source → value → how people call it."""


@dataclass(frozen=True)
class Tick:
    """One box of an entry of many."""

    name: str
    label: str
    checked: bool


@dataclass(frozen=True)
class EntryView:
    """One field of the form."""

    name: str
    label: str
    way: str
    help: str
    needed: bool
    rows: int
    mono: bool
    options: tuple[Option, ...] = ()
    ticks: tuple[Tick, ...] = ()


def make_entries(tongue: Tongue, sheet: Sheet, form: FormState, labels: Labels) -> list[EntryView]:
    """The fields of a form with what can be chosen."""
    return [_entry(tongue, sheet, entry, form, labels) for entry in sheet.entries]


def _entry(tongue: Tongue, sheet: Sheet, entry: Entry, form: FormState, labels: Labels) -> EntryView:
    options = [Option(value, label_of(tongue, entry, value, labels)) for value in choices_of(entry, sheet.offer)]
    names = {name.removeprefix(f"{entry.name}.") for name, value in form.values.items() if value}
    ticks = [
        Tick(f"{entry.name}.{one.value}", one.label, f"{entry.name}.{one.value}" in form.values and one.value in names)
        for one in options
    ]
    help_ = tongue.gettext(entry.help) if entry.help else ""
    if entry.way == "list" and entry.source:
        known = tongue.gettext("There are: %(names)s.", names=", ".join(choices_of(entry, sheet.offer)))
        help_ = f"{help_} {known}"
    given = form.value(entry.name)
    if entry.way == "one" and given not in [one.value for one in options]:
        options.insert(0, Option(given, given or tongue.gettext("choose one")))
    return EntryView(
        entry.name,
        tongue.gettext(entry.label),
        entry.way,
        help_,
        entry.needed,
        entry.rows,
        entry.mono,
        tuple(options) if entry.way == "one" else (),
        tuple(ticks) if entry.way == "many" else (),
    )


def label_of(tongue: Tongue, entry: Entry, value: str, labels: Labels) -> str:
    """How a value is called."""
    if value in entry.choices:
        return tongue.gettext(entry.choices[value]) if entry.choices[value] else value
    named = labels.get(entry.source, {}).get(value, "")
    if named:
        return named
    return tongue.gettext(SOURCE_NAMES[value]) if entry.source and value in SOURCE_NAMES else value


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Link:
    """An item of the catalogue that a body names."""

    label: str
    href: str


@dataclass(frozen=True)
class Shown:
    """One field of a body. `long`: a text of several lines; `links`: the items that it names, in place of the text."""

    label: str
    text: str
    long: bool = False
    links: tuple[Link, ...] = ()


LINKED: Mapping[str, tuple[str, str]] = {
    "prompt": ("prompt", ""),
    "voice": ("preset", "voice"),
    "ssml": ("preset", "ssml"),
    "video": ("preset", "video"),
    "validator": ("validator", ""),
    "document": ("knowledge", ""),
}
"""Source → the kind of item its values are, and of which sort."""


@dataclass(frozen=True)
class StepShown:
    """One step of a recipe as it is read."""

    name: str
    needs: str
    notes: str


def show_body(tongue: Tongue, kind: str, body: Mapping[str, Any], labels: Labels, base: str = "") -> list[Shown]:
    """A body's fields, short ones first; empty ones are left out. `base`: the workspace's address, for links."""
    entries = FORMS.get(form_of(kind, body), ())
    shown = [
        Shown(tongue.gettext(entry.label), text, entry.way in LONG, _links(entry, body, labels, base))
        for entry in entries
        if (text := _text(tongue, entry, body, labels))
    ]
    facts = [Shown(tongue.gettext("Facts"), _facts(tongue, body))] if kind == "knowledge" else []
    return sorted([*shown, *facts], key=lambda one: one.long)


def _facts(tongue: Tongue, body: Mapping[str, Any]) -> str:
    """How many facts are read from a document, and how many of them have no source."""
    found = parse_document(KnowledgeDocument("", str(body.get("title", "")), str(body.get("text", ""))))
    bare = sum(not fact.source for fact in found)
    parts = [tongue.number(len(found))]
    parts += [tongue.ngettext("%(num)s without a source", "%(num)s without a source", bare)] * bool(bare)
    return ", ".join(parts)


def _links(entry: Entry, body: Mapping[str, Any], labels: Labels, base: str) -> tuple[Link, ...]:
    """The items that an entry names and that are there to be looked at."""
    if not base or entry.source not in LINKED:
        return ()
    value, (kind, sort) = dig(body, entry.path), LINKED[entry.source]
    values = [str(one) for one in (value if isinstance(value, list) else [value])]
    known = labels.get(entry.source, {})
    if any(one not in known for one in values):
        return ()
    return tuple(Link(known[one], item_href(base, kind, one, {"preset": sort})) for one in values)


def _text(tongue: Tongue, entry: Entry, body: Mapping[str, Any], labels: Labels) -> str:
    value = dig(body, entry.path)
    if value is None:
        return ""
    if entry.path == "seconds":
        return tongue.duration(float(value))
    if entry.way == "tick":
        return tongue.gettext("yes") if value else tongue.gettext("no")
    if entry.way in ("one", "many", "list") and not isinstance(value, Mapping):
        values = value if isinstance(value, list) else [value]
        return ", ".join(label_of(tongue, entry, str(one), labels) for one in values)
    text = show_entries([entry], body).get(entry.name, "")
    return f"{text} %" if entry.way == "share" and text else text


def show_steps(tongue: Tongue, body: Mapping[str, Any]) -> list[StepShown]:
    """The steps of a recipe in their order."""
    return [_step(tongue, step) for step in body.get("steps", ())]


def _step(tongue: Tongue, step: Mapping[str, Any]) -> StepShown:
    notes = [tongue.gettext(note) for field, note in STEP_NOTES.items() if step.get(field)]
    if step.get("pool"):
        notes.append(tongue.gettext("by workers of %(pool)s", pool=step["pool"]))
    if step.get("fallback"):
        after = tongue.duration(float(step.get("fallback_after", 60)))
        notes.append(tongue.gettext("after %(time)s by %(pool)s", time=after, pool=step["fallback"]))
    return StepShown(
        kind_name(tongue, str(step["kind"])),
        ", ".join(kind_name(tongue, str(need)) for need in step.get("needs", ())),
        " · ".join(notes),
    )


# ── Comparing ─────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class FieldDiff:
    """One field that differs, in words."""

    label: str
    pieces: tuple[Piece, ...]


def compare_bodies(
    tongue: Tongue, kind: str, old: Mapping[str, Any], new: Mapping[str, Any], labels: Labels
) -> list[FieldDiff]:
    """The fields that differ between two versions, in words, with the lines around what differs."""
    texts = [_texts(tongue, kind, body, labels) for body in (old, new)]
    names = dict.fromkeys([*texts[0], *texts[1]])
    pairs = [(name, texts[0].get(name, ""), texts[1].get(name, "")) for name in names]
    return [
        FieldDiff(name, tuple(only_near(diff_words(before, after)))) for name, before, after in pairs if before != after
    ]


def _texts(tongue: Tongue, kind: str, body: Mapping[str, Any], labels: Labels) -> dict[str, str]:
    texts = {one.label: one.text for one in show_body(tongue, kind, body, labels)}
    if steps := show_steps(tongue, body):
        texts[tongue.gettext("Steps")] = "\n".join(_line(one) for one in steps)
    return texts


def _line(step: StepShown) -> str:
    return f"{step.name}{f' ← {step.needs}' if step.needs else ''}{f' ({step.notes})' if step.notes else ''}"
