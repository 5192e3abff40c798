"""Files of catalogue items: writing them, and reading what was exported or written by hand, with every fault."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import yaml

from app.bodies.entries import Trouble
from app.bodies.reading import NAME_LIMIT, NOTE_LIMIT, Given, is_slug, read_body, with_defaults
from app.catalogue_reading import open_desk, short_name
from domain.catalog.items import ItemLine, NoSuchItem, find_item
from domain.production.commands.new_job import hidden_places
from tenants.names import is_name
from tenants.unit import Unit
from timeline.faults import TimelineError
from timeline.loading import read_plain

FILE_LIMIT = 400_000
"""Bytes of a file that is brought in."""
FORMAT = 1
"""Number of the form of files."""
FIELDS = frozenset({"vfos", "kind", "slug", "name", "version", "note", "body"})


@dataclass(frozen=True)
class Read:
    """A file as it was read: what to save, and of which project the item is that it changes."""

    given: Given
    project_id: UUID | None
    troubles: list[Trouble]


async def read_file(unit: Unit, kind: str, data: bytes, note: str, taken: set[str]) -> Read:
    """Read a file of an item of this kind; an item that one may not see cannot be changed. Nothing is written."""
    whole, troubles = read_document(data)
    if whole.get("kind", kind) != kind:
        troubles.append(Trouble("file", "file-kind", {"name": str(whole.get("kind"))[:40]}))
    name, slug = str(whole.get("name", "")), str(whole.get("slug", ""))
    body = whole.get("body")
    if troubles or not isinstance(body, Mapping) or not is_name(name, NAME_LIMIT) or (slug and not is_slug(slug)):
        return _wrong(troubles or [Trouble("file", "file-form")])
    slug = slug or short_name(kind, name, taken)
    project_id, current = await _own(unit, kind, slug, taken)
    if current is None and slug in taken:
        return _wrong([Trouble("file", "taken")])
    defaulted, form, troubles = with_defaults(kind, body)
    if troubles:
        return _wrong(troubles)
    desk = await open_desk(unit, kind, form, current or {}, project_id)
    values = desk.sheet.values_of(defaulted)
    checked, troubles = await read_body(desk.sheet, values, name)
    said = str(whole.get("note", "")) or note
    said = " ".join(said.split())[:NOTE_LIMIT] if not hidden_places(said) else note
    return Read(Given(name, said, slug, checked, troubles), project_id, troubles)


def _wrong(troubles: list[Trouble]) -> Read:
    return Read(Given("", "", "", {}, troubles), None, troubles)


async def _own(unit: Unit, kind: str, slug: str, taken: set[str]) -> tuple[UUID | None, Mapping[str, Any] | None]:
    """The project and body of the item that a file changes."""
    if slug not in taken:
        return None, None
    try:
        line = await find_item(unit, kind, slug)
    except NoSuchItem:
        return None, None
    return (line.project_id, line.body) if line.archived_at is None else (None, None)


def read_document(data: bytes) -> tuple[dict[str, Any], list[Trouble]]:
    """The plain document of a file, JSON or YAML without aliases; what is wrong with it, with its line."""
    try:
        text = data.decode("utf-8-sig")
        read_plain(text)
        plain = json.loads(text) if text.lstrip()[:1] in ("{", "[") else yaml.safe_load(text)
        # Dates and other guesses of YAML become text again.
        plain = json.loads(json.dumps(plain, default=str, allow_nan=False))
    except TimelineError as error:
        return {}, [Trouble("file", "told", {"said": fault.message}) for fault in error.faults]
    except (ValueError, RecursionError, yaml.YAMLError):
        return {}, [Trouble("file", "file-form")]
    if not isinstance(plain, dict) or set(plain) - FIELDS:
        return {}, [Trouble("file", "file-form")]
    return plain, []


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────
def write_file(line: ItemLine, form: str) -> bytes:
    """An item at one version as a file's bytes."""
    whole = {
        "vfos": FORMAT, "kind": line.kind, "slug": line.slug, "name": line.name, "version": line.number,
        "note": line.note, "body": dict(line.body),
    }  # fmt: skip
    if form == "yaml":
        return yaml.safe_dump(whole, allow_unicode=True, sort_keys=False, width=110).encode()
    return (json.dumps(whole, ensure_ascii=False, indent=2) + "\n").encode()
