"""A document with what is known of its files: what operations are done to."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from timeline.base import KIND_OF_ROLE
from timeline.document import Clip, Document
from timeline.faults import Fault, TimelineError, nearest
from timeline.media import Media
from timeline.references import place_pointer
from timeline.resolve import resolve
from timeline.resolved import ResolvedItem, ResolvedTimeline
from timeline.time import snap_frame

Span = tuple[Fraction, Fraction]
"""Exact seconds of the film, from start to end."""


@dataclass(frozen=True)
class Draft:
    """A document that resolves, and its media by asset alias."""

    document: Document
    media: Mapping[str, Media]

    @cached_property
    def resolved(self) -> ResolvedTimeline:
        """When everything is seen and heard. Raises TimelineError."""
        return resolve(self.document, self.media)

    @cached_property
    def plain(self) -> dict[str, Any]:
        """The canonical document as plain data."""
        data: dict[str, Any] = json.loads(self.document.model_dump_json())
        return data

    @property
    def fps(self) -> Fraction:
        return self.document.sequence.fps


@dataclass(frozen=True)
class Spot:
    """Where an item lies: its track and place in it (numbers), and what it was resolved to."""

    track: int
    place: int
    clip: Clip
    resolved: ResolvedItem
    kind: str

    @property
    def span(self) -> Span:
        return self.resolved.start, self.resolved.end


class Bench:
    """A copy of a draft's plain data that one operation changes."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.data: dict[str, Any] = copy.deepcopy(draft.plain)
        self.media: dict[str, Media] = dict(draft.media)

    @property
    def fps(self) -> Fraction:
        return self.draft.fps

    @property
    def duration(self) -> Fraction:
        return self.draft.resolved.duration

    def seconds(self, frames: int) -> Fraction:
        return frames / self.fps

    def frame(self, seconds: Fraction) -> int:
        return snap_frame(seconds, self.fps)

    def find(self, item_id: str) -> Spot:
        """Find a clip by its id. Raises TimelineError."""
        for spot in self.spots():
            if spot.clip.id == item_id:
                return self._unlocked(spot)
        known = [spot.clip.id for spot in self.spots()]
        message = f"There is no item {item_id[:60]!r} in the film."
        raise refused("E_UNKNOWN_REF", message, item_id, nearest(item_id, known))

    def _unlocked(self, spot: Spot) -> Spot:
        track = self.draft.document.sequence.tracks[spot.track]
        if track.locked:
            name = track.name or track.id
            raise refused("E_LOCKED", f"The track {name!r} is locked.", spot.clip.id, "Unlock it first.")
        return spot

    def spots(self, track: int | None = None) -> Iterator[Spot]:
        """All clips that take up time, in order."""
        found = {item.path: item for row in self.draft.resolved.tracks for item in row.items if item.clip is not None}
        for t, row in enumerate(self.draft.document.sequence.tracks):
            for i, item in enumerate(row.items if track is None or t == track else ()):
                path = place_pointer(t, i)
                if isinstance(item, Clip) and path in found:
                    yield Spot(t, i, item, found[path], KIND_OF_ROLE[row.role])

    def items(self, track: int) -> list[dict[str, Any]]:
        """The plain items of a track, to be changed in place."""
        found: list[dict[str, Any]] = self.data["sequence"]["tracks"][track]["items"]
        return found

    def item(self, spot: Spot) -> dict[str, Any]:
        return self.items(spot.track)[spot.place]

    def new_id(self, wish: str) -> str:
        """An id that nothing in the document has yet."""
        taken = {item["id"] for track in self.data["sequence"]["tracks"] for item in track["items"]}
        number, name = 2, wish[:110]
        while name in taken:
            name, number = f"{wish[:110]}~{number}", number + 1
        return name


def refused(code: str, message: str, item_id: str = "", fix: str = "", **details: Any) -> TimelineError:
    """The refusal of an operation, to be raised."""
    return TimelineError([Fault(code=code, message=message, item_id=item_id, fix=fix, **details)])
