"""Doing operations: one at a time, or a stored list on another version of the film."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from timeline.editing import looking, timing
from timeline.editing.draft import Bench, Draft
from timeline.editing.operations import AnyOperation, read_operation
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


_NAMED = ("op", "item")


@dataclass(frozen=True)
class Unfit:
    """An operation of a list that could not be done: its place, what was to be done to which item, and why not."""

    number: int
    op: str
    item: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Replayed:
    """What became of a document by a list of operations; what did not fit is named, never left out in silence."""

    draft: Draft
    unfit: tuple[Unfit, ...]


def replay(
    draft: Draft, operations: Iterable[AnyOperation | Mapping[str, Any]], check: Check | None = None
) -> Replayed:
    """Do operations, or plain ones as they were stored, in order.

    One that cannot be done, or that this program does not know, is passed over and named. `number` counts from 0.
    """
    unfit: list[Unfit] = []
    for number, each in enumerate(operations):
        try:
            operation = read_operation(dict(each)) if isinstance(each, Mapping) else each
            draft = apply_operation(draft, operation, check)
        except TimelineError as error:
            op, item = (each.get(name, "") if isinstance(each, Mapping) else getattr(each, name, "") for name in _NAMED)
            unfit.append(Unfit(number, str(op), str(item), error.faults))
    return Replayed(draft, tuple(unfit))
