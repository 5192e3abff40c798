"""Monthly limits of a workspace and of its projects: set by those who may manage the budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from domain.usage.budget import month_of, set_month_cap
from domain.usage.model import Budget
from tenants.unit import Unit


@dataclass(frozen=True)
class MonthState:
    """A budget in a month: what is spent, what running jobs have set aside, and the cap (None = none)."""

    cap: int | None
    spent: int
    reserved: int

    @property
    def left(self) -> int | None:
        """What can still be set aside; None without a cap."""
        return None if self.cap is None else max(0, self.cap - self.spent - self.reserved)


NOTHING = MonthState(None, 0, 0)


async def set_workspace_cap(unit: Unit, cap: int | None) -> None:
    """Limit what a workspace spends in a month (micro-dollars; None = no limit). Raises Forbidden."""
    unit.principal.require("budget:manage")
    await _set(unit, "workspace", unit.tenant_id, cap)


async def set_project_cap(unit: Unit, project_id: UUID, cap: int | None) -> None:
    """Limit what a project spends in a month. Raises Forbidden."""
    unit.principal.require("budget:manage", project_id)
    await _set(unit, "project", project_id, cap)


async def _set(unit: Unit, scope: str, scope_id: UUID, cap: int | None) -> None:
    if cap is not None and cap < 0:
        raise ValueError("a cap is below zero")
    month = month_of(datetime.now(UTC))
    before = await set_month_cap(unit.session, unit.tenant_id, scope, scope_id, cap, month)
    if before != cap:
        unit.audit(f"budget.{scope}", scope, scope_id, before={"monthly": before}, after={"monthly": cap})


async def month_states(unit: Unit, month: str) -> Mapping[tuple[str, UUID], MonthState]:
    """The budgets of a month by scope and id; one without a row of its own shows the standing cap.

    Somebody narrowed to some projects sees theirs only: the workspace's sum would tell of the others.
    """
    unit.principal.require("usage:read")
    narrowed = unit.principal.projects
    seen = () if narrowed is None else (Budget.scope == "project", Budget.scope_id.in_(sorted(narrowed)))
    rows = await unit.session.execute(
        select(Budget.scope, Budget.scope_id, Budget.month, Budget.cap, Budget.spent, Budget.reserved)
        .where(Budget.scope != "job", Budget.month.in_(("", month)), *seen)
        .order_by(Budget.month)
    )
    return {(scope, scope_id): MonthState(cap, spent, aside) for scope, scope_id, _, cap, spent, aside in rows}
