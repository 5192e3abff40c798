"""Rows of money: the effect ledger, the budget counters and their ledger, what quotes have taught.

Amounts are micro-dollars.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Double, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.records import Base, TenantOwned, Timed, belongs_to, of_tenant, uuid7

EFFECT_STATES = ("intent", "sent", "done", "in_doubt", "failed")
SCOPES = ("workspace", "project", "job")


class Effect(TenantOwned, Timed, Base):
    """One paid or outward call: recorded before it is made, and again when its answer is safe.

    `effect_key` = hash(tenant, job, step kind, shard, canonical request, provider, model); it never contains
    an attempt number, so a later attempt finds what an earlier one paid for. `micro_dollars` and `units` add up what
    all tries are known to have been billed (null = nothing yet, or not known); `unpriced` counts billed tries without
    a known price, `doubts` tries whose outcome was never learnt. `held` is set aside while a try is out, of which
    `drawn` came on top of the job's reservation. `likely`: what one more try should cost. `decision` is a person's
    word on the last doubt, or lets a failed call be made once more.
    """

    __tablename__ = "effects"
    effect_key: Mapped[str] = mapped_column(primary_key=True)
    job_id: Mapped[UUID]
    step_id: Mapped[UUID]
    step_kind: Mapped[str]
    shard: Mapped[str] = mapped_column(default="", server_default="")
    provider: Mapped[str]
    model: Mapped[str] = mapped_column(default="", server_default="")
    request_hash: Mapped[str]
    state: Mapped[str]
    policy: Mapped[str] = mapped_column(default="once", server_default="once")
    fallback: Mapped[str] = mapped_column(default="", server_default="")
    provider_ref: Mapped[str] = mapped_column(default="", server_default="")
    response_key: Mapped[str | None]
    units: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    micro_dollars: Mapped[int | None]
    likely: Mapped[int | None]
    unpriced: Mapped[int] = mapped_column(default=0, server_default="0")
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    doubts: Mapped[int] = mapped_column(default=0, server_default="0")
    held: Mapped[int] = mapped_column(default=0, server_default="0")
    drawn: Mapped[int] = mapped_column(default=0, server_default="0")
    error: Mapped[str | None]
    fence: Mapped[int]
    sent_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    decision: Mapped[str | None]
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str] = mapped_column(default="", server_default="")
    decided_at: Mapped[datetime | None]
    __table_args__ = (
        belongs_to("jobs", "job_id"),
        CheckConstraint(f"state IN {EFFECT_STATES!r}", name="state"),
        CheckConstraint("policy IN ('once', 'repeat')", name="policy"),
        CheckConstraint("decision IN ('repeat', 'skip')", name="decision"),
        CheckConstraint("held >= drawn AND drawn >= 0", name="held"),
        Index("ix_effects_job", "tenant_id", "job_id"),
    )


class Budget(TenantOwned, Base):
    """A counter of money: what is reserved and spent in a scope, and its cap (null = none).

    `month` is `YYYY-MM` (UTC) for a workspace's or project's month, and empty for a job and for the standing cap of a
    workspace or project, from which each month starts. `home` is the month a job reserves in. `overrun` is what truth
    has gone beyond the cap (a call that cost more than expected, a cap that was lowered): only settling raises it, so
    the check refuses every reservation beyond the cap.
    """

    __tablename__ = "budgets"
    scope: Mapped[str] = mapped_column(primary_key=True)
    scope_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    home: Mapped[str] = mapped_column(default="", server_default="")
    cap: Mapped[int | None]
    reserved: Mapped[int] = mapped_column(default=0, server_default="0")
    spent: Mapped[int] = mapped_column(default=0, server_default="0")
    overrun: Mapped[int] = mapped_column(default=0, server_default="0")
    __table_args__ = (
        of_tenant(),
        CheckConstraint(f"scope IN {SCOPES!r}", name="scope"),
        CheckConstraint("reserved >= 0 AND spent >= 0 AND overrun >= 0 AND cap >= 0", name="positive"),
        CheckConstraint("reserved + spent <= cap + overrun", name="cap"),
    )


class BudgetEntry(TenantOwned, Base):
    """One move of money: reserve (set aside), release (given back), settle (one billed try of a call).

    What is billed outside of jobs (listening to a voice) belongs to the workspace alone: no job, no project.

    Entries are only ever added; the counters of `Budget` are their sums. A settle entry without a known price has
    `unpriced` 1 and no amount.
    """

    __tablename__ = "budget_entries"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    job_id: Mapped[UUID | None]
    project_id: Mapped[UUID | None]
    month: Mapped[str] = mapped_column(default="", server_default="")
    kind: Mapped[str]
    micro_dollars: Mapped[int]
    unpriced: Mapped[int] = mapped_column(default=0, server_default="0")
    effect_key: Mapped[str | None]
    step_kind: Mapped[str] = mapped_column(default="", server_default="")
    provider: Mapped[str] = mapped_column(default="", server_default="")
    model: Mapped[str] = mapped_column(default="", server_default="")
    units: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    __table_args__ = (
        belongs_to("jobs", "job_id"),
        CheckConstraint("kind IN ('reserve','settle','release')", name="kind"),
        CheckConstraint("micro_dollars >= 0", name="amount"),
        CheckConstraint("kind = 'settle' OR job_id IS NOT NULL", name="whose"),
        Index("ix_budget_entries_job", "tenant_id", "job_id"),
        Index("ix_budget_entries_at", "tenant_id", "at", postgresql_where=text("kind = 'settle'")),
    )


class QuoteLesson(TenantOwned, Base):
    """How far estimates were off: actual ÷ estimated cost of a step, averaged over jobs (newer ones weigh more)."""

    __tablename__ = "quote_lessons"
    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    step_kind: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(default=0, server_default="0")
    ratio: Mapped[float] = mapped_column(Double, default=1, server_default="1")
    spread: Mapped[float] = mapped_column(Double, default=0, server_default="0")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    __table_args__ = (belongs_to("projects", "project_id"),)
