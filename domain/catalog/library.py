"""Commands on the pictures of a project's library, and what their words may be.

NoSuchPicture   there is no such picture in this project
BadDetails      captions, tags, licence, credit or focus cannot be kept; names every fault
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from domain.catalog.commands import add_to_library
from domain.catalog.model import LibraryPicture
from tenants.unit import Unit

CAPTION_LIMIT = 300
TAG_LIMIT = 60
MOST_TAGS = 30
LICENCE_LIMIT = 120
CREDIT_LIMIT = 200
SUGGESTED = 6

_WORTHLESS = """
    img image dsc dscn dscf pxl mvimg screenshot screen shot photo pic picture foto fotos imagem imagens captura tela
    final copy copia edit edited version whatsapp untitled download scaled large small original the and for with from
    das dos com uma por para new nova novo jpg jpeg png webp gif tiff
"""
WORTHLESS = frozenset(_WORTHLESS.split())
"""Words of file names that say nothing about the picture."""


class NoSuchPicture(LookupError):
    """Raised for a missing picture and, in the same words, for one of another project or workspace."""


@dataclass(frozen=True)
class DetailFault:
    """One thing wrong: the name of the field, a code, and the numbers of the sentence."""

    name: str
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class BadDetails(ValueError):
    """Raised before anything is written; `faults` names all that is wrong at once."""

    def __init__(self, faults: Sequence[DetailFault]) -> None:
        super().__init__(", ".join(f"{fault.name}: {fault.code}" for fault in faults))
        self.faults = list(faults)


@dataclass(frozen=True)
class PictureDetails:
    """What people say of a picture: captions and tags by language, where its licence comes from, what a crop keeps."""

    captions: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    licence: str = ""
    credit: str = ""
    focus: tuple[str, str] = ("0.5", "0.5")


# ── Words ─────────────────────────────────────────────────────────────────────────────────────────────────
def split_tags(given: str) -> list[str]:
    """The tags of a comma-separated line, in order, each once."""
    tags = (" ".join(part.split()) for part in re.split(r"[,;\n]", given))
    return list({tag.casefold(): tag for tag in reversed([tag for tag in tags if tag])}.values())[::-1]


def suggest_tags(file_name: str) -> list[str]:
    """Words of a file name that may describe its picture: "jupiter_red-spot_2019.jpg" → jupiter, red, spot."""
    stem = file_name.rsplit(".", 1)[0] if "." in file_name else file_name
    apart = re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])", " ", stem)
    words = [word.casefold() for word in re.split(r"[\W_\d]+", apart)]
    telling = [word for word in words if 2 < len(word) <= TAG_LIMIT and word not in WORTHLESS]
    return list(dict.fromkeys(telling))[:SUGGESTED]


def clean_details(given: PictureDetails) -> PictureDetails:
    """The same details without idle spaces and empty entries."""
    captions = {language: " ".join(text.split()) for language, text in given.captions.items() if text.strip()}
    tags = {language: split_tags(",".join(tags)) for language, tags in given.tags.items()}
    return PictureDetails(
        captions,
        {language: found for language, found in tags.items() if found},
        " ".join(given.licence.split()),
        " ".join(given.credit.split()),
        given.focus,
    )


def check_details(details: PictureDetails) -> list[DetailFault]:
    """Everything wrong with details; fields are named `caption:en`, `tags:en`, `licence`, `credit`, `focus`."""
    faults = []
    for language, caption in details.captions.items():
        faults += _check_line(f"caption:{language}", caption, CAPTION_LIMIT)
    for language, tags in details.tags.items():
        faults += _check_tags(f"tags:{language}", tags)
    faults += _check_line("licence", details.licence, LICENCE_LIMIT)
    faults += _check_line("credit", details.credit, CREDIT_LIMIT)
    if not all(_is_share(part) for part in details.focus):
        faults.append(DetailFault("focus", "focus"))
    return faults


def _check_tags(name: str, tags: Sequence[str]) -> list[DetailFault]:
    if len(tags) > MOST_TAGS:
        return [DetailFault(name, "many-tags", {"count": len(tags), "limit": MOST_TAGS})]
    return [fault for tag in tags for fault in _check_line(name, tag, TAG_LIMIT)][:1]


def _check_line(name: str, line: str, limit: int) -> list[DetailFault]:
    if len(line) > limit:
        return [DetailFault(name, "long", {"length": len(line), "limit": limit})]
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in line):
        return [DetailFault(name, "control")]
    return []


def _is_share(part: str) -> bool:
    try:
        return len(part) <= 12 and 0 <= Decimal(part) <= 1
    except InvalidOperation:
        return False


# ── Commands ──────────────────────────────────────────────────────────────────────────────────────────────
async def add_picture(unit: Unit, project_id: UUID, item: LibraryPicture) -> tuple[LibraryPicture, bool]:
    """Add a stored picture; answer it and whether it is new. The same content is in a project once."""
    unit.principal.require("catalog:edit", project_id)
    # Two uploads of the same file at once must not both find it missing.
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended('library:' || :project || :sha, 0))")
    await unit.session.execute(lock, {"project": str(project_id), "sha": item.sha256})
    kept = await add_to_library(unit, project_id, item)
    if kept is item:
        unit.emit("library.added", project_id=project_id, picture=str(item.id))
    return kept, kept is item


async def edit_picture(unit: Unit, project_id: UUID, picture_id: UUID, details: PictureDetails) -> LibraryPicture:
    """Change a picture's words and focus; jobs already made keep the words they were made with.

    Raises Forbidden, NoSuchPicture, BadDetails (every fault at once).
    """
    unit.principal.require("catalog:edit", project_id)
    picture = await find_picture(unit, project_id, picture_id)
    cleaned = clean_details(details)
    if faults := check_details(cleaned):
        raise BadDetails(faults)
    before, wanted = describe(picture), _columns(cleaned)
    changed = {name: value for name, value in wanted.items() if before[name] != value}
    if not changed:
        return picture
    for name, value in changed.items():
        setattr(picture, name, value)
    await unit.session.flush()
    unit.audit(
        "library.edited", "library_picture", picture.id, before={name: before[name] for name in changed}, after=changed
    )
    unit.emit("library.edited", project_id=project_id, picture=str(picture.id))
    return picture


async def find_picture(unit: Unit, project_id: UUID, picture_id: UUID) -> LibraryPicture:
    """Load and lock a picture of a project. Raises NoSuchPicture."""
    unit.principal.require("catalog:read", project_id)
    found = await unit.session.execute(
        select(LibraryPicture)
        .where(
            LibraryPicture.project_id == project_id, LibraryPicture.id == picture_id, LibraryPicture.role == "picture"
        )
        .with_for_update()
    )
    picture = found.scalar_one_or_none()
    if picture is None:
        raise NoSuchPicture(str(picture_id))
    return picture


def describe(picture: LibraryPicture) -> dict[str, Any]:
    """Every column that tells a picture, as JSON."""
    names = ("sha256", "media_type", "width", "height", "captions", "tags", "focus", "licence", "credit")
    return {name: getattr(picture, name) for name in names}


def _columns(details: PictureDetails) -> dict[str, Any]:
    return {
        "captions": dict(details.captions),
        "tags": {language: list(tags) for language, tags in details.tags.items()},
        "licence": details.licence,
        "credit": details.credit,
        "focus": list(details.focus),
    }


def make_row(sha256: str, media_type: str, width: int, height: int, details: PictureDetails) -> LibraryPicture:
    """A new row of a picture; raises BadDetails."""
    cleaned = clean_details(details)
    if faults := check_details(cleaned):
        raise BadDetails(faults)
    return LibraryPicture(
        sha256=sha256, media_type=media_type, width=width, height=height, role="picture", **_columns(cleaned)
    )
