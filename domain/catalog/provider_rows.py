"""Rows of providers: a workspace's accounts at vendors, and which of them a project works with."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from domain.catalog.vendors import PORTS, VENDORS
from tenants.records import Base, TenantOwned, Timed, belongs_to, of_tenant, uuid7


class Provider(TenantOwned, Timed, Base):
    """An account at a vendor. Its key lies in the vault under `secret_name`; it is in no column of this row.

    `revision` rises with every save, so that open lines are opened anew. `prices`: the workspace's own price file
    (adapters/prices/book.py), null = the one that comes with the program. `tested_*`: the last test of the
    connection, `error_*`: the last failure in a job.
    """

    __tablename__ = "providers"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    slug: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    model: Mapped[str] = mapped_column(default="", server_default="")
    base_url: Mapped[str] = mapped_column(default="", server_default="")
    options: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    prices: Mapped[dict[str, Any] | None]
    per_minute: Mapped[int | None]
    concurrent: Mapped[int | None]
    enabled: Mapped[bool] = mapped_column(default=True, server_default="true")
    revision: Mapped[int] = mapped_column(default=1, server_default="1")
    tested_at: Mapped[datetime | None]
    tested_ok: Mapped[bool | None]
    tested_said: Mapped[str] = mapped_column(default="", server_default="")
    tested_ref: Mapped[str] = mapped_column(default="", server_default="")
    error_at: Mapped[datetime | None]
    error_kind: Mapped[str] = mapped_column(default="", server_default="")
    error_said: Mapped[str] = mapped_column(default="", server_default="")
    error_ref: Mapped[str] = mapped_column(default="", server_default="")
    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id", "slug"),
        CheckConstraint(f"kind IN {tuple(sorted(VENDORS))!r}", name="kind"),
    )

    @property
    def secret_name(self) -> str:
        """The name of its key in the vault."""
        return secret_name(self.id)


def secret_name(provider_id: UUID) -> str:
    """The name of a provider's key in the vault."""
    return f"provider:{provider_id}"


class ProviderChoice(TenantOwned, Timed, Base):
    """A provider that a project works with, by port; pictures are asked for in the order of `position` (from 0)."""

    __tablename__ = "provider_choices"
    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    port: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    provider_id: Mapped[UUID]
    __table_args__ = (
        belongs_to("projects", "project_id"),
        belongs_to("providers", "provider_id"),
        CheckConstraint(f"port IN {PORTS!r}", name="port"),
        Index("ix_provider_choices_provider", "tenant_id", "provider_id"),
    )
