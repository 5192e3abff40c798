"""Letters: e-mails that people are to get. A letter holds no token; its link is made when it is sent.

A failed delivery is tried again after a growing pause, each time with a fresh link (the one before ends).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.model import Membership, Tenant, User
from tenants.people_model import Invitation, Letter
from tenants.principal import Principal
from tenants.records import uuid7
from tenants.roles import ROLES, Permission, permissions_of
from tenants.tickets import add_ticket, drop_tickets
from tenants.unit import Units

RESET = timedelta(minutes=30)
INVITE = timedelta(days=7)
PAUSES = (60, 300, 1800, 7200, 43200)
"""Seconds after each failed try; after the last one the letter is given up."""
_PURPOSE = "letters"


@dataclass(frozen=True)
class Outgoing:
    """A letter ready to be sent: to whom, in which language, about what; `token` ends its link.

    `data`: what a notice is about; it holds no secret.
    """

    id: UUID
    kind: str
    address: str
    language: str
    token: str
    name: str
    workspace: str
    sender: str
    data: Mapping[str, Any] = field(default_factory=dict)


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


async def mail_deciders(units: Units, tenant_id: UUID, project_id: UUID, about: str, data: Mapping[str, Any]) -> int:
    """Queue a letter to everybody who may decide in a project and wants to be told; answer how many.

    `about` names the question: nobody is told of the same one twice.
    """
    async with units.system(_PURPOSE) as unit:
        people = await _holders(unit.session, tenant_id, "approvals:decide", User.mail_approvals)
        wanted = [user for user, projects in people if projects is None or str(project_id) in projects]
        return await _tell(unit.session, tenant_id, wanted, "approval", {"about": about, **data})


async def mail_holders(
    units: Units, tenant_id: UUID, right: Permission, kind: str, about: str, data: Mapping[str, Any]
) -> int:
    """Queue a letter to everybody in a workspace whose role has a right; answer how many.

    `about` names the occasion: nobody is told of the same one twice.
    """
    async with units.system(_PURPOSE) as unit:
        people = await _holders(unit.session, tenant_id, right)
        return await _tell(unit.session, tenant_id, [user for user, _ in people], kind, {"about": about, **data})


async def _holders(session: AsyncSession, tenant_id: UUID, right: Permission, *more: Any) -> Sequence[Any]:
    """People with an address whose role has a right, with the projects that they are narrowed to."""
    people = await session.execute(
        select(User, Membership.projects)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.tenant_id == tenant_id,
            Membership.role.in_([role for role in ROLES if right in permissions_of(role)]),
            User.email.is_not(None),
            User.disabled_at.is_(None),
            *more,
        )
    )
    return people.all()


async def _tell(
    session: AsyncSession, tenant_id: UUID, people: Sequence[User], kind: str, data: Mapping[str, Any]
) -> int:
    """Queue a letter to each of these who has had none about the same."""
    known = await session.scalars(
        select(Letter.user_id).where(Letter.tenant_id == tenant_id, Letter.data["about"].astext == data["about"])
    )
    told = set(known)
    wanted = [user for user in people if user.id not in told]
    for user in wanted:
        letter = {"kind": kind, "user_id": user.id, "tenant_id": tenant_id, "data": dict(data)}
        session.add(Letter(address=str(user.email), language=user.language, **letter))
    return len(wanted)


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
        if row.tenant_id is not None:
            workspace = (await session.get_one(Tenant, row.tenant_id)).name
        if row.kind == "reset":
            await drop_tickets(session, row.user_id, "reset")
            token = add_ticket(session, "reset", RESET, user_id=row.user_id, by_mail=True)
    return Outgoing(row.id, row.kind, row.address, row.language, token, name, workspace, sender, row.data)


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
