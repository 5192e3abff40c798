"""Members of a workspace: read, invited, changed, removed; ownership handed over.

Reading and inviting happen inside the tenant. Changing a membership is a system routine, because a tenant that could
write memberships could read any person; each one reads the actor's role again under a lock, so that of two changes at
once the second sees the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.member_rules import MemberRefused, check_change, check_leave, check_offer
from tenants.model import Membership, Tenant, User
from tenants.people import Visitor
from tenants.people_model import Invitation, Ticket
from tenants.principal import Forbidden, Principal
from tenants.records import uuid7
from tenants.roles import Role, permissions_of
from tenants.tickets import add_ticket, find_ticket, use_ticket
from tenants.unit import SystemUnit, Unit, Units

INVITATION = timedelta(days=7)
_PURPOSE = "members"


@dataclass(frozen=True)
class MemberLine:
    """A member as the page shows them; `projects` None = all."""

    id: UUID
    name: str
    email: str | None
    role: Role
    projects: tuple[UUID, ...] | None
    since: datetime
    disabled: bool


@dataclass(frozen=True)
class InvitationLine:
    """An invitation that can still be accepted."""

    id: UUID
    email: str
    role: Role
    projects: tuple[UUID, ...] | None
    invited_by: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Offer:
    """What an invitation link shows: the workspace's name is told to whoever holds the link."""

    tenant_id: UUID
    slug: str
    workspace: str
    email: str
    role: Role
    invited_by: str
    by_mail: bool


class InvitationGone(Exception):
    """Raised when an invitation is unknown, used, withdrawn or out of date; which of them is not told."""


# ── Reading and inviting, inside the tenant ───────────────────────────────────────────────────────────────
async def members_of(unit: Unit) -> list[MemberLine]:
    """Everybody in the workspace, by name. Raises Forbidden."""
    unit.principal.require("members:read")
    rows = await unit.session.execute(
        select(User, Membership)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.tenant_id == unit.tenant_id)
        .order_by(func.lower(User.name), User.id)
    )
    return [
        MemberLine(
            user.id, user.name, user.email, cast("Role", seat.role), _ids(seat.projects), seat.created_at,
            user.disabled_at is not None,
        )
        for user, seat in rows
    ]  # fmt: skip


async def open_invitations(unit: Unit) -> list[InvitationLine]:
    """Invitations nobody has accepted yet, newest first. Raises Forbidden."""
    unit.principal.require("members:manage")
    rows = await unit.session.scalars(
        select(Invitation)
        .where(Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None), Invitation.expires_at > func.now())
        .order_by(Invitation.created_at.desc(), Invitation.id)
    )
    return [
        InvitationLine(
            row.id, row.email, cast("Role", row.role), _ids(row.projects), row.invited_by_name, row.created_at,
            row.expires_at,
        )
        for row in rows
    ]  # fmt: skip


