"""A resolved timeline for people: what was meant beside what it became."""

from __future__ import annotations

from collections.abc import Iterator

from timeline.resolved import ResolvedItem, ResolvedTimeline, ResolvedTrack
from timeline.time import format_seconds

MOST_ITEMS = 200
"""Items shown of one track; the rest is counted."""


def describe_resolved(timeline: ResolvedTimeline) -> list[str]:
    """Answer one line per track and item: intent → result, in seconds and in frames or samples."""
    lines: list[str] = []
    for track in timeline.tracks:
        lines += _track(track)
    return lines


def _track(track: ResolvedTrack) -> Iterator[str]:
    hidden = "" if track.enabled else ", disabled"
    number, noun = (len(track.words), "word") if track.kind == "caption" else (len(track.items), "item")
    yield f"{track.role} {track.id} ({number} {noun}{'s' if number != 1 else ''}{hidden})"
    width = max((len(item.id) for item in track.items[:MOST_ITEMS]), default=0)
    for item in track.items[:MOST_ITEMS]:
        yield f"  {item.id:<{min(width, 24)}}  {_item(item, 'sample' if track.kind == 'audio' else 'frame')}"
    if len(track.items) > MOST_ITEMS:
        yield f"  … and {len(track.items) - MOST_ITEMS} more"


def _item(item: ResolvedItem, unit: str) -> str:
    start = f"{format_seconds(item.start)} ({unit} {item.first})"
    length = f"{format_seconds(item.end - item.start)} ({item.count} {unit}s)"
    return f"{item.place} → {start}; {item.length} → {length}"
