"""Signing in through providers, in rows: who an identity is here, joining, linking; before a tenant is known.

An identity is (issuer, subject) and nothing else: a person is never found by an e-mail address. What a workspace's own
provider lets in opens that workspace alone, because whoever runs the provider can be anybody in it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.account_trail import tell_workspaces
from tenants.directory import new_session
from tenants.members import InvitationGone, take_ticket
from tenants.model import AuditEntry, AuthSession, Membership, Tenant, User
from tenants.people import Browser
from tenants.principal import Principal
from tenants.records import uuid7
from tenants.signin_attempts import Pending, begin_attempt
from tenants.signin_model import Identity
from tenants.signin_rules import Proof, SignInRefused, Way, may_join
from tenants.tickets import use_hash
from tenants.unit import SystemUnit, Units
from tenants.ways_in import hold_ways, require_way_in

_PURPOSE = "signin"


@dataclass(frozen=True)
class Entered:
    """A fresh session, and the workspace to show when no page was asked for."""

    token: str
    user_id: UUID
    slug: str = ""


@dataclass(frozen=True)
class IdentityLine:
    """One of a person's identities as they see it."""

    issuer: str
    subject: str
    kind: str
    label: str
    created_at: datetime
    used_at: datetime


# ── Coming in ─────────────────────────────────────────────────────────────────────────────────────────────
async def enter(
    units: Units, way: Way, proof: Proof, browser: Browser, *, language: str = "en", invitation: str = ""
) -> Entered:
    """Let the holder of an identity in; `invitation` is the hash of one's token. Raises SignInRefused."""
    async with units.system(_PURPOSE) as unit:
        identity = await _lock(unit.session, proof)
        new = identity is None
        if identity is None:
            user = await _newcomer(unit, way, proof, language, invitation)
        else:
            user = await _known(unit, identity)
        joined = await _take(unit, way, invitation, user, browser) if invitation else None
        tenant_id = joined or await _seat(unit, way, proof, user, browser, new=new)
        if identity is None:
            await _bind(unit.session, _shown(way, proof), user.id)
        else:
            identity.label, identity.used_at = proof.label, func.now()
        proved = datetime.fromtimestamp(proof.proved_at, UTC) if proof.proved_at else None
        methods = [f"oidc:{way.kind}"]
        token = new_session(unit.session, user.id, methods, browser, only=way.tenant_id, proved_at=proved)
        # Membership rows are read for the trail, so they must be there.
        await unit.session.flush()
        await _tell(unit, way, user, "session.begin", browser.address, method=methods[0], provider=way.name)
        slug = await unit.session.scalar(select(Tenant.slug).where(Tenant.id == tenant_id)) if tenant_id else ""
    return Entered(token, user.id, slug or "")


async def _lock(session: AsyncSession, proof: Proof) -> Identity | None:
    wanted = select(Identity).where(Identity.issuer == proof.issuer, Identity.subject == proof.subject)
    return await session.scalar(wanted.with_for_update())


async def _known(unit: SystemUnit, identity: Identity) -> User:
    user = await unit.session.get_one(User, identity.user_id)
    if user.disabled_at is not None:
        raise SignInRefused("locked", "the person is locked out")
    return user


async def _newcomer(unit: SystemUnit, way: Way, proof: Proof, language: str, invitation: str) -> User:
    """Make a person for an identity nobody has seen: by invitation, or where the provider lets new people in."""
    if not invitation and not may_join(way, proof):
        raise SignInRefused("unknown", "nobody has seen this identity, and newcomers are not let in")
    if await _address_is_here(unit.session, way, proof):
        raise SignInRefused("address", "somebody with this address is here already")
    name = proof.name or (proof.email or "").partition("@")[0] or "…"
    user = User(id=uuid7(), name=name[:80], language=language)
    # An address is taken over only from providers that the operator trusts for everybody, and only when it is proved.
    if way.tenant_id is None and proof.email_verified:
        user.email, user.email_verified_at = proof.email, func.now()
    unit.session.add(user)
    await unit.session.flush()
    return user


async def _address_is_here(session: AsyncSession, way: Way, proof: Proof) -> bool:
    """Whether the address belongs to somebody who should link instead; a workspace asks among its members only."""
    if proof.email is None:
        return False
    wanted = select(User.id).where(User.email == proof.email)
    if way.tenant_id is not None:
        wanted = wanted.join(Membership, Membership.user_id == User.id).where(Membership.tenant_id == way.tenant_id)
    return await session.scalar(wanted) is not None


async def _take(unit: SystemUnit, way: Way, invitation: str, user: User, browser: Browser) -> UUID:
    try:
        ticket = await use_hash(unit.session, invitation, "invite")
        tenant_id, _ = await take_ticket(unit, ticket, user.id, user.name, browser.address)
    except InvitationGone as error:
        raise SignInRefused("invitation", "the invitation is not valid any more") from error
    if way.tenant_id not in (None, tenant_id):
        raise SignInRefused("invitation", "the invitation is to another workspace than the provider's")
    return tenant_id


async def _seat(unit: SystemUnit, way: Way, proof: Proof, user: User, browser: Browser, *, new: bool) -> UUID | None:
    """Make sure that whoever comes by a workspace's provider is a member; newcomers of the house join its workspace."""
    if way.home is None or (way.tenant_id is None and not new):
        return None
    role = await unit.session.scalar(
        select(Membership.role).where(Membership.tenant_id == way.home, Membership.user_id == user.id)
    )
    if role is not None:
        return way.home
    closed = await unit.session.scalar(select(Tenant.archived_at).where(Tenant.id == way.home))
    if closed is not None or not may_join(way, proof) or await _was_removed(unit.session, way.home, user.id):
        raise SignInRefused("removed", "the person is not a member")
    await unit.session.execute(
        upsert(Membership).values(
            tenant_id=way.home, user_id=user.id, role=way.role, projects=None, visited_at=func.now()
        )
    )
    who = Principal(tenant_id=way.home, kind="person", role="viewer", actor_id=user.id, name=user.name)
    unit.audit(who, "member.joined", "user", user.id, address=browser.address, role=way.role, provider=way.name)
    return way.home