async def invite(
    unit: Unit, email: str, role: Role, projects: Sequence[UUID] | None = None, *, valid_for: timedelta = INVITATION
) -> Invitation:
    """Offer a role to an address; earlier offers to it end. Raises Forbidden and MemberRefused."""
    unit.principal.require("members:manage")
    check_offer(unit.principal.role, role, projects is not None)
    if projects is not None and not projects:
        raise MemberRefused("no-project")
    if any(member.email == email for member in await members_of(unit)):
        raise MemberRefused("already")
    await unit.session.execute(
        update(Invitation)
        .where(Invitation.email == email, Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .execution_options(synchronize_session=False)
    )
    made = Invitation(
        id=uuid7(),
        email=email,
        role=role,
        projects=None if projects is None else [str(project) for project in projects],
        invited_by=unit.principal.actor_id,
        invited_by_name=unit.principal.name,
        expires_at=func.now() + valid_for,
    )
    unit.session.add(made)
    await unit.session.flush()
    unit.audit("member.invited", "invitation", made.id, after={"email": email, "role": role, "projects": made.projects})
    return made


async def withdraw_invitation(unit: Unit, invitation_id: UUID) -> None:
    """Take an offer back; its links end with it. Raises Forbidden and MemberRefused."""
    unit.principal.require("members:manage")
    row = await unit.session.get(Invitation, (unit.tenant_id, invitation_id))
    if row is None or row.accepted_at is not None or row.revoked_at is not None:
        raise MemberRefused("missing")
    row.revoked_at = func.now()
    unit.audit("member.invitation_withdrawn", "invitation", row.id, before={"email": row.email, "role": row.role})


# ── Links, and joining ────────────────────────────────────────────────────────────────────────────────────
async def invitation_link(units: Units, principal: Principal, invitation_id: UUID) -> str:
    """A one-time token for an open invitation of the principal's workspace. Raises Forbidden and MemberRefused."""
    principal.require("members:manage")
    async with units.system(_PURPOSE) as unit:
        row = await unit.session.scalar(
            select(Invitation).where(Invitation.tenant_id == principal.tenant_id, Invitation.id == invitation_id)
        )
        if row is None or row.accepted_at is not None or row.revoked_at is not None:
            raise MemberRefused("missing")
        unit.audit(principal, "member.link_made", "invitation", row.id, email=row.email, role=row.role)
        return add_ticket(
            unit.session, "invite", INVITATION, tenant_id=row.tenant_id, invitation_id=row.id, by_mail=False
        )


async def look_at_offer(units: Units, token: str) -> Offer:
    """What an invitation link offers. Raises InvitationGone."""
    async with units.system(_PURPOSE) as unit:
        ticket = await find_ticket(unit.session, token, "invite")
        if ticket is None or ticket.tenant_id is None:
            raise InvitationGone
        row = await _open_row(unit.session, ticket.tenant_id, ticket.invitation_id)
        tenant = await unit.session.get_one(Tenant, row.tenant_id)
        return Offer(
            row.tenant_id, tenant.slug, tenant.name, row.email, cast("Role", row.role), row.invited_by_name,
            ticket.by_mail,
        )  # fmt: skip


async def accept_offer(units: Units, token: str, visitor: Visitor, address: str = "") -> Offer:
    """Join as the signed-in person; a member keeps the role they have. Raises InvitationGone."""
    offer = await look_at_offer(units, token)
    async with units.system(_PURPOSE) as unit:
        await take_offer(unit, token, visitor.person.id, visitor.person.name, address)
    return offer


async def take_offer(unit: SystemUnit, token: str, user_id: UUID, name: str, address: str = "") -> tuple[UUID, bool]:
    """Use an invitation up for a person, inside a system unit; answer (tenant, came by mail). Raises InvitationGone."""
    return await take_ticket(unit, await use_ticket(unit.session, token, "invite"), user_id, name, address)


async def take_ticket(
    unit: SystemUnit, ticket: Ticket | None, user_id: UUID, name: str, address: str = ""
) -> tuple[UUID, bool]:
    """Join by the ticket of an invitation that has just been used up; as `take_offer`. Raises InvitationGone."""
    if ticket is None or ticket.tenant_id is None:
        raise InvitationGone
    row = await _open_row(unit.session, ticket.tenant_id, ticket.invitation_id, lock=True)
    row.accepted_at, row.accepted_by = func.now(), user_id
    made = await unit.session.execute(
        upsert(Membership)
        .values(tenant_id=row.tenant_id, user_id=user_id, role=row.role, projects=row.projects, visited_at=func.now())
        .on_conflict_do_nothing()
        .returning(Membership.role)
    )
    joined = made.scalar_one_or_none() is not None
    who = Principal(tenant_id=row.tenant_id, kind="person", role=cast("Role", row.role), actor_id=user_id, name=name)
    unit.audit(who, "member.joined", "user", user_id, address=address, role=row.role, invited=row.email, new=joined)
    return row.tenant_id, ticket.by_mail


async def _open_row(
    session: AsyncSession, tenant_id: UUID, invitation_id: UUID | None, *, lock: bool = False
) -> Invitation:
    wanted = select(Invitation).where(
        Invitation.tenant_id == tenant_id,
        Invitation.id == invitation_id,
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > func.now(),
    )
    row = await session.scalar(wanted.with_for_update() if lock else wanted)
    if row is None:
        raise InvitationGone
    return row


# ── Changing ──────────────────────────────────────────────────────────────────────────────────────────────
async def change_member(
    units: Units,
    principal: Principal,
    user_id: UUID,
    role: Role,
    projects: Sequence[UUID] | None = None,
    *,
    address: str = "",
) -> None:
    """Give a member another role or other projects. Raises Forbidden and MemberRefused."""
    async with units.system(_PURPOSE) as unit:
        actor, rows = await _lock(unit, principal)
        seat = _seat_of(rows, user_id)
        check_offer(actor.role, role, projects is not None)
        check_change(actor.role, cast("Role", seat.role), role, _owners(rows))
        if projects is not None and not projects:
            raise MemberRefused("no-project")
        was, seat.role = seat.role, role
        seat.projects = None if projects is None else [str(project) for project in projects]
        if "members:manage" not in permissions_of(role):
            await _end_invitations(unit, seat)
        unit.audit(
            actor, "member.changed", "user", user_id, address=address, was=was, role=role, projects=seat.projects
        )
        unit.emit(principal.tenant_id, "member.changed")


async def remove_member(units: Units, principal: Principal, user_id: UUID, *, address: str = "") -> None:
    """Take a member out of the workspace. Raises Forbidden and MemberRefused."""
    async with units.system(_PURPOSE) as unit:
        actor, rows = await _lock(unit, principal)
        seat = _seat_of(rows, user_id)
        check_change(actor.role, cast("Role", seat.role), None, _owners(rows))
        was = seat.role
        await _unseat(unit, seat)
        unit.audit(actor, "member.removed", "user", user_id, address=address, was=was)
        unit.emit(principal.tenant_id, "member.changed")


async def leave(units: Units, principal: Principal, *, address: str = "") -> None:
    """Leave the workspace oneself. Raises MemberRefused for its last owner."""
    async with units.system(_PURPOSE) as unit:
        rows = await _locked_rows(unit.session, principal.tenant_id)
        seat = _seat_of(rows, principal.actor_id)
        was = cast("Role", seat.role)
        check_leave(was, None, _owners(rows))
        await _unseat(unit, seat)
        unit.audit(principal, "member.left", "user", seat.user_id, address=address, was=was)
        unit.emit(principal.tenant_id, "member.changed")


async def seat_person(units: Units, principal: Principal, user_id: UUID, role: Role) -> None:
    """Give anybody a role, for the machine's owner. Raises Forbidden to people."""
    if principal.kind != "system":
        raise Forbidden("members:manage")
    async with units.system(_PURPOSE) as unit:
        values = {"tenant_id": principal.tenant_id, "user_id": user_id, "role": role, "projects": None}
        await unit.session.execute(
            upsert(Membership)
            .values(values)
            .on_conflict_do_update(index_elements=["tenant_id", "user_id"], set_={"role": role, "projects": None})
        )
        unit.audit(principal, "member.seated", "user", user_id, role=role)
        unit.emit(principal.tenant_id, "member.changed")


async def transfer_ownership(units: Units, principal: Principal, user_id: UUID, *, address: str = "") -> None:
    """Make another member an owner and step down to admin. Raises Forbidden and MemberRefused."""
    async with units.system(_PURPOSE) as unit:
        actor, rows = await _lock(unit, principal)
        if actor.role != "owner":
            raise Forbidden("workspace:delete")
        heir, own = _seat_of(rows, user_id), _seat_of(rows, principal.actor_id)
        if heir is own:
            raise MemberRefused("missing")
        heir.role, heir.projects, own.role = "owner", None, "admin"
        unit.audit(actor, "workspace.transferred", "user", user_id, address=address)
        unit.emit(principal.tenant_id, "member.changed")


async def _lock(unit: SystemUnit, principal: Principal) -> tuple[Principal, list[Membership]]:
    """Lock all memberships and answer the actor with the role it has now. Raises Forbidden."""
    rows = await _locked_rows(unit.session, principal.tenant_id)
    now = next((row for row in rows if row.user_id == principal.actor_id), None)
    if now is None and principal.kind == "person":
        raise Forbidden("members:manage")
    actor = principal if now is None else replace(principal, role=cast("Role", now.role))
    actor.require("members:manage")
    return actor, rows


async def _locked_rows(session: AsyncSession, tenant_id: UUID) -> list[Membership]:
    found = await session.scalars(
        select(Membership).where(Membership.tenant_id == tenant_id).order_by(Membership.user_id).with_for_update()
    )
    return list(found)


async def _end_invitations(unit: SystemUnit, seat: Membership) -> None:
    """Open invitations by somebody who may not invite any more lead nowhere."""
    await unit.session.execute(
        update(Invitation)
        .where(
            Invitation.tenant_id == seat.tenant_id,
            Invitation.invited_by == seat.user_id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .values(revoked_at=func.now())
    )


async def _unseat(unit: SystemUnit, seat: Membership) -> None:
    await _end_invitations(unit, seat)
    await unit.session.execute(
        delete(Membership).where(Membership.tenant_id == seat.tenant_id, Membership.user_id == seat.user_id)
    )


def _seat_of(rows: Sequence[Membership], user_id: UUID | None) -> Membership:
    seat = next((row for row in rows if row.user_id == user_id), None)
    if seat is None:
        raise MemberRefused("missing")
    return seat


def _owners(rows: Sequence[Membership]) -> int:
    return sum(row.role == "owner" for row in rows)


def _ids(found: Sequence[str] | None) -> tuple[UUID, ...] | None:
    return None if found is None else tuple(map(UUID, found))
