"""The steps of a job on a true time axis: waiting hatched, attempts as bars, the critical path marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.i18n import Tongue
from app.views.gate import step_address
from app.views.marks import Mark, kind_name, part_name, step_mark
from domain.dispatch.model import Attempt, Step
from domain.production.queries.job import Tries

WIDTH = 100
OUTCOMES = {"succeeded": "ok", "done": "ok", "released": "idle", "cancelled": "idle"}
"""How an attempt that has ended is coloured; any other outcome is a failure."""
TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400)


@dataclass(frozen=True)
class Bar:
    """A stretch of time, in hundredths of the axis; `st` colours it, `wait` hatches it."""

    x: float
    width: float
    st: str
    wait: bool
    said: str


@dataclass(frozen=True)
class StepRow:
    name: str
    shard: str
    mark: Mark
    bars: tuple[Bar, ...]
    attempts: int
    waited: str
    took: str
    critical: bool
    reused: bool
    error: str
    href: str


@dataclass(frozen=True)
class Waterfall:
    rows: tuple[StepRow, ...]
    ticks: tuple[tuple[float, str], ...]
    length: str


def make_waterfall(tongue: Tongue, steps: Sequence[Step], tries: Tries, base: str, now: datetime) -> Waterfall:
    """Build the waterfall from a job's steps and attempts."""
    start, end = _span(steps, now)
    path = critical_path(steps, tries.needs)
    rows = [
        _row(tongue, step, tries.attempts.get(step.id, ()), step.id in path, start, end, base, now) for step in steps
    ]
    seconds = (end - start).total_seconds()
    return Waterfall(tuple(rows), _ticks(tongue, seconds), tongue.duration(seconds))


def _span(steps: Sequence[Step], now: datetime) -> tuple[datetime, datetime]:
    begun = [m for step in steps for m in (step.ready_at, step.started_at) if m is not None]
    start = min(begun, default=now)
    going = any(step.state == "running" for step in steps)
    ends = [step.finished_at for step in steps if step.finished_at is not None]
    end = now if going or not ends else max(ends)
    return start, max(end, start + timedelta(seconds=1))


def critical_path(steps: Sequence[Step], needs: Mapping[UUID, Sequence[UUID]]) -> frozenset[UUID]:
    """The chain of steps that decided when the job ended: back from the last one over what ended latest."""
    ended = {step.id: step.finished_at for step in steps if step.finished_at is not None}
    if not ended:
        return frozenset()
    current: UUID | None = max(ended, key=lambda key: ended[key])
    path: set[UUID] = set()
    while current is not None and current not in path:
        path.add(current)
        before = [key for key in needs.get(current, ()) if key in ended]
        current = max(before, key=lambda key: ended[key]) if before else None
    return frozenset(path)


def _row(
    tongue: Tongue,
    step: Step,
    attempts: Sequence[Attempt],
    critical: bool,
    start: datetime,
    end: datetime,
    base: str,
    now: datetime,
) -> StepRow:
    scale = WIDTH / (end - start).total_seconds()

    def bar(first: datetime, last: datetime, st: str, wait: bool, said: str) -> Bar:
        x = max(0.0, (first - start).total_seconds() * scale)
        return Bar(round(x, 2), round(max(0.3, (last - first).total_seconds() * scale), 2), st, wait, said)

    bars: list[Bar] = []
    waited = 0.0
    first = attempts[0].started_at if attempts else step.started_at
    if step.ready_at is not None and (first is not None or step.state in ("ready", "held")):
        until = first or now
        if until > step.ready_at:
            waited = (until - step.ready_at).total_seconds()
            bars.append(bar(step.ready_at, until, "idle", True, tongue.gettext("in the queue")))
    for attempt in attempts:
        ended = attempt.ended_at or step.finished_at or now
        bars.append(bar(attempt.started_at, ended, _colour(step, attempt), False, _told(tongue, attempt)))
    if not attempts and step.started_at is not None:
        mark = step_mark(tongue, step.state)
        bars.append(bar(step.started_at, step.finished_at or now, mark.st, False, mark.word))
    return StepRow(
        name=kind_name(tongue, step.kind),
        shard=part_name(tongue, step.shard),
        mark=step_mark(tongue, step.state),
        bars=tuple(bars),
        attempts=step.attempt,
        waited=tongue.duration(waited) if waited >= 0.05 else "",
        took=_took(tongue, step, now),
        critical=critical,
        reused=step.reused,
        error=_error(step),
        href=f"{base}/step/{step_address(step)}",
    )


def _took(tongue: Tongue, step: Step, now: datetime) -> str:
    if step.started_at is None:
        return ""
    until = step.finished_at or (now if step.state == "running" else step.started_at)
    return tongue.duration((until - step.started_at).total_seconds())


def _error(step: Step) -> str:
    error = step.error or {}
    return str(error.get("sentence") or error.get("message") or "")


def _colour(step: Step, attempt: Attempt) -> str:
    if attempt.ended_at is None:
        return "run" if step.state == "running" else "ok"
    return (
        "ok" if attempt.outcome in (None, "succeeded", "done") else "bad" if attempt.outcome != "released" else "idle"
    )


def _told(tongue: Tongue, attempt: Attempt) -> str:
    return tongue.gettext("attempt %(number)s", number=attempt.number)


def _ticks(tongue: Tongue, seconds: float) -> tuple[tuple[float, str], ...]:
    """Marks of the axis: at most eight, at round times."""
    every = next((tick for tick in TICKS if seconds / tick <= 8), TICKS[-1])
    count = int(seconds // every)
    return tuple((round(n * every / seconds * WIDTH, 2), tongue.clock(n * every)) for n in range(count + 1))
