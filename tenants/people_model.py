"""Rows of people: how they prove who they are, one-time tokens, invitations and letters to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.records import Base, TenantOwned, Timed, of_tenant, uuid7


class Password(Base):
    """A person's password as argon2id writes it."""

    __tablename__ = "passwords"
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    hash: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Ticket(Timed, Base):
    """A one-time token behind a link or a half-finished sign-in; `token_hash` is its SHA-256.

    `by_mail`: only somebody who reads the address can know the token, so using it proves the address.
    """

    __tablename__ = "tickets"
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    invitation_id: Mapped[UUID | None]
    by_mail: Mapped[bool] = mapped_column(default=False, server_default="false")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    __table_args__ = (CheckConstraint("purpose IN ('invite','reset','second','passkey')", name="purpose"),)


class Invitation(TenantOwned, Timed, Base):
    """An offer to join a workspace; `projects` narrows it (null = all)."""

    __tablename__ = "invitations"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    email: Mapped[str]
    role: Mapped[str]
    projects: Mapped[list[str] | None]
    invited_by: Mapped[UUID | None]
    invited_by_name: Mapped[str]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[UUID | None]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (
        of_tenant(),
        CheckConstraint("role IN ('owner','admin','operator','viewer')", name="role"),
    )


class Letter(Timed, Base):
    """An e-mail to be sent. It holds no token: the link is made when it is sent."""

    __tablename__ = "letters"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    kind: Mapped[str]
    address: Mapped[str]
    language: Mapped[str]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), index=True)
    invitation_id: Mapped[UUID | None]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    next_at: Mapped[datetime] = mapped_column(server_default=func.now())
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    sent_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="", server_default="")
    __table_args__ = (
        Index("ix_letters_unsent", "next_at", postgresql_where=text("sent_at IS NULL AND failed_at IS NULL")),
    )
