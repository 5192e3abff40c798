"""What a reference such as `voice#s3` points at: an item, a marker, a sentence or a word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from timeline.document import Anchor, Clip, Document, Gap
from timeline.faults import Findings, nearest, pointer
from timeline.media import WORD_RATE, Media

HINTED = 50
"""Faults that get a look for the nearest name; with more, the document has another problem, and looking is slow."""
_PART = re.compile(r"([sw])(\d{1,9})", re.ASCII)


@dataclass(frozen=True)
class Placed:
    """An item that takes up time, and its two unknowns in the graph."""

    id: str
    path: str
    item: Clip | Gap
    start: int
    end: int


@dataclass(frozen=True)
class Point:
    """A time: `offset` after the value of graph node `node` (None = after the sequence's start)."""

    node: int | None
    offset: Fraction


@dataclass
class Index:
    """Everything that can be referred to."""

    document: Document
    media: Mapping[str, Media]
    findings: Findings
    items: dict[str, Placed] = field(default_factory=dict)
    by_asset: dict[str, list[Placed]] = field(default_factory=dict)
    _sentences: dict[str, dict[int, tuple[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._markers = {marker.id: marker for marker in self.document.sequence.markers}

    def add(self, placed: Placed) -> None:
        """Take in an item; ids must be unique."""
        if placed.id in self.items:
            message = f"Two items have the id {placed.id!r}."
            self.findings.add(
                "E_DUPLICATE_ID", message, path=placed.path, item_id=placed.id, fix="Give each its own id."
            )
        self.items.setdefault(placed.id, placed)
        if isinstance(placed.item, Clip) and placed.item.asset:
            self.by_asset.setdefault(placed.item.asset, []).append(placed)

    def find(self, anchor: Anchor, owner: Placed, path: str) -> Point | None:
        """Answer the point an anchor means; what cannot be found is reported."""
        fps = self.document.sequence.fps
        offset = anchor.offset.at(fps)
        name, _, part = anchor.ref.partition("#")
        if part:
            point = self._spoken(anchor, name, part, owner, path)
            return Point(point.node, point.offset + offset) if point else None
        if name in self.items:
            placed = self.items[name]
            return Point(placed.start if anchor.edge == "start" else placed.end, offset)
        if marker := self._markers.get(name):
            length = marker.length.at(fps) if anchor.edge == "end" else Fraction(0)
            return Point(None, marker.at.at(fps) + length + offset)
        self._unknown(
            anchor.ref,
            owner,
            path,
            f"Nothing is called {name[:60]!r}.",
            self._hint(name, [*self.items, *self._markers])
            or "Refer to an item, a marker, or a sentence such as voice#s3.",
        )
        return None

    def _spoken(self, anchor: Anchor, name: str, part: str, owner: Placed, path: str) -> Point | None:
        clip = self._speaker(name, anchor.ref, owner, path)
        found = _PART.fullmatch(part)
        if clip is None:
            return None
        if not found:
            self._unknown(anchor.ref, owner, path, f"{part[:40]!r} is no sentence or word.", "Write #s3 or #w17.")
            return None
        assert isinstance(clip.item, Clip)
        assert clip.item.asset is not None
        span = self._span(clip.item.asset, found[1], int(found[2]))
        if span is None:
            what = "sentence" if found[1] == "s" else "word"
            message = f"{name!r} has no {what} {int(found[2])}."
            self._unknown(anchor.ref, owner, path, message, f"It has {_counts(self.media[clip.item.asset])}.")
            return None
        sample = span[0] if anchor.edge == "start" else span[1]
        begin = clip.item.source.in_.at(self.document.sequence.fps)
        return Point(clip.start, (Fraction(sample, WORD_RATE) - begin) / clip.item.speed)

    def _speaker(self, name: str, ref: str, owner: Placed, path: str) -> Placed | None:
        """Answer the clip that speaks: the one with that id, else the only one that plays that asset."""
        placed = self.items.get(name)
        if placed and isinstance(placed.item, Clip) and placed.item.asset in self.media:
            return placed
        clips = self.by_asset.get(name, [])
        if len(clips) == 1 and name in self.media:
            return clips[0]
        if len(clips) > 1:
            ids = ", ".join(clip.id for clip in clips[:8])
            message = f"{name!r} is played by {len(clips)} clips: {ids}."
            self._unknown(ref, owner, path, message, "Refer to one of them by its id.")
        else:
            hint = self._hint(name, [*self.by_asset, *self.items])
            self._unknown(ref, owner, path, f"No clip plays anything called {name[:60]!r}.", hint)
        return None

    def _span(self, asset: str, what: str, number: int) -> tuple[int, int] | None:
        """Answer first and last sample of a sentence (by its number) or a word (by its place), counted from 1."""
        words = self.media[asset].words
        if what == "w":
            return (words[number - 1].start, words[number - 1].end) if 1 <= number <= len(words) else None
        if asset not in self._sentences:
            spans: dict[int, tuple[int, int]] = {}
            for word in words:
                spans[word.sentence] = (spans.get(word.sentence, (word.start, 0))[0], word.end)
            self._sentences[asset] = spans
        return self._sentences[asset].get(number)

    def _hint(self, name: str, known: list[str]) -> str:
        return nearest(name, known[:2000]) if len(self.findings.faults) < HINTED else ""

    def _unknown(self, ref: str, owner: Placed, path: str, message: str, fix: str) -> None:
        self.findings.add("E_UNKNOWN_REF", f"{ref[:80]!r}: {message}", path=path, item_id=owner.id, fix=fix)


def _counts(media: Media) -> str:
    if not media.words:
        return 'no words; give the asset its "words"'
    return f"{max(word.sentence for word in media.words)} sentences and {len(media.words)} words"


def place_pointer(track: int, item: int, *more: str) -> str:
    """Write the JSON pointer of an item."""
    return pointer("sequence", "tracks", track, "items", item, *more)
