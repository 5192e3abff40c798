"""Who may enter where: owner links, sessions, and the workspaces of a person.

All this happens before a tenant is known, so these are system routines; the app role can read neither sessions
nor links. Tokens are shown once and stored as SHA-256. Times are the database's.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Delete, bindparam, case, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.account_trail import MACHINE, tell_workspaces
from tenants.factor_model import AppFactor, Passkey
from tenants.model import AuthSession, Membership, OwnerLink, Tenant, User
from tenants.people import Browser as Browser
from tenants.people import LinkRefused as LinkRefused
from tenants.people import Person as Person
from tenants.people import Seat as Seat
from tenants.people import SessionLine as SessionLine
from tenants.people import SignedIn as SignedIn
from tenants.people import SlugRefused as SlugRefused
from tenants.people import Visitor as Visitor
from tenants.principal import Principal
from tenants.records import uuid7
from tenants.roles import Role
from tenants.unit import Units

IDLE = timedelta(days=7)
ABSOLUTE = timedelta(days=30)
TOUCH_EVERY = timedelta(minutes=1)
PROVIDER = "oidc"
"""How methods of sessions begin that another provider has let in; such a provider asks for its own second factor."""
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_PURPOSE = "directory"


def token_hash(token: str) -> str:
    """The form in which a token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


# ── Workspaces ────────────────────────────────────────────────────────────────────────────────────────────
async def create_tenant(units: Units, slug: str, name: str, *, tier: str = "free") -> UUID:
    """Make a workspace and answer its id. Raises SlugRefused."""
    if not SLUG.fullmatch(slug):
        raise SlugRefused(f"“{slug[:60]}” cannot be an address: use 1 to 40 lower-case letters, digits and dashes.")
    async with units.system(_PURPOSE) as unit:
        made: UUID | None = await unit.session.scalar(
            upsert(Tenant)
            .values(id=uuid7(), slug=slug, name=name, tier=tier)
            .on_conflict_do_nothing(index_elements=["slug"])
            .returning(Tenant.id)
        )
    if made is None:
        raise SlugRefused(f"The address “{slug}” is taken: choose another.")
    return made


async def find_tenant(units: Units, slug: str) -> UUID | None:
    """The id of a workspace by its address; for commands of the machine's owner, never for a visitor."""
    async with units.system(_PURPOSE) as unit:
        return await unit.session.scalar(select(Tenant.id).where(Tenant.slug == slug))


async def all_tenants(units: Units) -> list[tuple[UUID, str]]:
    """Every workspace with its address; for commands of the machine's owner, never for a visitor."""
    async with units.system(_PURPOSE) as unit:
        rows = await unit.session.execute(select(Tenant.id, Tenant.slug).order_by(Tenant.slug))
        return [(tenant_id, slug) for tenant_id, slug in rows]


async def has_owner(units: Units, tenant_id: UUID) -> bool:
    """Whether somebody who can sign in owns the workspace."""
    async with units.system(_PURPOSE) as unit:
        return await _first_owner(unit.session, tenant_id) is not None


# ── The one-time owner link ───────────────────────────────────────────────────────────────────────────────
async def issue_owner_link(
    units: Units, tenant_id: UUID, *, valid_for: timedelta | None = None, operates_farm: bool = False
) -> str:
    """Make a one-time token that signs in the workspace's owner, and answer it; earlier unused ones end.

    With `operates_farm` whoever uses it also becomes an operator of the farm.
    """
    token = secrets.token_urlsafe(32)
    async with units.system(_PURPOSE) as unit:
        await unit.session.execute(_unused_links(tenant_id))
        expires = func.now() + valid_for if valid_for is not None else None
        made = OwnerLink(
            token_hash=token_hash(token), tenant_id=tenant_id, expires_at=expires, operates_farm=operates_farm
        )
        unit.session.add(made)
        machine = Principal(tenant_id=tenant_id, kind="system", role="owner", name=MACHINE)
        unit.audit(machine, "owner_link.made", "workspace", tenant_id)
    return token


