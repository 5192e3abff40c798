"""Outputs of a job as shown: what each is, how it is played, what it is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.i18n import Tongue
from app.views.marks import KIND_ICONS, kind_name
from domain.dispatch.model import Step
from domain.production.queries.job import Output

ICONS: Mapping[str, str] = {
    "film": "film",
    "thumbnail": "image",
    "picture": "image",
    "narration": "audio-lines",
    "sound": "music",
    "captions": "captions",
    "script": "scroll-text",
    "manifest": "receipt-text",
}
ICON_ENDINGS: Mapping[str, str] = {".json": "braces", ".wav": "audio-lines", ".vtt": "captions", ".srt": "captions"}
LANGUAGE_LABELS: Mapping[str, str] = {"en": "English", "pt-BR": "Português"}
READABLE = ("text/", "application/json", "application/x-subrip")
READ_LIMIT = 300_000
"""Bytes of a text output that are shown on the page; the rest is a download."""


@dataclass(frozen=True)
class Track:
    """A captions file of a film."""

    href: str
    language: str
    label: str


@dataclass(frozen=True)
class Item:
    """One output. `way` says how it is shown: video, audio, image, text or file."""

    name: str
    label: str
    way: str
    icon: str
    note: str
    href: str
    download: str
    show: str
    role: str
    sha256: str
    short: str
    size: str
    media_type: str
    by: str
    facts: tuple[tuple[str, str], ...] = ()
    width: int = 0
    height: int = 0
    alt: str = ""


@dataclass(frozen=True)
class Section:
    """The outputs of one kind of step."""

    kind: str
    name: str
    icon: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Outputs:
    """All outputs of a job; `film` is set once it may be watched, `fallen` counts pictures that are a stand-in's."""

    count: int
    film: Item | None
    poster: Item | None
    tracks: tuple[Track, ...]
    pictures: tuple[Item, ...]
    files: tuple[Item, ...]
    narration: Item | None
    sections: tuple[Section, ...]
    fallen: int = 0


def make_outputs(tongue: Tongue, outputs: Sequence[Output], steps: Sequence[Step], base: str) -> Outputs:
    """Sort a job's outputs into what the page shows."""
    by_step = {step.id: step for step in steps}
    items = [(output, make_item(tongue, output, by_step.get(output.step_id), base)) for output in outputs]
    first = {role: item for output, item in reversed(items) for role in [output.role]}
    narration = next((item for output, item in items if output.name == "narration.wav"), None)
    pictures = [item for output, item in sorted(items, key=_place) if output.role == "picture"]
    files = [item for output, item in items if output.role in ("script", "captions", "thumbnail", "credits")]
    return Outputs(
        count=len(items),
        film=first.get("film"),
        poster=first.get("thumbnail"),
        tracks=tuple(_track(output, base) for output, _ in items if output.media_type.startswith("text/vtt")),
        pictures=tuple(pictures),
        files=tuple(files),
        narration=narration,
        sections=_sections(tongue, items, by_step),
        fallen=sum("fallbacks" in output.facts or "softened" in output.facts for output in outputs),
    )


def _place(pair: tuple[Output, Item]) -> tuple[int, str]:
    return pair[0].position, pair[0].name


def _sections(tongue: Tongue, items: Sequence[tuple[Output, Item]], steps: Mapping[Any, Step]) -> tuple[Section, ...]:
    groups: dict[str, list[Item]] = {}
    order: dict[str, int] = {}
    for output, item in sorted(items, key=_place):
        step = steps.get(output.step_id)
        kind = step.kind if step else "job"
        groups.setdefault(kind, []).append(item)
        order[kind] = min(order.get(kind, 1 << 30), step.ordinal if step else 1 << 30)
    return tuple(
        Section(kind, kind_name(tongue, kind), KIND_ICONS.get(kind, "folder-open"), tuple(groups[kind]))
        for kind in sorted(groups, key=lambda k: order[k])
    )


def make_item(tongue: Tongue, output: Output, step: Step | None, base: str) -> Item:
    href = f"{base}/artifacts/{quote(output.name)}"
    return Item(
        name=output.name,
        label=output.name,
        way=way_of(output.media_type),
        icon=_icon(output),
        note=_note(tongue, output),
        href=href,
        download=f"{href}?download=1",
        show=f"{base}/artifacts?show={quote(output.name, safe='')}#show",
        role=output.role,
        sha256=output.sha256,
        short=f"{output.sha256[:4]}…{output.sha256[-4:]}",
        size=tongue.size(output.size),
        media_type=output.media_type.partition(";")[0],
        by=kind_name(tongue, step.kind) if step else "",
        facts=tuple((str(key), _fact(value)) for key, value in sorted(output.facts.items())),
        width=_whole(output.facts.get("width")),
        height=_whole(output.facts.get("height")),
        alt=str(output.facts.get("caption") or output.facts.get("headline") or output.name),
    )


def way_of(media_type: str) -> str:
    """How a media type is shown. SVG and HTML are never shown inline."""
    kind = media_type.partition(";")[0]
    if kind.startswith("video/"):
        return "video"
    if kind.startswith("audio/"):
        return "audio"
    if kind in ("image/png", "image/jpeg", "image/webp", "image/avif", "image/gif"):
        return "image"
    if kind.startswith(READABLE) and kind not in ("text/html", "text/xml"):
        return "text"
    return "file"


def _icon(output: Output) -> str:
    if output.role in ICONS:
        return ICONS[output.role]
    return next((icon for ending, icon in ICON_ENDINGS.items() if output.name.endswith(ending)), "file-text")


def _note(tongue: Tongue, output: Output) -> str:
    parts = []
    seconds = output.facts.get("seconds")
    if isinstance(seconds, int | float):
        parts.append(tongue.clock(float(seconds)))
    words, cues = output.facts.get("words"), output.facts.get("cues")
    if isinstance(words, int):
        parts.append(tongue.ngettext("%(num)s word", "%(num)s words", words))
    elif isinstance(cues, int):
        parts.append(tongue.ngettext("%(num)s cue", "%(num)s cues", cues))
    else:
        parts.append(tongue.size(output.size))
    return " · ".join(parts)


def _track(output: Output, base: str) -> Track:
    stem = output.name.removesuffix(".vtt")
    language = stem.rpartition(".")[2] if "." in stem else "en"
    return Track(f"{base}/artifacts/{quote(output.name)}", language, LANGUAGE_LABELS.get(language, language))


def _fact(value: Any) -> str:
    return "–" if value is None else str(value)


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
