"""One-time tokens: made, looked at, used up. All inside a system routine's own transaction."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.directory import token_hash
from tenants.people_model import Ticket

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def add_ticket(
    session: AsyncSession,
    purpose: str,
    valid_for: timedelta,
    *,
    user_id: UUID | None = None,
    tenant_id: UUID | None = None,
    invitation_id: UUID | None = None,
    by_mail: bool = False,
    data: dict[str, Any] | None = None,
) -> str:
    """Make a token and answer it; only its hash is kept."""
    token = secrets.token_urlsafe(32)
    session.add(
        Ticket(
            token_hash=token_hash(token),
            purpose=purpose,
            user_id=user_id,
            tenant_id=tenant_id,
            invitation_id=invitation_id,
            by_mail=by_mail,
            data=data or {},
            expires_at=func.now() + valid_for,
        )
    )
    return token


async def find_ticket(session: AsyncSession, token: str, purpose: str) -> Ticket | None:
    """The ticket of a token that could be used now, or None; looking does not use it up."""
    if not _TOKEN.fullmatch(token):
        return None
    return await session.scalar(select(Ticket).where(*_usable(token_hash(token), purpose)))


async def use_ticket(session: AsyncSession, token: str, purpose: str) -> Ticket | None:
    """Use a token up; None when it is unknown, used or out of date. Of two at once, one gets it."""
    return await use_hash(session, token_hash(token), purpose) if _TOKEN.fullmatch(token) else None


async def use_hash(session: AsyncSession, hashed: str, purpose: str) -> Ticket | None:
    """Use a token up by its hash, for whoever has shown the token before and only kept that."""
    return await session.scalar(
        update(Ticket).where(*_usable(hashed, purpose)).values(used_at=func.now()).returning(Ticket)
    )


async def drop_tickets(session: AsyncSession, user_id: UUID, purpose: str) -> None:
    """End a person's unused tokens of a purpose."""
    await session.execute(
        delete(Ticket).where(Ticket.user_id == user_id, Ticket.purpose == purpose, Ticket.used_at.is_(None))
    )


def _usable(hashed: str, purpose: str) -> tuple[ColumnElement[bool], ...]:
    return (
        Ticket.token_hash == hashed,
        Ticket.purpose == purpose,
        Ticket.used_at.is_(None),
        Ticket.expires_at > func.now(),
    )
