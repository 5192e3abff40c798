"""The farm in rows: pools with their needs, workers with their steps, shares of the workspaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.i18n import Tongue
from app.views.marks import Mark, kind_name, part_name
from app.views.queue import worker_mark
from app.views.waiting import pool_word, say_pause
from domain.dispatch.capacity import PoolNeed, Share
from domain.dispatch.crew import Hand, PoolCount
from domain.dispatch.policy import TIERS
from domain.insight.farm import FarmNumbers


@dataclass(frozen=True)
class PoolCard:
    pool: str
    name: str
    ready: str
    running: str
    oldest: str
    hour: str
    delayed: str
    dead: str
    wanted: str
    paused: str


@dataclass(frozen=True)
class HandRow:
    name: str
    mark: Mark
    about: str
    seen_at: datetime
    seen: str
    steps: tuple[str, ...]
    may_drain: bool


@dataclass(frozen=True)
class PartRow:
    """A workspace's part of a pool. `share` of the pool's running steps."""

    pool: str
    ready: str
    running: str
    share: str
    next: str


@dataclass(frozen=True)
class TenantRow:
    slug: str
    tier: str
    weight: str
    limit: int
    own_limit: bool
    parts: tuple[PartRow, ...]


@dataclass(frozen=True)
class Farm:
    """The page."""

    pools: tuple[PoolCard, ...]
    workers: tuple[HandRow, ...]
    tenants: tuple[TenantRow, ...]
    tiers: tuple[tuple[str, str], ...]
    forecast: str


def make_farm(
    tongue: Tongue, seen: FarmNumbers, workers: Sequence[Hand], parts: Sequence[Share], now: datetime
) -> Farm:
    """Build the page from one reading."""
    return Farm(
        pools=tuple(
            _pool(tongue, need, seen.counts.get(need.pool, PoolCount())) for need in seen.needs.values()
        ),
        workers=tuple(_hand(tongue, hand, now) for hand in workers),
        tenants=tuple(_tenants(tongue, parts)),
        tiers=tuple((name, tongue.gettext("%(tier)s: weight %(weight)s, %(limit)s steps at once", tier=name,
                                          weight=tier.weight, limit=tier.max_running)) for name, tier in TIERS.items()),
        forecast=_forecast(tongue, seen),
    )  # fmt: skip


def _pool(tongue: Tongue, need: PoolNeed, count: PoolCount) -> PoolCard:
    return PoolCard(
        pool=need.pool,
        name=pool_word(need.pool),
        ready=tongue.number(count.ready),
        running=tongue.gettext("%(running)s of %(limit)s", running=need.running, limit=need.slots),
        oldest=tongue.rough(need.oldest_s) if count.ready else "–",
        hour=tongue.number(count.hour),
        delayed=tongue.number(count.delayed),
        dead=tongue.number(count.dead),
        wanted=tongue.ngettext("%(num)s slot wanted", "%(num)s slots wanted", need.desired),
        paused=say_pause(tongue, "pool", need.paused, need.paused_by, need.pool) if need.paused else "",
    )


def _hand(tongue: Tongue, hand: Hand, now: datetime) -> HandRow:
    memory = tongue.size(hand.memory) if hand.memory else tongue.gettext("unknown")
    return HandRow(
        name=hand.name,
        mark=worker_mark(tongue, hand.state, timedelta(seconds=hand.silent_s)),
        about=tongue.gettext("%(pools)s · memory %(memory)s", pools=", ".join(hand.pools), memory=memory),
        seen_at=hand.seen_at,
        seen=tongue.moment(hand.seen_at, now),
        steps=tuple(_at_work(tongue, step.workspace, step.kind, step.shard) for step in hand.steps),
        may_drain=hand.state == "active",
    )


def _at_work(tongue: Tongue, workspace: str, kind: str, shard: str) -> str:
    step = f"{kind_name(tongue, kind)} {part_name(tongue, shard)}".strip()
    return tongue.gettext("%(step)s for %(workspace)s", step=step, workspace=workspace)


def _tenants(tongue: Tongue, parts: Sequence[Share]) -> list[TenantRow]:
    """Busy workspaces first, then by name; a workspace that has never had a step is not among them."""
    running: dict[str, int] = {}
    grouped: dict[str, list[Share]] = {}
    for part in parts:
        running[part.pool] = running.get(part.pool, 0) + part.running
        grouped.setdefault(part.slug, []).append(part)
    order = sorted(grouped, key=lambda slug: (-sum(part.ready + part.running for part in grouped[slug]), slug))
    return [_tenant(tongue, slug, grouped[slug], running) for slug in order]


def _tenant(tongue: Tongue, slug: str, parts: Sequence[Share], running: dict[str, int]) -> TenantRow:
    first = parts[0]
    usual = TIERS[first.tier].max_running if first.tier in TIERS else 0
    return TenantRow(
        slug=slug,
        tier=first.tier,
        weight=tongue.number(first.weight, 1),
        limit=first.max_running,
        own_limit=first.max_running != usual,
        parts=tuple(
            PartRow(
                pool=pool_word(part.pool),
                ready=tongue.number(part.ready),
                running=tongue.gettext("%(running)s of %(limit)s", running=part.running, limit=part.max_running),
                share=f"{tongue.number(100 * part.running / running[part.pool])} %" if running[part.pool] else "–",
                next=f"{tongue.number(part.lag_s, 1)} s",
            )
            for part in sorted(parts, key=lambda part: part.pool)
        ),
    )


def _forecast(tongue: Tongue, seen: FarmNumbers) -> str:
    if not seen.truth.jobs:
        return tongue.gettext("No job has finished yet, so nothing can be said about how true forecasts are.")
    return tongue.ngettext(
        "Of the last %(num)s finished job, %(share)s ended within the time foreseen as very likely; the usual "
        "estimate was off by %(error)s.",
        "Of the last %(num)s finished jobs, %(share)s ended within the time foreseen as very likely; the usual "
        "estimate was off by %(error)s.",
        seen.truth.jobs,
        share=f"{tongue.number(100 * seen.truth.before_p90)} %",
        error=f"{tongue.number(100 * seen.truth.median_error)} %",
    )
