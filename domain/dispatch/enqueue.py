"""Putting steps into the queue: rows, what they wait for, and the counts of their flows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.dispatch.flows import add_ready
from domain.dispatch.model import Step, StepDep
from tenants.records import uuid7


@dataclass(frozen=True)
class JobKey:
    """The job that new steps belong to, as the queue knows it: `seq` orders jobs, `priority` lower = sooner."""

    tenant_id: UUID
    id: UUID
    project_id: UUID
    seq: int
    priority: int = 0


@dataclass(frozen=True)
class Placed:
    """A step to be put into the queue. `needs`: steps to wait for; `settled` of them have succeeded already.

    `cost`: estimated seconds of one slot; `guess`: the same before what was learnt is applied. `fallback`: the pool
    that will do after `fallback_after_s` seconds. `finished` (outputs, input hash) makes it succeed at once: its result
    was found.
    """

    kind: str
    pool: str
    ordinal: int
    shard: str = ""
    gate: bool = False
    cost: float = 1.0
    guess: float = 0.0
    fallback: str | None = None
    fallback_after_s: float | None = None
    spec: dict[str, Any] = field(default_factory=dict)
    needs: Sequence[UUID] = ()
    settled: int = 0
    finished: tuple[dict[str, Any], str] | None = None
    id: UUID = field(default_factory=uuid7)

    @property
    def waits_for(self) -> int:
        return 0 if self.finished else len(self.needs) - self.settled


async def place(session: AsyncSession, job: JobKey, steps: Sequence[Placed], paused: bool = False) -> dict[str, int]:
    """Insert steps and count those that can run now (answered by pool).

    The caller holds the pools' locks, has opened the flows, and lists needed steps before those that need them.
    """
    if not steps:
        return {}
    await session.execute(insert(Step), [_row(job, step, paused) for step in steps])
    deps = [{"tenant_id": job.tenant_id, "step_id": step.id, "needs_id": need} for step in steps for need in step.needs]
    if deps:
        await session.execute(insert(StepDep), deps)
    await _stamp(session, job, "ready_at", [step.id for step in steps if _state(step, paused) == "ready"])
    await _stamp(session, job, "finished_at", [step.id for step in steps if step.finished])
    ready = Counter(step.pool for step in steps if _state(step, paused) == "ready")
    await add_ready(session, job.tenant_id, ready)
    return dict(ready)


async def _stamp(session: AsyncSession, job: JobKey, column: str, ids: Sequence[UUID]) -> None:
    """Write the database's time into a column of many steps."""
    if ids:
        await session.execute(
            update(Step)
            .where(Step.tenant_id == job.tenant_id, Step.id.in_(ids))
            .values({column: func.clock_timestamp()})
            .execution_options(synchronize_session=False)
        )


def _state(step: Placed, paused: bool) -> str:
    if step.finished:
        return "succeeded"
    if step.waits_for:
        return "blocked"
    return "held" if paused else "ready"


def _row(job: JobKey, step: Placed, paused: bool) -> dict[str, Any]:
    outputs, input_hash = step.finished or (None, None)
    return {
        "tenant_id": job.tenant_id,
        "id": step.id,
        "job_id": job.id,
        "project_id": job.project_id,
        "pool": step.pool,
        "kind": step.kind,
        "shard": step.shard,
        "ordinal": step.ordinal,
        "state": _state(step, paused),
        "gate": step.gate,
        "priority": job.priority,
        "job_seq": job.seq,
        "cost_est": step.cost,
        "guess": step.guess,
        "fallback": step.fallback,
        "fallback_after_s": step.fallback_after_s,
        "spec": step.spec,
        "deps_left": step.waits_for,
        "outputs": outputs,
        "input_hash": input_hash,
        "reused": step.finished is not None,
    }
