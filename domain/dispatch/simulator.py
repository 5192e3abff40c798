"""A farm on paper: the real policy over a virtual clock, to see waits and shares of a scenario before it happens.

A scenario is a small document (docs/operations.md, "Simulating a farm"); the same one always gives the same answer.
"""

from __future__ import annotations

import heapq
import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.dispatch.forward import jain
from domain.dispatch.policy import (
    PRIORITIES,
    TIERS,
    Flow,
    Waiting,
    advanced,
    charged,
    corrected,
    first_of,
    ranked,
    start_tag,
    woken,
)


class Part(BaseModel):
    """Base of a scenario's parts: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Load(Part):
    """Steps that a tenant brings: `count` from second `at`, one every `every` seconds (0 = all at once).

    `seconds` is what each takes, give or take `spread` (share); `estimate` what is thought beforehand.
    """

    count: int = Field(ge=1, le=100_000)
    seconds: float = Field(gt=0, le=86_400)
    at: float = Field(default=0.0, ge=0)
    every: float = Field(default=0.0, ge=0)
    spread: float = Field(default=0.0, ge=0, lt=1)
    estimate: float | None = Field(default=None, gt=0)
    priority: str = "standard"

    @model_validator(mode="after")
    def _known_level(self) -> Load:
        if self.priority not in PRIORITIES:
            raise ValueError(f"there is no priority “{self.priority}”: use one of {', '.join(PRIORITIES)}")
        return self


class Guest(Part):
    """A tenant of the scenario; limits of its tier unless named."""

    tier: str = "free"
    weight: float | None = Field(default=None, gt=0)
    max_running: int | None = Field(default=None, ge=1)
    loads: list[Load] = Field(min_length=1, max_length=100)

    @model_validator(mode="after")
    def _known_tier(self) -> Guest:
        if self.tier not in TIERS:
            raise ValueError(f"there is no tier “{self.tier}”: use one of {', '.join(TIERS)}")
        return self


class Scenario(Part):
    """Slots of one pool and its tenants. `until` seconds stops the clock (0 = when all is done)."""

    name: str = ""
    slots: int = Field(ge=1, le=10_000)
    seed: int = 1
    until: float = Field(default=0.0, ge=0)
    tenants: dict[str, Guest] = Field(min_length=1, max_length=2_000)


@dataclass(frozen=True)
class Told:
    """What a tenant got: steps started, slot seconds, waits (seconds), and steps that overtook an older equal."""

    started: int
    seconds: float
    wait_p50: float
    wait_p95: float
    wait_max: float
    most_running: int
    inversions: int


@dataclass(frozen=True)
class Outcome:
    """What a scenario led to. `jain`: evenness of weighted seconds while every tenant had something waiting."""

    tenants: Mapping[str, Told]
    seconds: float
    busy: float
    jain: float

    def as_json(self) -> dict[str, Any]:
        return {
            "seconds": round(self.seconds, 3),
            "busy": round(self.busy, 4),
            "jain": round(self.jain, 4),
            "tenants": {name: vars(told) for name, told in self.tenants.items()},
        }


@dataclass
class _Step:
    tenant: UUID
    born: float
    seconds: float
    estimate: float
    priority: int
    order: int


@dataclass
class _Farm:
    """The state of a run."""

    flows: dict[UUID, Flow]
    boosts: dict[UUID, float]
    slots: int
    now: float = 0.0
    vclock: float = 0.0
    queues: dict[UUID, dict[int, list[_Step]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    running: list[tuple[float, int, _Step]] = field(default_factory=list)
    starts: list[tuple[float, _Step]] = field(default_factory=list)
    most: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    served: dict[UUID, float] = field(default_factory=lambda: defaultdict(float))
    backlogged: dict[UUID, float] | None = None

    def arrive(self, step: _Step) -> None:
        flow = self.flows[step.tenant]
        vtime = woken(flow.vtime, self.vclock, self.boosts[step.tenant]) if flow.ready == 0 else flow.vtime
        oldest = self.now if flow.ready == 0 else flow.oldest
        self.flows[step.tenant] = replace(flow, ready=flow.ready + 1, vtime=vtime, oldest=oldest)
        self.queues[step.tenant][step.priority].append(step)

    def start_all(self) -> None:
        while len(self.running) < self.slots:
            flow = next(iter(ranked(self.flows.values(), self.vclock)), None)
            if flow is None:
                return
            self._start(flow)

    def _start(self, flow: Flow) -> None:
        levels = self.queues[flow.tenant_id]
        heads = {
            Waiting(level, self.now - queue[0].born, (queue[0].order, 0)): level
            for level, queue in levels.items()
            if queue
        }
        best = first_of(heads)
        assert best is not None
        step = levels[heads[best]].pop(0)
        tag = start_tag(flow.vtime, self.vclock)
        self.vclock = advanced(self.vclock, tag)
        self.flows[flow.tenant_id] = replace(
            flow, ready=flow.ready - 1, running=flow.running + 1, vtime=charged(tag, step.estimate, flow.weight)
        )
        self.most[flow.tenant_id] = max(self.most[flow.tenant_id], flow.running + 1)
        self.starts.append((self.now, step))
        heapq.heappush(self.running, (self.now + step.seconds, step.order, step))

    def finish_one(self) -> None:
        self.now, _, step = heapq.heappop(self.running)
        flow = self.flows[step.tenant]
        vtime = corrected(flow.vtime, step.seconds, step.estimate, flow.weight)
        if flow.running >= flow.max_running:
            vtime = woken(vtime, self.vclock)
        self.flows[step.tenant] = replace(flow, running=flow.running - 1, vtime=vtime)
        self.served[step.tenant] += step.seconds
        if all(flow.ready for flow in self.flows.values()):
            self.backlogged = dict(self.served)


def simulate(scenario: Scenario) -> Outcome:
    """Run a scenario to its end."""
    names = {name: UUID(int=place) for place, name in enumerate(scenario.tenants, start=1)}
    flows, boosts = {}, {}
    for name, guest in scenario.tenants.items():
        tier = TIERS[guest.tier]
        limit = guest.max_running or tier.max_running
        flows[names[name]] = Flow(names[name], guest.weight or tier.weight, limit, 0, 0, 0.0)
        boosts[names[name]] = tier.boost_s
    farm = _Farm(flows, boosts, scenario.slots)
    coming = _arrivals(scenario, names)
    until = scenario.until or float("inf")
    while (coming or farm.running or any(flow.ready for flow in farm.flows.values())) and farm.now < until:
        arrives = coming[0].born if coming else float("inf")
        ends = farm.running[0][0] if farm.running else float("inf")
        if min(arrives, ends) > until:
            break
        if arrives <= ends:
            farm.now = arrives
            while coming and coming[0].born == arrives:
                farm.arrive(coming.pop(0))
        else:
            farm.finish_one()
        farm.start_all()
    return _outcome(scenario, farm, names)


def _arrivals(scenario: Scenario, names: Mapping[str, UUID]) -> list[_Step]:
    chance = random.Random(scenario.seed)  # noqa: S311 a scenario must always go the same way
    steps = []
    for name, guest in scenario.tenants.items():
        for load in guest.loads:
            for place in range(load.count):
                taken = load.seconds * chance.uniform(1 - load.spread, 1 + load.spread)
                estimate = load.estimate or load.seconds
                born = load.at + place * load.every
                steps.append(_Step(names[name], born, taken, estimate, PRIORITIES[load.priority], 0))
    steps.sort(key=lambda step: step.born)
    for order, step in enumerate(steps):
        step.order = order
    return steps


def _outcome(scenario: Scenario, farm: _Farm, names: Mapping[str, UUID]) -> Outcome:
    seconds = max(farm.now, 0.001)
    even = farm.backlogged or dict(farm.served)
    shares = [even.get(tenant, 0.0) / farm.flows[tenant].weight for tenant in names.values()]
    told = {name: _told(farm, tenant) for name, tenant in names.items()}
    return Outcome(told, seconds, sum(farm.served.values()) / (seconds * scenario.slots), jain(shares))


def _told(farm: _Farm, tenant: UUID) -> Told:
    mine = [(at, step) for at, step in farm.starts if step.tenant == tenant]
    waits = sorted(at - step.born for at, step in mine) or [0.0]
    newest: dict[int, int] = {}
    inversions = 0
    for _, step in mine:
        inversions += step.order < newest.get(step.priority, -1)
        newest[step.priority] = max(step.order, newest.get(step.priority, -1))

    def at_share(share: float) -> float:
        return round(waits[min(len(waits) - 1, int(share * len(waits)))], 3)

    return Told(
        started=len(mine),
        seconds=round(farm.served[tenant], 3),
        wait_p50=at_share(0.5),
        wait_p95=at_share(0.95),
        wait_max=round(waits[-1], 3),
        most_running=farm.most[tenant],
        inversions=inversions,
    )
