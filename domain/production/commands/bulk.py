"""Acts on many jobs at once: what can be done with which, and doing it job by job.

Each job is its own transaction, as when somebody presses its button: pools are locked only for moments, a job that has
changed meanwhile is left alone, and doing it all once more changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.dispatch.policy import PRIORITIES
from domain.production.commands.control_job import cancel_job, discard_job, pause_job, resume_job, retry_job
from domain.production.commands.hold_work import set_priority
from domain.production.errors import NotFound, WrongState
from domain.production.model import Job
from domain.production.states import OPEN, PAUSABLE
from tenants.principal import Forbidden, Principal
from tenants.unit import Unit, Units

MOST = 1000
"""Jobs of one go; the rest is left for another."""
LONGEST_S = 20.0
"""Nobody waits longer for one go; what was not reached is told and left for another."""


@dataclass(frozen=True)
class BulkAct:
    """An act, and the states of jobs with which it makes sense."""

    do: Callable[[Unit, UUID], Awaitable[Job]]
    states: frozenset[str]


def _level(level: str) -> Callable[[Unit, UUID], Awaitable[Job]]:
    async def do(unit: Unit, job_id: UUID) -> Job:
        return await set_priority(unit, job_id, level)

    return do


ACTS: Mapping[str, BulkAct] = {
    "retry": BulkAct(retry_job, frozenset({"failed"})),
    "discard": BulkAct(discard_job, frozenset({"failed"})),
    "pause": BulkAct(pause_job, PAUSABLE),
    "resume": BulkAct(resume_job, frozenset({"paused"})),
    "cancel": BulkAct(cancel_job, OPEN - {"cancelling"}),
    **{level: BulkAct(_level(level), OPEN) for level in PRIORITIES},
}
"""Word → act. The levels of priority are acts of their own."""


@dataclass(frozen=True)
class Outcome:
    """How many jobs were changed, how many had changed meanwhile and were left alone, how many were not reached."""

    done: int = 0
    refused: int = 0
    left: int = 0


async def do_each(
    units: Units, principal: Principal, act: str, jobs: Iterable[UUID], longest_s: float = LONGEST_S
) -> Outcome:
    """Do an act with each job that still allows it. Raises Forbidden before anything when the right is missing."""
    principal.require("jobs:control")
    chosen, done, refused, begun = ACTS[act], 0, 0, time.monotonic()
    wanted = list(jobs)[:MOST]
    for job_id in wanted:
        if time.monotonic() - begun > longest_s:
            break
        try:
            async with units.open(principal) as unit:
                await chosen.do(unit, job_id)
            done += 1
        except (WrongState, NotFound, Forbidden):
            refused += 1
    if done:
        async with units.open(principal) as unit:
            told: dict[str, Any] = {"act": act, "changed": done, "left": refused}
            unit.audit("jobs.bulk", "jobs", principal.tenant_id, after=told)
    return Outcome(done, refused, len(wanted) - done - refused)
