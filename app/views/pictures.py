"""The picture library: cards, the form of a picture, and what became of each uploaded file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from app.forms import FormFault
from app.i18n import N_, Tongue
from app.views.marks import LANGUAGE_NAMES, said
from domain.catalog.library import DetailFault, PictureDetails
from domain.production.library import PictureLine, PictureList

REFUSALS: Mapping[str, str] = {
    "bytes": N_("This file is larger than %(megabytes)s MB. Make it smaller and add it again."),
    "total": N_("The files were larger than %(total)s MB together. Add this one in another go."),
    "count": N_("Only %(files)s files can be added at once. Add this one in another go."),
    "full": N_("The disk is full, so this file was not kept. Free some space and add it again."),
    "unreadable": N_("This is not a picture we can read. Use JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF."),
    "damaged": N_("The picture is damaged and cannot be decoded. Export it again."),
    "pixels": N_("The picture has more than %(megapixels)s megapixels. Make it smaller."),
    "size": N_(
        "The picture measures %(width)s × %(height)s pixels; up to %(megapixels)s megapixels and %(side)s pixels a "
        "side are allowed. Make it smaller."
    ),
    "small": N_("The picture measures %(width)s × %(height)s pixels; at least %(least)s pixels a side are needed."),
    "heavy": N_("The picture needs too much memory or time. Make it smaller."),
}
"""Code of a refusal → sentence."""
DETAIL_FAULTS: Mapping[str, str] = {
    "long": N_("This has %(length)s characters; at most %(limit)s are allowed."),
    "control": N_("This holds a control character. Remove it."),
    "many-tags": N_("These are %(count)s tags; at most %(limit)s are allowed."),
    "focus": N_("The place must be from 0 to 100 percent."),
}


@dataclass(frozen=True)
class Words:
    """Caption and tags of a picture in one language."""

    language: str
    language_name: str
    caption: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """A picture in the grid. `alt` describes it in the person's language where it can."""

    id: str
    href: str
    small: str
    large: str
    width: int
    height: int
    alt: str
    alt_language: str
    size: str
    words: tuple[Words, ...]
    licence: str
    credit: str
    job_href: str
    job: str
    uploaded_at: datetime
    uploaded: str


@dataclass(frozen=True)
class LibraryView:
    """The grid and the way to its other pages."""

    cards: tuple[Card, ...]
    total: str
    base: str
    search: str
    page: int
    pages: int
    newer: str
    older: str
    any_at_all: bool


@dataclass(frozen=True)
class Outcome:
    """What became of one file: `state` is added, known or refused."""

    name: str
    state: str
    sentence: str
    href: str = ""
    small: str = ""
    tags: tuple[str, ...] = ()


def make_library(
    tongue: Tongue, found: PictureList, languages: Sequence[str], base: str, jobs: str, wanted: str, now: datetime
) -> LibraryView:
    """Build the grid."""
    return LibraryView(
        cards=tuple(make_card(tongue, line, languages, base, jobs, now) for line in found.lines),
        total=tongue.ngettext("%(num)s picture", "%(num)s pictures", found.total),
        base=base,
        search=wanted,
        page=found.page,
        pages=found.pages,
        newer=_address(base, wanted, found.page - 1) if found.page > 1 else "",
        older=_address(base, wanted, found.page + 1) if found.page < found.pages else "",
        any_at_all=found.any_at_all,
    )


def _address(base: str, wanted: str, page: int) -> str:
    parts = {"q": wanted, "page": str(page) if page > 1 else ""}
    query = urlencode({name: value for name, value in parts.items() if value})
    return f"{base}?{query}" if query else base


