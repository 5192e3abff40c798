"""Gapless numbers per tenant."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.model import Counter


async def take_number(session: AsyncSession, tenant_id: UUID, name: str, count: int = 1) -> int:
    """Take `count` numbers from a tenant's counter and answer the first; its row stays locked until commit."""
    statement = (
        upsert(Counter)
        .values(tenant_id=tenant_id, name=name, value=count)
        .on_conflict_do_update(index_elements=["tenant_id", "name"], set_={"value": Counter.value + count})
        .returning(Counter.value)
    )
    last = (await session.execute(statement)).scalar_one()
    return int(last) - count + 1
