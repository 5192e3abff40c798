"""What of a film would be made again: two plans compared by the keys of their nodes, with the reason for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from timeline.plan import RenderPlan, Segment

FRAMES_PER_SECOND = 45
"""Frames of a full HD film that one core makes in a second; only for estimates."""
_PARTS = {
    "frames": "its length",
    "picture": "its picture",
    "overlays": "what lies over it",
    "captions": "its captions",
    "kind": "where transitions are",
}


@dataclass(frozen=True)
class Change:
    """One segment of the new plan: kept as it is, or made again and why. Frames of the film."""

    index: int
    start: int
    frames: int
    items: tuple[str, ...]
    kept: bool
    why: str = ""


@dataclass(frozen=True)
class Comparison:
    """All segments, the sound, and what making it takes of one core."""

    segments: tuple[Change, ...]
    sound_kept: bool
    frames: int
    seconds: float

    @property
    def remade(self) -> tuple[Change, ...]:
        return tuple(change for change in self.segments if not change.kept)


def compare(new: RenderPlan, old: RenderPlan | None, made: frozenset[str] = frozenset()) -> Comparison:
    """Answer what `new` needs when `old` has been made, or nodes with the keys `made`."""
    known = made | ({segment.key for segment in old.segments} if old else frozenset())
    before = _by_items(old)
    segments = tuple(
        Change(
            index=segment.index,
            start=segment.start,
            frames=segment.frames,
            items=segment.items,
            kept=segment.key in known,
            why="" if segment.key in known else _why(new, old, segment, before),
        )
        for segment in new.segments
    )
    frames = sum(change.frames for change in segments if not change.kept)
    size = new.output.width * new.output.height / (1920 * 1080)
    sound_kept = new.sound.key in made or (old is not None and old.sound.key == new.sound.key)
    return Comparison(segments, sound_kept, frames, round(frames * size / FRAMES_PER_SECOND, 1))


def _by_items(plan: RenderPlan | None) -> Mapping[tuple[str, ...], list[Segment]]:
    found: dict[tuple[str, ...], list[Segment]] = {}
    for segment in plan.segments if plan else ():
        found.setdefault(segment.items, []).append(segment)
    return found


def _why(
    new: RenderPlan, old: RenderPlan | None, segment: Segment, before: Mapping[tuple[str, ...], list[Segment]]
) -> str:
    if old is None:
        return "never made"
    if new.output.model_dump(exclude=_ASIDE) != old.output.model_dump(exclude=_ASIDE):
        return "the output changed"
    rivals = before.get(segment.items, [])
    if not rivals:
        return "new"
    closest = min((list(_different(segment, rival)) for rival in rivals), key=len)
    return ", ".join(closest) + " changed" if closest else "the tools or typefaces changed"


_ASIDE = {"poster_frame", "safe_area", "burn_captions", "profile"}


def _different(a: Segment, b: Segment) -> Iterator[str]:
    for name, words in _PARTS.items():
        one: Any = getattr(a, name)
        if one != getattr(b, name):
            yield words