async def _was_removed(session: AsyncSession, tenant_id: UUID, user_id: UUID) -> bool:
    """Whether somebody was once taken out: they come back by invitation only. Only the trail outlives a membership."""
    found = await session.scalar(
        select(AuditEntry.seq)
        .where(
            AuditEntry.tenant_id == tenant_id,
            AuditEntry.action == "member.removed",
            AuditEntry.object_id == str(user_id),
        )
        .limit(1)
    )
    return found is not None


async def _bind(session: AsyncSession, identity: Mapping[str, Any], user_id: UUID) -> None:
    made = await session.scalar(
        upsert(Identity)
        .values(user_id=user_id, **{name: identity[name] for name in ("issuer", "subject", "kind", "label")})
        .on_conflict_do_nothing()
        .returning(Identity.user_id)
    )
    if made is None:
        raise SignInRefused("taken", "the identity has just been bound")


async def _tell(unit: SystemUnit, way: Way, user: User, action: str, address: str, **after: str) -> None:
    """Into the trail of the provider's workspace, or of all workspaces of the person."""
    if way.tenant_id is None:
        await tell_workspaces(unit, user.id, action, address, by_machine=False, **after)
        return
    who = Principal(tenant_id=way.tenant_id, kind="person", role="viewer", actor_id=user.id, name=user.name)
    unit.audit(who, action, "user", user.id, address=address, **after)


async def note_refusal(units: Units, way: Way, user_id: UUID | None, address: str, reason: str, detail: str) -> None:
    """Write a refusal into the trail of the workspace whose provider it was, else of the person's workspaces."""
    async with units.system(_PURPOSE) as unit:
        after = {"provider": way.name, "reason": reason, "detail": detail}
        if way.home is not None:
            who = Principal(tenant_id=way.home, kind="system", role="viewer", name="sign-in")
            unit.audit(who, "sign-in.refused", "sign-in provider", way.id, address=address, **after)
        elif user_id is not None:
            await tell_workspaces(unit, user_id, "sign-in.refused", address, by_machine=False, **after)


# ── Linking, by somebody who is signed in ─────────────────────────────────────────────────────────────────
async def owner_of(units: Units, proof: Proof) -> UUID | None:
    """Who an identity is here."""
    async with units.system(_PURPOSE) as unit:
        return await unit.session.scalar(
            select(Identity.user_id).where(Identity.issuer == proof.issuer, Identity.subject == proof.subject)
        )


def _shown(way: Way, proof: Proof) -> dict[str, Any]:
    """An identity as it is kept."""
    return {
        "issuer": proof.issuer,
        "subject": proof.subject,
        "label": proof.label,
        "kind": way.kind,
        "provider": way.name,
    }


async def hold_identity(units: Units, pending: Pending, way: Way, proof: Proof) -> str:
    """Keep a proved identity until its person has confirmed that it is meant; answer the token it is kept under."""
    key = secrets.token_urlsafe(32)
    held = Pending("linking", way.tenant_id, way.id, _shown(way, proof), pending.user_id, pending.session_hash)
    await begin_attempt(units, key, key, held)
    return key


async def link_held(units: Units, held: Pending, user_id: UUID, address: str) -> None:
    """Make a held identity another way in of a person. Raises SignInRefused when it is somebody's already."""
    async with units.system(_PURPOSE) as unit:
        await _bind(unit.session, held.data, user_id)
        provider, issuer = held.data["provider"], held.data["issuer"]
        await tell_workspaces(unit, user_id, "identity.linked", address, provider=provider, issuer=issuer)


async def unlink(
    units: Units, user_id: UUID, issuer: str, subject: str, *, house: frozenset[str], keep: str, address: str
) -> None:
    """Take a way in away, but never the last; sessions it began end, but `keep` (a hash). Raises SignInRefused.

    `house`: issuers that open the whole account (tenants/ways_in.py).
    """
    async with units.system(_PURPOSE) as unit:
        await hold_ways(unit.session, user_id)
        row = await unit.session.get(Identity, (issuer, subject))
        if row is not None and row.user_id != user_id:
            row = None
        if row is None:
            return
        await unit.session.delete(row)
        await unit.session.flush()
        await require_way_in(unit.session, user_id, house)
        await _end_begun_by(unit.session, user_id, row.kind, keep)
        await tell_workspaces(unit, user_id, "identity.unlinked", address, issuer=issuer)


async def _end_begun_by(session: AsyncSession, user_id: UUID, kind: str, keep: str) -> None:
    """End the sessions that a kind of provider began; whoever unlinks it is asked to come in another way."""
    await session.execute(
        update(AuthSession)
        .where(
            AuthSession.user_id == user_id,
            AuthSession.id_hash != keep,
            AuthSession.revoked_at.is_(None),
            AuthSession.methods == [f"oidc:{kind}"],
        )
        .values(revoked_at=func.now())
        .execution_options(synchronize_session=False)
    )


async def identities_of(units: Units, user_id: UUID) -> list[IdentityLine]:
    """A person's identities, oldest first."""
    async with units.system(_PURPOSE) as unit:
        rows = await unit.session.scalars(
            select(Identity).where(Identity.user_id == user_id).order_by(Identity.created_at, Identity.subject)
        )
        return [IdentityLine(row.issuer, row.subject, row.kind, row.label, row.created_at, row.used_at) for row in rows]
