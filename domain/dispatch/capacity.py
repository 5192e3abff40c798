"""What the farm's operator decides and reads: pools paused, tiers given, shares, and how many slots are wanted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update

from domain.dispatch.farm import PoolLoad, pool_loads
from domain.dispatch.model import SchedFlow, SchedPool, Step
from domain.dispatch.policy import TIERS
from tenants.model import Tenant
from tenants.principal import Principal
from tenants.unit import Units

LIMITS = (1, 10_000)


class BadOrder(Exception):
    """Raised before anything is written when an order of the operator makes no sense; the text says how to mend it.

    `codes` name what is wrong, for pages that say it in another language.
    """

    def __init__(self, text: str, *codes: str) -> None:
        super().__init__(text)
        self.codes = codes


@dataclass(frozen=True)
class PoolNeed:
    """What a pool needs now. Seconds are estimated seconds of one slot; work that limits hold does not count."""

    pool: str
    eligible: int
    eligible_s: float
    running: int
    running_s: float
    slots: int
    oldest_s: float
    target_wait_s: float
    desired: int
    paused: str = ""
    paused_by: str = ""


def desired_slots(eligible_s: float, running_s: float, target_wait_s: float, eligible: int, running: int) -> int:
    """How many slots clear what may run within the wanted wait: never more than there are steps, 0 without any."""
    wanted = math.ceil((eligible_s + running_s) / max(target_wait_s, 1.0))
    return min(max(wanted, 1 if eligible + running else 0), eligible + running)


async def pool_needs(units: Units) -> dict[str, PoolNeed]:
    """Measure every pool for scaling and for pages."""
    loads = await pool_loads(units)
    async with units.system("capacity") as unit:
        pools = {row.pool: row for row in (await unit.session.execute(select(SchedPool))).scalars()}
        costs = await unit.session.execute(
            select(
                Step.pool,
                func.avg(Step.cost_est).filter(Step.state == "ready"),
                func.extract("epoch", func.clock_timestamp() - func.min(Step.ready_at).filter(Step.state == "ready")),
                func.sum(
                    func.greatest(Step.cost_est - func.extract("epoch", func.clock_timestamp() - Step.started_at), 0)
                ).filter(Step.state == "running"),
            )
            .where(Step.state.in_(("ready", "running")))
            .group_by(Step.pool)
        )
        seen = {pool: (float(cost or 0), float(oldest or 0), float(left or 0)) for pool, cost, oldest, left in costs}
    return {
        pool: _need(pool, loads.get(pool, PoolLoad(0, 0, 0)), pools.get(pool), seen.get(pool, (0.0, 0.0, 0.0)))
        for pool in sorted(loads.keys() | pools.keys())
    }


def _need(pool: str, load: PoolLoad, row: SchedPool | None, seen: tuple[float, float, float]) -> PoolNeed:
    cost, oldest, left = seen
    target = row.target_wait_s if row else 30.0
    paused = (row.paused_reason or "") if row is not None and row.paused_at is not None else ""
    by = (row.paused_by or "") if row is not None and paused else ""
    eligible = 0 if paused else load.eligible
    seconds = eligible * cost
    wanted = desired_slots(seconds, left, target, eligible, load.running)
    return PoolNeed(
        pool, eligible, round(seconds, 3), load.running, round(left, 3), load.slots, oldest, target, wanted, paused, by
    )


@dataclass(frozen=True)
class Share:
    """One tenant's part of a pool, for the farm's operator."""

    pool: str
    slug: str
    tier: str
    weight: float
    ready: int
    running: int
    max_running: int
    lag_s: float


async def shares(units: Units) -> list[Share]:
    """Every tenant's flow; `lag_s` is how far its virtual time is from the pool's clock (below 0 = served next)."""
    async with units.system("capacity") as unit:
        rows = await unit.session.execute(
            select(SchedFlow, Tenant.slug, Tenant.tier, SchedPool.vclock)
            .join(Tenant, Tenant.id == SchedFlow.tenant_id)
            .join(SchedPool, SchedPool.pool == SchedFlow.pool)
            .order_by(SchedFlow.pool, SchedFlow.ready.desc(), Tenant.slug)
        )
        return [
            Share(
                flow.pool,
                slug,
                tier,
                flow.weight,
                flow.ready,
                flow.running,
                flow.max_running,
                round(flow.vtime - clock, 3),
            )
            for flow, slug, tier, clock in rows
        ]


async def pause_pool(units: Units, pool: str, reason: str, by: str) -> None:
    """Start no step in a pool until it is resumed; everybody sees the reason. Raises BadOrder."""
    said = " ".join(reason.split())[:300]
    if not said:
        raise BadOrder("A pause needs a reason that people can read: give --reason.", "reason")
    now: Any = func.clock_timestamp()
    async with units.system("capacity") as unit:
        known = await unit.session.scalar(select(SchedPool.pool).where(SchedPool.pool == pool))
        if known is None:
            raise BadOrder(f"There is no pool “{pool[:60]}”. `vfos queue status` lists them.", "pool")
        values = {"paused_at": now, "paused_reason": said, "paused_by": by[:100]}
        await unit.session.execute(update(SchedPool).where(SchedPool.pool == pool).values(**values))


async def resume_pool(units: Units, pool: str) -> None:
    """Let a paused pool go on. Raises BadOrder."""
    async with units.system("capacity") as unit:
        freed = await unit.session.execute(
            update(SchedPool)
            .where(SchedPool.pool == pool, SchedPool.paused_at.is_not(None))
            .values(paused_at=None, paused_reason=None, paused_by=None)
            .returning(SchedPool.pool)
        )
        if freed.scalar_one_or_none() is None:
            raise BadOrder(f"The pool “{pool[:60]}” is not paused.", "not_paused")


async def set_tier(
    units: Units, slug: str, tier: str, max_running: int | None = None, by: str = "command line"
) -> Mapping[str, Any]:
    """Give a workspace a tier, and a limit of its own if wanted; its flows follow at once. Raises BadOrder.

    The workspace reads in its audit trail who did it.
    """
    low, high = LIMITS
    faults, codes = [], []
    if tier not in TIERS:
        codes.append("tier")
        faults.append(f"There is no tier “{tier[:40]}”: use one of {', '.join(TIERS)}.")
    if max_running is not None and not low <= max_running <= high:
        codes.append("limit")
        faults.append(f"The limit {max_running} makes no sense: give {low} to {high} steps at once.")
    if faults:
        raise BadOrder(" ".join(faults), *codes)
    chosen = TIERS[tier]
    limit = max_running or chosen.max_running
    async with units.system("capacity") as unit:
        found = await unit.session.execute(
            update(Tenant)
            .where(Tenant.slug == slug)
            .values(tier=tier, weight=chosen.weight, max_running=limit)
            .returning(Tenant.id)
        )
        tenant_id = found.scalar_one_or_none()
        if tenant_id is None:
            raise BadOrder(f"There is no workspace “{slug[:60]}”.", "workspace")
        share = {"weight": chosen.weight, "max_running": limit, "boost_s": chosen.boost_s}
        await unit.session.execute(update(SchedFlow).where(SchedFlow.tenant_id == tenant_id).values(**share))
        operator = Principal(tenant_id=tenant_id, kind="system", role="owner", name=by[:100])
        unit.audit(operator, "workspace.tier", "tenant", tenant_id, tier=tier, max_running=limit)
    return {"workspace": slug, "tier": tier, "weight": chosen.weight, "max_running": limit}
