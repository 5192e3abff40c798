"""Second factors of people: the authenticator app, recovery codes, and the step between a password and a session.

Whoever knows the password gets a ticket, not a session; the session begins when the ticket is used up together with a
factor. Which code is right is decided by the caller (adapters/signin/codes.py); that it counts once is decided here.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.account_trail import tell_workspaces
from tenants.directory import new_session
from tenants.factor_model import AppFactor, Passkey, RecoveryCode
from tenants.people import Browser
from tenants.people_model import Ticket
from tenants.personal import Box
from tenants.tickets import add_ticket, drop_tickets, find_ticket, use_ticket
from tenants.unit import Units

SECOND = timedelta(minutes=10)
"""How long one may take between the password and the second step."""
SETUP = timedelta(minutes=15)
"""How long an authenticator app may wait for its first code."""
CODES = 10
_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without I, L, O and U, which are misread or make words."""
_GROUPS, _GROUP = 4, 6
_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})
_PURPOSE = "factors"


@dataclass(frozen=True)
class Factors:
    """What a person has besides a password."""

    app_since: datetime | None = None
    passkeys: int = 0
    codes_left: int = 0

    @property
    def any(self) -> bool:
        """True when a password alone does not let them in."""
        return self.app_since is not None or self.passkeys > 0


@dataclass(frozen=True)
class Pending:
    """A sign-in that waits for its second step."""

    user_id: UUID
    next: str


# ── What there is ─────────────────────────────────────────────────────────────────────────────────────────
async def factors_of(units: Units, user_id: UUID) -> Factors:
    """A person's second factors."""
    async with units.system(_PURPOSE) as unit:
        row = await unit.session.execute(
            select(
                select(AppFactor.confirmed_at).where(AppFactor.user_id == user_id).scalar_subquery(),
                select(func.count()).where(Passkey.user_id == user_id).scalar_subquery(),
                select(func.count())
                .where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
                .scalar_subquery(),
            )
        )
        return Factors(*row.one())


# ── The authenticator app ─────────────────────────────────────────────────────────────────────────────────
async def start_app(units: Units, user_id: UUID, box: Box) -> bool:
    """Keep a fresh secret that waits for its first code; False when an app is set up already."""
    fresh = {"key_version": box.key_version, "nonce": box.nonce, "sealed": box.sealed, "last_step": 0}
    async with units.system(_PURPOSE) as unit:
        made = await unit.session.execute(
            upsert(AppFactor)
            .values(user_id=user_id, **fresh)
            .on_conflict_do_update(
                index_elements=["user_id"],
                set_={**fresh, "created_at": func.now()},
                where=AppFactor.confirmed_at.is_(None),
            )
            .returning(AppFactor.user_id)
        )
        return made.first() is not None


async def app_of(units: Units, user_id: UUID, *, waiting: bool = False) -> AppFactor | None:
    """A person's app: the one in force, or the one that waits for its first code."""
    state = (
        (AppFactor.confirmed_at.is_(None) & (AppFactor.created_at > func.now() - SETUP))
        if waiting
        else AppFactor.confirmed_at.is_not(None)
    )
    async with units.system(_PURPOSE) as unit:
        return await unit.session.scalar(select(AppFactor).where(AppFactor.user_id == user_id, state))


async def confirm_app(units: Units, user_id: UUID, step: int, address: str = "") -> bool:
    """Put a waiting app in force; its first code is used up with it."""
    async with units.system(_PURPOSE) as unit:
        done = await unit.session.scalar(
            update(AppFactor)
            .where(AppFactor.user_id == user_id, AppFactor.confirmed_at.is_(None))
            .values(confirmed_at=func.now(), last_step=step)
            .returning(AppFactor.user_id)
        )
        if done is not None:
            await tell_workspaces(unit, user_id, "factor.added", address, factor="app")
        return done is not None


async def take_step(units: Units, user_id: UUID, step: int) -> bool:
    """Use up the code of a time step; of two at once one gets it, and no earlier step counts after it."""
    async with units.system(_PURPOSE) as unit:
        taken = await unit.session.execute(
            update(AppFactor)
            .where(AppFactor.user_id == user_id, AppFactor.confirmed_at.is_not(None), AppFactor.last_step < step)
            .values(last_step=step)
            .returning(AppFactor.user_id)
        )
        return taken.first() is not None


async def remove_app(units: Units, user_id: UUID, address: str = "") -> bool:
    """Forget a person's app; False when there is none."""
    async with units.system(_PURPOSE) as unit:
        gone = await unit.session.execute(
            delete(AppFactor).where(AppFactor.user_id == user_id).returning(AppFactor.user_id)
        )
        if gone.first() is None:
            return False
        await drop_lone_codes(unit.session, user_id)
        await tell_workspaces(unit, user_id, "factor.removed", address, factor="app")
        return True


