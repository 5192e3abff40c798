"""Rows of production: jobs, artifacts, what was made once, log lines, approvals, schedules, saved views."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.records import Base, TenantOwned, Timed, belongs_to, of_tenant, uuid7

JOB_STATES = (
    "draft",
    "queued",
    "running",
    "waiting_approval",
    "paused",
    "cancelling",
    "cancelled",
    "succeeded",
    "failed",
)


class Job(TenantOwned, Timed, Base):
    """One run of a recipe version on an input.

    `number` is the per-project number people see; `seq` orders jobs inside the tenant. `spec` is the snapshot of
    every choice at creation (recipe, prompt, presets, validators, knowledge: ids, versions and bodies). While it waits,
    `position` is its rank in its workspace, `ahead` the steps of others served before, `waiting` the reason.
    `promised_*` is the first forecast, kept to see how true forecasts are.
    """

    __tablename__ = "jobs"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    project_id: Mapped[UUID]
    number: Mapped[int]
    seq: Mapped[int]
    title: Mapped[str]
    recipe_slug: Mapped[str]
    recipe_version: Mapped[int]
    mode: Mapped[str] = mapped_column(default="auto", server_default="auto")
    state: Mapped[str]
    control: Mapped[str] = mapped_column(default="none", server_default="none")
    control_reason: Mapped[str | None]
    control_at: Mapped[datetime | None]
    priority: Mapped[int] = mapped_column(default=0, server_default="0")
    idem_key: Mapped[str | None]
    spec: Mapped[dict[str, Any]]
    spec_hash: Mapped[str]
    error: Mapped[dict[str, Any] | None]
    quote: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    cost_limit: Mapped[int | None]
    eta_p50: Mapped[datetime | None]
    eta_p90: Mapped[datetime | None]
    promised_p50: Mapped[datetime | None]
    promised_p90: Mapped[datetime | None]
    position: Mapped[int | None]
    ahead: Mapped[int | None]
    waiting: Mapped[dict[str, Any] | None]
    forked_from: Mapped[dict[str, Any] | None]
    log_lines: Mapped[int] = mapped_column(default=0, server_default="0")
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    made_by: Mapped[UUID | None]
    made_by_name: Mapped[str] = mapped_column(default="", server_default="")
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    __table_args__ = (
        of_tenant(),
        belongs_to("projects", "project_id"),
        UniqueConstraint("tenant_id", "project_id", "number"),
        Index(
            "uq_jobs_idem_key",
            "tenant_id",
            "idem_key",
            unique=True,
            postgresql_where=text("idem_key IS NOT NULL"),
        ),
        CheckConstraint(f"state IN {JOB_STATES!r}", name="state"),
        CheckConstraint("control IN ('none','pause','cancel')", name="control"),
        CheckConstraint("mode IN ('auto','wizard')", name="mode"),
        Index("ix_jobs_state", "tenant_id", "state", "priority", "seq"),
        Index("ix_jobs_forked", "tenant_id", "project_id", postgresql_where=text("forked_from IS NOT NULL")),
    )


class Artifact(TenantOwned, Timed, Base):
    """A content-addressed output; the same bytes of one tenant are one artifact."""

    __tablename__ = "artifacts"
    sha256: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    media_type: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    __table_args__ = (of_tenant(),)


class ArtifactRef(TenantOwned, Timed, Base):
    """A step's named output; `name` is unique within the job and readable (`film.mp4`, `pictures/s3.jpg`)."""

    __tablename__ = "artifact_refs"
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    step_id: Mapped[UUID]
    sha256: Mapped[str]
    role: Mapped[str]
    position: Mapped[int] = mapped_column(default=0, server_default="0")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    __table_args__ = (
        belongs_to("jobs", "job_id"),
        belongs_to("steps", "step_id"),
        belongs_to("artifacts", "sha256", target=("sha256",), ondelete="RESTRICT"),
        Index("ix_artifact_refs_step", "tenant_id", "step_id"),
        Index("ix_artifact_refs_sha256", "tenant_id", "sha256"),
    )


class Made(TenantOwned, Timed, Base):
    """Made once: what a key (operation, version, canonical inputs, tool build) has produced.

    `outputs` maps output names to {"sha256", "size", "media_type", "facts"}; `facts` are small results.
    """

    __tablename__ = "made"
    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    outputs: Mapped[dict[str, Any]]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    job_id: Mapped[UUID | None]
    seconds: Mapped[float] = mapped_column(default=0, server_default="0")
    __table_args__ = (of_tenant(),)


class LogChunk(TenantOwned, Base):
    """A few lines of a step's log; `first` is the job-wide number of its first line (the permalink).

    `lines` is a list of {"at": ISO time, "level": info|warn|error, "text", "group"}.
    """

    __tablename__ = "log_chunks"
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]
    step_id: Mapped[UUID]
    attempt: Mapped[int]
    lines: Mapped[list[Any]]
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    __table_args__ = (
        belongs_to("jobs", "job_id"),
        belongs_to("steps", "step_id"),
        Index("ix_log_chunks_step", "tenant_id", "step_id", "attempt"),
    )


