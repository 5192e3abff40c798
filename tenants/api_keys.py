"""API keys of a workspace: made, renewed with an overlap, revoked, and told apart when a program shows one.

A key never does more than its maker may do now: its rights are those it was given, those of the maker's present role
and projects, and none of PERSONAL_ACTS, whichever is least. Showing a key happens before any tenant is known, so it is
a system routine; everything else happens inside the tenant.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import func, or_, select, update

from tenants.key_format import WrittenKey, make_key
from tenants.key_model import ApiKey
from tenants.key_rules import ApiKeyRefused, KeyWish, check_wish, comes_from
from tenants.model import Membership, Tenant, User
from tenants.principal import Principal
from tenants.records import uuid7
from tenants.roles import Permission, Role
from tenants.unit import Unit, Units

MOST = 50
TOUCH_EVERY = timedelta(minutes=1)
SHOWN = timedelta(days=30)
"""How long keys that have ended stay on the page."""
_PURPOSE = "keys"


@dataclass(frozen=True)
class KeyLine:
    """A key as its workspace sees it; `state` is `live`, `replaced`, `expired` or `revoked`."""

    id: UUID
    public_id: str
    name: str
    scopes: tuple[Permission, ...]
    projects: tuple[UUID, ...] | None
    networks: tuple[str, ...]
    made_by: str
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    used_from: str
    state: str


@dataclass(frozen=True)
class KeyHolder:
    """A program that has shown a key that holds: as whom it acts, and where; an archived workspace is only read."""

    principal: Principal
    public_id: str
    name: str
    slug: str
    workspace: str
    networks: tuple[str, ...]
    expires_at: datetime | None
    archived: bool = False

    @property
    def scopes(self) -> list[Permission]:
        """What it may do now, by name."""
        return sorted(scope for scope in self.principal.scopes or () if self.principal.can(scope))


# ── Inside the workspace ──────────────────────────────────────────────────────────────────────────────────
async def keys_of(unit: Unit) -> list[KeyLine]:
    """Keys that live, and those that ended lately, the newest first. Raises Forbidden."""
    unit.principal.require("keys:manage")
    over = ApiKey.expires_at <= func.now()
    rows = await unit.session.execute(
        select(ApiKey, over)
        .where(
            or_(ApiKey.revoked_at.is_(None), ApiKey.revoked_at > func.now() - SHOWN),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now() - SHOWN),
        )
        .order_by(ApiKey.id.desc())
    )
    return [_line(row, bool(ended)) for row, ended in rows]


def _line(row: ApiKey, ended: bool) -> KeyLine:
    state = "revoked" if row.revoked_at else "expired" if ended else "replaced" if row.replaced_by else "live"
    return KeyLine(
        id=row.id,
        public_id=row.public_id,
        name=row.name,
        scopes=tuple(cast("list[Permission]", row.scopes)),
        projects=None if row.projects is None else tuple(map(UUID, row.projects)),
        networks=tuple(row.networks),
        made_by=row.made_by_name,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        used_from=row.used_from,
        state=state,
    )


async def create_key(unit: Unit, wish: KeyWish) -> WrittenKey:
    """Make a key; its text is answered this once. Raises Forbidden and ApiKeyRefused."""
    check_wish(unit.principal, wish)
    living = await unit.session.scalar(
        select(func.count()).select_from(ApiKey).where(ApiKey.tenant_id == unit.tenant_id, *_living())
    )
    if (living or 0) >= MOST:
        raise ApiKeyRefused("too-many")
    written = make_key()
    row = _row(unit.principal, written, wish)
    unit.session.add(row)
    unit.audit("key.created", "api_key", row.id, after=_told(row, wish.lasts))
    return written


async def renew_key(unit: Unit, key_id: UUID, overlap: timedelta) -> tuple[WrittenKey, str]:
    """Make a successor with the same rights (as far as the person who renews holds them); answer it and its name.

    The old key goes on for `overlap`, unless it ends before. Raises Forbidden and ApiKeyRefused.
    """
    unit.principal.require("keys:manage")
    old = await _living_row(unit, key_id)
    if old.replaced_by is not None:
        raise ApiKeyRefused("replaced")
    lasts = None if old.expires_at is None else old.expires_at - old.created_at
    held = {scope for scope in old.scopes if unit.principal.can(cast("Permission", scope))}
    projects = None if old.projects is None else frozenset(map(UUID, old.projects))
    wish = KeyWish(old.name, frozenset(cast("set[Permission]", held)), projects, tuple(old.networks), lasts)
    check_wish(unit.principal, wish)
    written = make_key()
    row = _row(unit.principal, written, wish)
    unit.session.add(row)
    await unit.session.flush()
    old.replaced_by = row.id
    ends = func.now() + overlap
    old.expires_at = func.least(func.coalesce(ApiKey.expires_at, ends), ends)
    after = {**_told(row, lasts), "replaces": old.public_id, "overlap_minutes": int(overlap.total_seconds() // 60)}
    unit.audit("key.renewed", "api_key", row.id, after=after)
    return written, old.name


async def revoke_key(unit: Unit, key_id: UUID) -> str:
    """End a key with its next request; answer its name. Raises Forbidden and ApiKeyRefused."""
    unit.principal.require("keys:manage")
    row = await _living_row(unit, key_id)
    row.revoked_at = func.now()
    unit.audit("key.revoked", "api_key", row.id, before={"name": row.name, "id": row.public_id})
    return row.name


def _living() -> tuple[Any, ...]:
    return (ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now()))


async def _living_row(unit: Unit, key_id: UUID) -> ApiKey:
    row = await unit.session.scalar(
        select(ApiKey).where(ApiKey.tenant_id == unit.tenant_id, ApiKey.id == key_id, *_living()).with_for_update()
    )
    if row is None:
        raise ApiKeyRefused("missing")
    return row


def _row(maker: Principal, written: WrittenKey, wish: KeyWish) -> ApiKey:
    assert maker.actor_id is not None
    return ApiKey(
        id=uuid7(),
        tenant_id=maker.tenant_id,
        public_id=written.public_id,
        secret_hash=written.hash,
        name=wish.name,
        scopes=sorted(wish.scopes),
        projects=None if wish.projects is None else sorted(str(project) for project in wish.projects),
        networks=list(wish.networks),
        made_by=maker.actor_id,
        made_by_name=maker.name,
        expires_at=None if wish.lasts is None else func.now() + wish.lasts,
    )


def _told(row: ApiKey, lasts: timedelta | None) -> dict[str, Any]:
    """What the audit trail says of a new key."""
    return {
        "id": row.public_id,
        "name": row.name,
        "scopes": row.scopes,
        "projects": row.projects,
        "networks": row.networks,
        "days": None if lasts is None else round(lasts.total_seconds() / 86400, 2),
    }


# ── At the door ───────────────────────────────────────────────────────────────────────────────────────────
_SHOWN = (
    select(
        ApiKey,
        Tenant.slug,
        Tenant.name,
        Membership.role,
        Membership.projects,
        User.disabled_at,
        (ApiKey.expires_at <= func.now()),
        or_(ApiKey.used_at.is_(None), ApiKey.used_at < func.now() - TOUCH_EVERY),
        Tenant.archived_at.is_not(None),
    )
    .join(Tenant, Tenant.id == ApiKey.tenant_id)
    .outerjoin(Membership, (Membership.tenant_id == ApiKey.tenant_id) & (Membership.user_id == ApiKey.made_by))
    .outerjoin(User, User.id == ApiKey.made_by)
)


async def recognise(units: Units, written: WrittenKey, address: str) -> KeyHolder:
    """Who shows this key, with the rights its maker has now. Raises ApiKeyRefused.

    Whoever does not hold the whole key learns nothing, not even that its id exists.
    """
    async with units.system(_PURPOSE) as unit:
        rows = (await unit.session.execute(_SHOWN.where(ApiKey.public_id == written.public_id))).all()
        row = next((row for row in rows if hmac.compare_digest(row[0].secret_hash, written.hash)), None)
        if row is None:
            raise ApiKeyRefused("unknown")
        holder = _believe(row, address)
        if row[7]:
            await unit.session.execute(_touched(row[0], address))
    return holder


def _believe(row: Any, address: str) -> KeyHolder:
    key, slug, workspace, role, its_projects, disabled_at, ended, _, archived = row
    if key.revoked_at is not None:
        raise ApiKeyRefused("revoked")
    if ended:
        raise ApiKeyRefused("expired")
    if role is None or disabled_at is not None:
        raise ApiKeyRefused("maker")
    if not comes_from(address, key.networks):
        raise ApiKeyRefused("network")
    narrowed = [frozenset(map(UUID, chosen)) for chosen in (key.projects, its_projects) if chosen is not None]
    principal = Principal(
        tenant_id=key.tenant_id,
        kind="key",
        role=cast("Role", role),
        actor_id=key.id,
        name=key.name,
        projects=frozenset.intersection(*narrowed) if narrowed else None,
        scopes=frozenset(key.scopes),
    )
    return KeyHolder(principal, key.public_id, key.name, slug, workspace, tuple(key.networks), key.expires_at, archived)


def _touched(key: ApiKey, address: str) -> Any:
    """At most one write a minute, whoever else uses the key at the same moment."""
    return (
        update(ApiKey)
        .where(
            ApiKey.tenant_id == key.tenant_id,
            ApiKey.id == key.id,
            or_(ApiKey.used_at.is_(None), ApiKey.used_at < func.now() - TOUCH_EVERY),
        )
        .values(used_at=func.now(), used_from=address[:64])
        .execution_options(synchronize_session=False)
    )
