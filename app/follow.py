"""Follows one job on the terminal: how far it is, how fast it goes, how long it will take."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.console import Console, Pace, drawn_bar, span
from domain.dispatch.model import Step
from domain.production.model import Job
from tenants.outage import is_away
from tenants.principal import worker_principal
from tenants.unit import Units

LOOK_SECONDS = 0.4
AWAY_SECONDS = 30.0
"""A database that is away for longer than this is not waited for."""
OPEN_STATES = frozenset({"draft", "queued", "running", "cancelling"})
"""States in which watching on makes sense; in the others the job is done or waits for a person."""
STAGES: dict[str, float] = {
    "script": 3,
    "narrate": 8,
    "illustrate": 10,
    "compose": 2,
    "render": 60,
    "mux": 7,
    "check": 8,
    "package": 2,
}
"""Step kinds in order with their usual share of the time, so that progress does not jump when steps are added."""
THINGS = {"narrate": "sentences", "illustrate": "pictures", "render": "frames"}


@dataclass(frozen=True)
class JobRef:
    """Which job of which tenant."""

    tenant_id: UUID
    job_id: UUID


@dataclass(frozen=True)
class StepView:
    """What progress is computed from."""

    kind: str
    state: str
    done: int
    total: int
    cost: float
    stage: str = ""
    reused: bool = False


@dataclass(frozen=True)
class Snapshot:
    """A job at one moment; `seconds` it has taken so far."""

    number: int
    title: str
    state: str
    error: dict[str, Any] | None
    seconds: float
    steps: tuple[StepView, ...]
    waiting: Mapping[str, Any] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return self.state in OPEN_STATES


def fraction(steps: Sequence[StepView]) -> float:
    """How much of the job is done, 0 to 1, by usual shares of the kinds and costs inside a kind."""
    reached = sum(
        share * kind_fraction([step for step in steps if step.kind == kind]) for kind, share in STAGES.items()
    )
    return reached / sum(STAGES.values())


def kind_fraction(steps: Sequence[StepView]) -> float:
    """How much of one kind's steps is done; 0 when there is none yet."""
    cost = sum(step.cost for step in steps)
    return sum(step.cost * step_fraction(step) for step in steps) / cost if cost else 0.0


def step_fraction(step: StepView) -> float:
    """How much of one step is done."""
    if step.state == "succeeded":
        return 1.0
    return min(step.done / step.total, 1.0) if step.total and step.state == "running" else 0.0


def current_kind(steps: Sequence[StepView]) -> str:
    """The kind that is being worked on: the first in order with a running step, else with any unfinished one."""
    for wanted in (("running",), ("ready", "delayed", "blocked", "held", "waiting_approval", "dead")):
        for kind in STAGES:
            if any(step.kind == kind and step.state in wanted for step in steps):
                return kind
    return ""


def count_of(kind: str, steps: Sequence[StepView]) -> tuple[int, int]:
    """Things done and in all of one kind: frames of the segments, or steps where they count nothing."""
    mine = [step for step in steps if step.kind == kind and step.stage != "samples"]
    if kind in THINGS and any(step.total for step in mine):
        return sum(step.done for step in mine), sum(step.total for step in mine)
    return sum(step.state == "succeeded" for step in mine), len(mine)


def held_by(snapshot: Snapshot) -> str:
    """Why nothing goes on, in words, when it is no matter of time; empty while a step runs or its turn will come."""
    waiting = snapshot.waiting
    if any(step.state == "running" for step in snapshot.steps):
        return ""
    if waiting.get("code") == "no_worker":
        return f"waits for a worker with {waiting['pool']}"
    held = HOLDS.get(waiting.get("code", ""))
    return f"{held} is paused: {waiting['reason']}" if held else ""


HOLDS = {"workspace_paused": "the workspace", "project_paused": "the project", "pool_paused": "the pool"}
"""What a pause of each code has stopped."""


@dataclass
class Meter:
    """Turns snapshots into lines: bar, stage, count, rate, time left."""

    pace: Pace = field(default_factory=Pace)
    _kind: str = ""
    _since: tuple[float, int] = (0.0, 0)

    def line(self, snapshot: Snapshot, now: float, *, plain: bool = False) -> str:
        """The progress line at steady time `now`."""
        part = self.pace.fraction = max(self.pace.fraction, fraction(snapshot.steps))
        kind = current_kind(snapshot.steps)
        words = [f"{drawn_bar(part, plain=plain)} {part:>4.0%}", f"#{snapshot.number}", kind or snapshot.state]
        if kind:
            words += self._counted(kind, snapshot, now)
        left = self.pace.left(part, now)
        foreseen = "estimating" if left is None else f"about {span(left)} left"
        words.append(held_by(snapshot) or foreseen)
        return " · ".join(word for word in words if word)

    def _counted(self, kind: str, snapshot: Snapshot, now: float) -> list[str]:
        done, total = count_of(kind, snapshot.steps)
        if kind != self._kind:
            self._kind, self._since = kind, (now, done)
        begun, before = self._since
        words = [f"{done}/{total}"] if total > 1 else []
        if kind in THINGS and now - begun > 1 and done > before:
            words.append(f"{(done - before) / (now - begun):.1f} {THINGS[kind]}/s")
        return words


async def look(units: Units, ref: JobRef) -> Snapshot | None:
    """The job as it is now; None when there is no such job."""
    async with units.open(worker_principal(ref.tenant_id)) as unit:
        job = await unit.session.get(Job, (ref.tenant_id, ref.job_id))
        if job is None:
            return None
        steps = (await unit.session.scalars(select(Step).where(Step.job_id == ref.job_id).order_by(Step.ordinal))).all()
        return Snapshot(
            number=job.number,
            title=job.title,
            state=job.state,
            error=job.error,
            seconds=_taken(job),
            steps=tuple(_view(step) for step in steps),
            waiting=job.waiting or {},
        )


def _taken(job: Job) -> float:
    if job.started_at is None:
        return 0.0
    return ((job.finished_at or datetime.now(UTC)) - job.started_at).total_seconds()


def _view(step: Step) -> StepView:
    return StepView(step.kind, step.state, step.done, step.total, step.cost_est, step.stage, step.reused)


async def look_patiently(units: Units, ref: JobRef, console: Console, stop: asyncio.Event) -> Snapshot | None:
    """The same; a database that is away for a moment is waited for. Raises what it said last when it stays away."""
    until = time.monotonic() + AWAY_SECONDS
    while True:
        try:
            return await look(units, ref)
        except Exception as error:
            if not is_away(error) or time.monotonic() > until or stop.is_set():
                raise
        console.bar("waiting for the database · the job goes on by itself")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_SECONDS)


async def follow(units: Units, ref: JobRef, console: Console, *, stop: asyncio.Event) -> Snapshot | None:
    """Show the job's progress until it needs nothing more from the factory, or `stop` is set; answer its last state.

    On a terminal a bar is redrawn; elsewhere a line is written whenever the stage changes. None: there is no such job.
    """
    meter, told = Meter(), ""
    snapshot = await look_patiently(units, ref, console, stop)
    while snapshot is not None and snapshot.open and not stop.is_set():
        line = meter.line(snapshot, time.monotonic(), plain=not console.unicode)
        console.bar(line)
        kind = current_kind(snapshot.steps)
        if not console.terminal and kind != told:
            told = kind
            console.say(line)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
        snapshot = await look_patiently(units, ref, console, stop)
    console.end_bar()
    return snapshot
