"""Rows of second factors: the authenticator app, passkeys, recovery codes. They belong to people, not to tenants."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from tenants.records import Base, Timed, uuid7


class AppFactor(Timed, Base):
    """A person's authenticator app; its secret is sealed by tenants/personal.py. `last_step` was accepted last."""

    __tablename__ = "app_factors"
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    key_version: Mapped[int]
    nonce: Mapped[bytes]
    sealed: Mapped[bytes]
    last_step: Mapped[int] = mapped_column(default=0, server_default="0")
    confirmed_at: Mapped[datetime | None]


class Passkey(Timed, Base):
    """A credential of a person's device or password manager; `credential` is its id in base64url."""

    __tablename__ = "passkeys"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    credential: Mapped[str] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(default=0, server_default="0")
    transports: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    synced: Mapped[bool] = mapped_column(default=False, server_default="false")
    used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """One of a person's recovery codes; `code_hash` is its SHA-256 (a code has 120 bits)."""

    __tablename__ = "recovery_codes"
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(primary_key=True)
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())
    used_at: Mapped[datetime | None]