# ── Recovery codes ────────────────────────────────────────────────────────────────────────────────────────
def make_code() -> str:
    """A recovery code of 120 bits in groups that can be copied by hand."""
    groups = ("".join(secrets.choice(_SIGNS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def code_hash(code: str) -> str | None:
    """The form in which a code is kept, however it was typed; None when it cannot be one."""
    bare = re.sub(r"[\s-]", "", code).upper().translate(_ALIKE)
    if len(bare) != _GROUPS * _GROUP or set(bare) - set(_SIGNS):
        return None
    return hashlib.sha256(bare.encode()).hexdigest()


async def new_codes(units: Units, user_id: UUID, address: str = "") -> list[str]:
    """Make a set of codes, the only time that they are told; every earlier code ends."""
    codes = [make_code() for _ in range(CODES)]
    async with units.system(_PURPOSE) as unit:
        await unit.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
        await unit.session.execute(
            insert(RecoveryCode), [{"user_id": user_id, "code_hash": code_hash(code)} for code in codes]
        )
        await tell_workspaces(unit, user_id, "factor.codes_made", address)
    return codes


async def take_code(units: Units, user_id: UUID, code: str, address: str = "") -> bool:
    """Use up a recovery code; False when it is not one of the person's, or used."""
    hashed = code_hash(code)
    if hashed is None:
        return False
    async with units.system(_PURPOSE) as unit:
        taken = await unit.session.execute(
            update(RecoveryCode)
            .where(RecoveryCode.user_id == user_id, RecoveryCode.code_hash == hashed, RecoveryCode.used_at.is_(None))
            .values(used_at=func.now())
            .returning(RecoveryCode.user_id)
        )
        if taken.first() is None:
            return False
        await tell_workspaces(unit, user_id, "factor.code_used", address)
        return True


async def drop_lone_codes(session: AsyncSession, user_id: UUID) -> None:
    """Codes stand in for a factor: without any, they end too."""
    has_app = exists().where(AppFactor.user_id == user_id, AppFactor.confirmed_at.is_not(None))
    has_key = exists().where(Passkey.user_id == user_id)
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id, ~has_app, ~has_key))


async def remove_every_factor(units: Units, user_id: UUID) -> int:
    """Take all second factors from a person who is locked out, for the machine's owner; answer how many."""
    async with units.system(_PURPOSE) as unit:
        apps = await unit.session.execute(
            delete(AppFactor).where(AppFactor.user_id == user_id).returning(AppFactor.user_id)
        )
        keys = await unit.session.execute(delete(Passkey).where(Passkey.user_id == user_id).returning(Passkey.id))
        await unit.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
        await drop_tickets(unit.session, user_id, "second")
        count = len(apps.all()) + len(keys.all())
        await tell_workspaces(unit, user_id, "factor.all_removed", "", by_machine=True, count=count)
        return count


# ── Between the password and the session ──────────────────────────────────────────────────────────────────
async def open_second_step(units: Units, user_id: UUID, methods: Sequence[str], path: str) -> str:
    """Note that a person has given their first factor; the token belongs into a cookie of this browser."""
    async with units.system(_PURPOSE) as unit:
        await unit.session.execute(
            delete(Ticket).where(Ticket.purpose.in_(("second", "passkey")), Ticket.expires_at < func.now())
        )
        data = {"methods": list(methods), "next": path}
        return add_ticket(unit.session, "second", SECOND, user_id=user_id, data=data)


async def look_at_second_step(units: Units, token: str) -> Pending | None:
    """The sign-in that waits behind a token; looking does not use it up."""
    async with units.system(_PURPOSE) as unit:
        ticket = await find_ticket(unit.session, token, "second")
        if ticket is None or ticket.user_id is None:
            return None
        return Pending(ticket.user_id, str(ticket.data["next"]))


async def finish_second_step(units: Units, token: str, method: str, browser: Browser) -> str | None:
    """Use the token up and begin the session; None when it was used or its time has passed."""
    async with units.system(_PURPOSE) as unit:
        ticket = await use_ticket(unit.session, token, "second")
        if ticket is None or ticket.user_id is None:
            return None
        methods = [*ticket.data["methods"], method]
        cookie = new_session(unit.session, ticket.user_id, methods, browser)
        await tell_workspaces(unit, ticket.user_id, "session.begin", browser.address, method="+".join(methods))
        return cookie
