"""Operations that change when items are seen or heard: trim, length, move, order, split, delete."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from timeline.editing.draft import Bench, Span, Spot, refused
from timeline.editing.halves import halve
from timeline.editing.operations import Delete, Lengthen, Move, Reorder, Split, Trim
from timeline.editing.spans import settle
from timeline.time import round_half_up

Plain = dict[str, Any]


class _Row:
    """The clips of an item's track with the spans they are to have."""

    def __init__(self, bench: Bench, spot: Spot) -> None:
        self.bench, self.spot = bench, spot
        self.spots = list(bench.spots(spot.track))
        self.spans: dict[str, Span] = {each.clip.id: each.span for each in self.spots}
        self.place = next(i for i, each in enumerate(self.spots) if each.clip.id == spot.clip.id)

    @property
    def id(self) -> str:
        return self.spot.clip.id

    def beside(self, step: int) -> Spot | None:
        """The clip before (-1) or after (1), if it touches."""
        place = self.place + step
        if not 0 <= place < len(self.spots):
            return None
        other, here = self.spots[place].resolved, self.spot.resolved
        touches = other.stop == here.first if step < 0 else here.stop == other.first
        return self.spots[place] if touches else None

    def start(self, item_id: str, at: Fraction) -> None:
        self.spans[item_id] = (at, self.spans[item_id][1])

    def end(self, item_id: str, at: Fraction) -> None:
        self.spans[item_id] = (self.spans[item_id][0], at)

    def shift_later(self, by: Fraction, joint: Fraction) -> None:
        """Move what follows by as many frames; what touched begins at `joint`, what ends with the film does so on."""
        film, picture, touching = self.bench.duration, self.spot.kind == "video", self.beside(1)
        for each in self.spots[self.place + 1 :]:
            begin, end = (self.moved(edge, by) for edge in each.span)
            first = joint if touching is each else begin
            self.spans[each.clip.id] = (first, film if picture and each.span[1] == film else end)

    def moved(self, at: Fraction, by: Fraction) -> Fraction:
        """A time moved by as many frames as `by` lasts; pictures come to lie on frames, sounds where they are."""
        if self.spot.kind != "video":
            return at + by
        return self.bench.seconds(self.bench.frame(at) + round_half_up(by * self.bench.fps))

    def settle(self, items: list[Plain] | None = None) -> None:
        settle(self.bench, self.spot.track, self.bench.items(self.spot.track) if items is None else items, self.spans)


# ── Edges ─────────────────────────────────────────────────────────────────────────────────────────────────
def trim(bench: Bench, wish: Trim) -> None:
    """Move one edge of an item."""
    spot = bench.find(wish.item)
    row = _Row(bench, spot)
    (_trim_end if wish.edge == "end" else _trim_start)(bench, row, _by(bench, spot, wish.edge, wish.frames), wish.how)
    row.settle()


def lengthen(bench: Bench, wish: Lengthen) -> None:
    """Give an item a length; its end moves."""
    spot = bench.find(wish.item)
    row = _Row(bench, spot)
    start = bench.frame(spot.resolved.start)
    _trim_end(bench, row, bench.seconds(start + wish.frames) - spot.resolved.end, wish.how)
    row.settle()


def _by(bench: Bench, spot: Spot, edge: str, frames: int) -> Fraction:
    """How far an edge moves in seconds, so that it comes to lie on a frame."""
    at = spot.resolved.end if edge == "end" else spot.resolved.start
    return bench.seconds(bench.frame(at) + frames) - at


def _trim_end(bench: Bench, row: _Row, by: Fraction, how: str) -> None:
    end = row.spot.resolved.end
    if by > 0 and end >= bench.duration:
        raise refused("E_AFTER_END", f"{row.id!r} ends with the film and cannot be longer.", row.id)
    row.end(row.id, end + by)
    after = row.beside(1)
    if how == "ripple":
        row.shift_later(by, end + by)
    elif how == "roll" and after is not None:
        row.start(after.clip.id, end + by)
        trim_source(bench, after, by)
    elif after is not None and by < 0:
        drop_transitions(bench, row.spot, after=True)


