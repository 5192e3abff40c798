"""Passkeys of people: kept, found at sign-in, used once per challenge, removed.

What a device has signed is checked by the caller (adapters/signin/passkeys.py) before it counts here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.account_trail import tell_workspaces
from tenants.factor_model import Passkey
from tenants.factors import drop_lone_codes
from tenants.model import User
from tenants.people_model import Ticket
from tenants.records import uuid7
from tenants.unit import Units
from tenants.ways_in import hold_ways, require_way_in

MOST = 20
NAME_LIMIT = 60
CHALLENGE = timedelta(minutes=5)
_PURPOSE = "passkeys"


@dataclass(frozen=True)
class PasskeyLine:
    """A passkey as its owner sees it; `synced`: a password manager keeps copies."""

    id: UUID
    name: str
    created_at: datetime
    used_at: datetime | None
    synced: bool


@dataclass(frozen=True)
class Credential:
    """What a browser is told of a passkey so that it finds it."""

    id: str
    transports: tuple[str, ...]


@dataclass(frozen=True)
class KnownKey:
    """What a signature is checked with."""

    user_id: UUID
    credential: str
    public_key: bytes
    sign_count: int


@dataclass(frozen=True)
class NewKey:
    """A credential that a device has just made."""

    credential: str
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    synced: bool


async def passkeys_of(units: Units, user_id: UUID) -> list[PasskeyLine]:
    """A person's passkeys, the oldest first."""
    async with units.system(_PURPOSE) as unit:
        rows = await unit.session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id))
        return [PasskeyLine(row.id, row.name, row.created_at, row.used_at, row.synced) for row in rows]


async def credentials_of(units: Units, user_id: UUID) -> list[Credential]:
    """What browsers are told of a person's passkeys."""
    async with units.system(_PURPOSE) as unit:
        rows = await unit.session.execute(
            select(Passkey.credential, Passkey.transports).where(Passkey.user_id == user_id).order_by(Passkey.id)
        )
        return [Credential(credential, tuple(transports)) for credential, transports in rows]


async def find_passkey(units: Units, credential: str) -> KnownKey | None:
    """The passkey of a credential; None for unknown ones and those of people who are locked out."""
    async with units.system(_PURPOSE) as unit:
        row = (
            await unit.session.execute(
                select(Passkey.user_id, Passkey.credential, Passkey.public_key, Passkey.sign_count)
                .join(User, User.id == Passkey.user_id)
                .where(Passkey.credential == credential, User.disabled_at.is_(None))
            )
        ).one_or_none()
    return None if row is None else KnownKey(*row)


async def add_passkey(
    units: Units, user_id: UUID, name: str, made: NewKey, challenge: bytes, address: str = ""
) -> bool:
    """Keep a new passkey and use its challenge up; False when the challenge was used or the device is known."""
    async with units.system(_PURPOSE) as unit:
        if not await _spend(unit.session, challenge):
            return False
        kept = await unit.session.execute(
            upsert(Passkey)
            .values(
                id=uuid7(),
                user_id=user_id,
                name=name,
                credential=made.credential,
                public_key=made.public_key,
                sign_count=made.sign_count,
                transports=list(made.transports),
                synced=made.synced,
            )
            .on_conflict_do_nothing(index_elements=["credential"])
            .returning(Passkey.id)
        )
        if kept.first() is None:
            return False
        await tell_workspaces(unit, user_id, "factor.added", address, factor="passkey", name=name)
        return True


async def use_passkey(units: Units, key: KnownKey, sign_count: int, challenge: bytes) -> bool:
    """Count a checked signature: its challenge is used up, and its counter may not have moved meanwhile."""
    async with units.system(_PURPOSE) as unit:
        if not await _spend(unit.session, challenge):
            return False
        counted = await unit.session.execute(
            update(Passkey)
            .where(Passkey.credential == key.credential, Passkey.sign_count == key.sign_count)
            .values(sign_count=sign_count, used_at=func.now())
            .returning(Passkey.id)
        )
        return counted.first() is not None


async def remove_passkey(
    units: Units, user_id: UUID, passkey_id: UUID, *, house: frozenset[str], address: str = ""
) -> bool:
    """Forget one of a person's own passkeys; False when they have no such one. Raises SignInRefused at the last way in.

    `house`: issuers that open the whole account (tenants/ways_in.py).
    """
    async with units.system(_PURPOSE) as unit:
        await hold_ways(unit.session, user_id)
        gone: Sequence[str] = (
            await unit.session.scalars(
                delete(Passkey).where(Passkey.user_id == user_id, Passkey.id == passkey_id).returning(Passkey.name)
            )
        ).all()
        if not gone:
            return False
        await require_way_in(unit.session, user_id, house)
        await drop_lone_codes(unit.session, user_id)
        await tell_workspaces(unit, user_id, "factor.removed", address, factor="passkey", name=gone[0])
        return True


async def _spend(session: AsyncSession, challenge: bytes) -> bool:
    """Use a challenge up; of two at once one gets it. Making a challenge writes nothing, so visits leave no rows."""
    spent = await session.execute(
        upsert(Ticket)
        .values(
            token_hash=hashlib.sha256(challenge).hexdigest(),
            purpose="passkey",
            expires_at=func.now() + 2 * CHALLENGE,
            used_at=func.now(),
        )
        .on_conflict_do_nothing(index_elements=["token_hash"])
        .returning(Ticket.token_hash)
    )
    return spent.first() is not None
