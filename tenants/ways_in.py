"""The last way in: nobody takes away what they would need to come back. Sessions are the caller's."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.factor_model import Passkey
from tenants.model import User
from tenants.people_model import Password
from tenants.signin_model import Identity
from tenants.signin_rules import SignInRefused


async def hold_ways(session: AsyncSession, user_id: UUID) -> None:
    """Let nobody else take ways in from this person before the transaction ends: of two at once, one sees the other."""
    await session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))


async def require_way_in(session: AsyncSession, user_id: UUID, house: frozenset[str]) -> None:
    """Raise SignInRefused unless a password, a passkey or a provider is left; ways are held by `hold_ways`.

    `house`: issuers that open the whole account; a workspace's own provider alone would not be enough.
    """
    for way in (
        select(Password.user_id).where(Password.user_id == user_id),
        select(Passkey.user_id).where(Passkey.user_id == user_id),
        select(Identity.user_id).where(Identity.user_id == user_id, Identity.issuer.in_(house)),
    ):
        if await session.scalar(way.limit(1)) is not None:
            return
    raise SignInRefused("last", "it is the only way in")
