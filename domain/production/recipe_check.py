"""Whether a recipe's steps make a film: names, order, and that each step finds what it reads. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from domain.catalog.bodies import RecipeStep
from domain.dispatch.pools import FALLBACK_S, is_pool
from domain.production.graph import SKIPPABLE

READS: Mapping[str, tuple[str, ...]] = {
    "narrate": ("script",),
    "illustrate": ("script",),
    "compose": ("script", "narrate", "illustrate"),
    "render": ("compose",),
    "mux": ("compose",),
    "check": ("compose", "mux"),
    "package": ("script", "illustrate", "compose", "mux"),
}
"""Kind of step → the kinds whose results it reads, directly or not."""


@dataclass(frozen=True)
class StepFault:
    """One thing wrong with a step: `code` is unknown, absent, circle, reads, twice, optional, pool or wait."""

    kind: str
    code: str
    words: Mapping[str, object] = field(default_factory=dict)


def sort_steps(steps: Sequence[RecipeStep]) -> list[RecipeStep]:
    """The steps so that each comes after what it needs, else in their own order; those of a circle come last."""
    left, placed, done = list(steps), list[RecipeStep](), set[str]()
    known = {step.kind for step in steps}
    while left:
        ready = next((step for step in left if set(step.needs) & known <= done), None)
        if ready is None:
            return placed + left
        left.remove(ready)
        placed.append(ready)
        done.add(ready.kind)
    return placed


def check_steps(steps: Sequence[RecipeStep], known: Collection[str]) -> list[StepFault]:
    """Everything wrong with a recipe's steps, whatever their order; `known` are the kinds there are."""
    kinds = [step.kind for step in steps]
    faults = [_unknown(kind, kind, known) for kind in kinds if kind not in known]
    faults += [StepFault(kind, "twice") for kind in sorted(set(kinds)) if kinds.count(kind) > 1]
    missing = [_need(step.kind, need, kinds, known) for step in steps for need in step.needs if need not in kinds]
    for step in steps:
        if step.optional and step.kind not in SKIPPABLE:
            faults.append(StepFault(step.kind, "optional"))
        faults += _routes(step)
    wrong = missing + _circles(steps)
    # What a step reads cannot be told before the ways to it are whole.
    return faults + (wrong or _unread(steps))


def _unknown(kind: str, name: str, known: Collection[str]) -> StepFault:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return StepFault(kind, "unknown", {"name": name[:60], "near": near[0] if near else "", "names": ", ".join(known)})


def _need(kind: str, need: str, kinds: Sequence[str], known: Collection[str]) -> StepFault:
    return StepFault(kind, "absent", {"need": need}) if need in known else _unknown(kind, need, kinds)


def _routes(step: RecipeStep) -> list[StepFault]:
    low, high = FALLBACK_S
    faults = [
        StepFault(step.kind, "pool", {"name": pool[:40]})
        for pool in filter(None, (step.pool, step.fallback))
        if not is_pool(pool)
    ]
    if step.fallback and not low <= step.fallback_after <= high:
        faults.append(StepFault(step.kind, "wait", {"low": low, "high": high}))
    return faults


def _circles(steps: Sequence[RecipeStep]) -> list[StepFault]:
    """The first circle among the needs, as the way round it."""
    needs = {step.kind: step.needs for step in steps}
    for start in needs:
        if way := _way(needs, start, start, (start,)):
            return [StepFault(start, "circle", {"way": " → ".join(way)})]
    return []


def _way(needs: Mapping[str, Sequence[str]], goal: str, at: str, way: tuple[str, ...]) -> tuple[str, ...]:
    for need in needs.get(at, ()):
        if need == goal:
            return (*way, need)
        if need not in way and (found := _way(needs, goal, need, (*way, need))):
            return found
    return ()


def _unread(steps: Sequence[RecipeStep]) -> list[StepFault]:
    """Steps that read the result of one they do not rest on."""
    below: dict[str, set[str]] = {}
    for step in sort_steps(steps):
        below[step.kind] = {kind for need in step.needs for kind in (need, *below.get(need, ()))}
    return [
        StepFault(kind, "reads", {"read": name})
        for kind, rests in below.items()
        for name in READS.get(kind, ())
        if name not in rests
    ]
