"""What can go wrong in production, as a vocabulary.

ProductionError
├── InvalidInput    what a person gave does not make sense; lists every fault
├── NotFound        there is no such thing in this workspace
├── WrongState      the thing exists, but not in a state that allows this
│   ├── Decided     a question at a gate has its answer already, or is out of date
│   └── Outdated    a timeline was changed by somebody else since it was seen
└── DiskFull        no room for unfinished files
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


class ProductionError(Exception):
    """Base; `sentence` is safe to show to people."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Fault:
    """One thing wrong with an input: the field, what is wrong, and what to do."""

    field: str
    message: str
    fix: str


class InvalidInput(ProductionError):
    """Raised before anything is written; `faults` names all that is wrong at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(" ".join(f"{fault.field}: {fault.message} {fault.fix}" for fault in faults))
        self.faults = list(faults)


class NotFound(ProductionError):
    """Raised for a missing id and, in the same words, for an id of another workspace."""

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no such {what}.")
        self.what = what


class WrongState(ProductionError):
    """Raised when a job or step cannot do this now.

    `refusal` names the sentence for those who read other languages, with the `values` in it.
    """

    def __init__(self, sentence: str, refusal: str = "", **values: object) -> None:
        super().__init__(sentence)
        self.refusal, self.values = refusal, values


class Decided(WrongState):
    """Raised when a question at a gate cannot be answered any more: `state` of the approval, `by` whom, `at` when.

    `state` is `changed` when the result is another one than the person saw.
    """

    def __init__(self, state: str, by: str = "", at: datetime | None = None) -> None:
        refusal, sentence = _DECIDED.get(state, ("decided-by" if by else "decided", f"{by} has decided this already."))
        super().__init__(sentence if refusal != "decided" else "This has been decided already.", refusal, name=by)
        self.state, self.by, self.at = state, by, at


_DECIDED = {
    "expired": ("decided-late", "The time to decide this has passed; the job has been cancelled."),
    "void": ("decided-newer", "There is a newer version of this result. Reload to see it."),
    "changed": ("decided-newer", "The result has changed since you looked at it. Reload and decide again."),
}
"""State of an approval → the refusal and its sentence."""


class Outdated(WrongState):
    """Raised when a timeline was changed since it was seen; `seen` and `version` are those of the draft."""

    def __init__(self, seen: int, version: int) -> None:
        sentence = "The timeline was changed by somebody else meanwhile. Look at it, then do your change again."
        super().__init__(sentence, "timeline-outdated")
        self.seen, self.version = seen, version


class DiskFull(ProductionError):
    """Raised when staging has no room left; freeing space lets the step go on."""

    transient = True


def from_os(error: OSError) -> ProductionError | None:
    """Answer the clear form of an operating-system error, if there is one."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull("The disk is full in staging, where unfinished files are made.")
    return None
