"""The catalogue as shown: lists of each kind, one item with its versions, what uses it, how its films went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from app.bodies.kinds import form_of
from app.i18n import N_, Tongue
from app.views.marks import LANGUAGE_NAMES, PROFILE_NAMES, said
from domain.catalog.items import PAGE, ItemFilter, ItemLine, ItemPage
from domain.catalog.usage import Usage, Use
from domain.production.commands.archive_item import SCHEDULED
from domain.production.queries.recipes import Record

PATHS: Mapping[str, str] = {
    "recipe": "recipes",
    "prompt": "prompts",
    "preset": "presets",
    "validator": "validators",
    "knowledge": "knowledge",
}
"""Kind → its word in addresses."""
KIND_OF: Mapping[str, str] = {path: kind for kind, path in PATHS.items()}
TITLES: Mapping[str, str] = {
    "recipe": N_("Recipes"),
    "prompt": N_("Prompts"),
    "preset": N_("Presets"),
    "validator": N_("Validators"),
    "knowledge": N_("Knowledge"),
}
WORDS: Mapping[str, str] = {
    "recipe": N_("Recipe"),
    "prompt": N_("Prompt"),
    "preset": N_("Preset"),
    "validator": N_("Validator"),
    "knowledge": N_("Knowledge document"),
}
NEW: Mapping[str, str] = {
    "recipe": N_("New recipe"),
    "prompt": N_("New prompt"),
    "preset": N_("New preset"),
    "validator": N_("New validator"),
    "knowledge": N_("New document"),
}
ICONS: Mapping[str, str] = {
    "recipe": "workflow",
    "prompt": "message-square-text",
    "preset": "sliders-horizontal",
    "validator": "shield-check",
    "knowledge": "book-open",
}
ABOUT: Mapping[str, str] = {
    "recipe": N_("A recipe says how a topic becomes a film: its steps, prompt, voice and look, and what is checked."),
    "prompt": N_("A prompt is what a writer is asked: instructions, and a template that is filled for each film."),
    "preset": N_("A preset says how films look and sound, how they speak, or who speaks."),
    "validator": N_("A validator is a check that every script must pass before anything is made from it."),
    "knowledge": N_("Knowledge documents hold the facts that films may tell, with their sources."),
}
SORTS: Mapping[str, str] = {
    "preset:voice": N_("Voice"),
    "preset:video": N_("Look of the film"),
    "preset:ssml": N_("Way of speaking"),
    "preset:effects": N_("Effects"),
    "validator:length": N_("Length"),
    "validator:regex": N_("Pattern"),
    "validator:banned_words": N_("Banned words"),
    "validator:json_schema": N_("Form of the script"),
    "validator:reading_time": N_("Time to say it"),
    "validator:invented_numbers": N_("Invented numbers"),
}
TIERS: Mapping[str, str] = {"1": N_("always used"), "2": N_("used by recipe"), "3": N_("used by topic")}
SLOTS: Mapping[str, str] = {
    "prompt": N_("Prompt"),
    "voice": N_("Voice"),
    "video": N_("Look of the film"),
    "ssml": N_("Way of speaking"),
    "validators": N_("Validators"),
    "knowledge": N_("Knowledge"),
    SCHEDULED: N_("Schedules"),
}


@dataclass(frozen=True)
class Tab:
    """One kind in the row above the list."""

    label: str
    href: str
    count: str
    current: bool


@dataclass(frozen=True)
class Row:
    """One item of the list. `record` and `cost` only of recipes."""

    name: str
    href: str
    sort: str
    version: str
    at: datetime
    when: str
    by: str
    uses: str
    project: str
    jobs: str = ""
    success: str = ""
    cost: str = ""


@dataclass(frozen=True)
class ListView:
    """A list with its address for every change of it."""

    kind: str
    base: str
    text: str
    project: str
    archived: bool
    rows: tuple[Row, ...]
    total: str
    any_at_all: bool
    other: str
    newer: str
    older: str
    place: str


def make_tabs(tongue: Tongue, base: str, kind: str, counts: Mapping[str, int]) -> list[Tab]:
    return [
        Tab(tongue.gettext(TITLES[one]), f"{base}/{path}", tongue.number(counts.get(one, 0)), one == kind)
        for one, path in PATHS.items()
    ]


def item_href(base: str, kind: str, slug: str, body: Mapping[str, object] | None = None) -> str:
    """The address of an item; voices are kept on their own page. `base`: of the workspace."""
    if kind == "preset" and (body or {}).get("preset") == "voice":
        return f"{base}/voices/{slug}"
    return f"{base}/catalogue/{PATHS[kind]}/{slug}"


def make_list(
    tongue: Tongue,
    base: str,
    kind: str,
    wanted: ItemFilter,
    project: str,
    page: ItemPage,
    usage: Usage,
    records: Mapping[str, Record],
    now: datetime,
) -> ListView:
    """Build a list; `base` is the workspace's address."""
    here = f"{base}/catalogue/{PATHS[kind]}"
    given = {"q": wanted.text, "project": project, "archived": "1" if wanted.archived else ""}
    pages = max(1, -(-page.total // PAGE))
    return ListView(
        kind=kind,
        base=here,
        text=wanted.text,
        project=project,
        archived=wanted.archived,
        rows=tuple(_row(tongue, base, line, usage, records.get(line.slug), now) for line in page.lines),
        total=tongue.number(page.total),
        any_at_all=bool(page.lines or wanted.text or wanted.archived or project),
        other=_address(here, {**given, "archived": "" if wanted.archived else "1"}),
        newer=_address(here, {**given, "page": str(wanted.page - 1)}) if wanted.page > 1 else "",
        older=_address(here, {**given, "page": str(wanted.page + 1)}) if wanted.page < pages else "",
        place=tongue.gettext("Page %(page)s of %(pages)s", page=wanted.page, pages=pages) if pages > 1 else "",
    )


def _address(here: str, given: Mapping[str, str]) -> str:
    kept = urlencode({name: value for name, value in given.items() if value})
    return f"{here}?{kept}" if kept else here


def _row(tongue: Tongue, base: str, line: ItemLine, usage: Usage, record: Record | None, now: datetime) -> Row:
    shown = say_record(tongue, record) if line.kind == "recipe" else ("", "", "")
    return Row(
        line.name,
        item_href(base, line.kind, line.slug, line.body),
        say_sort(tongue, line),
        f"v{line.number}",
        line.at,
        tongue.moment(line.at, now),
        line.by,
        "" if line.kind == "recipe" else say_uses(tongue, usage.of(line.kind, line.slug, line.body)),
        line.project_name,
        *shown,
    )


def say_sort(tongue: Tongue, line: ItemLine) -> str:
    """What an item is within its kind, in few words."""
    body = line.body
    language = said(tongue, LANGUAGE_NAMES, str(body.get("language", "")))
    form = said(tongue, SORTS, form_of(line.kind, body)) if line.kind in ("preset", "validator") else ""
    parts = {
        "recipe": [language, said(tongue, PROFILE_NAMES, str(body.get("profile", "")))],
        "knowledge": [language, said(tongue, TIERS, str(body.get("tier", "")))],
        "prompt": [language],
    }.get(line.kind, [form, language])
    return " · ".join(filter(None, parts))


def say_uses(tongue: Tongue, uses: Sequence[Use]) -> str:
    """How many recipes and projects use an item."""
    recipes = {use.recipe for use in uses if not use.project}
    projects = {use.project for use in uses if use.project}
    parts = [tongue.ngettext("%(num)s recipe", "%(num)s recipes", len(recipes))] * bool(recipes)
    parts += [tongue.ngettext("%(num)s project", "%(num)s projects", len(projects))] * bool(projects)
    return ", ".join(parts) or tongue.gettext("not used")


def say_record(tongue: Tongue, record: Record | None) -> tuple[str, str, str]:
    """Jobs, success and median cost."""
    if record is None or not record.jobs:
        return tongue.number(0), "–", "–"
    ended = record.succeeded + record.failed
    share = tongue.gettext("%(share)s %%", share=tongue.number(100 * record.succeeded / ended)) if ended else "–"
    cost = tongue.money(record.micro_dollars) if record.succeeded else "–"
    return tongue.number(record.jobs), share, cost


# ── One item ──────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class VersionRow:
    """One version; `record`: how the films made with it went, of recipes only."""

    number: int
    label: str
    href: str
    compare: str
    note: str
    by: str
    at: datetime
    when: str
    current: bool
    shown: bool
    record: str = ""


@dataclass(frozen=True)
class UseRow:
    """What uses an item."""

    label: str
    href: str
    note: str


def make_versions(
    tongue: Tongue, lines: Sequence[ItemLine], base: str, shown: int, records: Mapping[int, Record], now: datetime
) -> list[VersionRow]:
    return [
        VersionRow(
            number=line.number,
            label=f"v{line.number}",
            href=base if line.number == line.current else f"{base}?version={line.number}",
            compare=f"{base}?version={shown}&beside={line.number}#compare",
            note=line.note,
            by=line.by,
            at=line.at,
            when=tongue.moment(line.at, now),
            current=line.number == line.current,
            shown=line.number == shown,
            record=_told_record(tongue, records.get(line.number)),
        )
        for line in lines
    ]


def _told_record(tongue: Tongue, record: Record | None) -> str:
    if record is None or not record.jobs:
        return ""
    _, share, cost = say_record(tongue, record)
    parts = [tongue.ngettext("%(num)s job", "%(num)s jobs", record.jobs)]
    parts += [tongue.gettext("%(share)s done", share=share)] * (share != "–")
    parts += [tongue.gettext("median %(cost)s", cost=cost)] * (cost != "–")
    if record.seconds is not None:
        parts.append(tongue.duration(record.seconds))
    return " · ".join(parts)


def make_uses(tongue: Tongue, base: str, uses: Sequence[Use]) -> list[UseRow]:
    """Recipes and projects, each with what for; those of projects lead to their choices."""
    return [_use(tongue, base, use) for use in uses]


def _use(tongue: Tongue, base: str, use: Use) -> UseRow:
    slot = said(tongue, SLOTS, use.slot)
    if not use.recipe:
        return UseRow(use.recipe_name, "", slot)
    if use.slot == SCHEDULED:
        return UseRow(use.project_name, f"{base}/p/{use.project}/schedules", slot)
    if use.project:
        at = "providers#voices" if use.slot == "voice" else "recipes"
        return UseRow(f"{use.project_name} · {use.recipe_name}", f"{base}/p/{use.project}/{at}", slot)
    return UseRow(use.recipe_name, f"{base}/catalogue/recipes/{use.recipe}", slot)
