"""Who runs next: start-time fair queueing between tenants, decided without I/O.

Each tenant's flow in a pool has a virtual time in weighted seconds. The flow with the lowest start tag runs next and
is charged cost ÷ weight. The pool's virtual clock follows the start tags served, so an idle flow saves up no credit
and a backlogged one is forgiven no debt. Times are seconds; weights are relative (free 1, pro 3, business 8).
After: P. Goyal, H. Vin, H. Cheng, "Start-time Fair Queueing", SIGCOMM 1996.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

CREDIT_S = 30.0
"""How far below the pool's clock a start tag may lie: the credit kept after an over-estimated step."""

AGING_S = 300.0
"""Waiting this long is worth one level of priority inside a tenant."""

PRIORITIES: Mapping[str, int] = {"urgent": -1, "standard": 0, "batch": 1}
"""What people call the levels inside a tenant; lower runs first. Between tenants they mean nothing."""


@dataclass(frozen=True)
class Tier:
    """What a tenant has by its plan: weight of its share, steps at once, and head start when it wakes (seconds)."""

    weight: int
    max_running: int
    boost_s: float = 0.0


TIERS: Mapping[str, Tier] = {"free": Tier(1, 4), "pro": Tier(3, 12, 5.0), "business": Tier(8, 32, 10.0)}


@dataclass(frozen=True)
class Flow:
    """One tenant's share in a pool, with the tenant's own limits. `oldest` is a time stamp in seconds."""

    tenant_id: UUID
    weight: float
    max_running: int
    ready: int
    running: int
    vtime: float
    oldest: float = 0.0
    paused: bool = False
    tenant_running: int = 0
    tenant_cap: int = 1_000_000


def eligible(flow: Flow) -> bool:
    """Answer whether limits and pauses let the flow start a step now."""
    return (
        flow.ready > 0 and not flow.paused and flow.running < flow.max_running and flow.tenant_running < flow.tenant_cap
    )


def start_tag(vtime: float, vclock: float, credit: float = CREDIT_S) -> float:
    """The virtual time at which a flow's next step begins."""
    return max(vtime, vclock - credit)


def ranked(flows: Iterable[Flow], vclock: float, credit: float = CREDIT_S) -> list[Flow]:
    """Eligible flows, the one to serve first at the front; ties go to the longest wait."""
    return sorted(
        filter(eligible, flows), key=lambda flow: (start_tag(flow.vtime, vclock, credit), flow.oldest, flow.tenant_id)
    )


def charged(start: float, cost: float, weight: float) -> float:
    """Virtual time of a flow after a step of `cost` seconds began at `start`."""
    return start + max(cost, 0.0) / weight


def advanced(vclock: float, start: float) -> float:
    """The pool's clock after a step with this start tag; it never runs back."""
    return max(vclock, start)


def woken(vtime: float, vclock: float, boost: float = 0.0) -> float:
    """Virtual time of a flow whose first step becomes ready, or that was capped and reopens (without boost).

    A head start cannot be collected: it is had again only once the pool's clock has moved on by as much.
    """
    return max(vtime, vclock - boost)


def corrected(vtime: float, actual: float, estimate: float, weight: float) -> float:
    """Virtual time after a step took `actual` instead of `estimate` seconds."""
    return vtime + (actual - estimate) / weight


@dataclass(frozen=True)
class Waiting:
    """A step that is ready: `waited` seconds, `order` its place inside its level (job, step)."""

    priority: int
    waited: float
    order: tuple[int, int]


def first_of(heads: Iterable[Waiting], aging: float = AGING_S) -> Waiting | None:
    """The step of a tenant to run next, out of the first of each level."""
    return min(heads, key=lambda one: (effective_priority(one.priority, one.waited, aging), one.order), default=None)


def effective_priority(priority: int, waited: float, aging: float = AGING_S) -> int:
    """Priority inside a tenant (lower runs first); waiting makes everything more urgent."""
    return priority - int(max(waited, 0.0) // aging)


def tickets_wanted(eligible_steps: int, free_slots: int, tickets_waiting: int) -> int:
    """How many wake-ups to add to a pool: one more than free slots, so that a slot freed meanwhile finds one."""
    return max(0, min(eligible_steps, free_slots + 1) - tickets_waiting)
