"""Rows of tenancy: tenants and people (global, see rls.GLOBAL_TABLES), events, outbox, audit, secrets."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.records import Base, TenantOwned, Timed, of_tenant, uuid7


class Tenant(Timed, Base):
    """A workspace: the isolation boundary. Visible only to itself (policy on `id`)."""

    __tablename__ = "tenants"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    tier: Mapped[str] = mapped_column(default="free", server_default="free")
    weight: Mapped[int] = mapped_column(default=1, server_default="1")
    max_running: Mapped[int] = mapped_column(default=4, server_default="4")
    running: Mapped[int] = mapped_column(default=0, server_default="0")
    paused_at: Mapped[datetime | None]
    paused_reason: Mapped[str | None]
    paused_by: Mapped[str | None]
    archived_at: Mapped[datetime | None]
    delete_after: Mapped[datetime | None]
    second_factor: Mapped[bool] = mapped_column(default=False, server_default="false")
    __table_args__ = (
        CheckConstraint("weight > 0", name="weight"),
        CheckConstraint("running >= 0", name="running"),
    )


class User(Timed, Base):
    """A person, across workspaces."""

    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    email: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str]
    language: Mapped[str] = mapped_column(default="en", server_default="en")
    theme: Mapped[str] = mapped_column(default="system", server_default="system")
    density: Mapped[str] = mapped_column(default="comfortable", server_default="comfortable")
    time_zone: Mapped[str] = mapped_column(default="UTC", server_default="UTC")
    shortcuts: Mapped[bool] = mapped_column(default=True, server_default="true")
    mail_approvals: Mapped[bool] = mapped_column(default=False, server_default="false")
    email_verified_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    operates_farm: Mapped[bool] = mapped_column(default=False, server_default="false")


class Membership(Timed, Base):
    """A person's role in a workspace; `projects` narrows it (null = all)."""

    __tablename__ = "memberships"
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[str]
    projects: Mapped[list[str] | None]
    visited_at: Mapped[datetime | None]
    __table_args__ = (CheckConstraint("role IN ('owner','admin','operator','viewer')", name="role"),)


class AuthSession(Base):
    """A signed-in browser. `id_hash` is the SHA-256 of the cookie's value.

    `tenant_id`: it was let in by that workspace's own provider, which opens that workspace and nothing else.
    """

    __tablename__ = "auth_session"
    id_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    idle_expires_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    authenticated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    methods: Mapped[list[str]]
    address: Mapped[str] = mapped_column(default="")
    agent: Mapped[str] = mapped_column(default="")
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), index=True)
    revoked_at: Mapped[datetime | None]


class OwnerLink(Timed, Base):
    """A one-time link that signs in the first owner; `token_hash` is the SHA-256 of the token.

    `operates_farm`: made by the first start on this machine, so whoever uses it operates the farm too.
    """

    __tablename__ = "owner_links"
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    used_by: Mapped[UUID | None]
    operates_farm: Mapped[bool] = mapped_column(default=False, server_default="false")


class Counter(TenantOwned, Base):
    """A tenant's named counter; the row lock of its update makes numbers gapless and visible in order."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]
    __table_args__ = (of_tenant(),)


IS_TOLD = text(
    "type IN ('approval.decided', 'approval.expired', 'job.created', 'job.paused', 'job.state', 'step.dead', "
    "'step.waiting')"
)
"""Whether programs outside can be told of an event (domain/outreach); asked in the words of the index, to use it."""


class Event(TenantOwned, Base):
    """Something that happened, in the tenant's own order: visible order = `seq` order."""

    __tablename__ = "events"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    job_id: Mapped[UUID | None]
    project_id: Mapped[UUID | None]
    type: Mapped[str]
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    __table_args__ = (
        of_tenant(),
        Index("ix_events_job", "tenant_id", "job_id", "seq"),
        Index("ix_events_told", "tenant_id", "seq", postgresql_where=IS_TOLD),
    )


class OutboxMessage(TenantOwned, Base):
    """A message to the outside that the pump sends after commit."""

    __tablename__ = "outbox"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    topic: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]
    __table_args__ = (of_tenant(), Index("ix_outbox_unsent", "id", postgresql_where=text("sent_at IS NULL")))


class AuditEntry(TenantOwned, Base):
    """One line of the audit trail; `digest` chains to the line before (append-only for the app role)."""

    __tablename__ = "audit_entries"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str]
    role: Mapped[str]
    action: Mapped[str]
    object_type: Mapped[str]
    object_id: Mapped[str]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    address: Mapped[str] = mapped_column(default="")
    trace_id: Mapped[str] = mapped_column(default="")
    digest: Mapped[str]
    __table_args__ = (of_tenant(),)


class DataKey(TenantOwned, Timed, Base):
    """A tenant's data-encryption key, wrapped by the key-encryption key `kek_version`."""

    __tablename__ = "data_keys"
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kek_version: Mapped[str]
    wrapped: Mapped[bytes]
    retired_at: Mapped[datetime | None]
    __table_args__ = (of_tenant(),)


class SealedSecret(TenantOwned, Timed, Base):
    """An encrypted value (tenants/vault.py); only `hint` (last 4 characters) and `fingerprint` are ever shown."""

    __tablename__ = "secrets"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str]
    key_version: Mapped[int]
    nonce: Mapped[bytes]
    sealed: Mapped[bytes]
    hint: Mapped[str]
    fingerprint: Mapped[str]
    set_by: Mapped[UUID | None]
    set_at: Mapped[datetime] = mapped_column(server_default=func.now())
    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id", "name"))
