"""Jobs at a time: once, or again and again; each run is an ordinary job with the choices of its day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select

from domain.production.commands.create_job import NO_TARIFFS, create_job, find_project
from domain.production.commands.new_job import NewJob
from domain.production.commands.new_job import check_fields as check_job
from domain.production.errors import Fault, InvalidInput, NotFound, ProductionError, WrongState
from domain.production.model import Job, Schedule
from domain.production.pipeline import STEP_KINDS
from domain.production.pipeline.base import StepKind
from domain.production.schedules import anchor_days, check_schedule, first_time, next_time
from domain.usage.quote import Tariffs
from tenants.principal import Forbidden
from tenants.unit import Unit

LIMIT = 200
"""Schedules of one workspace."""


async def add_schedule(
    unit: Unit,
    new: NewJob,
    at: datetime,
    repeat: str = "once",
    zone: str = "UTC",
    days: Sequence[int] = (),
) -> Schedule:
    """Start a job at a time; a weekly one on `days` (0 = Monday), else on the day of `at`.

    Raises Forbidden, NotFound (project), InvalidInput (every fault at once).
    """
    unit.principal.require("jobs:run")
    project = await find_project(unit, new.project)
    unit.principal.require("jobs:run", project.id)
    faults = check_job(new) + check_schedule(at, repeat, zone, datetime.now(UTC), days)
    count = await unit.session.scalar(select(func.count()).select_from(Schedule)) or 0
    if count >= LIMIT:
        faults.append(Fault("at", f"There are {LIMIT} schedules already.", "Remove one that is no longer needed."))
    if faults:
        raise InvalidInput(faults)
    request = {name: value for name, value in asdict(new).items() if name not in ("script_edits", "idem_key", "salt")}
    kept = anchor_days(at, repeat, zone, days)
    row = Schedule(
        tenant_id=unit.tenant_id,
        project_id=project.id,
        request=request,
        repeat=repeat,
        zone=zone,
        days=kept,
        next_at=first_time(at, repeat, zone, kept),
        made_by=unit.principal.actor_id,
        made_by_name=unit.principal.name,
    )
    unit.session.add(row)
    await unit.session.flush()
    unit.audit(
        "schedule.added", "schedule", row.id, after={"at": at.isoformat(), "repeat": repeat, "topic": new.topic[:80]}
    )
    unit.emit("schedule.added", project_id=project.id)
    return row


async def remove_schedule(unit: Unit, schedule_id: UUID) -> None:
    """Forget a schedule; jobs it has started stay. Raises NotFound, Forbidden."""
    row = await _schedule(unit, schedule_id)
    await unit.session.delete(row)
    unit.audit("schedule.removed", "schedule", schedule_id)
    unit.emit("schedule.removed", project_id=row.project_id)


async def pause_schedule(unit: Unit, schedule_id: UUID, paused: bool) -> Schedule:
    """Hold a schedule back, or let it go on from its next time. Raises NotFound, Forbidden, WrongState."""
    row = await _schedule(unit, schedule_id)
    if row.paused == paused:
        if paused:
            raise WrongState("The schedule is paused already.", "pause-schedule")
        raise WrongState("The schedule is not paused.", "resume-schedule")
    row.paused = paused
    now = datetime.now(UTC)
    if not paused and row.next_at is not None and row.next_at <= now:
        row.next_at = next_time(row.next_at, row.repeat, row.zone, now, row.days)
    unit.audit("schedule.paused" if paused else "schedule.resumed", "schedule", row.id)
    unit.emit("schedule.changed", project_id=row.project_id)
    return row


async def _schedule(unit: Unit, schedule_id: UUID) -> Schedule:
    unit.principal.require("jobs:run")
    row = await unit.session.get(Schedule, (unit.tenant_id, schedule_id), with_for_update=True)
    if row is None:
        raise NotFound("schedule")
    unit.principal.require("jobs:run", row.project_id)
    return row


def _request(row: Schedule, key: str) -> NewJob:
    """The order of a schedule; fields that another version of the program has written are left out."""
    known = {field.name for field in fields(NewJob)}
    kept = {name: value for name, value in row.request.items() if name in known}
    return NewJob(**{**kept, "idem_key": f"schedule:{row.id}:{key}"})


async def run_now(
    unit: Unit,
    schedule_id: UUID,
    key: str,
    kinds: Mapping[str, StepKind] = STEP_KINDS,
    tariffs: Tariffs = NO_TARIFFS,
) -> Job:
    """Start the job of a schedule at once, besides its times; the same `key` starts it once.

    Raises NotFound, Forbidden, InvalidInput, WrongState.
    """
    row = await _schedule(unit, schedule_id)
    job = await create_job(unit, _request(row, f"now:{key[:80]}"), kinds, tariffs)
    row.last_at, row.last_number, row.last_error = datetime.now(UTC), job.number, None
    unit.audit("schedule.run", "schedule", row.id, after={"number": job.number})
    return job


async def run_schedule(
    unit: Unit,
    schedule_id: UUID,
    now: datetime,
    kinds: Mapping[str, StepKind] = STEP_KINDS,
    tariffs: Tariffs = NO_TARIFFS,
) -> Job | None:
    """Start the job of a schedule that is due, once for each time; answer it, or None when it cannot be started.

    Why it could not is kept with the schedule, which goes on with its next time.
    """
    row = await unit.session.get(Schedule, (unit.tenant_id, schedule_id), with_for_update=True)
    if row is None or row.paused or row.next_at is None or row.next_at > now:
        return None
    due = row.next_at
    row.next_at, row.last_at = next_time(due, row.repeat, row.zone, now, row.days), now
    job: Job | None = None
    try:
        # Refusals come before anything is written, so what is kept of this transaction is the schedule's own row.
        job = await create_job(unit, _request(row, due.isoformat()), kinds, tariffs)
    except (ProductionError, Forbidden) as error:
        row.last_error = str(getattr(error, "sentence", error))[:500]
    else:
        job.made_by, job.made_by_name = row.made_by, row.made_by_name
        row.last_number, row.last_error = job.number, None
    await unit.session.flush()
    return job
