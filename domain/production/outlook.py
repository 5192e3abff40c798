"""What will run next and what it may cost, before a person decides: pure.

Prices are those of the job's quote, each for a whole step: what is found made before makes it less.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.dispatch.model import Step
from domain.dispatch.stats import Remaining, seconds_left
from domain.production.graph import downstream
from domain.production.preview import MAKING_S_PER_FILM_S, SLOTS

PLANNER = "compose"
"""The step after which the parts of the film are known."""
PARTS = "render"
"""The steps that it adds; before, they are foreseen as one."""


@dataclass(frozen=True)
class Outlook:
    """Steps by kind in their order, the time until they are done, and their price at most (None = unknown).

    `stops`: the first gate on the way, where a person is asked again.
    """

    kinds: tuple[tuple[str, int], ...]
    seconds: float
    micro_dollars: int | None
    stops: str = ""


Needs = Mapping[UUID, Sequence[UUID]]


@dataclass(frozen=True)
class Line:
    """A job's steps as far as an outlook needs them: its choices, its quote, its steps and what they rest on."""

    spec: Mapping[str, Any]
    quote: Mapping[str, Any]
    steps: Sequence[Step]
    needs: Needs


def foresee_redo(line: Line, step: Step, scenes: int = 0) -> Outlook:
    """What making a step again sets off: itself and all that rests on it. `scenes`: one picture of so many."""
    steps, needs, quote = line.steps, line.needs, line.quote
    named = {str(node): [str(one) for one in ones] for node, ones in needs.items()}
    after = {UUID(one) for one in downstream(named, str(step.id))}
    moved = [one for one in steps if one.id == step.id or (one.id in after and one.state != "cancelled")]
    outlook = _foresee(line, moved)
    if not scenes or outlook.micro_dollars is None:
        return outlook
    saved = _price(quote, {step.kind}) or 0
    one = -(-saved // scenes)
    return Outlook(outlook.kinds, outlook.seconds, outlook.micro_dollars - saved + one, outlook.stops)


def foresee_rest(line: Line, decided: Collection[UUID]) -> Outlook:
    """What follows once the steps in `decided` are approved: everything that is not done."""
    ended = ("succeeded", "cancelled")
    return _foresee(line, [step for step in line.steps if step.state not in ended and step.id not in decided])


def _foresee(line: Line, moved: Sequence[Step]) -> Outlook:
    counts = _counted(line, moved)
    here = {step.id for step in moved}
    left = [
        Remaining(str(step.id), step.cost_est, needs=[str(one) for one in line.needs.get(step.id, ()) if one in here])
        for step in moved
    ]
    seconds = seconds_left(left, SLOTS)
    if _unplanned(line, moved):
        seconds += float(line.spec.get("seconds", 0)) * MAKING_S_PER_FILM_S / SLOTS
    first = min((step for step in moved if step.gate), key=lambda step: step.ordinal, default=None)
    return Outlook(tuple(counts.items()), seconds, _price(line.quote, counts.keys()), first.kind if first else "")


def _unplanned(line: Line, moved: Sequence[Step]) -> bool:
    """Whether the parts of the film are still to be added by a step that is yet to run."""
    return any(step.kind == PLANNER for step in moved) and not any(step.shard for step in moved)


def _counted(line: Line, moved: Sequence[Step]) -> dict[str, int]:
    """Steps by kind in their order; parts that are not known yet stand after the step that adds them."""
    makes_parts = any(one.get("kind") == PARTS for one in line.spec.get("recipe", {}).get("steps", ()))
    foreseen = makes_parts and _unplanned(line, moved)
    counts: dict[str, int] = {}
    for step in moved:
        counts[step.kind] = counts.get(step.kind, 0) + 1
        if step.kind == PLANNER and foreseen:
            counts[PARTS] = 1
    return counts


def _price(quote: Mapping[str, Any], kinds: Collection[str]) -> int | None:
    """The likely price of some kinds of steps; None when one of them has no known price."""
    amounts = [line.get("micro_dollars") for line in quote.get("lines", ()) if line.get("step") in kinds]
    return None if None in amounts else sum(int(amount) for amount in amounts if amount is not None)
