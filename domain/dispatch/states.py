"""The life of a step: which state may follow which, and what a failure leads to."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

StepState = Literal[
    "blocked", "ready", "running", "delayed", "held", "waiting_approval", "succeeded", "dead", "cancelled"
]

NEXT: Mapping[StepState, frozenset[StepState]] = {
    "blocked": frozenset({"ready", "held", "cancelled", "succeeded"}),
    "ready": frozenset({"running", "held", "cancelled"}),
    "running": frozenset({"succeeded", "waiting_approval", "delayed", "ready", "held", "dead", "cancelled"}),
    "delayed": frozenset({"ready", "held", "cancelled"}),
    "held": frozenset({"ready", "cancelled"}),
    "waiting_approval": frozenset({"succeeded", "ready", "blocked", "cancelled"}),
    "succeeded": frozenset({"ready", "blocked", "cancelled"}),
    "dead": frozenset({"ready", "succeeded", "held", "blocked", "cancelled"}),
    "cancelled": frozenset({"ready", "blocked", "succeeded"}),
}
"""`succeeded` reopens when a person regenerates it, and is cancelled when it is a shard of the result before;
`cancelled` reopens when a fan-out is spawned again."""

OPEN: frozenset[StepState] = frozenset({"blocked", "ready", "running", "delayed", "held", "waiting_approval"})

BACKOFF_BASE_S = 5.0
BACKOFF_CAP_S = 600.0


class WrongStep(Exception):
    """Raised when a step is moved to a state that cannot follow its own; always a programming error."""


def require(before: StepState, after: StepState) -> None:
    """Raise WrongStep unless `after` may follow `before`."""
    if after not in NEXT[before]:
        raise WrongStep(f"a step that is {before} cannot become {after}")


@dataclass(frozen=True)
class Failure:
    """What follows an error: wait `delay_s` and try again, or give up."""

    state: Literal["delayed", "dead"]
    delay_s: float = 0.0


def backoff(attempt: int, chance: random.Random, retry_after: float | None = None) -> float:
    """Seconds to wait after the given attempt failed: full jitter, never earlier than the provider asked."""
    ceiling = min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2.0 ** min(attempt - 1, 16))
    wait = chance.uniform(0.0, ceiling)
    if retry_after is not None:
        # The jitter stays on top, so that many steps told the same moment do not all come back in it.
        wait = min(retry_after, 6 * BACKOFF_CAP_S) + min(wait, BACKOFF_BASE_S)
    return wait


def after_failure(
    attempt: int, max_attempts: int, transient: bool, chance: random.Random, retry_after: float | None = None
) -> Failure:
    """Decide what follows a failed attempt."""
    if not transient or attempt >= max_attempts:
        return Failure("dead")
    return Failure("delayed", backoff(attempt, chance, retry_after))


def after_crash(crash_count: int, max_crashes: int) -> Literal["ready", "dead"]:
    """Decide what follows the loss of a worker; `crash_count` includes this one."""
    return "dead" if crash_count >= max_crashes else "ready"
