"""The life of a job, derived from its steps and from what people asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

JobState = Literal[
    "draft", "queued", "running", "waiting_approval", "paused", "cancelling", "cancelled", "succeeded", "failed"
]
Control = Literal["none", "pause", "cancel"]

FINAL: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})
PAUSABLE: frozenset[str] = frozenset({"queued", "running", "waiting_approval"})
OPEN: frozenset[str] = frozenset({"queued", "running", "waiting_approval", "paused", "cancelling"})


NEXT: Mapping[str, frozenset[str]] = {
    "draft": frozenset({"queued"}),
    "queued": frozenset({"running", "paused", "cancelling", "cancelled", "succeeded"}),
    "running": frozenset({"waiting_approval", "paused", "cancelling", "cancelled", "succeeded", "failed", "queued"}),
    "waiting_approval": frozenset({"running", "queued", "paused", "cancelling", "cancelled", "succeeded", "failed"}),
    "paused": frozenset({"queued", "running", "waiting_approval", "cancelling", "cancelled", "succeeded", "failed"}),
    "cancelling": frozenset({"cancelled"}),
    "failed": frozenset({"queued", "running", "succeeded", "cancelled"}),
    "succeeded": frozenset({"queued", "running"}),
    "cancelled": frozenset(),
}
"""What may follow what.

`failed` opens again when it is resumed from the failed step or that step is skipped, `succeeded` when a step is redone;
a cancelled job stays so. `queued` ends at once when all of it was made before.
"""


def derive(control: Control, steps: Mapping[str, int]) -> JobState:
    """Answer a job's state from the number of its steps in each state.

    Steps cancelled while the job goes on (an earlier fan-out) do not count.
    """
    busy = steps.get("running", 0)
    if control == "cancel":
        return "cancelling" if busy else "cancelled"
    counted = {state: n for state, n in steps.items() if n > 0 and state != "cancelled"}
    if counted and set(counted) == {"succeeded"}:
        return "succeeded"
    moving = busy + steps.get("ready", 0) + steps.get("delayed", 0)
    if steps.get("dead", 0) and not moving and not steps.get("held", 0):
        return "failed"
    if control == "pause":
        return "paused"
    return _going(steps, busy, moving)


def _going(steps: Mapping[str, int], busy: int, moving: int) -> JobState:
    if busy:
        return "running"
    if steps.get("waiting_approval", 0) and not moving:
        return "waiting_approval"
    begun = any(steps.get(state, 0) for state in ("succeeded", "delayed", "dead", "waiting_approval"))
    return "running" if begun else "queued"


def can_pause(state: str, control: str) -> bool:
    return state in PAUSABLE and control == "none"


def can_resume(state: str, control: str) -> bool:
    return control == "pause" and state not in FINAL


def can_cancel(state: str, control: str) -> bool:
    return state in OPEN and control != "cancel"


def can_retry(state: str) -> bool:
    return state == "failed"
