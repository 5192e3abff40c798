"""Doing operations: one at a time, or a stored list on another version of the film."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from timeline.editing import looking, timing
from timeline.editing.draft import Bench, Draft
from timeline.editing.operations import AnyOperation
from timeline.faults import Fault, TimelineError
from timeline.loading import parse

Check = Callable[[Draft], None]
"""Looks at a new draft further, such as by compiling it; raises TimelineError."""

DOERS: Mapping[str, Callable[[Bench, Any], None]] = {
    "trim": timing.trim,
    "length": timing.lengthen,
    "move": timing.move,
    "reorder": timing.reorder,
    "split": timing.split,
    "delete": timing.delete,
    "transition": looking.set_transition,
    "motion": looking.set_motion,
    "effect": looking.set_effect,
    "asset": looking.replace_asset,
    "text": looking.set_text,
    "place": looking.set_place,
    "gain": looking.set_gain,
    "fades": looking.set_fades,
    "captions": looking.set_captions,
}


def apply_operation(draft: Draft, operation: AnyOperation, check: Check | None = None) -> Draft:
    """Answer the draft after an operation. Raises TimelineError with every fault; the draft given stays as it is."""
    bench = Bench(draft)
    DOERS[operation.op](bench, operation)
    after = Draft(parse(bench.data), bench.media)
    _ = after.resolved
    if check is not None:
        check(after)
    return after


@dataclass(frozen=True)
class Unfit:
    """An operation of a list that could not be done, and why."""

    number: int
    operation: AnyOperation
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Replayed:
    """What became of a document by a list of operations; what did not fit is named, never left out in silence."""

    draft: Draft
    unfit: tuple[Unfit, ...]


def replay(draft: Draft, operations: Iterable[AnyOperation], check: Check | None = None) -> Replayed:
    """Do operations in order; one that cannot be done is passed over and named. `number` counts from 0."""
    unfit: list[Unfit] = []
    for number, operation in enumerate(operations):
        try:
            draft = apply_operation(draft, operation, check)
        except TimelineError as error:
            unfit.append(Unfit(number, operation, error.faults))
    return Replayed(draft, tuple(unfit))