async def redeem_owner_link(
    units: Units, token: str, browser: Browser, *, name: str = "Owner", language: str = "en"
) -> SignedIn:
    """Use a link up: sign in the first owner; if there is none, one is made of `name` and `language`.

    Raises LinkRefused.
    """
    if not _TOKEN.fullmatch(token):
        raise LinkRefused
    async with units.system(_PURPOSE) as unit:
        used = await unit.session.execute(
            update(OwnerLink)
            .where(OwnerLink.token_hash == token_hash(token), OwnerLink.used_at.is_(None), _not_past(OwnerLink))
            .values(used_at=func.now())
            .returning(OwnerLink.tenant_id, OwnerLink.operates_farm)
        )
        if (link := used.one_or_none()) is None:
            raise LinkRefused
        tenant_id, operates_farm = link
        user_id, called = await _first_owner(unit.session, tenant_id) or await _make_owner(
            unit.session, tenant_id, name, language
        )
        await unit.session.execute(
            update(OwnerLink).where(OwnerLink.token_hash == token_hash(token)).values(used_by=user_id)
        )
        if operates_farm:
            await unit.session.execute(update(User).where(User.id == user_id).values(operates_farm=True))
        await unit.session.execute(_unused_links(tenant_id))
        cookie = new_session(unit.session, user_id, ["owner-link"], browser)
        owner = Principal(tenant_id=tenant_id, kind="person", role="owner", actor_id=user_id, name=called)
        unit.audit(owner, "session.begin", "user", user_id, address=browser.address, method="owner-link")
        slug = (await unit.session.execute(select(Tenant.slug).where(Tenant.id == tenant_id))).scalar_one()
    return SignedIn(cookie, user_id, tenant_id, slug)


async def look_at_link(units: Units, token: str) -> str:
    """The name of the owner whom a link would sign in; empty = one would be made. Looking does not use it up.

    Raises LinkRefused for a link that could not be used now.
    """
    if not _TOKEN.fullmatch(token):
        raise LinkRefused
    async with units.system(_PURPOSE) as unit:
        tenant_id = await unit.session.scalar(
            select(OwnerLink.tenant_id).where(
                OwnerLink.token_hash == token_hash(token), OwnerLink.used_at.is_(None), _not_past(OwnerLink)
            )
        )
        if tenant_id is None:
            raise LinkRefused
        owner = await _first_owner(unit.session, tenant_id)
    return owner[1] if owner else ""


def _unused_links(tenant_id: UUID) -> Delete:
    return delete(OwnerLink).where(OwnerLink.tenant_id == tenant_id, OwnerLink.used_at.is_(None))


def _not_past(row: type[OwnerLink]) -> ColumnElement[bool]:
    return row.expires_at.is_(None) | (row.expires_at > func.now())


async def _first_owner(session: AsyncSession, tenant_id: UUID) -> tuple[UUID, str] | None:
    found = await session.execute(
        select(User.id, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.tenant_id == tenant_id, Membership.role == "owner", User.disabled_at.is_(None))
        .order_by(Membership.created_at, User.id)
        .limit(1)
    )
    row = found.one_or_none()
    return (row.id, row.name) if row else None


async def _make_owner(session: AsyncSession, tenant_id: UUID, name: str, language: str) -> tuple[UUID, str]:
    user = User(id=uuid7(), name=name, language=language)
    session.add(user)
    await session.flush()
    session.add(Membership(tenant_id=tenant_id, user_id=user.id, role="owner"))
    return user.id, name


# ── Sessions ──────────────────────────────────────────────────────────────────────────────────────────────
def new_session(
    session: AsyncSession,
    user_id: UUID,
    methods: Sequence[str],
    browser: Browser,
    *,
    ends_at: datetime | None = None,
    only: UUID | None = None,
    proved_at: datetime | None = None,
) -> str:
    """Add a session and answer the cookie's value; for the system routines that sign people in.

    `only`: the one workspace it opens. `proved_at`: when the person proved who they are, unless now.
    """
    token = secrets.token_urlsafe(32)
    session.add(
        AuthSession(
            id_hash=token_hash(token),
            user_id=user_id,
            idle_expires_at=func.now() + IDLE,
            expires_at=func.now() + ABSOLUTE if ends_at is None else ends_at,
            methods=list(methods),
            address=browser.address[:64],
            agent=browser.agent[:256],
            tenant_id=only,
            authenticated_at=func.now() if proved_at is None else func.least(func.now(), proved_at),
        )
    )
    return token


