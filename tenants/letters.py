"""Letters: e-mails that people are to get. A letter holds no token; its link is made when it is sent.

A failed delivery is tried again after a growing pause, each time with a fresh link (the one before ends).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.model import Tenant, User
from tenants.people_model import Invitation, Letter
from tenants.principal import Principal
from tenants.records import uuid7
from tenants.tickets import add_ticket, drop_tickets
from tenants.unit import Units

RESET = timedelta(minutes=30)
INVITE = timedelta(days=7)
PAUSES = (60, 300, 1800, 7200, 43200)
"""Seconds after each failed try; after the last one the letter is given up."""
_PURPOSE = "letters"


@dataclass(frozen=True)
class Outgoing:
    """A letter ready to be sent: to whom, in which language, about what; `token` ends its link."""

    id: UUID
    kind: str
    address: str
    language: str
    token: str
    name: str
    workspace: str
    sender: str


async def mail_invitation(units: Units, principal: Principal, invitation_id: UUID, language: str) -> None:
    """Queue the letter of an open invitation of the principal's workspace. Raises Forbidden."""
    principal.require("members:manage")
    async with units.system(_PURPOSE) as unit:
        row = await unit.session.scalar(
            select(Invitation).where(Invitation.tenant_id == principal.tenant_id, Invitation.id == invitation_id)
        )
        if row is not None:
            unit.session.add(
                Letter(
                    kind="invite", address=row.email, language=language, tenant_id=row.tenant_id, invitation_id=row.id
                )
            )


async def mail_reset(units: Units, email: str) -> None:
    """Queue a letter with a reset link if somebody has this address; one statement, whoever it is."""
    nothing = literal({}, Letter.data.type)
    async with units.system(_PURPOSE) as unit:
        await unit.session.execute(
            insert(Letter).from_select(
                ["id", "kind", "address", "language", "user_id", "data"],
                select(literal(uuid7()), literal("reset"), User.email, User.language, User.id, nothing).where(
                    User.email == email, User.disabled_at.is_(None)
                ),
            )
        )


async def tell_person(units: Units, user_id: UUID, kind: str) -> None:
    """Queue a notice about a person's own account, if they have an address."""
    async with units.system(_PURPOSE) as unit:
        user = await unit.session.get(User, user_id)
        if user is not None and user.email:
            unit.session.add(Letter(kind=kind, address=user.email, language=user.language, user_id=user.id))


async def take_letters(units: Units, limit: int = 10) -> list[Outgoing]:
    """Take letters that are due, with fresh links; nobody else takes them before their pause is over."""
    async with units.system(_PURPOSE) as unit:
        rows = await unit.session.scalars(
            select(Letter)
            .where(Letter.sent_at.is_(None), Letter.failed_at.is_(None), Letter.next_at <= func.now())
            .order_by(Letter.next_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        made = []
        for row in rows.all():
            if row.kind == "invite" and not await _still_offered(unit.session, row):
                row.failed_at, row.error = func.now(), "the invitation was withdrawn or accepted"
                continue
            pause = PAUSES[min(row.tries, len(PAUSES) - 1)]
            row.tries, row.next_at = row.tries + 1, func.now() + timedelta(seconds=pause)
            made.append(await _prepare(unit.session, row))
        return made


async def _still_offered(session: AsyncSession, row: Letter) -> bool:
    found = await session.scalar(
        select(Invitation.id).where(
            Invitation.tenant_id == row.tenant_id,
            Invitation.id == row.invitation_id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > func.now(),
        )
    )
    return found is not None


async def _prepare(session: AsyncSession, row: Letter) -> Outgoing:
    token = name = workspace = sender = ""
    if row.kind == "invite" and row.tenant_id is not None:
        invitation = await session.scalar(
            select(Invitation).where(Invitation.tenant_id == row.tenant_id, Invitation.id == row.invitation_id)
        )
        tenant = await session.get_one(Tenant, row.tenant_id)
        workspace, sender = tenant.name, invitation.invited_by_name if invitation else ""
        token = add_ticket(
            session, "invite", INVITE, tenant_id=row.tenant_id, invitation_id=row.invitation_id, by_mail=True
        )
    elif row.user_id is not None:
        user = await session.get_one(User, row.user_id)
        name = user.name
        if row.kind == "reset":
            await drop_tickets(session, row.user_id, "reset")
            token = add_ticket(session, "reset", RESET, user_id=row.user_id, by_mail=True)
    return Outgoing(row.id, row.kind, row.address, row.language, token, name, workspace, sender)


async def letter_sent(units: Units, letter_id: UUID) -> None:
    """Tell that a letter has been accepted."""
    async with units.system(_PURPOSE) as unit:
        await unit.session.execute(update(Letter).where(Letter.id == letter_id).values(sent_at=func.now(), error=""))


async def letter_failed(units: Units, letter_id: UUID, error: str, *, final: bool) -> None:
    """Tell that a letter was not accepted; given up when `final` or tried often enough."""
    async with units.system(_PURPOSE) as unit:
        row = await unit.session.get_one(Letter, letter_id)
        row.error = error[:300]
        if final or row.tries > len(PAUSES):
            row.failed_at = func.now()
