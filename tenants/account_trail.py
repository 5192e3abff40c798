"""What happens to a person's account, told to the audit trails of the workspaces it opens."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from sqlalchemy import select

from tenants.model import Membership, User
from tenants.principal import Principal
from tenants.roles import Role
from tenants.unit import SystemUnit

MOST_AUDITED = 20
MACHINE = "command line"
"""The actor's name of what the machine's owner does."""


async def tell_workspaces(
    unit: SystemUnit, user_id: UUID, action: str, address: str, *, by_machine: bool = False, **after: object
) -> None:
    """Write a line about a person's account into the audit trails of their workspaces.

    The actor is the person, or with `by_machine` whoever commands the machine.
    """
    rows = await unit.session.execute(
        select(Membership.tenant_id, Membership.role, User.name)
        .join(User, User.id == Membership.user_id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.visited_at.desc().nulls_last(), Membership.tenant_id)
        .limit(MOST_AUDITED)
    )
    for tenant_id, role, name in rows.all():
        who = Principal(tenant_id=tenant_id, kind="person", role=cast("Role", role), actor_id=user_id, name=name)
        if by_machine:
            who = Principal(tenant_id=tenant_id, kind="system", role="owner", name=MACHINE)
        unit.audit(who, action, "user", user_id, address=address, **after)