def _trim_start(bench: Bench, row: _Row, by: Fraction, how: str) -> None:
    before = row.beside(-1)
    trim_source(bench, row.spot, by)
    start, end = row.spot.span
    if how == "ripple":
        row.end(row.id, row.moved(end, -by))
        row.shift_later(-by, row.moved(end, -by))
        return
    row.start(row.id, start + by)
    if how == "roll" and before is not None:
        row.end(before.clip.id, start + by)
    elif before is not None and by > 0:
        drop_transitions(bench, row.spot, after=False)


def trim_source(bench: Bench, spot: Spot, by: Fraction) -> None:
    """Let a file begin later (or earlier) when the start of its item moves. Raises TimelineError before its start."""
    clip = spot.clip
    media = bench.media.get(clip.asset or "")
    if clip.sequence is None and (media is None or media.duration is None):
        return
    begin = clip.source.in_.at(bench.fps) + by * clip.speed
    if clip.loop and media is not None and media.duration:
        begin %= media.duration
    if begin < 0:
        frames = bench.frame(-begin / clip.speed)
        message = f"{clip.id!r} has nothing to show that long before: {frames} frames are missing at its beginning."
        raise refused("E_SOURCE_RANGE", message, clip.id)
    item = bench.item(spot)
    used = clip.source.dur.at(bench.fps) - by * clip.speed if clip.source.dur else None
    item["source"] = {"in": str(begin), "dur": str(used) if used is not None and used > 0 else None}


# ── Places ────────────────────────────────────────────────────────────────────────────────────────────────
def move(bench: Bench, wish: Move) -> None:
    """Move an item along its track; touching neighbours give and take, and so does its order where it is free."""
    spot = bench.find(wish.item)
    row = _Row(bench, spot)
    by = _by(bench, spot, "start", wish.frames)
    before, after = row.beside(-1), row.beside(1)
    start, end = row.moved(spot.span[0], by), row.moved(spot.span[1], by)
    row.spans[row.id] = (start, end)
    if before is None and after is None:
        items = [item for item in bench.items(spot.track) if not _is_beside(bench, spot, item)]
        row.settle(_in_time(items, row.spans))
        return
    if before is not None:
        row.end(before.clip.id, start)
    if after is not None:
        row.start(after.clip.id, end)
        trim_source(bench, after, by)
    row.settle()


def _is_beside(bench: Bench, spot: Spot, item: Plain) -> bool:
    """Whether an item is a transition at one of a clip's edges: it cannot go with it."""
    items = bench.items(spot.track)
    near = [items[i] for i in (spot.place - 1, spot.place + 1) if 0 <= i < len(items)]
    return "transition" in item and any(item is each for each in near)


def _in_time(items: Sequence[Plain], spans: dict[str, Span]) -> list[Plain]:
    """Items in the order of their starts; a transition stays behind the clip it stood behind."""
    groups: list[list[Plain]] = []
    for item in items:
        if item["id"] in spans or not groups:
            groups.append([item])
        else:
            groups[-1].append(item)
    groups.sort(key=lambda group: spans[group[0]["id"]][0] if group[0]["id"] in spans else Fraction(-1))
    return [item for group in groups for item in group]


