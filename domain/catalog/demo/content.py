"""The demo workspace as data: what a first start creates, described without touching a database.

Texts live beside this module: `knowledge/{language}/*.md` (front matter, `- fact. [source key]` bullets, a sources
list), `catalogue/*.yaml` (prompts, presets, validators, recipes, pictures, jobs) and the files they name.

    DemoFault(ValueError): a demo file does not have its form; the sentence names the file and the place
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from domain.catalog.bodies import check_body

HERE = Path(__file__).parent
LANGUAGES = ("en", "pt-BR")
ITEM_FILES = {
    "prompt": "prompts.yaml",
    "preset": "presets.yaml",
    "validator": "validators.yaml",
    "recipe": "recipes.yaml",
}


class DemoFault(ValueError):
    """Raised when a demo file is malformed."""


@dataclass(frozen=True)
class DemoProject:
    """The project to create; `palette` seeds the colours of its art boards."""

    slug: str
    name: str
    tagline: str
    languages: tuple[str, ...]
    palette: str


@dataclass(frozen=True)
class DemoItem:
    """A catalogue item and the body of its first version, checked and complete. `kind` as in `ITEM_KINDS`."""

    kind: str
    slug: str
    name: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class DemoPicture:
    """A file of the project's library (role picture, logo or music); captions and tags by language.

    `seconds` is the exact length of a sound ("n/d" or "n"), empty for pictures.
    """

    path: Path
    role: str
    media_type: str
    width: int
    height: int
    captions: Mapping[str, str]
    tags: Mapping[str, Sequence[str]]
    focus: tuple[str, str]
    licence: str
    credit: str
    seconds: str = ""

    @property
    def id(self) -> str:
        return self.path.stem


@dataclass(frozen=True)
class DemoJob:
    """A film to make; `first` marks the one that a first start produces by itself."""

    topic: str
    language: str
    recipe: str
    first: bool = False


@dataclass(frozen=True)
class DemoFact:
    """One bullet of a knowledge document with the source its key names."""

    text: str
    source: str


@dataclass(frozen=True)
class DemoDocument:
    """A knowledge document before it becomes a catalogue body."""

    slug: str
    title: str
    language: str
    tier: int
    tags: tuple[str, ...]
    facts: tuple[DemoFact, ...]

    def markdown(self) -> str:
        """Answer the document with its source named under every fact."""
        parts = [f"# {self.title}"]
        parts += [f"- {fact.text}\n\nSource: {fact.source}" for fact in self.facts]
        return "\n\n".join(parts) + "\n"


@dataclass(frozen=True)
class DemoWorkspace:
    """All that a first start creates, in an order in which nothing refers to what does not exist yet."""

    slug: str
    name: str
    project: DemoProject
    items: tuple[DemoItem, ...]
    pictures: tuple[DemoPicture, ...]
    jobs: tuple[DemoJob, ...]

    @property
    def first_job(self) -> DemoJob:
        return next(job for job in self.jobs if job.first)

    def of_kind(self, kind: str) -> list[DemoItem]:
        return [item for item in self.items if item.kind == kind]


@cache
def demo_workspace() -> DemoWorkspace:
    """Read the whole description; raises DemoFault."""
    knowledge = [_knowledge_item(document) for document in read_documents()]
    others = [
        DemoItem(kind, entry["slug"], entry["name"], check_body(kind, entry["body"]))
        for kind, file in ITEM_FILES.items()
        for entry in _read_list(file)
    ]
    return DemoWorkspace(
        slug="demo",
        name="Demo",
        project=DemoProject(
            "deep-sky", "Deep Sky", "The universe, one true story at a time", LANGUAGES, palette="deep-sky"
        ),
        items=(*knowledge, *others),
        pictures=tuple(_picture(entry) for entry in _read_list("pictures.yaml")),
        jobs=tuple(DemoJob(**entry) for entry in _read_list("jobs.yaml")),
    )


def _read_list(file: str) -> list[dict[str, Any]]:
    entries = yaml.safe_load((HERE / "catalogue" / file).read_text("utf-8"))
    if not isinstance(entries, list):
        raise DemoFault(f"catalogue/{file}: a list is expected")
    return entries


def _picture(entry: Mapping[str, Any]) -> DemoPicture:
    width, height = entry["size"]
    across, down = entry.get("focus", ("0.5", "0.5"))
    return DemoPicture(
        path=HERE / entry["file"],
        role=entry.get("role", "picture"),
        media_type=entry["media_type"],
        width=width,
        height=height,
        captions=entry["captions"],
        tags=entry["tags"],
        focus=(across, down),
        licence=entry["licence"],
        credit=entry["credit"],
        seconds=entry.get("seconds", ""),
    )


# ── Knowledge ─────────────────────────────────────────────────────────────────────────────────────────────
_FACT = re.compile(r"^- (?P<text>.+[.!?]) \[(?P<key>[a-z0-9-]+)\]$")
_SOURCE = re.compile(r"^(?P<key>[a-z0-9-]+): (?P<source>.+ — .+, .+)$")


def read_documents() -> list[DemoDocument]:
    """Read every knowledge document, in order of language and tier; raises DemoFault."""
    files = sorted((HERE / "knowledge").glob("*/*.md"))
    return sorted((read_document(file) for file in files), key=lambda doc: (doc.language, doc.tier, doc.slug))


def read_document(file: Path) -> DemoDocument:
    """Read one knowledge document; raises DemoFault naming the line."""
    name = f"{file.parent.name}/{file.name}"
    parts = file.read_text("utf-8").split("---\n", 2)
    if len(parts) != 3:
        raise DemoFault(f"{name}: front matter between two lines of --- is expected")
    head = yaml.safe_load(parts[1])
    body, _, tail = parts[2].partition("\n## Sources\n")
    sources = _read_lines(name, tail, _SOURCE, "key: Title — publisher, year")
    bullets = _read_lines(
        name, "\n".join(line for line in body.splitlines() if line[:2] != "# "), _FACT, "- fact. [key]"
    )
    known = {source["key"]: source["source"] for source in sources}
    missing = sorted({bullet["key"] for bullet in bullets} - known.keys())
    if missing:
        raise DemoFault(f"{name}: no source is listed for {', '.join(missing)}")
    suffix = "" if head["language"] == "en" else "-" + head["language"].split("-")[0]
    return DemoDocument(
        slug=file.stem + suffix,
        title=head["title"],
        language=head["language"],
        tier=head["tier"],
        tags=tuple(head["tags"]),
        facts=tuple(DemoFact(bullet["text"], known[bullet["key"]]) for bullet in bullets),
    )


def _read_lines(name: str, text: str, form: re.Pattern[str], says: str) -> list[re.Match[str]]:
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        match = form.match(line)
        if match is None:
            raise DemoFault(f"{name}: “{line}” does not have the form “{says}”")
        found.append(match)
    return found


def _knowledge_item(document: DemoDocument) -> DemoItem:
    body = {
        "title": document.title,
        "language": document.language,
        "tier": document.tier,
        "tags": list(document.tags),
        "text": document.markdown(),
    }
    return DemoItem("knowledge", document.slug, document.title, check_body("knowledge", body))