async def begin_session(units: Units, user_id: UUID, methods: Sequence[str], browser: Browser) -> str:
    """Sign a person in and answer the cookie's value."""
    async with units.system(_PURPOSE) as unit:
        return new_session(unit.session, user_id, methods, browser)


async def load_visitor(units: Units, token: str) -> Visitor | None:
    """Answer who holds this cookie, with role and membership as they are now; None when the session is not live.

    Writes at most once a minute, and never revives a session that was ended meanwhile.
    """
    if not _TOKEN.fullmatch(token):
        return None
    async with units.system(_PURPOSE) as unit:
        rows = (await unit.session.execute(_VISITOR.where(_live()), {"token": token_hash(token)})).all()
        if not rows:
            return None
        session, user, stale, factor = rows[0][:4]
        if stale:
            await _touch(unit.session, session.id_hash)
    seats = tuple(_seat(*tuple(row)[4:]) for row in rows if row[4] is not None)
    strong = factor or any(method.startswith(PROVIDER) for method in session.methods)
    return Visitor(
        _person(user), session.id_hash, session.authenticated_at, session.expires_at, seats, strong, session.tenant_id
    )


def _person(user: User) -> Person:
    return Person(
        user.id,
        user.name,
        user.email,
        user.language,
        user.theme,
        user.density,
        user.time_zone,
        user.shortcuts,
        user.operates_farm,
        user.mail_approvals,
    )


_SEAT = (
    Tenant.id,
    Tenant.slug,
    Tenant.name,
    Membership.role,
    Membership.projects,
    Tenant.archived_at,
    Tenant.delete_after,
    Tenant.second_factor,
    case((Tenant.paused_at.is_not(None), Tenant.paused_reason)),
    Tenant.paused_by,
)
_RECENT_FIRST = (
    Tenant.archived_at.is_not(None),
    Membership.visited_at.desc().nulls_last(),
    Tenant.name,
    Tenant.id,
)
_HAS_FACTOR = exists().where(AppFactor.user_id == User.id, AppFactor.confirmed_at.is_not(None)).correlate(
    User
) | exists().where(Passkey.user_id == User.id).correlate(User)
_VISITOR = (
    select(AuthSession, User, AuthSession.last_seen_at < func.now() - TOUCH_EVERY, _HAS_FACTOR, *_SEAT)
    .join(User, User.id == AuthSession.user_id)
    .outerjoin(
        Membership,
        (Membership.user_id == User.id)
        & (AuthSession.tenant_id.is_(None) | (AuthSession.tenant_id == Membership.tenant_id)),
    )
    .outerjoin(Tenant, Tenant.id == Membership.tenant_id)
    .where(AuthSession.id_hash == bindparam("token"), User.disabled_at.is_(None))
    .order_by(*_RECENT_FIRST)
)
"""Read with every request, so in one statement: a row for each workspace, one without any for a person with none."""


def _live() -> ColumnElement[bool]:
    return (
        AuthSession.revoked_at.is_(None)
        & (AuthSession.expires_at > func.now())
        & (AuthSession.idle_expires_at > func.now())
    )


async def _touch(session: AsyncSession, id_hash: str) -> None:
    await session.execute(
        update(AuthSession)
        .where(AuthSession.id_hash == id_hash, _live())
        .values(last_seen_at=func.now(), idle_expires_at=func.least(func.now() + IDLE, AuthSession.expires_at))
        .execution_options(synchronize_session=False)
    )


