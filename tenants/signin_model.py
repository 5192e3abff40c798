"""Rows of signing in through providers: who may be asked, who they say people are, and sign-ins under way."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from tenants.records import Base, TenantOwned, Timed, of_tenant, uuid7

KINDS = "kind IN ('google','github','microsoft','oidc')"
NEWCOMERS = "newcomers IN ('invited','domains','everyone')"
ROLES = "role IN ('viewer','operator')"
PURPOSES = "purpose IN ('enter','join','link','linking','confirm')"


class _Way:
    """What providers of a workspace and of the installation have in common."""

    slug: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    issuer: Mapped[str]
    client_id: Mapped[str]
    newcomers: Mapped[str] = mapped_column(default="invited", server_default="invited")
    domains: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    role: Mapped[str] = mapped_column(default="viewer", server_default="viewer")
    enabled: Mapped[bool] = mapped_column(default=True, server_default="true")
    tested_at: Mapped[datetime | None]
    tested_ok: Mapped[bool | None]
    tested_said: Mapped[str] = mapped_column(default="", server_default="")


class SignInProvider(_Way, TenantOwned, Timed, Base):
    """A provider that a workspace lets its people in by; its secret is in the workspace's vault."""

    __tablename__ = "signin_providers"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id", "slug"),
        CheckConstraint(KINDS, name="kind"),
        CheckConstraint(NEWCOMERS, name="newcomers"),
        CheckConstraint(ROLES, name="role"),
    )

    @property
    def secret_name(self) -> str:
        """The name of its secret in the vault."""
        return f"sign-in/{self.id}"


class HouseProvider(_Way, Timed, Base):
    """A provider of the whole installation. New people become members of the workspace `joins`, if any."""

    __tablename__ = "house_providers"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    joins: Mapped[UUID | None] = mapped_column(ForeignKey("tenants.id", ondelete="SET NULL"), index=True)
    kek_version: Mapped[str]
    sealed: Mapped[bytes]
    hint: Mapped[str]
    __table_args__ = (
        UniqueConstraint("slug"),
        CheckConstraint(KINDS, name="kind"),
        CheckConstraint(NEWCOMERS, name="newcomers"),
        CheckConstraint(ROLES, name="role"),
    )


class Identity(Timed, Base):
    """Somebody as an issuer knows them, and who they are here."""

    __tablename__ = "identities"
    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    label: Mapped[str] = mapped_column(default="", server_default="")
    used_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SignInAttempt(Timed, Base):
    """A sign-in under way, used up by being deleted. `key_hash`: SHA-256 of `state`; `browser_hash`: of the cookie.

    `data` holds nonce, verifier, the path to go to, the hash of an invitation, or the identity to be linked.
    """

    __tablename__ = "signin_attempts"
    key_hash: Mapped[str] = mapped_column(primary_key=True)
    browser_hash: Mapped[str]
    purpose: Mapped[str]
    tenant_id: Mapped[UUID | None]
    provider_id: Mapped[UUID]
    user_id: Mapped[UUID | None]
    session_hash: Mapped[str | None]
    data: Mapped[dict[str, Any]]
    expires_at: Mapped[datetime]
    __table_args__ = (CheckConstraint(PURPOSES, name="purpose"), Index("ix_signin_attempts_expires_at", "expires_at"))


class IssuerKeys(Base):
    """The public keys of an issuer, shared by all processes; `tried_at` is when they were last asked for."""

    __tablename__ = "issuer_keys"
    uri: Mapped[str] = mapped_column(primary_key=True)
    keys: Mapped[dict[str, Any] | None]
    tried_at: Mapped[datetime] = mapped_column(server_default=func.now())
    fetched_at: Mapped[datetime | None]
