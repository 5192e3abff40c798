"""From a recipe's graph to the steps of a job: order, needs, and the places of fan-out kinds. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.catalog.bodies import RecipeStep
from domain.dispatch.pools import FALLBACK_S, is_pool
from domain.production.errors import Fault
from domain.production.pipeline.base import Json, StepKind


@dataclass(frozen=True)
class Node:
    """A step to be made with the job; `needs` are kinds of other nodes."""

    kind: str
    ordinal: int
    needs: tuple[str, ...]
    gate: bool


SKIPPABLE = frozenset({"check"})
"""Kinds whose result no other step reads; a recipe may allow skipping them."""
ORDINALS = 1000
"""Room between two nodes' ordinals, for the shards of a fan-out."""


def check_graph(steps: Sequence[RecipeStep], known: Collection[str]) -> list[Fault]:
    """Answer everything wrong with a recipe's graph: unknown kinds, unknown or circular needs, doubles."""
    kinds = [step.kind for step in steps]
    faults = [
        Fault("recipe", f"Step “{kind}” is not a kind of step.", f"Use one of {', '.join(sorted(known))}.")
        for kind in kinds
        if kind not in known
    ]
    faults += [
        Fault("recipe", f"Step “{kind}” is listed twice.", "List it once.")
        for kind in sorted(set(kinds))
        if kinds.count(kind) > 1
    ]
    faults += [
        Fault("recipe", f"Step “{step.kind}” cannot be optional: later steps need its result.", "Leave that out.")
        for step in steps
        if step.optional and step.kind not in SKIPPABLE
    ]
    seen: set[str] = set()
    for step in steps:
        faults += [
            Fault("recipe", f"Step “{step.kind}” needs “{need}”, which is not listed before it.", "Reorder the steps.")
            for need in step.needs
            if need not in seen
        ]
        seen.add(step.kind)
    return faults


def check_routes(steps: Sequence[RecipeStep]) -> list[Fault]:
    """Answer everything wrong with the pools that a recipe sends its steps to."""
    low, high = FALLBACK_S
    faults = []
    for step in steps:
        fix = "Write class, capability and region, such as cpu, gpu.nvenc or cpu@eu."
        faults += [
            Fault("recipe", f"Step “{step.kind}”: “{pool[:40]}” cannot be the name of a pool.", fix)
            for pool in filter(None, (step.pool, step.fallback))
            if not is_pool(pool)
        ]
        if step.fallback and not low <= step.fallback_after <= high:
            message = f"Step “{step.kind}”: {step.fallback_after} seconds is no time to wait for a pool."
            faults.append(Fault("recipe", message, f"Give {low} to {high} seconds."))
    return faults


@dataclass(frozen=True)
class Route:
    """Where a step runs: its pool, and the one that will do after `after_s` seconds of waiting."""

    pool: str
    fallback: str | None = None
    after_s: float | None = None


def route_of(spec: Json, module: StepKind) -> Route:
    """Where steps of a kind run in a job: in the kind's own pool unless its recipe names another."""
    steps = spec.get("recipe", {}).get("steps", ())
    chosen: Json = next((step for step in steps if step["kind"] == module.KIND), {})
    pool, fallback = chosen.get("pool") or module.POOL, chosen.get("fallback") or None
    if fallback in (None, pool):
        return Route(pool)
    return Route(pool, fallback, float(chosen["fallback_after"]))


def may_skip(spec: Mapping[str, Any], kind: str) -> bool:
    """Whether a job's recipe lets a person go on without a failed step of this kind."""
    steps = spec.get("recipe", {}).get("steps", ())
    return kind in SKIPPABLE and any(step["kind"] == kind and step.get("optional") for step in steps)


def with_gates(steps: Sequence[RecipeStep], wanted: Collection[str]) -> list[RecipeStep]:
    """The steps of a graph with gates after those that are wanted, and after no other."""
    return [step.model_copy(update={"gate": step.kind in wanted}) for step in steps]


def make_nodes(steps: Sequence[RecipeStep], fan_out: Mapping[str, bool], wizard: bool) -> list[Node]:
    """Answer the nodes of a checked graph.

    A fan-out kind is not a node: those that need it need what it needs, until its shards are spawned before them.
    """
    bridges: dict[str, tuple[str, ...]] = {}
    nodes: list[Node] = []
    for index, step in enumerate(steps):
        needs = tuple(dict.fromkeys(n for need in step.needs for n in bridges.get(need, (need,))))
        if fan_out.get(step.kind, False):
            bridges[step.kind] = needs
            continue
        nodes.append(Node(step.kind, index * ORDINALS, needs, wizard and step.gate))
    return nodes


def downstream(needs: Mapping[str, Collection[str]], start: str) -> set[str]:
    """Answer every id that rests on `start`, directly or not (`needs`: id → ids it needs)."""
    found: set[str] = set()
    while grown := {node for node, needed in needs.items() if node not in found and (found | {start}) & set(needed)}:
        found |= grown
    return found
