"""Coming in with a password, joining by invitation, resetting a password; before any tenant is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.account_trail import tell_workspaces
from tenants.directory import new_session
from tenants.factor_model import AppFactor, Passkey, RecoveryCode
from tenants.members import InvitationGone, take_offer
from tenants.model import AuthSession, Membership, Tenant, User
from tenants.people import Browser, DirectoryError, SignedIn
from tenants.people_model import Invitation, Password, Ticket
from tenants.records import uuid7
from tenants.signin_model import Identity
from tenants.tickets import add_ticket, drop_tickets, find_ticket, use_ticket
from tenants.unit import Units

RECENT = timedelta(minutes=15)
"""How fresh a proof of identity must be for sensitive acts."""
_PURPOSE = "entrance"


class AddressTaken(DirectoryError):
    """Raised when somebody who holds an invitation has an account already."""


class ResetRefused(DirectoryError):
    """Raised when a reset link is unknown, used or out of date."""


@dataclass(frozen=True)
class Login:
    """What a password is compared with."""

    user_id: UUID
    name: str
    hash: str


@dataclass(frozen=True)
class Ways:
    """The ways in that a person has."""

    password_since: datetime | None
    email: str | None
    verified: bool


async def find_login(units: Units, email: str) -> Login | None:
    """Who signs in with this address and a password; None for unknown, locked out, or without password."""
    async with units.system(_PURPOSE) as unit:
        row = (
            await unit.session.execute(
                select(User.id, User.name, Password.hash)
                .join(Password, Password.user_id == User.id)
                .where(User.email == email, User.disabled_at.is_(None))
            )
        ).one_or_none()
    return None if row is None else Login(*row)


async def hash_of(units: Units, user_id: UUID) -> str | None:
    """A person's password hash, for proving it once more; None when they have no password."""
    async with units.system(_PURPOSE) as unit:
        return await unit.session.scalar(select(Password.hash).where(Password.user_id == user_id))


async def let_in(units: Units, user_id: UUID, methods: Sequence[str], browser: Browser) -> str:
    """Begin a session, told to the audit trail of the person's workspaces; answer the cookie's value."""
    async with units.system(_PURPOSE) as unit:
        token = new_session(unit.session, user_id, methods, browser)
        await tell_workspaces(unit, user_id, "session.begin", browser.address, method="+".join(methods))
    return token


async def prove_again(units: Units, session_hash: str, method: str, browser: Browser) -> str | None:
    """The holder of a session has just proved who they are: the session gets a new cookie, whose value is answered.

    Its end stays where it was. None when the session has ended meanwhile.
    """
    async with units.system(_PURPOSE) as unit:
        old = await unit.session.scalar(
            update(AuthSession)
            .where(AuthSession.id_hash == session_hash, AuthSession.revoked_at.is_(None))
            .values(revoked_at=func.now())
            .returning(AuthSession)
        )
        if old is None:
            return None
        methods = list(old.methods) if method in old.methods else [*old.methods, method]
        return new_session(unit.session, old.user_id, methods, browser, ends_at=old.expires_at, only=old.tenant_id)


async def ways_of(units: Units, user_id: UUID) -> Ways:
    """How a person can come in."""
    async with units.system(_PURPOSE) as unit:
        user = await unit.session.get_one(User, user_id)
        since = await unit.session.scalar(select(Password.changed_at).where(Password.user_id == user_id))
        return Ways(since, user.email, user.email_verified_at is not None)


async def set_password(
    units: Units, user_id: UUID, hashed: str, *, keep: str = "", email: str | None = None, address: str = ""
) -> bool:
    """Set or replace a password; every session but `keep` (a hash) ends. False when the wanted address is taken."""
    async with units.system(_PURPOSE) as unit:
        if email is not None and not await _give_address(unit.session, user_id, email):
            return False
        await _store(unit.session, user_id, hashed)
        await _end_sessions(unit.session, user_id, keep)
        await drop_tickets(unit.session, user_id, "second")
        await tell_workspaces(unit, user_id, "password.changed", address)
    return True


