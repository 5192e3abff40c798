"""Money that is spent outside of jobs, such as on listening to a voice: asked for before, counted after.

It belongs to the workspace alone. Nothing is set aside meanwhile: such calls are short, and the truth is always
recorded.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.usage.budget import Bill, OverBudget, ensure_month, month_of, room_for, true_up
from domain.usage.model import Budget, BudgetEntry


async def require_room(session: AsyncSession, tenant_id: UUID, likely: int | None) -> None:
    """See that the workspace's month has room for a call; None = its price is not known. Raises OverBudget."""
    counter = await session.get(Budget, (tenant_id, "workspace", tenant_id, _month()))
    counter = counter or await session.get(Budget, (tenant_id, "workspace", tenant_id, ""))
    if counter is None or counter.cap is None:
        return
    if not room_for(counter, likely or 0) or (likely is None and counter.spent >= counter.cap):
        raise OverBudget("workspace", counter.cap, counter.spent, counter.reserved, likely)


async def settle_outside(session: AsyncSession, tenant_id: UUID, bill: Bill) -> None:
    """Record what a call outside of jobs was billed, also where it goes beyond the cap."""
    month, amount = _month(), bill.micro_dollars
    await ensure_month(session, tenant_id, {"workspace": tenant_id}, month)
    place = (tenant_id, "workspace", tenant_id, month)
    counter = await session.get_one(Budget, place, with_for_update=True, populate_existing=True)
    counter.spent += amount or 0
    true_up(counter)
    await session.flush()
    paid = {"micro_dollars": amount or 0, "unpriced": int(amount is None), "units": dict(bill.units)}
    who = {"step_kind": bill.step_kind, "provider": bill.provider, "model": bill.model}
    row = {"tenant_id": tenant_id, "month": month, "kind": "settle", **paid, **who}
    await session.execute(insert(BudgetEntry).values(row))


def _month() -> str:
    return month_of(datetime.now(UTC))
