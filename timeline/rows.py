"""One track's row: items snapped to frames or samples, gaps made explicit, overlaps refused, transitions fitted."""

from __future__ import annotations

from fractions import Fraction

from timeline.cuts import fit_transitions
from timeline.document import Clip, Gap, Transition
from timeline.references import place_pointer
from timeline.resolved import ResolvedItem
from timeline.row import Row
from timeline.time import format_seconds


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
    text = _text(row, clip, path) if clip else ""
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
        head=row.placement.heads.get((row.number, number), Fraction(0)),
    )


def _text(row: Row, clip: Clip, path: str) -> str:
    if clip.text is not None:
        return row.variables.fill(clip.text, path + "/text", clip.id)
    return row.variables.fill(clip.qr.text, path + "/qr/text", clip.id) if clip.qr else ""


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
