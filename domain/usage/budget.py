"""The budget ledger of a job: reserve the quote, settle what was spent, release what was not needed.

Amounts are micro-dollars. Entries are only ever added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.usage.model import BudgetEntry, Effect


class OverBudget(Exception):
    """Raised when the next call would take a job over its limit."""

    def __init__(self, limit: int, spent: int) -> None:
        self.limit, self.spent = limit, spent
        self.sentence = f"The job has spent ${spent / 1e6:.2f} of its limit of ${limit / 1e6:.2f}."
        super().__init__(self.sentence)


@dataclass(frozen=True)
class Spent:
    """What a job has spent; `unknown` calls have no known price and are not in the sum."""

    micro_dollars: int
    calls: int
    unknown: int


def settlement(reserved: int, spent: int) -> list[tuple[str, int]]:
    """The entries that close a reservation: what was spent, and what goes back."""
    entries = [("settle", spent)]
    if reserved > spent:
        entries.append(("release", reserved - spent))
    return entries


async def reserve(session: AsyncSession, tenant_id: UUID, job_id: UUID, micro_dollars: int) -> None:
    """Set the quoted amount aside for a job."""
    session.add(BudgetEntry(tenant_id=tenant_id, job_id=job_id, kind="reserve", micro_dollars=micro_dollars))


async def spent_by(session: AsyncSession, tenant_id: UUID, job_id: UUID) -> Spent:
    """Add up a job's recorded calls."""
    priced = func.coalesce(func.sum(Effect.micro_dollars), 0)
    row = await session.execute(
        select(priced, func.count(), func.count().filter(Effect.micro_dollars.is_(None))).where(
            Effect.tenant_id == tenant_id, Effect.job_id == job_id, Effect.state == "done"
        )
    )
    total, calls, unknown = row.one()
    return Spent(int(total or 0), calls, unknown)


async def require_room(session: AsyncSession, tenant_id: UUID, job_id: UUID, limit: int | None) -> None:
    """Raise OverBudget when a job has reached its limit (None = no limit)."""
    if limit is None:
        return
    spent = await spent_by(session, tenant_id, job_id)
    if spent.micro_dollars > limit:
        raise OverBudget(limit, spent.micro_dollars)


async def settle_budget(session: AsyncSession, tenant_id: UUID, job_id: UUID) -> Spent:
    """Close a job's reservation with what it has spent since the last settlement."""
    sums = await session.execute(
        select(BudgetEntry.kind, func.sum(BudgetEntry.micro_dollars))
        .where(BudgetEntry.tenant_id == tenant_id, BudgetEntry.job_id == job_id)
        .group_by(BudgetEntry.kind)
    )
    by_kind: Mapping[str, Any] = {kind: int(total) for kind, total in sums}
    spent = await spent_by(session, tenant_id, job_id)
    new = spent.micro_dollars - by_kind.get("settle", 0)
    open_reserve = by_kind.get("reserve", 0) - by_kind.get("settle", 0) - by_kind.get("release", 0)
    for kind, amount in settlement(open_reserve, new):
        if amount or kind == "settle":
            session.add(BudgetEntry(tenant_id=tenant_id, job_id=job_id, kind=kind, micro_dollars=amount))
    return spent