async def improve_hash(units: Units, user_id: UUID, hashed: str) -> None:
    """Replace a hash made with older parameters; nothing else changes."""
    async with units.system(_PURPOSE) as unit:
        await unit.session.execute(update(Password).where(Password.user_id == user_id).values(hash=hashed))


# ── Joining ───────────────────────────────────────────────────────────────────────────────────────────────
async def join_as_new(units: Units, token: str, name: str, language: str, hashed: str, browser: Browser) -> SignedIn:
    """Make an account for the invited address and join. Raises InvitationGone and AddressTaken."""
    async with units.system(_PURPOSE) as unit:
        ticket = await find_ticket(unit.session, token, "invite")
        invited = await _invited(unit.session, ticket)
        user_id = await unit.session.scalar(
            upsert(User)
            .values(id=uuid7(), name=name, language=language, email=invited)
            .on_conflict_do_nothing(index_elements=["email"])
            .returning(User.id)
        )
        if user_id is None:
            raise AddressTaken("This address has an account already: sign in with it, then open the invitation again.")
        await _store(unit.session, user_id, hashed)
        tenant_id, by_mail = await take_offer(unit, token, user_id, name, browser.address)
        if by_mail:
            await unit.session.execute(update(User).where(User.id == user_id).values(email_verified_at=func.now()))
        cookie = new_session(unit.session, user_id, ["password"], browser)
        slug = (await unit.session.execute(select(Tenant.slug).where(Tenant.id == tenant_id))).scalar_one()
    return SignedIn(cookie, user_id, tenant_id, slug)


async def _invited(session: AsyncSession, ticket: Ticket | None) -> str:
    if ticket is None:
        raise InvitationGone
    email = await session.scalar(
        select(Invitation.email).where(Invitation.tenant_id == ticket.tenant_id, Invitation.id == ticket.invitation_id)
    )
    if email is None:
        raise InvitationGone
    return email


# ── Resetting ─────────────────────────────────────────────────────────────────────────────────────────────
async def reset_is_open(units: Units, token: str) -> bool:
    """Whether a reset link could be used now."""
    async with units.system(_PURPOSE) as unit:
        return await find_ticket(unit.session, token, "reset") is not None


async def reset_password(units: Units, token: str, hashed: str, address: str = "") -> UUID:
    """Use a reset link up: a new password, no session left. Raises ResetRefused.

    A link that came by e-mail proves the address. When it was not proved before, the account may have been made by
    somebody else with it, so every other way in that was prepared then is removed.
    """
    async with units.system(_PURPOSE) as unit:
        ticket = await use_ticket(unit.session, token, "reset")
        if ticket is None or ticket.user_id is None:
            raise ResetRefused("This link is not valid any more. Ask for a new one.")
        user = await unit.session.get_one(User, ticket.user_id)
        if ticket.by_mail and user.email_verified_at is None:
            user.email_verified_at = func.now()
            await forget_other_ways(unit.session, user.id)
        await _store(unit.session, user.id, hashed)
        await _end_sessions(unit.session, user.id, "")
        await drop_tickets(unit.session, user.id, "reset")
        await drop_tickets(unit.session, user.id, "second")
        await tell_workspaces(unit, user.id, "password.reset", address, by_mail=ticket.by_mail)
        return user.id


async def forget_other_ways(session: AsyncSession, user_id: UUID) -> None:
    """Remove every way in but the password; the address has just been proved for the first time."""
    await drop_tickets(session, user_id, "second")
    for way in (AppFactor, Identity, Passkey, RecoveryCode):
        await session.execute(delete(way).where(way.user_id == user_id))


# ── For the machine's owner (lock-outs) ───────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class PersonCard:
    """A person as the machine's owner sees them."""

    id: UUID
    name: str
    email: str | None
    disabled: bool
    has_password: bool
    has_app: bool
    passkeys: int
    workspaces: tuple[tuple[str, str], ...]


