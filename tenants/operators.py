"""Operators of the farm: people who may steer what serves all workspaces. Named on the machine, never on a page."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update

from tenants.model import User
from tenants.unit import Units

_PURPOSE = "operators"


async def appoint(units: Units, person_id: UUID, operates: bool) -> bool:
    """Give or take the right to operate the farm; answer whether that changed anything."""
    async with units.system(_PURPOSE) as unit:
        changed = await unit.session.scalar(
            update(User)
            .where(User.id == person_id, User.operates_farm.is_not(operates))
            .values(operates_farm=operates)
            .returning(User.id)
        )
        return changed is not None


async def operators(units: Units) -> list[tuple[UUID, str, str | None]]:
    """Everybody who operates the farm: id, name, e-mail address."""
    async with units.system(_PURPOSE) as unit:
        rows = await unit.session.execute(
            select(User.id, User.name, User.email).where(User.operates_farm).order_by(User.name, User.id)
        )
        return [(person_id, name, email) for person_id, name, email in rows]
