"""Where items should lie, written back so that what was meant is kept wherever it still means that.

A picture that ends "until sentence 3" stays so as long as that is where it ends; only what has really been moved gets a
time of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

from timeline.document import Document
from timeline.editing.draft import Bench, Span, refused
from timeline.faults import Findings
from timeline.loading import parse
from timeline.media import Media
from timeline.placing import Placement, solve_placement

ROUNDS = 4
Plain = dict[str, Any]


def settle(bench: Bench, track: int, items: list[Plain], wanted: Mapping[str, Span]) -> None:
    """Write a track's items so that each clip lies as `wanted` (by id); gaps fill what is left between clips.

    Raises TimelineError where that cannot be said.
    """
    for item_id, (start, end) in wanted.items():
        if start < 0:
            frames = bench.frame(-start)
            raise refused("E_BEFORE_START", f"{item_id!r} would start {frames} frames before the film.", item_id)
        if bench.frame(end) <= bench.frame(start):
            raise refused("E_ZERO_LENGTH", f"{item_id!r} would last less than a frame.", item_id)
    rows = _with_gaps(items, wanted)
    _free_of_shares(rows, wanted)
    bench.data["sequence"]["tracks"][track]["items"] = rows
    for _ in range(ROUNDS):
        solved = _solved(bench, track, wanted)
        if solved is None:
            return
        _pin(rows, wanted, solved)
    raise refused("E_EDIT", "The items cannot be placed so: their times depend on each other.")


def _with_gaps(items: list[Plain], wanted: Mapping[str, Span]) -> list[Plain]:
    """Let written gaps fill what is left between clips; one that has nothing to fill goes."""
    rows: list[Plain] = []
    cursor = Fraction(0)
    for number, item in enumerate(items):
        if "gap" not in item:
            rows.append(item)
            cursor = wanted[item["id"]][1] if item["id"] in wanted else cursor
            continue
        following = next((each["id"] for each in items[number + 1 :] if each["id"] in wanted), None)
        room = wanted[following][0] - cursor if following else Fraction(item["gap"])
        if room > 0:
            rows.append({**item, "gap": str(room)})
            cursor += room
    return rows


def _free_of_shares(rows: list[Plain], wanted: Mapping[str, Span]) -> None:
    """Lengths that other items decide become times where those may no longer be beside them."""
    clips = [item for item in rows if item["id"] in wanted]
    for item, following in pairwise([*clips, None]):
        assert item is not None
        mode = (item.get("length") or {}).get("mode")
        if mode == "fr" or (mode == "fill" and following and following["place"]["mode"] == "follow"):
            start, end = wanted[item["id"]]
            item["length"] = _time(end - start)


def _solved(bench: Bench, track: int, wanted: Mapping[str, Span]) -> dict[str, Span] | None:
    """Where the clips of a track lie as they are written; None when that is as wanted."""
    document = parse(bench.data)
    nests = {name: nest.duration for name, nest in bench.draft.resolved.nests.items()}
    placement = placed(document, bench.media, nests)
    found = {
        item.id: placement.spans[track, number]
        for number, item in enumerate(document.sequence.tracks[track].items)
        if item.id in wanted
    }
    end = placement.duration
    same = all(
        found[item_id][0] == start and _reaches(found[item_id][1], stop, end)
        for item_id, (start, stop) in wanted.items()
    )
    return None if same else found


def _reaches(found: Fraction, wanted: Fraction, film: Fraction) -> bool:
    """Whether an end is as wanted; what would outlast the film ends with it."""
    return found == wanted or (found >= film and wanted >= film)


def placed(document: Document, media: Mapping[str, Media], nests: Mapping[str, Fraction]) -> Placement:
    """Solve when everything starts and ends, whether or not things overlap. Raises TimelineError."""
    findings = Findings()
    placement = solve_placement(document, media, findings, nests)
    findings.raise_errors()
    if placement is None:
        raise refused("E_EDIT", "The times of the film cannot be held exactly.")
    return placement


def _pin(rows: list[Plain], wanted: Mapping[str, Span], solved: Mapping[str, Span]) -> None:
    """Give a place or a length of its own to what lies wrong."""
    cursor = Fraction(0)
    for item in rows:
        if "gap" in item:
            cursor += Fraction(item["gap"])
        if item["id"] not in wanted:
            continue
        (start, end), (begin, stop) = wanted[item["id"]], solved[item["id"]]
        if item["place"]["mode"] == "follow":
            if start != cursor:
                item["place"] = _at(start)
        elif begin != start:
            item["place"] = {"mode": "follow"} if start == cursor and cursor else _at(start)
        _pin_length(item, (start, end), (begin, stop))
        cursor = end


def _pin_length(item: Plain, wanted: Span, solved: Span) -> None:
    length = item.get("length") or {"mode": "media"}
    if length["mode"] in ("until", "fill"):
        if solved[1] != wanted[1]:
            item["length"] = _time(wanted[1] - wanted[0])
        return
    more = (wanted[1] - wanted[0]) - (solved[1] - solved[0])
    if more and length["mode"] == "time" and not str(length["value"]).endswith("f"):
        item["length"] = _time(Fraction(length["value"]) + more)
    elif more:
        item["length"] = _time(wanted[1] - wanted[0])


def _at(start: Fraction) -> Plain:
    return {"mode": "at", "at": str(start)}


def _time(length: Fraction) -> Plain:
    return {"mode": "time", "value": str(length)}
