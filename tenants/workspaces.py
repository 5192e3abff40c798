"""Workspaces themselves: founded, renamed, archived, deleted after a time of grace.

Deleting goes in three steps that may each be done twice: the data keys are destroyed (no secret can be opened any
more, in backups neither, without them), the files are removed by the caller, and then every row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from tenants.directory import SLUG
from tenants.model import DataKey, Membership, SealedSecret, Tenant
from tenants.people import Person, SlugRefused
from tenants.principal import Forbidden, Principal
from tenants.records import Base, uuid7
from tenants.roles import Permission, Role
from tenants.unit import SystemUnit, Units

GRACE = timedelta(days=14)
MOST_OWNED = 50
NAME_LIMIT = 80
ARCHIVED = "archived"
"""The pause's reason while a workspace is archived or about to be deleted."""
_PURPOSE = "workspaces"


class WorkspaceRefused(Exception):
    """Raised when a workspace cannot be changed this way; `reason` is `too-many` or `gone`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Doomed:
    """A workspace whose time of grace is over."""

    id: UUID
    slug: str


def check_slug(slug: str) -> None:
    """Raise SlugRefused unless this can be a workspace's address."""
    if not SLUG.fullmatch(slug):
        raise SlugRefused(f"“{slug[:60]}” cannot be an address: use 1 to 40 lower-case letters, digits and dashes.")


async def found_workspace(units: Units, person: Person, slug: str, name: str, *, address: str = "") -> UUID:
    """Make a workspace that this person owns. Raises SlugRefused and WorkspaceRefused."""
    check_slug(slug)
    async with units.system(_PURPOSE) as unit:
        owned = await unit.session.scalar(
            select(func.count()).where(Membership.user_id == person.id, Membership.role == "owner")
        )
        if (owned or 0) >= MOST_OWNED:
            raise WorkspaceRefused("too-many")
        made: UUID | None = await unit.session.scalar(
            upsert(Tenant)
            .values(id=uuid7(), slug=slug, name=name)
            .on_conflict_do_nothing(index_elements=["slug"])
            .returning(Tenant.id)
        )
        if made is None:
            raise SlugRefused(f"The address “{slug}” is taken: choose another.")
        unit.session.add(Membership(tenant_id=made, user_id=person.id, role="owner", visited_at=func.now()))
        await unit.session.flush()
        owner = Principal(tenant_id=made, kind="person", role="owner", actor_id=person.id, name=person.name)
        unit.audit(owner, "workspace.created", "workspace", made, address=address, slug=slug, name=name)
    return made


async def rename_workspace(units: Units, principal: Principal, slug: str, name: str, *, address: str = "") -> None:
    """Give a workspace another name or address. Raises Forbidden and SlugRefused."""
    check_slug(slug)
    async with units.system(_PURPOSE) as unit:
        actor, tenant = await _own(unit, principal, "workspace:manage")
        taken = await unit.session.scalar(select(Tenant.id).where(Tenant.slug == slug, Tenant.id != tenant.id))
        if taken is not None:
            raise SlugRefused(f"The address “{slug}” is taken: choose another.")
        before = {"slug": tenant.slug, "name": tenant.name}
        tenant.slug, tenant.name = slug, name
        unit.audit(
            actor, "workspace.renamed", "workspace", tenant.id, address=address, slug=slug, name=name, was=before
        )


async def ask_for_factor(units: Units, principal: Principal, on: bool, *, address: str = "") -> None:
    """Let members in only with a second factor, or no longer ask for one. Raises Forbidden."""
    async with units.system(_PURPOSE) as unit:
        actor, tenant = await _own(unit, principal, "workspace:manage")
        if tenant.second_factor != on:
            tenant.second_factor = on
            unit.audit(actor, "workspace.second_factor", "workspace", tenant.id, address=address, needed=on)


async def archive_workspace(units: Units, principal: Principal, *, address: str = "") -> None:
    """Make a workspace read-only and let none of its steps start. Raises Forbidden."""
    async with units.system(_PURPOSE) as unit:
        actor, tenant = await _own(unit, principal, "workspace:manage")
        if tenant.archived_at is None:
            tenant.archived_at = func.now()
            _pause(tenant)
            unit.audit(actor, "workspace.archived", "workspace", tenant.id, address=address)


