"""One step as its page shows it: what it made, how its attempts went, earlier runs, and old beside new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from app.i18n import N_, Tongue
from app.views.gate import short_version, step_address
from app.views.job import Row
from app.views.marks import Mark, kind_name, part_name, step_mark
from app.views.outlook import Ahead, make_ahead, say_hearing
from app.views.outputs import Item, make_item
from app.views.sayings import UNEXPLAINED
from domain.dispatch.model import Attempt, Step
from domain.production.model import StepRun
from domain.production.outlook import Line, foresee_redo
from domain.production.queries.job import Output
from domain.production.wishes import Hearing, hearing
from domain.studio.diff import Piece


@dataclass(frozen=True)
class Try:
    """One attempt: when, how long, how it ended, and why it failed."""

    number: int
    mark: Mark
    started_at: datetime
    took: str
    why: str


@dataclass(frozen=True)
class Run:
    """An earlier run: `made_with` and `replaced_for` are instructions."""

    id: str
    number: int
    version: str
    made_with: str
    replaced_for: str
    replaced_by: str
    replaced_at: datetime
    href: str


@dataclass(frozen=True)
class Pair:
    """Something old beside what took its place; either may be missing."""

    name: str
    old: str
    new: str
    same: bool


@dataclass(frozen=True)
class Comparison:
    """An earlier run beside the present one. `way` says how: text, pictures, sound, film or only numbers."""

    run: Run
    way: str
    pieces: tuple[Piece, ...]
    pairs: tuple[Pair, ...]
    numbers: tuple[Pair, ...]


@dataclass(frozen=True)
class StepView:
    """The page. `ahead` says what making it again sets off; `why_not` why that cannot be done now."""

    kind: str
    name: str
    shard: str
    address: str
    href: str
    mark: Mark
    version: str
    instruction: str
    skipped: str
    error: Mapping[str, Any]
    failed: str
    details: tuple[Row, ...]
    retry_at: datetime | None
    items: tuple[Item, ...]
    tries: tuple[Try, ...]
    runs: tuple[Run, ...]
    ahead: Ahead
    heard: Hearing
    hears: str
    why_not: str


@dataclass(frozen=True)
class Reading:
    """All that the page is made of."""

    step: Step
    line: Line
    outputs: Sequence[Output]
    attempts: Sequence[Attempt]
    runs: Sequence[StepRun]


SAID = ("sentence", "next", "kept")
"""Parts of an error that are said in words already."""
REDOABLE = ("succeeded", "waiting_approval", "dead")


def make_step(tongue: Tongue, read: Reading, base: str, why_not: str) -> StepView:
    """Build the page; `base` is the job's address."""
    step = read.step
    href = f"{base}/step/{step_address(step)}"
    outputs = step.outputs or {}
    error = step.error or {}
    heard = hearing(step.kind, read.line.spec)
    skipped = tongue.gettext("Skipped by %(name)s: %(why)s", name=outputs.get("by"), why=outputs.get("because", ""))
    return StepView(
        kind=step.kind,
        name=kind_name(tongue, step.kind),
        shard=part_name(tongue, step.shard),
        address=step_address(step),
        href=href,
        mark=step_mark(tongue, step.state),
        version=short_version(step.input_hash or ""),
        instruction=step.instruction or "",
        skipped=skipped if outputs.get("skipped") else "",
        error=error,
        failed=str(error.get("sentence") or UNEXPLAINED),
        details=tuple(
            Row(str(key), str(value), mono=True) for key, value in error.items() if value and key not in SAID
        ),
        retry_at=step.not_before if step.state == "delayed" else None,
        items=tuple(make_item(tongue, one, step, base) for one in read.outputs if one.step_id == step.id),
        tries=tuple(_try(tongue, one, step) for one in reversed(read.attempts)),
        runs=tuple(_run(one, href) for one in read.runs),
        ahead=make_ahead(tongue, foresee_redo(read.line, step)),
        heard=heard,
        hears=say_hearing(tongue, heard),
        why_not=why_not,
    )


OUTCOMES: Mapping[str, tuple[str, str, str]] = {
    "succeeded": ("ok", "circle-check", N_("done")),
    "failed": ("bad", "circle-x", N_("failed")),
    "crashed": ("bad", "circle-x", N_("worker lost")),
    "released": ("idle", "rotate-ccw", N_("given back")),
    "cancelled": ("idle", "ban", N_("cancelled")),
}


