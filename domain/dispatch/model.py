"""Rows of the queue: pools, flows, steps, attempts, leases, workers. The queue knows no step's meaning."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Double, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.records import Base, TenantOwned, belongs_to, of_tenant, uuid7

STEP_STATES = (
    "blocked",
    "ready",
    "running",
    "delayed",
    "held",
    "waiting_approval",
    "succeeded",
    "dead",
    "cancelled",
)


class SchedPool(Base):
    """A class of workers and its virtual clock (global)."""

    __tablename__ = "sched_pool"
    pool: Mapped[str] = mapped_column(primary_key=True)
    vclock: Mapped[float] = mapped_column(Double, default=0, server_default="0")
    region: Mapped[str] = mapped_column(default="", server_default="")
    target_wait_s: Mapped[float] = mapped_column(Double, default=30, server_default="30")
    paused_reason: Mapped[str | None]
    paused_at: Mapped[datetime | None]
    paused_by: Mapped[str | None]


class SchedFlow(TenantOwned, Base):
    """One tenant's share in a pool: what waits, what runs, and its virtual time in weighted seconds."""

    __tablename__ = "sched_flow"
    pool: Mapped[str] = mapped_column(primary_key=True)
    weight: Mapped[float] = mapped_column(Double, default=1, server_default="1")
    max_running: Mapped[int] = mapped_column(default=4, server_default="4")
    ready: Mapped[int] = mapped_column(default=0, server_default="0")
    running: Mapped[int] = mapped_column(default=0, server_default="0")
    vtime: Mapped[float] = mapped_column(Double, default=0, server_default="0")
    paused: Mapped[bool] = mapped_column(default=False, server_default="false")
    oldest_ready_at: Mapped[datetime | None]
    boost_s: Mapped[float] = mapped_column(Double, default=0, server_default="0")
    __table_args__ = (
        of_tenant(),
        CheckConstraint("ready >= 0", name="ready"),
        CheckConstraint("running >= 0", name="running"),
        Index("ix_sched_flow_next", "pool", "vtime", postgresql_where=text("ready > 0 AND NOT paused")),
    )


class Step(TenantOwned, Base):
    """A node of a job's graph: one unit of work for one worker."""

    __tablename__ = "steps"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    job_id: Mapped[UUID]
    project_id: Mapped[UUID]
    pool: Mapped[str]
    kind: Mapped[str]
    shard: Mapped[str] = mapped_column(default="", server_default="")
    ordinal: Mapped[int]
    state: Mapped[str]
    gate: Mapped[bool] = mapped_column(default=False, server_default="false")
    priority: Mapped[int] = mapped_column(default=0, server_default="0")
    job_seq: Mapped[int]
    cost_est: Mapped[float] = mapped_column(Double, default=1, server_default="1")
    guess: Mapped[float] = mapped_column(Double, default=0, server_default="0")
    spec: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    not_before: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(default=0, server_default="0")
    max_attempts: Mapped[int] = mapped_column(default=4, server_default="4")
    crash_count: Mapped[int] = mapped_column(default=0, server_default="0")
    max_crashes: Mapped[int] = mapped_column(default=3, server_default="3")
    fence: Mapped[int] = mapped_column(default=0, server_default="0")
    lease_expires: Mapped[datetime | None]
    worker_id: Mapped[UUID | None]
    deps_left: Mapped[int] = mapped_column(default=0, server_default="0")
    input_hash: Mapped[str | None]
    reused: Mapped[bool] = mapped_column(default=False, server_default="false")
    outputs: Mapped[dict[str, Any] | None]
    done: Mapped[int] = mapped_column(default=0, server_default="0")
    total: Mapped[int] = mapped_column(default=0, server_default="0")
    stage: Mapped[str] = mapped_column(default="", server_default="")
    error_class: Mapped[str | None]
    error: Mapped[dict[str, Any] | None]
    instruction: Mapped[str | None]
    fallback: Mapped[str | None]
    fallback_after_s: Mapped[float | None] = mapped_column(Double)
    ready_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    __table_args__ = (
        belongs_to("jobs", "job_id"),
        UniqueConstraint("tenant_id", "job_id", "kind", "shard"),
        CheckConstraint(f"state IN {STEP_STATES!r}", name="state"),
        CheckConstraint("priority BETWEEN -1 AND 1", name="priority"),
        Index(
            "ix_steps_ready",
            "tenant_id",
            "pool",
            "priority",
            "job_seq",
            "ordinal",
            "id",
            postgresql_where=text("state = 'ready'"),
        ),
        Index("ix_steps_delayed", "not_before", postgresql_where=text("state = 'delayed'")),
        Index("ix_steps_running", "lease_expires", postgresql_where=text("state = 'running'")),
        Index("ix_steps_fallback", "ready_at", postgresql_where=text("state = 'ready' AND fallback IS NOT NULL")),
        Index("ix_steps_job", "tenant_id", "job_id", "ordinal"),
    )


