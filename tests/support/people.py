"""People of any role, signed in without a form."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from tenants.directory import begin_session
from tenants.model import Membership, User
from tenants.people import Browser
from tenants.records import uuid7
from tenants.roles import Role
from tenants.unit import Units


async def add_person(
    units: Units,
    tenant_id: UUID | None,
    role: Role = "operator",
    *,
    name: str = "Olga",
    email: str | None = None,
    projects: Sequence[UUID] | None = None,
) -> UUID:
    """Make a person, and a member of a workspace if one is named."""
    async with units.system("directory") as unit:
        user = User(id=uuid7(), name=name, email=email)
        unit.session.add(user)
        await unit.session.flush()
        if tenant_id is not None:
            chosen = None if projects is None else [str(project) for project in projects]
            unit.session.add(Membership(tenant_id=tenant_id, user_id=user.id, role=role, projects=chosen))
    return user.id


async def cookie_of(units: Units, user_id: UUID) -> str:
    """The cookie of a fresh session of this person."""
    return await begin_session(units, user_id, ["password"], Browser("192.0.2.7", "Chrome/130 Linux"))
