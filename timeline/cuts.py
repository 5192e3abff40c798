"""Transitions on their cuts: how far they reach, what they may take, and where a film has no picture left to give."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from timeline.document import Transition
from timeline.faults import replaced
from timeline.references import place_pointer
from timeline.resolved import ResolvedItem
from timeline.row import Row
from timeline.time import round_half_up


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
    if row.audio and transition.transition != "crossfade":
        message = f"Sounds can only crossfade, not {transition.transition!r}."
        patch = replaced(path + "/transition", "crossfade")
        row.findings.add("E_TRANSITION_KIND", message, **where, fix='Write "crossfade".', patch=patch)
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
        size = after.first - before.stop
        message = f"There is a gap of {size} {row.unit} where {transition.id!r} should join two items."
        row.findings.add("E_TRANSITION_PLACE", message, path=path, item_id=transition.id, fix="Close the gap.")
        return None
    cut = before.stop if before else after.first if after else 0
    wanted = reach_of(transition, row.rate, (before is not None, after is not None))
    reach, short = _handled(row, transition, path, wanted, before, after, fps)
    item = ResolvedItem(
        id=transition.id,
        kind="transition",
        path=path,
        start=Fraction(cut - reach[0]) / row.rate,
        end=Fraction(cut + reach[1]) / row.rate,
        first=cut - reach[0],
        count=sum(reach),
        place=f"on the cut at {row.unit[:-1]} {cut}",
        length=str(transition.duration) if transition.duration else f"{reach[0]} before, {reach[1]} after",
        transition=transition,
        reach=reach,
        short=short,
    )
    if min(reach) < 0 or sum(reach) < 1:
        row.fault("E_ZERO_LENGTH", f"The transition {transition.id!r} lasts less than a {row.unit[:-1]}.", item)
        return None
    _tell_moved(row, transition, item, fps)
    return item


def _tell_moved(row: Row, transition: Transition, item: ResolvedItem, fps: Fraction) -> None:
    if transition.mode == "overlap" and transition.duration is not None:
        frames = round_half_up(transition.duration.at(fps) * fps)
        message = f"{transition.id!r} overlaps its neighbours: the items after it start {frames} frames earlier."
        row.findings.warn("W_MOVED", message, path=item.path, item_id=item.id, frame=item.first)


# ── Handles ───────────────────────────────────────────────────────────────────────────────────────────────
def _handled(
    row: Row,
    transition: Transition,
    path: str,
    wanted: tuple[int, int],
    before: ResolvedItem | None,
    after: ResolvedItem | None,
    fps: Fraction,
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Answer the reach and, for each side, the frames or samples that its file cannot give."""
    head = _spare(row, after, fps, at_start=True)
    tail = _spare(row, before, fps, at_start=False)
    given = tuple(wide if spare is None else min(wide, spare) for wide, spare in zip(wanted, (head, tail), strict=True))
    short = (wanted[0] - given[0], wanted[1] - given[1])
    if not any(short):
        return wanted, (0, 0)
    policy = "trim" if row.audio and transition.handles != "error" else transition.handles
    lack = f"{max(short)} {row.unit} of picture" if not row.audio else f"{max(short)} samples of sound"
    details: dict[str, Any] = {"path": path, "item_id": transition.id}
    if policy == "error" or sum(given) < 1:
        message = f"The transition {transition.id!r} lacks {lack} beyond the cut."
        fix = f"At most {given[0]} before and {given[1]} after the cut; or trim the clips beside it."
        row.findings.add("E_HANDLE", message, fix=fix, allowed=tuple(str(each) for each in given), **details)
        return wanted, (0, 0)
    done = {
        "freeze": "the nearest picture is held",
        "slow": "the clip plays slower",
        "trim": f"it is shortened to {sum(given)} {row.unit}",
    }[policy]
    row.findings.warn("W_HANDLE", f"The transition {transition.id!r} lacks {lack}: {done}.", **details)
    return ((given[0], given[1]), (0, 0)) if policy == "trim" else (wanted, short)


def _spare(row: Row, item: ResolvedItem | None, fps: Fraction, *, at_start: bool) -> int | None:
    """Answer how far an item can be seen or heard beyond one of its ends; None = without end (stills, loops)."""
    clip = item.clip if item else None
    if item is None or clip is None or clip.asset is None or clip.loop or clip.frozen is not None:
        return None
    duration = row.media[clip.asset].duration if clip.asset in row.media else None
    if duration is None:
        return None
    begin = item.source_in(fps)
    left = begin if at_start != clip.reversed else duration - begin - (item.end - item.start) * clip.speed
    return max(int(left / clip.speed * row.rate), 0)


# ── Meeting ───────────────────────────────────────────────────────────────────────────────────────────────
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
        f"{item.id!r} lasts {item.count} {row.unit}; the transitions on it take {used} of them "
        f"and must leave at least one, and none may be longer than the picture."
    )
    fix = f"Together at most {max(largest, 0)} {row.unit}; or make {item.id!r} longer."
    alone = not both and not row.audio and largest >= 1 and wrong.transition is not None and wrong.transition.duration
    patch = replaced(wrong.path + "/duration", f"{largest}f") if alone else ()
    allowed = () if row.audio else (f"{max(largest, 0)}f",)
    row.fault("E_TRANSITION_TOO_LONG", message, wrong, fix=fix, allowed=allowed, patch=patch)


def _woven(items: tuple[ResolvedItem, ...], transitions: list[ResolvedItem]) -> tuple[ResolvedItem, ...]:
    """Put each transition between the items of its cut."""
    by_cut = {item.first + item.reach[0]: item for item in transitions}
    woven: list[ResolvedItem] = []
    for item in items:
        if item.first in by_cut:
            woven.append(by_cut.pop(item.first))
        woven.append(item)
    return (*woven, *by_cut.values())
