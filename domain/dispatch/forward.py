"""The line run forward on paper: when would each waiting step start, and how many are served before it?

The same decisions as the claim (domain/dispatch/policy.py) over a virtual clock, without I/O. Times in seconds.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.dispatch.policy import CREDIT_S, Flow, advanced, charged, eligible, start_tag

MOST_TURNS = 3000
"""Further ahead nobody is told a place, only that many are before them."""


@dataclass(frozen=True)
class Line:
    """One flow as it stands: `cost` estimated seconds of each waiting step; `ends` when its running steps will end."""

    flow: Flow
    cost: float
    ends: tuple[float, ...] = ()


@dataclass(frozen=True)
class Turn:
    """A start foreseen: after `at` seconds, as number `before` (from 0) of all that start from now on."""

    at: float
    before: int


def run_forward(lines: Iterable[Line], vclock: float, slots: int, most: int = MOST_TURNS) -> dict[UUID, list[Turn]]:
    """Answer the turns of every flow's waiting steps, in their order; a flow that limits hold for ever has none."""
    flows = {line.flow.tenant_id: line.flow for line in lines}
    costs = {line.flow.tenant_id: max(line.cost, 0.001) for line in lines}
    busy: list[tuple[float, UUID]] = sorted((end, line.flow.tenant_id) for line in lines for end in line.ends)
    heapq.heapify(busy)
    turns: dict[UUID, list[Turn]] = {tenant: [] for tenant in flows}
    now, started = 0.0, 0
    while started < most:
        best = _best(flows.values(), vclock) if len(busy) < slots else None
        if best is None:
            if not busy:
                break
            now, tenant = heapq.heappop(busy)
            flows[tenant] = _gave_back(flows[tenant])
            continue
        start = start_tag(best.vtime, vclock)
        vclock = advanced(vclock, start)
        turns[best.tenant_id].append(Turn(now, started))
        flows[best.tenant_id] = _took(best, charged(start, costs[best.tenant_id], best.weight))
        heapq.heappush(busy, (now + costs[best.tenant_id], best.tenant_id))
        started += 1
    return turns


def _best(flows: Iterable[Flow], vclock: float) -> Flow | None:
    return min(
        (flow for flow in flows if eligible(flow)),
        key=lambda flow: (start_tag(flow.vtime, vclock, CREDIT_S), flow.oldest, flow.tenant_id),
        default=None,
    )


def _took(flow: Flow, vtime: float) -> Flow:
    return replace(
        flow, ready=flow.ready - 1, running=flow.running + 1, tenant_running=flow.tenant_running + 1, vtime=vtime
    )


def _gave_back(flow: Flow) -> Flow:
    return replace(flow, running=max(0, flow.running - 1), tenant_running=max(0, flow.tenant_running - 1))


def jain(values: Sequence[float]) -> float:
    """How even values are: 1 when all are equal, 1/n when one has everything (R. Jain, 1984)."""
    total, squares = sum(values), sum(value * value for value in values)
    return 1.0 if squares == 0 else total * total / (len(values) * squares)