def make_card(tongue: Tongue, line: PictureLine, languages: Sequence[str], base: str, jobs: str, now: datetime) -> Card:
    """Build one card; the languages of the project come first, others that have words after them."""
    spoken = list(dict.fromkeys([*languages, *line.captions, *line.tags]))
    words = tuple(
        Words(
            language,
            said(tongue, LANGUAGE_NAMES, language),
            line.captions.get(language, ""),
            tuple(line.tags.get(language, ())),
        )
        for language in spoken
        if line.captions.get(language) or line.tags.get(language)
    )
    alt_language, alt = _alt(tongue, line)
    href = f"{base}/{line.id}"
    return Card(
        id=str(line.id),
        href=href,
        small=picture_href(base, line.id, "320.webp"),
        large=picture_href(base, line.id, "640.webp"),
        width=line.width,
        height=line.height,
        alt=alt,
        alt_language=alt_language,
        size=f"{tongue.number(line.width)} × {tongue.number(line.height)}",
        words=words,
        licence=line.licence,
        credit=line.credit,
        job_href=f"{jobs}/{line.last_job}" if line.last_job else "",
        job=f"#{line.last_job}" if line.last_job else "",
        uploaded_at=line.uploaded_at,
        uploaded=tongue.moment(line.uploaded_at, now),
    )


def picture_href(base: str, picture_id: UUID, file: str) -> str:
    return f"{base}/{picture_id}/file/{file}"


def _alt(tongue: Tongue, line: PictureLine) -> tuple[str, str]:
    """The caption in the person's language, else any caption, else tags, else that there are no words yet."""
    for language in (tongue.language, *line.captions):
        if line.captions.get(language):
            return language, line.captions[language]
    for language in (tongue.language, *line.tags):
        if line.tags.get(language):
            return language, ", ".join(line.tags[language])
    return tongue.language, tongue.gettext("Picture without caption")


# ── Forms ─────────────────────────────────────────────────────────────────────────────────────────────────
def form_values(line: PictureLine, languages: Sequence[str]) -> dict[str, str]:
    """A picture's details as the fields of its form."""
    values = {"licence": line.licence, "credit": line.credit}
    values |= {name: str(_percent(part)) for name, part in zip(("focus_x", "focus_y"), line.focus, strict=True)}
    for language in languages:
        values[f"caption:{language}"] = line.captions.get(language, "")
        values[f"tags:{language}"] = ", ".join(line.tags.get(language, ()))
    return values


def _percent(share: str) -> Decimal:
    return (Decimal(share) * 100).quantize(Decimal(1))


def read_details(
    values: Mapping[str, str], languages: Sequence[str], kept: PictureLine | None = None
) -> PictureDetails:
    """A form as details; words in languages that the form does not show stay as they are."""
    captions = dict(kept.captions) if kept else {}
    tags = {language: list(found) for language, found in kept.tags.items()} if kept else {}
    for language in languages:
        captions[language] = values.get(f"caption:{language}", "")
        tags[language] = values.get(f"tags:{language}", "").split(",")
    focus = tuple(_share(values.get(name, "50")) for name in ("focus_x", "focus_y"))
    return PictureDetails(captions, tags, values.get("licence", ""), values.get("credit", ""), (focus[0], focus[1]))


def _share(percent: str) -> str:
    """A percentage as a share of 1; what is no number stays, and is refused later."""
    text = percent.strip().replace(",", ".")
    if not text.replace(".", "", 1).isdecimal() or not text.isascii() or len(text) > 8:
        return text[:12] or "?"
    return str((Decimal(text) / 100).normalize() + 0)


def say_faults(tongue: Tongue, faults: Sequence[DetailFault]) -> list[FormFault]:
    """Faults of details in the person's language; a fault of the focus stands at its first field."""
    return [
        FormFault(
            "focus_x" if fault.name == "focus" else fault.name,
            tongue.gettext(DETAIL_FAULTS[fault.code], **_numbers(tongue, fault.facts)),
        )
        for fault in faults
    ]


def say_refusal(tongue: Tongue, code: str, facts: Mapping[str, Any]) -> str:
    """Why a file was refused."""
    return tongue.gettext(REFUSALS[code], **_numbers(tongue, facts))


def _numbers(tongue: Tongue, facts: Mapping[str, Any]) -> dict[str, str]:
    return {name: tongue.number(value) for name, value in facts.items()}


def field_names(languages: Sequence[str]) -> list[str]:
    """Every field of a picture's form."""
    worded = [f"{name}:{language}" for language in languages for name in ("caption", "tags")]
    return [*worded, "licence", "credit", "focus_x", "focus_y"]
