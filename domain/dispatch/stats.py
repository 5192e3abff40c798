"""How long steps take: the ratio of real to guessed seconds per kind and profile, and when a job will be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


async def record_duration(units: Units, kind: str, profile: str, estimate_s: float, actual_s: float) -> None:
    """Learn from a step that ran for `actual_s` where `estimate_s` (a guess times the learned ratio) was expected."""
    if estimate_s <= 0:
        return
    async with units.system("stats") as unit:
        await unit.session.execute(
            upsert(StepStat).values(kind=kind, profile=profile, n=0, ewma_s=1.0).on_conflict_do_nothing()
        )
        row = await unit.session.get(StepStat, (kind, profile), with_for_update=True)
        assert row is not None
        sample = actual_s / estimate_s * ratio(row.ewma_s, row.n)
        row.ewma_s = learned(row.ewma_s, row.n, sample)
        row.n += 1
        row.updated_at = datetime.now(UTC)


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
