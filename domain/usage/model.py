"""Rows of money: the effect ledger and the budget ledger. Amounts are micro-dollars."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from tenants.records import Base, TenantOwned, Timed, belongs_to, uuid7

EFFECT_STATES = ("intent", "sent", "done", "in_doubt", "failed")


class Effect(TenantOwned, Timed, Base):
    """One paid or outward call: recorded before it is made, and again when its answer is safe.

    `effect_key` = hash(tenant, job, step kind, shard, canonical request, provider, model); it never contains
    an attempt number, so a later attempt finds what an earlier one paid for.
    """

    __tablename__ = "effects"
    effect_key: Mapped[str] = mapped_column(primary_key=True)
    job_id: Mapped[UUID]
    step_id: Mapped[UUID]
    step_kind: Mapped[str]
    provider: Mapped[str]
    model: Mapped[str] = mapped_column(default="", server_default="")
    request_hash: Mapped[str]
    state: Mapped[str]
    provider_ref: Mapped[str] = mapped_column(default="", server_default="")
    response_key: Mapped[str | None]
    units: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    micro_dollars: Mapped[int | None]
    error: Mapped[str | None]
    fence: Mapped[int]
    sent_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    __table_args__ = (
        belongs_to("jobs", "job_id"),
        CheckConstraint(f"state IN {EFFECT_STATES!r}", name="state"),
        Index("ix_effects_job", "tenant_id", "job_id"),
    )


class BudgetEntry(TenantOwned, Base):
    """One move in the budget ledger: reserve (+), settle (actual), release (what was not needed)."""

    __tablename__ = "budget_entries"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    job_id: Mapped[UUID]
    kind: Mapped[str]
    micro_dollars: Mapped[int]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    __table_args__ = (
        belongs_to("jobs", "job_id"),
        CheckConstraint("kind IN ('reserve','settle','release')", name="kind"),
        Index("ix_budget_entries_job", "tenant_id", "job_id"),
    )
