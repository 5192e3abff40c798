"""One track's row: items snapped to frames or samples, gaps made explicit, overlaps refused, transitions fitted."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from timeline.document import KIND_OF_ROLE, Clip, Gap, Track, Transition
from timeline.faults import Findings
from timeline.placing import Placement
from timeline.references import place_pointer
from timeline.resolved import ResolvedItem
from timeline.time import format_seconds, round_half_up
from timeline.variables import Variables


@dataclass(frozen=True)
class Row:
    """What a row is built from. `rate`: frames per second of a video track, samples per second of an audio track."""

    number: int
    track: Track
    rate: Fraction
    placement: Placement
    variables: Variables
    findings: Findings

    @property
    def unit(self) -> str:
        return "samples" if self.audio else "frames"

    @property
    def audio(self) -> bool:
        return KIND_OF_ROLE[self.track.role] == "audio"

    def snap(self, seconds: Fraction) -> int:
        return round_half_up(seconds * self.rate)

    def fault(self, code: str, message: str, item: ResolvedItem, fix: str = "", **details: Any) -> None:
        at = f"{format_seconds(item.start)}, {self.unit[:-1]} {item.first}"
        self.findings.add(code, message, path=item.path, item_id=item.id, at=at, fix=fix, **details)


def build_row(row: Row, fps: Fraction) -> tuple[ResolvedItem, ...]:
    """Answer the items of a row in order of time; what does not fit is reported."""
    items: list[ResolvedItem] = []
    transitions: list[tuple[int, Transition]] = []
    cursor = Fraction(0)
    for number, item in enumerate(row.track.items):
        if isinstance(item, Transition):
            transitions.append((number, item))
            continue
        placed = _place(row, number, item, fps)
        if _check_span(row, placed, items[-1] if items else None, cursor):
            if placed.first > row.snap(cursor):
                items.append(_gap(row, cursor, placed.start, f"gap-before-{placed.id}", placed.path))
            items.append(placed)
        cursor = max(cursor, placed.end)
    return fit_transitions(row, tuple(items), transitions, fps)


def _place(row: Row, number: int, item: Clip | Gap, fps: Fraction) -> ResolvedItem:
    start, end = row.placement.spans[row.number, number]
    path = place_pointer(row.number, number)
    if start < row.placement.duration < end:
        end = row.placement.duration
        if not (isinstance(item, Clip) and (item.loop or row.audio)):
            message = f"{item.id!r} is longer than the film and is cut at its end."
            row.findings.warn("W_CUT_AT_END", message, path=path, item_id=item.id)
    clip = item if isinstance(item, Clip) else None
    text = row.variables.fill(clip.text, path + "/text", item.id) if clip and clip.text is not None else ""
    first = row.snap(start)
    return ResolvedItem(
        id=item.id,
        kind="clip" if clip else "gap",
        path=path,
        start=start,
        end=end,
        first=first,
        count=max(0, row.snap(end) - first),
        place=str(clip.place) if clip else "follow",
        length=_intent(item),
        text=text,
        clip=clip,
    )


def _intent(item: Clip | Gap) -> str:
    if isinstance(item, Gap):
        return str(item.gap)
    return str(item.length) if item.length else "media"


def _check_span(row: Row, item: ResolvedItem, previous: ResolvedItem | None, cursor: Fraction) -> bool:
    """Report an item that is empty, before the start, after the end, or over its predecessor."""
    if item.start < 0:
        row.fault("E_BEFORE_START", f"{item.id!r} starts {format_seconds(-item.start)} before the film.", item)
    elif item.end <= item.start or item.count < 1:
        length = format_seconds(item.end - item.start)
        if item.start >= row.placement.duration:
            row.fault("E_AFTER_END", f"{item.id!r} starts after the film's end.", item)
        else:
            row.fault("E_ZERO_LENGTH", f"{item.id!r} lasts {length}, less than half a {row.unit[:-1]}.", item)
    elif item.start >= row.placement.duration:
        row.fault("E_AFTER_END", f"{item.id!r} starts after the film's end.", item)
    elif item.first < row.snap(cursor):
        over = row.snap(cursor) - item.first
        name = previous.id if previous else "the item before"
        message = f"{item.id!r} starts {over} {row.unit} before {name!r} ends."
        row.fault("E_OVERLAP", message, item, fix="Move it, shorten the other, or use another track.")
    else:
        return True
    return False


def _gap(row: Row, start: Fraction, end: Fraction, name: str, path: str) -> ResolvedItem:
    first = row.snap(start)
    return ResolvedItem(
        id=name,
        kind="gap",
        path=path,
        start=start,
        end=end,
        first=first,
        count=row.snap(end) - first,
        place="follow",
        length="implied",
    )


# ── Transitions ───────────────────────────────────────────────────────────────────────────────────────────
def reach_of(transition: Transition, fps: Fraction, sides: tuple[bool, bool]) -> tuple[int, int]:
    """Answer frames before and after the cut. `sides`: whether there is a picture before and after it.

    At the start or end of the film the whole length lies on the side that exists.
    """
    if transition.duration is None:
        before = round_half_up(transition.in_offset.at(fps) * fps) if transition.in_offset else 0
        after = round_half_up(transition.out_offset.at(fps) * fps) if transition.out_offset else 0
        return before, after
    frames = round_half_up(transition.duration.at(fps) * fps)
    if not all(sides):
        return (frames, 0) if sides[0] else (0, frames)
    before = {"center": frames // 2, "start": 0, "end": frames}[transition.align]
    return before, frames - before


def fit_transitions(
    row: Row, items: tuple[ResolvedItem, ...], transitions: list[tuple[int, Transition]], fps: Fraction
) -> tuple[ResolvedItem, ...]:
    """Put transitions between their neighbours; they never change the times of others."""
    if not transitions:
        return items
    by_path = {item.path: place for place, item in enumerate(items) if item.kind == "clip" or item.length != "implied"}
    result: dict[int, ResolvedItem] = {}
    for number, transition in transitions:
        before = _neighbour(row, number - 1, by_path, items)
        after = _neighbour(row, number + 1, by_path, items)
        fitted = _fit(row, number, transition, before, after, fps)
        if fitted:
            result[number] = fitted
    _check_meeting(row, items, list(result.values()))
    return _woven(items, list(result.values()))


def _neighbour(row: Row, number: int, by_path: dict[str, int], items: tuple[ResolvedItem, ...]) -> ResolvedItem | None:
    place = by_path.get(place_pointer(row.number, number)) if number >= 0 else None
    return None if place is None else items[place]


def _fit(
    row: Row,
    number: int,
    transition: Transition,
    before: ResolvedItem | None,
    after: ResolvedItem | None,
    fps: Fraction,
) -> ResolvedItem | None:
    path = place_pointer(row.number, number)
    where = {"path": path, "item_id": transition.id}
    if row.track.role != "picture":
        message = f"A {row.track.role} track takes no transitions; use fade_in and fade_out."
        row.findings.add("E_TRANSITION_PLACE", message, **where)
        return None
    inner = row.track.items[max(number - 1, 0) : number + 2]
    if sum(isinstance(item, Transition) for item in inner) > 1 or (before is None and after is None):
        message = f"The transition {transition.id!r} needs a picture beside it, and no other transition."
        row.findings.add("E_TRANSITION_PLACE", message, **where)
        return None
    return _fitted(row, transition, path, before, after, fps)


def _fitted(
    row: Row,
    transition: Transition,
    path: str,
    before: ResolvedItem | None,
    after: ResolvedItem | None,
    fps: Fraction,
) -> ResolvedItem | None:
    touching = bool(before and after and before.stop == after.first)
    if before and after and not touching:
        message = f"There is a gap of {after.first - before.stop} frames where {transition.id!r} should join pictures."
        row.findings.add("E_TRANSITION_PLACE", message, path=path, item_id=transition.id, fix="Close the gap.")
        return None
    cut = before.stop if before else after.first if after else 0
    reach = reach_of(transition, fps, (before is not None, after is not None))
    item = ResolvedItem(
        id=transition.id,
        kind="transition",
        path=path,
        start=Fraction(cut - reach[0]) / fps,
        end=Fraction(cut + reach[1]) / fps,
        first=cut - reach[0],
        count=sum(reach),
        place=f"on the cut at frame {cut}",
        length=str(transition.duration) if transition.duration else f"{reach[0]}f before, {reach[1]}f after",
        transition=transition,
        reach=reach,
    )
    if min(reach) < 0 or sum(reach) < 1:
        row.fault("E_ZERO_LENGTH", f"The transition {transition.id!r} lasts less than a frame.", item)
        return None
    return item


def _check_meeting(row: Row, items: tuple[ResolvedItem, ...], transitions: list[ResolvedItem]) -> None:
    """No transition is longer than a neighbour, and two on one picture leave at least one frame between them."""
    opening = {item.first + item.reach[0]: item for item in transitions if item.reach[1]}
    closing = {item.first + item.reach[0]: item for item in transitions if item.reach[0]}
    for item in items:
        begin, end = opening.get(item.first), closing.get(item.stop)
        used = (begin.reach[1] if begin else 0) + (end.reach[0] if end else 0)
        longest = max((each.count for each in (begin, end) if each), default=0)
        wrong = end or begin
        if wrong and (used >= item.count or longest > item.count):
            _report_too_long(row, item, wrong, used, begin is not None and end is not None)


def _report_too_long(row: Row, item: ResolvedItem, wrong: ResolvedItem, used: int, both: bool) -> None:
    sided = both or 0 in wrong.reach
    largest = (item.count - 1) if sided else min(item.count, 2 * (item.count - 1))
    message = (
        f"{item.id!r} lasts {item.count} frames; the transitions on it take {used} of them "
        f"and must leave at least one, and none may be longer than the picture."
    )
    fix = f"Together at most {max(largest, 0)} frames; or make {item.id!r} longer."
    row.fault("E_TRANSITION_TOO_LONG", message, wrong, fix=fix, allowed=(f"{max(largest, 0)}f",))


def _woven(items: tuple[ResolvedItem, ...], transitions: list[ResolvedItem]) -> tuple[ResolvedItem, ...]:
    """Put each transition between the items of its cut."""
    by_cut = {item.first + item.reach[0]: item for item in transitions}
    woven: list[ResolvedItem] = []
    for item in items:
        if item.first in by_cut:
            woven.append(by_cut.pop(item.first))
        woven.append(item)
    return (*woven, *by_cut.values())
