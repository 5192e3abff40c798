"""When jobs will be done: the line run forward over their steps, as far as it is known. Pure; seconds from now.

Tenants take turns by their weights, jobs of a tenant by level and age, steps when what they need is done. Real waiting
depends on what is ordered later; how far off forecasts were is learnt from jobs that have ended.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from domain.dispatch.stats import Remaining

MOST = 5000
"""So many steps are played through; beyond that, jobs are taken to follow each other evenly."""


@dataclass(frozen=True)
class Awaited:
    """A job that is not done: its place inside its tenant (`order`), and what is left of it."""

    id: UUID
    tenant_id: UUID
    order: tuple[int, int]
    steps: Sequence[Remaining]
    weight: float = 1.0
    limit: int = 1_000_000


@dataclass
class _Table:
    """The state of the play."""

    now: float = 0.0
    ready: dict[UUID, list[tuple[tuple[int, int], int, Remaining, UUID]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    turns: dict[UUID, float] = field(default_factory=lambda: defaultdict(float))
    at_work: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    ends: list[tuple[float, int, Remaining, UUID]] = field(default_factory=list)
    number: int = 0


def foresee(jobs: Sequence[Awaited], slots: int) -> dict[UUID, float]:
    """Answer after how many seconds each job is done."""
    table, by_id = _Table(), {job.id: job for job in jobs}
    left = {job.id: len(job.steps) for job in jobs}
    done = {job.id: 0.0 for job in jobs if not job.steps}
    waits = {job.id: _waits(job) for job in jobs}
    below = {job.id: _below(job) for job in jobs}
    for job in jobs:
        for step in job.steps:
            if not waits[job.id][step.id]:
                _offer(table, job, step)
    played = 0
    while played < MOST and (table.ready or table.ends):
        _start(table, by_id, max(1, slots))
        if not table.ends:
            break
        table.now, _, step, job_id = heapq.heappop(table.ends)
        job = by_id[job_id]
        played, table.at_work[job.tenant_id] = played + 1, table.at_work[job.tenant_id] - 1
        left[job_id] -= 1
        if not left[job_id]:
            done[job_id] = table.now
        for waiting in below[job_id][step.id]:
            waits[job_id][waiting.id] -= 1
            if not waits[job_id][waiting.id]:
                _offer(table, job, waiting)
    return {**_rest(jobs, done, table.now, max(1, slots)), **done}


def _waits(job: Awaited) -> dict[str, int]:
    here = {step.id for step in job.steps}
    return {step.id: sum(need in here for need in set(step.needs)) for step in job.steps}


def _below(job: Awaited) -> dict[str, list[Remaining]]:
    found: dict[str, list[Remaining]] = {step.id: [] for step in job.steps}
    for step in job.steps:
        for need in set(step.needs):
            if need in found:
                found[need].append(step)
    return found


def _seconds(step: Remaining) -> float:
    return step.seconds * (1.0 - min(max(step.done, 0.0), 1.0))


def _offer(table: _Table, job: Awaited, step: Remaining) -> None:
    table.number += 1
    # What has begun is not put back into the line.
    order = (-(10**9), 0) if step.done > 0 else job.order
    heapq.heappush(table.ready[job.tenant_id], (order, table.number, step, job.id))


def _start(table: _Table, jobs: dict[UUID, Awaited], slots: int) -> None:
    """Fill the free slots, the tenant with the least served first."""
    while len(table.ends) < slots:
        able = [
            tenant for tenant, line in table.ready.items() if line and table.at_work[tenant] < jobs[line[0][3]].limit
        ]
        if not able:
            return
        tenant = min(able, key=lambda one: (table.turns[one], one))
        _, number, step, job_id = heapq.heappop(table.ready[tenant])
        table.turns[tenant] += _seconds(step) / jobs[job_id].weight
        table.at_work[tenant] += 1
        heapq.heappush(table.ends, (table.now + _seconds(step), number, step, job_id))


def _rest(jobs: Sequence[Awaited], done: dict[UUID, float], now: float, slots: int) -> dict[UUID, float]:
    """Jobs that were not played to their end follow each other, all slots on one after the other."""
    found = {}
    for job in sorted((job for job in jobs if job.id not in done), key=lambda job: job.order):
        now += sum(map(_seconds, job.steps)) / slots
        found[job.id] = now
    return found