class Approval(TenantOwned, Timed, Base):
    """A person's decision at a gate, signed with the version of what they saw.

    `decided_version` is the version that goes on: what was seen, or what an edit made of it. A newer version voids the
    decision (`voided_at`), and the question is put anew.
    """

    __tablename__ = "approvals"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    job_id: Mapped[UUID]
    step_id: Mapped[UUID]
    state: Mapped[str]
    seen_version: Mapped[str] = mapped_column(default="", server_default="")
    expires_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    decided_version: Mapped[str] = mapped_column(default="", server_default="")
    voided_at: Mapped[datetime | None]
    __table_args__ = (
        belongs_to("jobs", "job_id"),
        belongs_to("steps", "step_id"),
        CheckConstraint(
            "state IN ('waiting','approved','changes','again','edited','void','expired')",
            name="state",
        ),
        Index("ix_approvals_job", "tenant_id", "job_id"),
        Index("ix_approvals_step", "tenant_id", "step_id"),
        Index("ix_approvals_waiting", "expires_at", postgresql_where=text("state = 'waiting'")),
    )


class StepRun(TenantOwned, Timed, Base):
    """A result of a step that was made again since: what it was, and with which instruction it had been made.

    `files` maps names of outputs to {"sha256", "role", "size", "media_type", "position", "facts"}. `replaced_by` asked
    for the newer one, with the instruction `replaced_for` where it was asked of this very step; `created_at` is when.
    """

    __tablename__ = "step_runs"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    job_id: Mapped[UUID]
    step_id: Mapped[UUID]
    kind: Mapped[str]
    shard: Mapped[str] = mapped_column(default="", server_default="")
    number: Mapped[int]
    instruction: Mapped[str] = mapped_column(default="", server_default="")
    input_hash: Mapped[str] = mapped_column(default="", server_default="")
    outputs: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    files: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    replaced_by: Mapped[str] = mapped_column(default="", server_default="")
    replaced_for: Mapped[str] = mapped_column(default="", server_default="")
    __table_args__ = (
        belongs_to("jobs", "job_id"),
        belongs_to("steps", "step_id"),
        UniqueConstraint("tenant_id", "step_id", "number"),
        Index("ix_step_runs_job", "tenant_id", "job_id"),
    )


class Schedule(TenantOwned, Timed, Base):
    """A job to be started later or again and again; `request` holds the fields of NewJob, `zone` keeps local times.

    `days` are the days of a weekly one, 0 = Monday; empty = the day of its first time.
    """

    __tablename__ = "schedules"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    project_id: Mapped[UUID]
    request: Mapped[dict[str, Any]]
    repeat: Mapped[str]
    zone: Mapped[str] = mapped_column(default="UTC", server_default="UTC")
    days: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    next_at: Mapped[datetime | None]
    paused: Mapped[bool] = mapped_column(default=False, server_default="false")
    made_by: Mapped[UUID | None]
    made_by_name: Mapped[str] = mapped_column(default="", server_default="")
    last_at: Mapped[datetime | None]
    last_number: Mapped[int | None]
    last_error: Mapped[str | None]
    __table_args__ = (
        of_tenant(),
        belongs_to("projects", "project_id"),
        CheckConstraint("repeat IN ('once','hourly','daily','weekly','monthly')", name="repeat"),
        Index("ix_schedules_project", "tenant_id", "project_id"),
        Index("ix_schedules_due", "next_at", postgresql_where=text("next_at IS NOT NULL AND NOT paused")),
    )


class SavedView(TenantOwned, Timed, Base):
    """A filter of a project's job list that a person has named; `shared` ones are seen by all who see the project.

    `wanted` holds the words of the list's address (state, recipe, q); `version` grows with each change.
    """

    __tablename__ = "saved_views"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    project_id: Mapped[UUID]
    user_id: Mapped[UUID]
    made_by_name: Mapped[str] = mapped_column(default="", server_default="")
    name: Mapped[str]
    wanted: Mapped[dict[str, Any]]
    shared: Mapped[bool] = mapped_column(default=False, server_default="false")
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    __table_args__ = (
        of_tenant(),
        belongs_to("projects", "project_id"),
        Index("ix_saved_views_project", "tenant_id", "project_id", "user_id"),
    )


class OpeningView(TenantOwned, Base):
    """The saved view with which a project's job list opens for a person."""

    __tablename__ = "opening_views"
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    view_id: Mapped[UUID]
    __table_args__ = (
        belongs_to("projects", "project_id"),
        belongs_to("saved_views", "view_id"),
        Index("ix_opening_views_project", "tenant_id", "project_id"),
        Index("ix_opening_views_view", "tenant_id", "view_id"),
    )
