"""Stages: the steps of a job gathered by kind, as the pipeline, the strip and the progress line show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.i18n import Tongue
from app.views.marks import Mark, kind_name, order_kinds, stage_state, step_mark
from domain.dispatch.model import Step
from domain.production.queries.jobs import StageCount


@dataclass(frozen=True)
class StripCell:
    """One segment of the small strip in the job list; `said` reads it out."""

    mark: Mark
    said: str


@dataclass(frozen=True)
class Stage:
    """One cell of the pipeline. `done`/`total` are set while there is progress to show."""

    kind: str
    name: str
    mark: Mark
    sub: str
    href: str
    done: int = 0
    total: int = 0


def make_strip(tongue: Tongue, recipe: Sequence[str], counts: Sequence[StageCount]) -> list[StripCell]:
    """Build the strip of a job from counted steps."""
    ordinals: dict[str, int] = {}
    states: dict[str, set[str]] = {}
    for count in counts:
        ordinals[count.kind] = min(count.ordinal, ordinals.get(count.kind, count.ordinal))
        states.setdefault(count.kind, set()).add(count.state)
    cells = []
    for kind in order_kinds(recipe, ordinals):
        mark = step_mark(tongue, stage_state(states.get(kind, ())))
        cells.append(StripCell(mark, f"{kind_name(tongue, kind)} {mark.word}"))
    return cells


def make_stages(tongue: Tongue, recipe: Sequence[str], steps: Sequence[Step], base: str, now: datetime) -> list[Stage]:
    """Build the pipeline of a job."""
    by_kind: dict[str, list[Step]] = {}
    for step in steps:
        by_kind.setdefault(step.kind, []).append(step)
    ordinals = {kind: min(step.ordinal for step in group) for kind, group in by_kind.items()}
    return [_stage(tongue, kind, by_kind.get(kind, []), base, now) for kind in order_kinds(recipe, ordinals)]


def _stage(tongue: Tongue, kind: str, steps: Sequence[Step], base: str, now: datetime) -> Stage:
    counted = [step for step in steps if step.state != "cancelled"] or list(steps)
    state = stage_state(step.state for step in counted)
    mark = step_mark(tongue, state)
    done, total = _progress(counted) if state in ("running", "ready", "delayed") else (0, 0)
    sub = _sub(tongue, kind, state, counted, now)
    return Stage(kind, kind_name(tongue, kind), mark, sub, f"{base}?step={kind}#log", done, total)


def _progress(steps: Sequence[Step]) -> tuple[int, int]:
    """Done and total of a stage, finely where steps report, else by whole steps."""
    if len(steps) == 1:
        return steps[0].done, steps[0].total
    scale = 1000
    parts = [
        scale if step.state == "succeeded" else min(scale, scale * step.done // step.total) if step.total else 0
        for step in steps
    ]
    return sum(parts), scale * len(steps)


def _sub(tongue: Tongue, kind: str, state: str, steps: Sequence[Step], now: datetime) -> str:
    if state == "succeeded":
        if all(step.reused for step in steps):
            return tongue.gettext("reused")
        return tongue.duration(spent_seconds(steps, now))
    if state == "running" or (state in ("ready", "delayed") and any(s.state == "succeeded" for s in steps)):
        return _counted(tongue, kind, steps)
    if state in ("delayed", "held", "waiting_approval", "dead", "cancelled", "ready"):
        return step_mark(tongue, state).word
    return tongue.gettext("waiting")


def _counted(tongue: Tongue, kind: str, steps: Sequence[Step]) -> str:
    if len(steps) > 1:
        done = sum(step.state == "succeeded" for step in steps)
        return _of(tongue, kind, done, len(steps))
    step = steps[0]
    if step.total > 0:
        return _of(tongue, kind, step.done, step.total)
    return tongue.gettext("running")


def _of(tongue: Tongue, kind: str, done: int, total: int) -> str:
    if kind == "narrate":
        return tongue.ngettext("%(done)s of %(num)s sentence", "%(done)s of %(num)s sentences", total, done=done)
    if kind == "illustrate":
        return tongue.ngettext("%(done)s of %(num)s picture", "%(done)s of %(num)s pictures", total, done=done)
    if kind == "render":
        return tongue.ngettext("%(done)s of %(num)s part", "%(done)s of %(num)s parts", total, done=done)
    return f"{100 * done // total} %"


def spent_seconds(steps: Sequence[Step], now: datetime) -> float:
    """From the first start to the last finish of some steps."""
    started = [step.started_at for step in steps if step.started_at is not None]
    if not started:
        return 0.0
    ended = [step.finished_at for step in steps if step.finished_at is not None]
    last = max(ended) if len(ended) == len(steps) else now
    return max(0.0, (last - min(started)).total_seconds())
