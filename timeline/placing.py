"""When everything starts and ends: each item's place and length become equations, solved together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from timeline.document import Anchor, Clip, Document, Gap, Track, Transition
from timeline.faults import Findings
from timeline.graph import Graph
from timeline.media import Media
from timeline.references import Index, Placed, Point, place_pointer
from timeline.shares import define_shares, runs_of
from timeline.time import round_half_up

_UNCUT = (Fraction(0), Fraction(0))
MAX_DURATION = 24 * 3600
"""Longest sequence in seconds."""


@dataclass(frozen=True)
class Placement:
    """The solved times: start and end of every placed item by (track, item), and the sequence's duration."""

    spans: Mapping[tuple[int, int], tuple[Fraction, Fraction]]
    duration: Fraction
    heads: Mapping[tuple[int, int], Fraction] = field(default_factory=dict)
    """Seconds cut off the start of items by overlapping transitions."""


@dataclass
class _Problem:
    document: Document
    media: Mapping[str, Media]
    findings: Findings
    index: Index
    nests: Mapping[str, Fraction]
    graph: Graph = field(default_factory=Graph)
    rows: list[list[tuple[int, Placed]]] = field(default_factory=list)
    trims: dict[tuple[int, int], tuple[Fraction, Fraction]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.end_of_sequence = self.graph.add()

    @property
    def fps(self) -> Fraction:
        return self.document.sequence.fps


def solve_placement(
    document: Document, media: Mapping[str, Media], findings: Findings, nests: Mapping[str, Fraction] | None = None
) -> Placement | None:
    """Answer all times; what is unknown, circular or missing is reported and answers None.

    `nests`: lengths of the other sequences, by name.
    """
    problem = _Problem(document, media, findings, Index(document, media, findings), nests or {})
    _name_unknowns(problem)
    problem.trims.update(overlap_trims(document))
    for track, row in enumerate(problem.rows):
        for place, (number, placed) in enumerate(row):
            _define_start(problem, placed, row[place - 1][1] if place else None)
            following = row[place + 1][1] if place + 1 < len(row) else None
            _define_end(problem, placed, following, problem.trims.get((track, number), _UNCUT))
        _define_shares(problem, [placed for _, placed in row])
    _define_duration(problem)
    if findings.errors:
        return None
    values, cycle = problem.graph.solve()
    if cycle:
        _report_cycle(problem, cycle)
        return None
    return _collect(problem, values)


def _name_unknowns(problem: _Problem) -> None:
    for t, track in enumerate(problem.document.sequence.tracks):
        row: list[tuple[int, Placed]] = []
        for i, item in enumerate(track.items):
            if isinstance(item, Clip | Gap):
                placed = Placed(item.id, place_pointer(t, i), item, problem.graph.add(), problem.graph.add())
                problem.index.add(placed)
                row.append((i, placed))
        problem.rows.append(row)


def overlap_trims(document: Document) -> dict[tuple[int, int], tuple[Fraction, Fraction]]:
    """Answer what overlapping transitions cut off the items beside them: seconds at the start and at the end.

    An overlap of d becomes an ordinary transition of d on a cut: the item before ends later part of d earlier, the
    item after begins the other part later in its source, and everything after moves forward by d.
    """
    fps = document.sequence.fps
    trims: dict[tuple[int, int], tuple[Fraction, Fraction]] = {}
    for t, track in enumerate(document.sequence.tracks):
        for i, item in enumerate(track.items):
            if isinstance(item, Transition) and item.mode == "overlap" and item.duration is not None:
                frames = round_half_up(item.duration.at(fps) * fps)
                back = frames // 2
                head, tail = trims.get((t, i - 1), _UNCUT)
                trims[t, i - 1] = (head, tail + Fraction(frames - back) / fps)
                trims[t, i + 1] = (Fraction(back) / fps, Fraction(0))
    return trims


# ── Equations ─────────────────────────────────────────────────────────────────────────────────────────────
def _define(problem: _Problem, node: int, point: Point | None) -> None:
    """Say that a node is a point; an unknown point has been reported already."""
    if point is None:
        return
    offset = point.offset
    if point.node is None:
        problem.graph.define(node, (), lambda _: offset)
    else:
        problem.graph.define(node, (point.node,), lambda known: known[0] + offset)


def _define_start(problem: _Problem, placed: Placed, previous: Placed | None) -> None:
    place = placed.item.place if isinstance(placed.item, Clip) else None
    if place and place.at is not None:
        _define(problem, placed.start, Point(None, place.at.at(problem.fps)))
    elif place and place.anchor is not None:
        _define(problem, placed.start, _find(problem, place.anchor, placed, "/place/anchor"))
    else:
        _define(problem, placed.start, Point(previous.end if previous else None, Fraction(0)))


def _find(problem: _Problem, anchor: Anchor, placed: Placed, where: str) -> Point | None:
    return problem.index.find(anchor, placed, placed.path + where)


def _define_end(problem: _Problem, placed: Placed, following: Placed | None, trim: tuple[Fraction, Fraction]) -> None:
    item = placed.item
    if isinstance(item, Gap):
        _define(problem, placed.end, Point(placed.start, item.gap.at(problem.fps)))
    elif item.length is None or item.length.mode == "media":
        length = _media_length(problem, placed, item)
        if length is not None:
            _define(problem, placed.end, Point(placed.start, length - sum(trim)))
    elif item.length.value is not None:
        _define(problem, placed.end, Point(placed.start, item.length.value.at(problem.fps) - sum(trim)))
    elif item.length.fr is not None:
        return  # defined with the others of its run
    elif item.length.until is not None:
        _define(problem, placed.end, _find(problem, item.length.until, placed, "/length/until"))
    else:
        _define_fill(problem, placed, following)


def _define_fill(problem: _Problem, placed: Placed, following: Placed | None) -> None:
    if following is None:
        _define(problem, placed.end, Point(problem.end_of_sequence, Fraction(0)))
    elif isinstance(following.item, Clip) and following.item.place.mode != "follow":
        _define(problem, placed.end, Point(following.start, Fraction(0)))
    else:
        message = f"{placed.id!r} fills up to the next placed item, but {following.id!r} only follows it."
        fix = f'Give {following.id!r} a "place", or {placed.id!r} a length.'
        problem.findings.add("E_FILL", message, path=placed.path + "/length", item_id=placed.id, fix=fix)


def _define_shares(problem: _Problem, row: list[Placed]) -> None:
    for run in runs_of(row, problem.end_of_sequence):
        unknown = define_shares(problem.graph, run, lambda placed: _fixed_length(problem, placed))
        if unknown is not None:
            message = f"{unknown.id!r} stands beside items that share what is left, so it needs a length of its own."
            fix = "Give it a time."
            problem.findings.add("E_FR", message, path=unknown.path + "/length", item_id=unknown.id, fix=fix)


def _fixed_length(problem: _Problem, placed: Placed) -> Fraction | None:
    item = placed.item
    if isinstance(item, Gap):
        return item.gap.at(problem.fps)
    if item.length is None or item.length.mode == "media":
        return _length_of_content(problem, item)
    return item.length.value.at(problem.fps) if item.length.value is not None else None


def _length_of_content(problem: _Problem, clip: Clip) -> Fraction | None:
    """Answer how long a file or a nested sequence plays at the clip's speed; None for what has no length."""
    duration = problem.nests.get(clip.sequence or "") if clip.sequence else None
    if clip.asset:
        duration = problem.media[clip.asset].duration
    if duration is None:
        return None
    begin = clip.source.in_.at(problem.fps)
    return (clip.source.dur.at(problem.fps) if clip.source.dur is not None else duration - begin) / clip.speed


def _media_length(problem: _Problem, placed: Placed, clip: Clip) -> Fraction | None:
    """Answer what is left of a file after its in point, or the part asked for, at the clip's speed."""
    length = _length_of_content(problem, clip)
    if length is None:
        message = f"{placed.id!r} needs a length: stills, texts and colours have none of their own."
        fix = 'Write "length": "5", "fill", or {"until": …}.'
        problem.findings.add("E_LENGTH_MISSING", message, path=placed.path, item_id=placed.id, fix=fix)
        return None
    duration = problem.media[clip.asset].duration if clip.asset else problem.nests.get(clip.sequence or "")
    assert duration is not None
    begin, used = clip.source.in_.at(problem.fps), length * clip.speed
    if begin < 0 or length <= 0 or begin + used > duration:
        name = clip.asset or clip.sequence
        message = f"{placed.id!r} asks for {used} s from {begin} s on, but {name!r} lasts {duration} s."
        problem.findings.add("E_SOURCE_RANGE", message, path=placed.path + "/source", item_id=placed.id)
        return None
    return length


def _define_duration(problem: _Problem) -> None:
    sequence = problem.document.sequence
    if sequence.duration is not None:
        _define(problem, problem.end_of_sequence, Point(None, sequence.duration.at(problem.fps)))
        return
    ends = [row[-1][1].end for track, row in zip(sequence.tracks, problem.rows, strict=True) if row and _drives(track)]
    if not ends:
        ends = [row[-1][1].end for row in problem.rows if row and not _waits(row[-1][1])]
    if not ends:
        message = "Nothing says how long the sequence is: no narration, and every item fills."
        problem.findings.add("E_NO_DURATION", message, path="/sequence/duration", fix='Write "duration": "30".')
        return
    problem.graph.define(problem.end_of_sequence, ends, max)


def _drives(track: Track) -> bool:
    return track.enabled and (track.role == "narration" if track.drives_duration is None else track.drives_duration)


def _waits(placed: Placed) -> bool:
    """Whether an item's end is the sequence's end."""
    return isinstance(placed.item, Clip) and placed.item.length is not None and placed.item.length.mode == "fill"


# ── Answers ───────────────────────────────────────────────────────────────────────────────────────────────
def _report_cycle(problem: _Problem, cycle: Sequence[int]) -> None:
    names = {node: placed for row in problem.rows for _, placed in row for node in (placed.start, placed.end)}
    steps = [
        f"{'start' if node == names[node].start else 'end'} of {names[node].id}" if node in names else "sequence end"
        for node in cycle
    ]
    shown = steps if len(steps) <= 12 else [*steps[:6], "…", *steps[-5:]]
    first = next((names[node] for node in cycle if node in names), None)
    problem.findings.add(
        "E_CYCLE",
        f"Times depend on each other in a circle: {' → '.join([*shown, steps[0]])}.",
        path=first.path if first else "/sequence",
        item_id=first.id if first else "",
        fix="Give one of them a time of its own.",
    )


def _collect(problem: _Problem, values: Sequence[Fraction | None]) -> Placement | None:
    spans: dict[tuple[int, int], tuple[Fraction, Fraction]] = {}
    for t, row in enumerate(problem.rows):
        for i, placed in row:
            start, end = values[placed.start], values[placed.end]
            if start is None or end is None:
                message = f"The times of {placed.id!r} cannot be held exactly: too many different fractions add up."
                problem.findings.add("E_TIME_PRECISION", message, path=placed.path, item_id=placed.id)
                return None
            spans[t, i] = (start, end)
    duration = values[problem.end_of_sequence]
    if duration is None:
        problem.findings.add("E_TIME_PRECISION", "The sequence's end cannot be held exactly.", path="/sequence")
        return None
    return Placement(spans, duration, {where: trim[0] for where, trim in problem.trims.items() if trim[0]})