class StepDep(TenantOwned, Base):
    """`step_id` needs `needs_id` to have succeeded."""

    __tablename__ = "step_deps"
    step_id: Mapped[UUID] = mapped_column(primary_key=True)
    needs_id: Mapped[UUID] = mapped_column(primary_key=True)
    __table_args__ = (
        belongs_to("steps", "step_id"),
        belongs_to("steps", "needs_id"),
        Index("ix_step_deps_needs", "tenant_id", "needs_id"),
    )


class Attempt(TenantOwned, Base):
    """One try at a step."""

    __tablename__ = "attempts"
    step_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    fence: Mapped[int]
    worker_id: Mapped[UUID | None]
    started_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    error: Mapped[dict[str, Any] | None]
    cpu_s: Mapped[float | None] = mapped_column(Double)
    __table_args__ = (belongs_to("steps", "step_id"), Index("ix_attempts_started", "started_at"))


class Worker(Base):
    """A worker unit that serves pools (global). `drain_by`: who has told it to take nothing more and end."""

    __tablename__ = "workers"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    host: Mapped[str]
    boot_id: Mapped[str]
    pid: Mapped[int]
    pools: Mapped[list[str]]
    slots: Mapped[int]
    state: Mapped[str] = mapped_column(default="active", server_default="active")
    version: Mapped[str] = mapped_column(default="", server_default="")
    memory: Mapped[int | None]
    drain_by: Mapped[str | None]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    __table_args__ = (CheckConstraint("state IN ('active','draining','gone')", name="state"),)


class LeaderLease(Base):
    """Who may act as the one leader of a routine, until when (global)."""

    __tablename__ = "leader_lease"
    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    fence: Mapped[int] = mapped_column(default=0, server_default="0")
    expires_at: Mapped[datetime]


class StepStat(Base):
    """What steps of a kind have taken, per unit of work (global; carries no tenant's data)."""

    __tablename__ = "step_stats"
    kind: Mapped[str] = mapped_column(primary_key=True)
    profile: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(default=0, server_default="0")
    ewma_s: Mapped[float] = mapped_column(Double, default=0, server_default="0")
    spread: Mapped[float] = mapped_column(Double, default=0, server_default="0")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class HostFault(Base):
    """A kind of step that fails on a host (global): the last steps that did, and until when it gets none of them."""

    __tablename__ = "host_faults"
    host: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    steps: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    blocked_until: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class CounterDrift(Base):
    """What the auditor found wrong in a kind of counter: at the last count, and ever (global)."""

    __tablename__ = "counter_drift"
    counter: Mapped[str] = mapped_column(primary_key=True)
    found: Mapped[int] = mapped_column(default=0, server_default="0")
    total: Mapped[int] = mapped_column(default=0, server_default="0")
    counted_at: Mapped[datetime] = mapped_column(server_default=func.now())