def _seat(
    tenant_id: UUID,
    slug: str,
    name: str,
    role: str,
    only: Sequence[str] | None,
    archived_at: datetime | None,
    *rest: Any,
) -> Seat:
    projects = None if only is None else frozenset(map(UUID, only))
    return Seat(tenant_id, slug, name, cast("Role", role), projects, archived_at, *rest)


async def seats_of(units: Units, user_id: UUID) -> tuple[Seat, ...]:
    """The workspaces of a person: archived ones last, else the one visited last first."""
    statement = select(*_SEAT).join(Membership, Membership.tenant_id == Tenant.id)
    async with units.system(_PURPOSE) as unit:
        rows = await unit.session.execute(statement.where(Membership.user_id == user_id).order_by(*_RECENT_FIRST))
        return tuple(_seat(*row) for row in rows)


async def rotate_session(units: Units, token: str, methods: Sequence[str], browser: Browser) -> str | None:
    """Replace a live session after a new sign-in or a change of rights; None when it was not live."""
    async with units.system(_PURPOSE) as unit:
        found = (
            await unit.session.execute(
                update(AuthSession)
                .where(AuthSession.id_hash == token_hash(token), _live())
                .values(revoked_at=func.now())
                .returning(AuthSession.user_id, AuthSession.tenant_id)
            )
        ).one_or_none()
        return None if found is None else new_session(unit.session, found[0], methods, browser, only=found[1])


async def end_session(units: Units, token: str) -> None:
    """Sign out; ending what is not live is not an error."""
    await _end(units, AuthSession.id_hash == token_hash(token))


async def end_session_of(units: Units, user_id: UUID, handle: str, *, address: str = "") -> bool:
    """End one of a person's own sessions; False when they have no such live session."""
    return await _end(units, (AuthSession.user_id == user_id) & (AuthSession.id_hash == handle), user_id, address) > 0


async def end_other_sessions(units: Units, user_id: UUID, but: str, *, address: str = "") -> int:
    """End all sessions of a person but the one with this hash; answer how many."""
    return await _end(units, (AuthSession.user_id == user_id) & (AuthSession.id_hash != but), user_id, address)


async def _end(units: Units, which: ColumnElement[bool], told: UUID | None = None, address: str = "") -> int:
    """End sessions; `told`: the person whose workspaces are told of it."""
    async with units.system(_PURPOSE) as unit:
        rows = await unit.session.execute(
            update(AuthSession)
            .where(which, AuthSession.revoked_at.is_(None))
            .values(revoked_at=func.now())
            .returning(AuthSession.id_hash)
        )
        ended = len(rows.all())
        if told is not None and ended:
            await tell_workspaces(unit, told, "session.ended", address, sessions=ended)
        return ended


async def sessions_of(units: Units, user_id: UUID) -> list[SessionLine]:
    """A person's live sessions, last used first."""
    async with units.system(_PURPOSE) as unit:
        rows = await unit.session.scalars(
            select(AuthSession)
            .where(AuthSession.user_id == user_id, _live())
            .order_by(AuthSession.last_seen_at.desc(), AuthSession.id_hash)
        )
        return [
            SessionLine(row.id_hash, row.created_at, row.last_seen_at, row.address, row.agent, tuple(row.methods))
            for row in rows
        ]


async def note_visit(units: Units, user_id: UUID, tenant_id: UUID) -> None:
    """Remember that a person works in this workspace now; menus show the recent ones first."""
    async with units.system(_PURPOSE) as unit:
        await unit.session.execute(
            update(Membership)
            .where(Membership.user_id == user_id, Membership.tenant_id == tenant_id)
            .values(visited_at=func.now())
        )


PREFERENCES = frozenset({"name", "language", "theme", "density", "time_zone", "shortcuts", "mail_approvals"})


async def save_preferences(units: Units, user_id: UUID, **changes: str | bool) -> None:
    """Change a person's own PREFERENCES. Raises TypeError for others."""
    unknown = changes.keys() - PREFERENCES
    if unknown:
        raise TypeError(f"Not a preference: {', '.join(sorted(unknown))}")
    async with units.system(_PURPOSE) as unit:
        await unit.session.execute(update(User).where(User.id == user_id).values(**changes))