def reorder(bench: Bench, wish: Reorder) -> None:
    """Put an item behind another one of its track; every item keeps its length, cuts keep their transitions."""
    spot = bench.find(wish.item)
    row = _Row(bench, spot)
    others = [each for each in row.spots if each.clip.id != wish.item]
    ids = [each.clip.id for each in others]
    if wish.after and wish.after not in ids:
        message = f"There is no item {wish.after[:60]!r} on this track."
        raise refused("E_UNKNOWN_REF", message, wish.item)
    place = ids.index(wish.after) + 1 if wish.after else 0
    order = [*others[:place], spot, *others[place:]]
    starts = [each.span[0] for each in row.spots]
    holes = [b.span[0] - a.span[1] for a, b in zip(row.spots, row.spots[1:], strict=False)]
    cursor = starts[0]
    for number, each in enumerate(order):
        length = bench.frame(each.span[1]) - bench.frame(each.span[0])
        end = bench.seconds(bench.frame(cursor) + length)
        row.spans[each.clip.id] = (cursor, end)
        cursor = end + (holes[number] if number < len(holes) else 0)
    _end_with_film(bench, row, order[-1].clip.id)
    plain = {each.clip.id: bench.item(each) for each in order}
    rest = iter(order)
    row.settle([plain[next(rest).clip.id] if item["id"] in plain else item for item in bench.items(spot.track)])


def _end_with_film(bench: Bench, row: _Row, last: str) -> None:
    """A row that reached the film's end goes on doing so."""
    if row.spots[-1].span[1] == bench.duration and row.spot.kind == "video":
        row.spans[last] = (row.spans[last][0], bench.duration)


# ── Parts ─────────────────────────────────────────────────────────────────────────────────────────────────
def split(bench: Bench, wish: Split) -> None:
    """Cut an item in two where the film shows the same before and after."""
    spot = bench.find(wish.item)
    row = _Row(bench, spot)
    start, end = spot.span
    cut = bench.seconds(bench.frame(start) + wish.at)
    if bench.frame(cut) >= bench.frame(end):
        frames = bench.frame(end) - bench.frame(start)
        message = f"{wish.item!r} lasts {frames} frames and cannot be cut at {wish.at}."
        raise refused("E_ZERO_LENGTH", message, wish.item, f"Give 1 to {max(frames - 1, 1)}.")
    item = bench.item(spot)
    later = copy.deepcopy(item)
    later["id"] = bench.new_id(wish.item.partition("~")[0] + "~2")
    halve(bench, spot, item, later, cut)
    later["place"] = {"mode": "follow"}
    row.spans[wish.item] = (start, cut)
    row.spans[later["id"]] = (cut, end)
    items = bench.items(spot.track)
    row.settle([*items[: spot.place + 1], later, *items[spot.place + 1 :]])


def delete(bench: Bench, wish: Delete) -> None:
    """Take an item away, and the transitions that no longer join anything."""
    spot = bench.find(wish.item)
    row = _Row(bench, spot)
    start, end = spot.span
    before, after = row.beside(-1), row.beside(1)
    del row.spans[wish.item]
    if wish.how == "ripple":
        row.shift_later(_whole_frames(bench, spot, start - end), start)
    elif wish.how == "neighbour" and before is not None:
        row.end(before.clip.id, end)
    elif wish.how == "neighbour" and after is not None:
        row.start(after.clip.id, start)
        trim_source(bench, after, start - end)
    joined = wish.how != "gap" and before is not None and after is not None
    row.settle(_without(bench, spot, keep_one=joined))


def _whole_frames(bench: Bench, spot: Spot, otherwise: Fraction) -> Fraction:
    """How far what follows moves up when an item goes: a picture's frames, a sound's length."""
    return bench.seconds(-spot.resolved.count) if spot.kind == "video" else otherwise


def _without(bench: Bench, spot: Spot, *, keep_one: bool) -> list[Plain]:
    """A track's items without one and without its transitions, of which one may stay on the new cut."""
    items, place = bench.items(spot.track), spot.place
    first = place - 1 if place and "transition" in items[place - 1] else place
    last = place + 1 if place + 1 < len(items) and "transition" in items[place + 1] else place
    kept = [item for item in items[first : last + 1] if "transition" in item][:1] if keep_one else []
    return [*items[:first], *kept, *items[last + 1 :]]


def drop_transitions(bench: Bench, spot: Spot, *, after: bool) -> None:
    """Take away the transition at one edge of an item: a gap opens there."""
    items, place = bench.items(spot.track), spot.place + (1 if after else -1)
    if 0 <= place < len(items) and "transition" in items[place]:
        del items[place]