async def list_people(units: Units) -> list[PersonCard]:
    """Everybody, by name, with their workspaces and roles."""
    async with units.system(_PURPOSE) as unit:
        seats: dict[UUID, list[tuple[str, str]]] = {}
        for user_id, slug, role in await unit.session.execute(
            select(Membership.user_id, Tenant.slug, Membership.role)
            .join(Tenant, Tenant.id == Membership.tenant_id)
            .order_by(Tenant.slug)
        ):
            seats.setdefault(user_id, []).append((slug, role))
        keys = select(func.count()).select_from(Passkey).where(Passkey.user_id == User.id).scalar_subquery()
        rows = await unit.session.execute(
            select(User, Password.user_id.is_not(None), AppFactor.confirmed_at.is_not(None), keys)
            .outerjoin(Password, Password.user_id == User.id)
            .outerjoin(AppFactor, AppFactor.user_id == User.id)
            .order_by(User.name, User.id)
        )
        return [
            PersonCard(u.id, u.name, u.email, u.disabled_at is not None, secret, app, count, tuple(seats.get(u.id, ())))
            for u, secret, app, count in rows
        ]


async def find_person(units: Units, email_or_id: str) -> UUID | None:
    """A person by address or id."""
    async with units.system(_PURPOSE) as unit:
        found = await unit.session.scalar(select(User.id).where(User.email == email_or_id.strip().lower()))
        if found is not None:
            return found
        try:
            return await unit.session.scalar(select(User.id).where(User.id == UUID(email_or_id)))
        except ValueError:
            return None


async def issue_reset(units: Units, user_id: UUID, valid_for: timedelta) -> str:
    """A reset token handed over by the machine's owner; it does not prove the address."""
    async with units.system(_PURPOSE) as unit:
        await drop_tickets(unit.session, user_id, "reset")
        await tell_workspaces(unit, user_id, "password.reset_link", "", by_machine=True)
        return add_ticket(unit.session, "reset", valid_for, user_id=user_id)


async def set_address(units: Units, user_id: UUID, email: str) -> bool:
    """Give a person an address to sign in with; False when it is taken."""
    async with units.system(_PURPOSE) as unit:
        if not await _give_address(unit.session, user_id, email):
            return False
        await tell_workspaces(unit, user_id, "user.address_set", "", by_machine=True, email=email)
    return True


async def lock_out(units: Units, user_id: UUID, locked: bool) -> None:
    """Lock a person out of everything (every session ends), or let them back in."""
    async with units.system(_PURPOSE) as unit:
        moment = func.now() if locked else None
        await unit.session.execute(update(User).where(User.id == user_id).values(disabled_at=moment))
        if locked:
            await _end_sessions(unit.session, user_id, "")
        await tell_workspaces(unit, user_id, "user.locked_out" if locked else "user.let_back_in", "", by_machine=True)


async def sign_out_everywhere(units: Units, user_id: UUID) -> None:
    """End every session of a person, for the machine's owner."""
    async with units.system(_PURPOSE) as unit:
        await _end_sessions(unit.session, user_id, "")
        await tell_workspaces(unit, user_id, "session.ended_everywhere", "", by_machine=True)


async def _give_address(session: AsyncSession, user_id: UUID, email: str) -> bool:
    taken = await session.scalar(select(User.id).where(User.email == email, User.id != user_id))
    if taken is not None:
        return False
    user = await session.get_one(User, user_id)
    if user.email != email:
        user.email, user.email_verified_at = email, None
    return True


async def _store(session: AsyncSession, user_id: UUID, hashed: str) -> None:
    await session.execute(
        upsert(Password)
        .values(user_id=user_id, hash=hashed)
        .on_conflict_do_update(index_elements=["user_id"], set_={"hash": hashed, "changed_at": func.now()})
    )


async def _end_sessions(session: AsyncSession, user_id: UUID, keep: str) -> None:
    await session.execute(
        update(AuthSession)
        .where(AuthSession.user_id == user_id, AuthSession.id_hash != keep, AuthSession.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