async def restore_workspace(units: Units, principal: Principal, *, address: str = "") -> None:
    """Bring an archived or doomed workspace back. Raises Forbidden."""
    async with units.system(_PURPOSE) as unit:
        actor, tenant = await _own(unit, principal, "workspace:manage")
        if tenant.delete_after is not None:
            actor.require("workspace:delete")
        tenant.archived_at = tenant.delete_after = None
        if tenant.paused_reason == ARCHIVED:
            tenant.paused_at = tenant.paused_reason = None
        unit.audit(actor, "workspace.restored", "workspace", tenant.id, address=address)


async def doom_workspace(units: Units, principal: Principal, *, grace: timedelta = GRACE, address: str = "") -> None:
    """Ask for deletion: read-only from now, gone after the time of grace. Raises Forbidden."""
    async with units.system(_PURPOSE) as unit:
        actor, tenant = await _own(unit, principal, "workspace:delete")
        tenant.delete_after = func.now() + grace
        tenant.archived_at = func.coalesce(Tenant.archived_at, func.now())
        _pause(tenant)
        unit.audit(actor, "workspace.deletion_asked", "workspace", tenant.id, address=address, days=grace.days)


def _pause(tenant: Tenant) -> None:
    if tenant.paused_at is None:
        tenant.paused_at, tenant.paused_reason = func.now(), ARCHIVED


async def _own(unit: SystemUnit, principal: Principal, permission: Permission) -> tuple[Principal, Tenant]:
    """Lock the principal's workspace and read the role it has now. Raises Forbidden."""
    tenant = await unit.session.scalar(select(Tenant).where(Tenant.id == principal.tenant_id).with_for_update())
    role = await unit.session.scalar(
        select(Membership.role).where(
            Membership.tenant_id == principal.tenant_id, Membership.user_id == principal.actor_id
        )
    )
    if tenant is None or (role is None and principal.kind == "person"):
        raise Forbidden(permission)
    actor = principal if role is None else replace(principal, role=cast("Role", role))
    actor.require(permission)
    return actor, tenant


# ── The end ───────────────────────────────────────────────────────────────────────────────────────────────
async def doomed_workspaces(units: Units) -> list[Doomed]:
    """Workspaces whose time of grace is over."""
    async with units.system(_PURPOSE) as unit:
        rows = await unit.session.execute(
            select(Tenant.id, Tenant.slug).where(Tenant.delete_after < func.now()).order_by(Tenant.delete_after)
        )
        return [Doomed(*row) for row in rows]


async def shred_keys(units: Units, tenant_id: UUID) -> int:
    """Destroy the keys of a workspace whose grace is over, and what they seal; answer how many keys there were."""
    async with units.system(_PURPOSE) as unit:
        over = select(Tenant.id).where(Tenant.id == tenant_id, Tenant.delete_after < func.now())
        if await unit.session.scalar(over.with_for_update()) is None:
            raise WorkspaceRefused("gone")
        await unit.session.execute(delete(SealedSecret).where(SealedSecret.tenant_id == tenant_id))
        gone = await unit.session.execute(
            delete(DataKey).where(DataKey.tenant_id == tenant_id).returning(DataKey.version)
        )
        # A restore that comes now must not find half a workspace: it stays doomed.
        await unit.session.execute(update(Tenant).where(Tenant.id == tenant_id).values(paused_at=func.now()))
        return len(gone.all())


async def delete_rows(units: Units, tenant_id: UUID) -> bool:
    """Delete every row of a workspace whose grace is over; False when it is already gone."""
    async with units.system(_PURPOSE) as unit:
        over = select(Tenant.id).where(Tenant.id == tenant_id, Tenant.delete_after < func.now())
        if await unit.session.scalar(over.with_for_update()) is None:
            return False
        for table in _holding_back():
            await unit.session.execute(delete(table).where(table.c.tenant_id == tenant_id))
        await unit.session.execute(delete(Tenant).where(Tenant.id == tenant_id))
    return True


def _holding_back() -> list[Table]:
    """Tables whose references forbid that what they refer to goes first, in the order to delete from them."""
    return [
        table
        for table in reversed(Base.metadata.sorted_tables)
        if "tenant_id" in table.columns
        and any((key.ondelete or "").upper() == "RESTRICT" for key in table.foreign_key_constraints)
    ]
