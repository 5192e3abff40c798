"""How long steps take: the ratio of real to guessed seconds per kind and profile, and when a job will be done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.dispatch.model import StepStat
from tenants.unit import Units

ALPHA = 0.2
"""Weight of the newest sample in the moving average."""

PRIOR_SAMPLES = 5
"""Until there are this many samples the guess itself counts as the missing ones."""


def learned(before: float, n: int, sample: float) -> float:
    """The moving average of ratios after one more sample; the first few are averaged evenly."""
    weight = max(ALPHA, 1.0 / (n + 1))
    return before + weight * (sample - before)


def ratio(ewma: float, n: int) -> float:
    """The factor to multiply a guess by: 1 with no samples, the average with enough of them."""
    trust = min(n, PRIOR_SAMPLES) / PRIOR_SAMPLES
    return 1.0 + trust * (ewma - 1.0)


@dataclass(frozen=True)
class Sample:
    """A step that ran for `actual_s` where its kind had guessed `guess_s`, before anything learnt was applied."""

    kind: str
    profile: str
    guess_s: float
    actual_s: float


class Lessons:
    """Gathers samples of one process, so that they are written some at once. For one event loop."""

    def __init__(self, most: int = 20, every_s: float = 2.0, now: Callable[[], float] = time.monotonic) -> None:
        self._most, self._every_s, self._now = most, every_s, now
        self._waiting: list[Sample] = []
        self._due = now()

    def add(self, sample: Sample) -> list[Sample]:
        """Take one more; answer those that should be written now."""
        self._waiting.append(sample)
        if len(self._waiting) < self._most and self._now() < self._due:
            return []
        due, self._waiting = self._waiting, []
        self._due = self._now() + self._every_s
        return due


async def record_durations(units: Units, samples: Sequence[Sample]) -> None:
    """Learn from steps that have run, in their order; kinds that guess nothing are left out."""
    by_row: dict[tuple[str, str], list[float]] = {}
    for sample in samples:
        if sample.guess_s > 0:
            by_row.setdefault((sample.kind, sample.profile), []).append(sample.actual_s / sample.guess_s)
    async with units.system("stats") as unit:
        # Rows are locked in one order by everybody.
        for (kind, profile), found in sorted(by_row.items()):
            await unit.session.execute(
                upsert(StepStat).values(kind=kind, profile=profile, n=0, ewma_s=1.0).on_conflict_do_nothing()
            )
            row = await unit.session.get(StepStat, (kind, profile), with_for_update=True)
            assert row is not None
            for one in found:
                off = abs(one / max(row.ewma_s, 1e-6) - 1.0)
                row.spread = learned(row.spread, max(row.n - 1, 0), off) if row.n else 0.0
                row.ewma_s = learned(row.ewma_s, row.n, one)
                row.n += 1
            row.updated_at = datetime.now(UTC)


PRIOR_SPREAD = 0.6
"""How far off a guess is taken to be before anything is known: p90 = p50 × (1 + this)."""
TAIL = 1.65
"""From the mean deviation to the ninth tenth of what can happen."""


def caution(spread: float, n: int) -> float:
    """The factor from the middle estimate to the cautious one: learnt deviation, blended with a prior at first."""
    trust = min(n, PRIOR_SAMPLES) / PRIOR_SAMPLES
    return 1.0 + (1.0 - trust) * PRIOR_SPREAD + trust * min(max(TAIL * spread, 0.1), 2.0)


async def cautions(session: AsyncSession) -> dict[str, float]:
    """The factor of each kind, over all profiles."""
    rows = await session.execute(select(StepStat))
    found: dict[str, list[float]] = {}
    for row in rows.scalars():
        found.setdefault(row.kind, []).append(caution(row.spread, row.n))
    return {kind: max(factors) for kind, factors in found.items()}


async def ratios(session: AsyncSession, profile: str) -> dict[str, float]:
    """The learned factors of a profile by step kind."""
    rows = await session.execute(select(StepStat).where(StepStat.profile == profile))
    return {row.kind: ratio(row.ewma_s, row.n) for row in rows.scalars()}


@dataclass(frozen=True)
class Remaining:
    """A step that is not done: its estimate in seconds, the share already done (0..1), and what it waits for."""

    id: str
    seconds: float
    done: float = 0.0
    needs: Sequence[str] = ()


@dataclass(frozen=True)
class Worked:
    """Work of one kind as it has gone in this job: estimated seconds of what is done, and what they really took."""

    estimated: float
    took: float


def pace(worked: Sequence[Worked], trust_s: float = 5.0) -> float:
    """The factor by which this job's steps of a kind run slower than thought; 1 before anything is known.

    `trust_s`: seconds of work after which what is seen weighs as much as what was thought.
    """
    estimated, took = sum(one.estimated for one in worked), sum(one.took for one in worked)
    if estimated <= 0 or took <= 0:
        return 1.0
    weight = took / (took + trust_s)
    return float((took / estimated) ** weight)


def seconds_left(steps: Sequence[Remaining], slots: int) -> float:
    """Estimate wall seconds until all steps are done on `slots` slots: the longer of chain and total work ÷ slots."""
    left = {step.id: step.seconds * (1.0 - min(max(step.done, 0.0), 1.0)) for step in steps}
    ends: dict[str, float] = {}
    needs: Mapping[str, Sequence[str]] = {step.id: step.needs for step in steps}

    def end(step_id: str) -> float:
        if step_id not in ends:
            before = max((end(need) for need in needs[step_id] if need in left), default=0.0)
            ends[step_id] = before + left[step_id]
        return ends[step_id]

    chain = max((end(step.id) for step in steps), default=0.0)
    return max(chain, sum(left.values()) / max(slots, 1))