def _try(tongue: Tongue, attempt: Attempt, step: Step) -> Try:
    if attempt.outcome is not None and attempt.outcome in OUTCOMES:
        st, icon, word = OUTCOMES[attempt.outcome]
        mark = Mark(st, icon, tongue.gettext(word))
    else:
        mark = step_mark(tongue, "running" if attempt.ended_at is None else step.state)
    took = (attempt.ended_at - attempt.started_at).total_seconds() if attempt.ended_at else None
    why = str((attempt.error or {}).get("sentence", ""))
    return Try(attempt.number, mark, attempt.started_at, "" if took is None else tongue.duration(took), why)


def _run(run: StepRun, href: str) -> Run:
    return Run(
        id=str(run.id),
        number=run.number,
        version=short_version(run.input_hash),
        made_with=run.instruction,
        replaced_for=run.replaced_for,
        replaced_by=run.replaced_by,
        replaced_at=run.created_at,
        href=f"{href}?run={run.id}#compare",
    )


# ── Old beside new ────────────────────────────────────────────────────────────────────────────────────────
NUMBERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "script": (("words", N_("Words")), ("scenes", N_("Scenes"))),
    "narrate": (("seconds", N_("Length")), ("sentences", N_("Sentences"))),
    "compose": (("frames", N_("Frames")), ("segments", N_("Segments")), ("cues", N_("Captions"))),
    "render": (("frames", N_("Frames")),),
    "mux": (("frames", N_("Frames")), ("size", N_("Size"))),
    "check": (("findings", N_("Findings")),),
    "package": (("seconds", N_("Length")),),
}
WAYS = (
    ("film", "film"),
    ("narration", "sound"),
    ("picture", "pictures"),
    ("script", "text"),
    ("thumbnail", "pictures"),
)
"""Role of an output → how two of them are compared; the first that a run has counts."""


def way_of_run(run: StepRun) -> str:
    """How an earlier run is put beside the present one."""
    roles = {str(file["role"]) for file in run.files.values()}
    return next((way for role, way in WAYS if role in roles), "numbers")


def make_comparison(tongue: Tongue, read: Reading, run: StepRun, base: str, pieces: Sequence[Piece]) -> Comparison:
    """Put an earlier run beside the present one; `pieces` is the difference of their texts."""
    href = f"{base}/step/{step_address(read.step)}"
    way = way_of_run(run)
    return Comparison(
        run=_run(run, href),
        way=way,
        pieces=tuple(pieces),
        pairs=tuple(_pairs(read, run, base, way)),
        numbers=tuple(_numbers(tongue, run, read.step.outputs or {})),
    )


def _pairs(read: Reading, run: StepRun, base: str, way: str) -> list[Pair]:
    roles = {role for role, meant in WAYS if meant == way}
    old = {name: file for name, file in run.files.items() if file["role"] in roles and _plays(name, way)}
    new = {one.name: one for one in read.outputs if one.step_id == read.step.id and one.role in roles}
    new = {name: one for name, one in new.items() if _plays(name, way)}
    stems = {name.rpartition(".")[0]: name for name in (*old, *new)}
    pairs = []
    for stem in sorted(stems, key=lambda stem: _place(stem, old, new)):
        before = next((name for name in old if name.rpartition(".")[0] == stem), "")
        after = next((name for name in new if name.rpartition(".")[0] == stem), "")
        pairs.append(
            Pair(
                name=stems[stem],
                old=f"{base}/runs/{run.id}/{quote(before)}" if before else "",
                new=f"{base}/artifacts/{quote(after)}" if after else "",
                same=bool(before and after) and old[before]["sha256"] == new[after].sha256,
            )
        )
    return pairs


def _plays(name: str, way: str) -> bool:
    return name.endswith(".wav") if way == "sound" else not name.endswith(".json")


def _place(stem: str, old: Mapping[str, Any], new: Mapping[str, Output]) -> tuple[int, str]:
    places = [int(file["position"]) for name, file in old.items() if name.rpartition(".")[0] == stem]
    places += [one.position for name, one in new.items() if name.rpartition(".")[0] == stem]
    return min(places, default=0), stem


def _numbers(tongue: Tongue, run: StepRun, now: Mapping[str, Any]) -> list[Pair]:
    found = []
    for key, label in NUMBERS.get(run.kind, ()):
        old, new = (_number(tongue, key, outputs.get(key)) for outputs in (run.outputs, now))
        if old or new:
            found.append(Pair(tongue.gettext(label), old or "–", new or "–", old == new))
    return found


def _number(tongue: Tongue, key: str, value: Any) -> str:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return ""
    if key == "size":
        return tongue.size(int(value))
    return tongue.duration(float(value)) if key == "seconds" else tongue.number(value)
