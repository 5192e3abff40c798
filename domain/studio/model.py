"""Rows of the studio: what people change about a job's timeline, operation by operation."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tenants.records import Base, TenantOwned, Timed, belongs_to

EDIT_STATES = ("done", "undone", "dropped")


class TimelineDraft(TenantOwned, Timed, Base):
    """A job's timeline as people are changing it. `version` grows with every change, undo and redo.

    `document` is the canonical document after all edits that are done, made on the composed one with the hash `base`.
    `made_number` is the job that was last made of the draft, `made_version` the version it was made of.
    """

    __tablename__ = "timeline_drafts"
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    base: Mapped[str] = mapped_column(default="", server_default="")
    document: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    made_number: Mapped[int | None]
    made_version: Mapped[int | None]
    __table_args__ = (belongs_to("jobs", "job_id"),)


class TimelineEdit(TenantOwned, Timed, Base):
    """One operation on a job's timeline (timeline/editing/operations.py), numbered from 1.

    `state`: undone ones can be done again until something else is done; then they are dropped. `version` is the draft's
    at which the state last changed, by `changed_by_name`.
    """

    __tablename__ = "timeline_edits"
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    operation: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="done", server_default="done")
    version: Mapped[int]
    made_by: Mapped[UUID | None]
    made_by_name: Mapped[str] = mapped_column(default="", server_default="")
    changed_by_name: Mapped[str] = mapped_column(default="", server_default="")
    changed_at: Mapped[datetime | None]
    __table_args__ = (
        belongs_to("jobs", "job_id"),
        CheckConstraint(f"state IN {EDIT_STATES!r}", name="state"),
    )
