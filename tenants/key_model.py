"""Rows of API keys: what a program may do in a workspace, and until when."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tenants.records import Base, TenantOwned, Timed, of_tenant, uuid7


class ApiKey(TenantOwned, Timed, Base):
    """One key; `secret_hash` is the SHA-256 of all of it. `projects` narrows it (null = as its maker is).

    `networks`: where it may come from (empty = anywhere). `replaced_by`: the key that took over when it was renewed.
    """

    __tablename__ = "api_keys"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    public_id: Mapped[str]
    secret_hash: Mapped[str]
    name: Mapped[str]
    scopes: Mapped[list[str]]
    projects: Mapped[list[str] | None]
    networks: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    made_by: Mapped[UUID]
    made_by_name: Mapped[str]
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    used_from: Mapped[str] = mapped_column(default="", server_default="")
    replaced_by: Mapped[UUID | None]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id", "public_id"),
        Index("ix_api_keys_public_id", "public_id"),
    )
