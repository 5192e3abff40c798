"""Sign-ins under way: kept from our page to the provider and back, and used up once; before a tenant is known."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import delete, func, select

from tenants.directory import token_hash
from tenants.signin_model import SignInAttempt
from tenants.unit import Units

LIFE = timedelta(minutes=10)
"""How long a sign-in may take, from our page to the provider and back."""
Purpose = Literal["enter", "join", "link", "linking", "confirm"]
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_PURPOSE = "signin attempts"


@dataclass(frozen=True)
class Pending:
    """A sign-in under way. `data` is kept as it is; `user_id` and `session_hash` tie it to a signed-in session."""

    purpose: Purpose
    tenant_id: UUID | None
    provider_id: UUID
    data: dict[str, Any] = field(default_factory=dict)
    user_id: UUID | None = None
    session_hash: str | None = None


async def begin_attempt(units: Units, key: str, browser: str, pending: Pending) -> None:
    """Keep a sign-in under way: `key` is what comes back (`state`), `browser` what only this browser holds."""
    async with units.system(_PURPOSE) as unit:
        await unit.session.execute(delete(SignInAttempt).where(SignInAttempt.expires_at < func.now()))
        unit.session.add(
            SignInAttempt(
                key_hash=token_hash(key),
                browser_hash=token_hash(browser),
                purpose=pending.purpose,
                tenant_id=pending.tenant_id,
                provider_id=pending.provider_id,
                user_id=pending.user_id,
                session_hash=pending.session_hash,
                data=pending.data,
                expires_at=func.now() + LIFE,
            )
        )


async def look_at_attempt(units: Units, key: str, purpose: Purpose) -> Pending | None:
    """An attempt whose key and browser are one token, as it stands; looking does not use it up."""
    async with units.system(_PURPOSE) as unit:
        row = await unit.session.scalar(
            select(SignInAttempt).where(
                SignInAttempt.key_hash == token_hash(key),
                SignInAttempt.browser_hash == token_hash(key),
                SignInAttempt.purpose == purpose,
                SignInAttempt.expires_at > func.now(),
            )
        )
        return None if row is None else _pending(row)


async def take_attempt(units: Units, key: str, browser: str) -> Pending | None:
    """Use an attempt up; None when it is unknown, used, out of date or another browser's. Of two, one gets it."""
    if not (_TOKEN.fullmatch(key) and _TOKEN.fullmatch(browser)):
        return None
    async with units.system(_PURPOSE) as unit:
        row = await unit.session.scalar(
            delete(SignInAttempt)
            .where(
                SignInAttempt.key_hash == token_hash(key),
                SignInAttempt.browser_hash == token_hash(browser),
                SignInAttempt.expires_at > func.now(),
            )
            .returning(SignInAttempt)
        )
        return None if row is None else _pending(row)


def _pending(row: SignInAttempt) -> Pending:
    purpose = cast("Purpose", row.purpose)
    return Pending(purpose, row.tenant_id, row.provider_id, dict(row.data), row.user_id, row.session_hash)
