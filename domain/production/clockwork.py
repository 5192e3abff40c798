"""What the pump does at its time for all tenants: start what is scheduled, end questions nobody answered."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from domain.catalog.model import Project
from domain.production.commands.control_job import cancel_job
from domain.production.commands.create_job import NO_TARIFFS
from domain.production.commands.schedule_job import run_schedule
from domain.production.errors import WrongState
from domain.production.model import Approval, Schedule
from domain.usage.quote import Tariffs
from tenants.model import Tenant
from tenants.principal import worker_principal
from tenants.unit import Units

MOST = 50


async def run_schedules(units: Units, tariffs: Tariffs = NO_TARIFFS) -> int:
    """Start the jobs that are due, once for each time; answer how many were started. `tariffs` price them.

    In an archived workspace or project nothing starts.
    """
    async with units.system("clockwork") as unit:
        now: datetime = (await unit.session.execute(select(func.clock_timestamp()))).scalar_one()
        due = await unit.session.execute(
            select(Schedule.tenant_id, Schedule.id)
            .join(Tenant, Tenant.id == Schedule.tenant_id)
            .join(Project, (Project.tenant_id == Schedule.tenant_id) & (Project.id == Schedule.project_id))
            .where(Schedule.next_at <= now, ~Schedule.paused)
            .where(Tenant.archived_at.is_(None), Project.archived_at.is_(None))
            .order_by(Schedule.next_at)
            .limit(MOST)
        )
        found = [(tenant_id, schedule_id) for tenant_id, schedule_id in due]
    started = 0
    for tenant_id, schedule_id in found:
        async with units.open(worker_principal(tenant_id)) as own:
            started += await run_schedule(own, schedule_id, now, tariffs=tariffs) is not None
    return started


async def expire_approvals(units: Units) -> int:
    """Cancel jobs whose question has waited too long; answer how many."""
    async with units.system("clockwork") as unit:
        rows = await unit.session.execute(
            select(Approval.tenant_id, Approval.id, Approval.job_id)
            .where(Approval.state == "waiting", Approval.expires_at <= func.clock_timestamp())
            .limit(MOST)
        )
        late = [(tenant_id, approval_id, job_id) for tenant_id, approval_id, job_id in rows]
    return sum([await _expire(units, *one) for one in late])


async def _expire(units: Units, tenant_id: UUID, approval_id: UUID, job_id: UUID) -> bool:
    async with units.open(worker_principal(tenant_id)) as unit:
        # The job may have ended meanwhile; then only the question is left over.
        with suppress(WrongState):
            await cancel_job(unit, job_id, "Nobody decided in time.")
        approval = await unit.session.get(
            Approval, (tenant_id, approval_id), with_for_update=True, populate_existing=True
        )
        if approval is None or approval.state not in ("waiting", "void"):
            return False
        approval.state = "expired"
        unit.emit("approval.expired", job_id=job_id, approval=str(approval_id))
        return True
