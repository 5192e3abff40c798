"""Steering the line: pauses with reasons, levels, forks, schedules, questions that expire, places and reasons."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from domain.dispatch import capacity
from domain.dispatch.claim import claim_next
from domain.dispatch.farm import join_farm
from domain.dispatch.model import Attempt, Step
from domain.dispatch.recount import recount
from domain.production.clockwork import expire_approvals, run_schedules
from domain.production.commands.control_job import discard_job, retry_job
from domain.production.commands.decide_gate import decide_gate
from domain.production.commands.fork_job import fork_job
from domain.production.commands.hold_work import (
    pause_project,
    pause_workspace,
    resume_project,
    resume_workspace,
    set_priority,
)
from domain.production.commands.new_job import NewJob
from domain.production.commands.schedule_job import add_schedule, pause_schedule, remove_schedule, run_now
from domain.production.engine import HOOKS, Engine
from domain.production.errors import InvalidInput, WrongState
from domain.production.model import Approval, Job, Schedule
from domain.production.position import update_positions
from domain.production.queries.line import inbox
from domain.production.queries.queue import read_queue
from domain.production.schedules import anchor_days, check_schedule, first_time, next_time, upcoming
from tenants.model import Tenant
from tenants.unit import Units
from tests.support.line import CALLS, KINDS, Workspace, work_off

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


async def job_of(workspace: Workspace, job: Job) -> Job:
    async with workspace.units.open(workspace.principal) as unit:
        return (await unit.session.execute(select(Job).where(Job.id == job.id))).scalar_one()


async def step_of(workspace: Workspace, job: Job, kind: str) -> Step:
    async with workspace.units.open(workspace.principal) as unit:
        mine = select(Step).where(Step.job_id == job.id, Step.kind == kind)
        return (await unit.session.execute(mine)).scalars().first()  # type: ignore[return-value]


class TestPauses:
    async def test_a_paused_project_and_workspace_start_nothing(
        self, units: Units, engine: Engine, workspace: Workspace
    ) -> None:
        job = await workspace.order("paused whales")
        async with units.open(workspace.principal) as unit:
            await pause_project(unit, workspace.project.id, "  the  voice changes ")
        assert await claim_next(units, "io", None, 30.0, HOOKS) is None
        await update_positions(units, {"io": 1})
        assert (await job_of(workspace, job)).waiting == {
            "code": "project_paused",
            "reason": "the voice changes",
            "by": "Ada",
            "pool": "io",
        }
        async with units.open(workspace.principal) as unit:
            with pytest.raises(WrongState):
                await pause_project(unit, workspace.project.id, "again")
            await resume_project(unit, workspace.project.id)
            await pause_workspace(unit, "stocktaking")
        assert await claim_next(units, "io", None, 30.0, HOOKS) is None
        async with units.open(workspace.principal) as unit:
            await resume_workspace(unit)
        assert await claim_next(units, "io", None, 30.0, HOOKS) is not None
        assert await recount(units) == 0

    async def test_a_pause_needs_a_reason(self, units: Units, workspace: Workspace) -> None:
        async with units.open(workspace.principal) as unit:
            with pytest.raises(InvalidInput, match="reason"):
                await pause_workspace(unit, " \t ")

    async def test_a_paused_pool_starts_nothing_and_says_why(
        self, units: Units, engine: Engine, workspace: Workspace
    ) -> None:
        job = await workspace.order("pool whales")
        await join_farm(units, "here", "boot", 1, {"io": 1}, "1")
        await capacity.pause_pool(units, "io", "new disks", "ops")
        try:
            assert await claim_next(units, "io", None, 30.0, HOOKS) is None
            assert (await capacity.pool_needs(units))["io"].desired == 0
            await update_positions(units, {"io": 1})
            assert (await job_of(workspace, job)).waiting["code"] == "pool_paused"  # type: ignore[index]
        finally:
            await capacity.resume_pool(units, "io")
        assert (await capacity.pool_needs(units))["io"].desired == 1
        with pytest.raises(capacity.BadOrder, match="not paused"):
            await capacity.resume_pool(units, "io")

    async def test_tiers_reach_the_flows(self, units: Units, workspace: Workspace) -> None:
        await workspace.order("tiers")
        async with units.open(workspace.principal) as unit:
            from tenants.model import Tenant

            slug = (await unit.session.execute(select(Tenant.slug))).scalar_one()
        told = await capacity.set_tier(units, slug, "business")
        assert (told["weight"], told["max_running"]) == (8, 32)
        mine = [share for share in await capacity.shares(units) if share.slug == slug]
        assert {(share.weight, share.max_running) for share in mine} == {(8.0, 32)}
        for tier, limit in (("gold", None), ("pro", -1)):
            with pytest.raises(capacity.BadOrder):
                await capacity.set_tier(units, slug, tier, limit)


class TestLevels:
    async def test_a_job_raised_to_urgent_is_next(self, units: Units, engine: Engine, workspace: Workspace) -> None:
        await workspace.order("first")
        late = await workspace.order("late")
        async with units.open(workspace.principal) as unit:
            await set_priority(unit, late.id, "urgent")
            with pytest.raises(InvalidInput, match="level"):
                await set_priority(unit, late.id, "now!")
        got = await claim_next(units, "io", None, 30.0, HOOKS)
        assert got is not None
        assert got.job_id == late.id

    async def test_places_count_from_the_front(self, units: Units, engine: Engine, workspace: Workspace) -> None:
        began = datetime.now(UTC)
        jobs = [await workspace.order(f"place {number}") for number in range(3)]
        assert await update_positions(units, {"io": 1}) == 3
        assert [(await job_of(workspace, job)).position for job in jobs] == [1, 2, 3]
        assert [(await job_of(workspace, job)).ahead for job in jobs] == [0, 1, 2]
        assert await update_positions(units, {"io": 1}) == 0
        promised = (await job_of(workspace, jobs[2])).waiting["starts_at"]  # type: ignore[index]
        assert began < datetime.fromisoformat(promised) < datetime.now(UTC) + timedelta(seconds=30)
        await update_positions(units, {})
        assert (await job_of(workspace, jobs[0])).waiting == {"code": "no_worker", "pool": "io"}


class TestForks:
    async def test_only_what_begins_at_the_fork_is_made_again(
        self, units: Units, engine: Engine, workspace: Workspace
    ) -> None:
        job = await workspace.order("forked whales!")
        await work_off(engine)
        before = dict(CALLS)
        async with units.open(workspace.principal) as unit:
            plan = await step_of(workspace, job, "compose")
            fork = await fork_job(unit, job.id, plan.id, "slower", idem_key="fork-1", kinds=KINDS)
            again = await fork_job(unit, job.id, plan.id, "slower", idem_key="fork-1", kinds=KINDS)
        assert again.id == fork.id
        await work_off(engine)
        done = await job_of(workspace, fork)
        assert (done.state, done.forked_from) == (
            "succeeded",
            {"job": job.number, "step": "compose", "instruction": "slower"},
        )
        assert CALLS["write"] == before["write"]
        assert (await step_of(workspace, fork, "script")).reused
        assert not (await step_of(workspace, fork, "compose")).reused

    async def test_processor_time_is_counted(self, units: Units, engine: Engine, workspace: Workspace) -> None:
        await workspace.order("measured")
        await work_off(engine)
        async with units.open(workspace.principal) as unit:
            times = (await unit.session.execute(select(Attempt.cpu_s))).scalars().all()
        assert all(time is not None and 0 <= time < 60 for time in times)


class TestGates:
    async def test_a_question_is_signed_and_answered_once(
        self, units: Units, engine: Engine, workspace: Workspace
    ) -> None:
        job = await workspace.order("gated", mode="wizard")
        await work_off(engine)
        async with units.open(workspace.principal) as unit:
            (asked,) = await inbox(unit)
        assert (asked.kind, asked.number, asked.may_decide) == ("script", job.number, True)
        async with units.open(workspace.principal) as unit:
            with pytest.raises(WrongState, match="changed"):
                await decide_gate(unit, job.id, asked.id, "approved", "another version")
        async with units.open(workspace.principal) as unit:
            await decide_gate(unit, job.id, asked.id, "approved", asked.seen_version, "fine")
        async with units.open(workspace.principal) as unit:
            with pytest.raises(WrongState, match="already"):
                await decide_gate(unit, job.id, asked.id, "approved", asked.seen_version)
            row = (await unit.session.execute(select(Approval))).scalar_one()
        assert (row.decided_by_name, row.seen_version, row.note) == ("Ada", asked.seen_version, "fine")
        await work_off(engine)
        assert (await job_of(workspace, job)).state == "succeeded"

    async def test_a_question_nobody_answers_expires(self, units: Units, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("forgotten", mode="wizard")
        await work_off(engine)
        assert await expire_approvals(units) == 0
        async with units.open(workspace.principal) as unit:
            late = update(Approval).values(expires_at=func.clock_timestamp() - timedelta(seconds=1))
            await unit.session.execute(late)
        assert await expire_approvals(units) == 1
        ended = await job_of(workspace, job)
        assert (ended.state, ended.control_reason) == ("cancelled", "Nobody decided in time.")
        async with units.open(workspace.principal) as unit:
            row = (await unit.session.execute(select(Approval))).scalar_one()
            with pytest.raises(WrongState, match="time to decide"):
                await decide_gate(unit, job.id, row.id, "approved")
        assert await expire_approvals(units) == 0


class TestDead:
    async def test_a_discarded_letter_cannot_be_replayed(
        self, units: Units, engine: Engine, workspace: Workspace
    ) -> None:
        job = await workspace.order("refused")
        await work_off(engine)
        async with units.open(workspace.principal) as unit:
            (letter,) = (await read_queue(unit)).dead
            assert (letter.number, letter.kind) == (job.number, "script")
            await discard_job(unit, job.id, "not worth it")
        assert (await job_of(workspace, job)).state == "cancelled"
        async with units.open(workspace.principal) as unit:
            assert (await read_queue(unit)).dead == ()
            with pytest.raises(WrongState, match="not failed"):
                await retry_job(unit, job.id)
        assert await recount(units) == 0


class TestSchedules:
    @pytest.mark.parametrize(
        ("at", "repeat", "zone", "now", "then"),
        [
            ("2026-03-01T09:00", "once", "UTC", "2026-03-01T09:00", None),
            ("2026-03-01T09:00", "hourly", "UTC", "2026-03-01T09:00", "2026-03-01T10:00"),
            ("2026-03-01T09:00", "hourly", "UTC", "2026-03-01T12:30", "2026-03-01T13:00"),
            ("2026-03-01T09:00", "daily", "UTC", "2026-03-04T09:30", "2026-03-05T09:00"),
            ("2026-01-31T09:00", "monthly", "UTC", "2026-01-31T09:00", "2026-02-28T09:00"),
            ("2026-01-31T09:00", "monthly", "UTC", "2026-03-05T09:00", "2026-03-31T09:00"),
            ("2020-01-01T09:00", "daily", "UTC", "2026-03-04T09:30", "2026-03-05T09:00"),
            # The clocks of New York go forward on 8 March: nine in the morning stays nine in the morning.
            ("2026-03-07T14:00", "daily", "America/New_York", "2026-03-07T14:00", "2026-03-08T13:00"),
            ("2026-03-01T09:00", "weekly", "UTC", "2026-03-01T09:01", "2026-03-08T09:00"),
        ],
    )
    def test_next_times(self, at: str, repeat: str, zone: str, now: str, then: str | None) -> None:
        def moment(text: str) -> datetime:
            return datetime.fromisoformat(text).replace(tzinfo=UTC)

        assert next_time(moment(at), repeat, zone, moment(now)) == (moment(then) if then else None)

    def test_the_end_of_a_month_stays_the_end(self) -> None:
        """The day is kept with the schedule: a short month does not shift those after it."""
        first = datetime(2026, 1, 31, 9, tzinfo=UTC)
        days = anchor_days(first, "monthly", "UTC", ())
        assert [found.day for found in upcoming(first, "monthly", "UTC", days, 4)] == [31, 28, 31, 30]

    def test_weekdays_are_those_of_the_zone(self) -> None:
        """Monday evening in São Paulo is Tuesday in UTC, and still a Monday for the schedule."""
        zone = "America/Sao_Paulo"
        monday = datetime(2026, 3, 2, 23, 30, tzinfo=ZoneInfo(zone))
        times = upcoming(first_time(monday, "weekly", zone, [0, 3]), "weekly", zone, [0, 3])
        local = [found.astimezone(ZoneInfo(zone)) for found in times]
        assert [(found.weekday(), found.hour, found.day) for found in local] == [(0, 23, 2), (3, 23, 5), (0, 23, 9)]
        assert first_time(monday, "weekly", "UTC", [1]) == monday
        assert upcoming(NOW, "once", "UTC") == [NOW]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"at": NOW - timedelta(minutes=1)}, "at"),
            ({"at": NOW + timedelta(days=400)}, "at"),
            ({"repeat": "yearly"}, "repeat"),
            ({"zone": "Mars/Olympus"}, "zone"),
            ({"zone": "../../etc"}, "zone"),
            ({"repeat": "weekly", "days": [7]}, "days"),
            ({"days": [1]}, "days"),
        ],
    )
    def test_faults(self, changes: dict[str, Any], field: str) -> None:
        good = {"at": NOW + timedelta(days=1), "repeat": "daily", "zone": "UTC", "now": NOW}
        assert check_schedule(**good) == []
        assert [fault.field for fault in check_schedule(**{**good, **changes})] == [field]

    async def test_runs_once_for_each_time(self, units: Units, workspace: Workspace, monkeypatch: Any) -> None:
        monkeypatch.setattr("domain.production.clockwork.run_schedule", with_kinds)
        new = NewJob(workspace.project.slug, "tiny", "scheduled whales")
        async with units.open(workspace.principal) as unit:
            row = await add_schedule(unit, new, datetime.now(UTC) + timedelta(hours=1), "daily")
        assert await run_schedules(units) == 0
        async with units.open(workspace.principal) as unit:
            due = update(Schedule).values(next_at=func.clock_timestamp() - timedelta(seconds=1))
            await unit.session.execute(due)
        async with units.system("directory") as system:
            await system.session.execute(update(Tenant).values(archived_at=func.now()))
        assert await run_schedules(units) == 0, "in an archived workspace nothing starts"
        async with units.system("directory") as system:
            await system.session.execute(update(Tenant).values(archived_at=None))
        # Several pumps at once, and one more look: still one job for one time.
        assert sum(await asyncio.gather(*(run_schedules(units) for _ in range(4)))) == 1
        assert await run_schedules(units) == 0
        async with units.open(workspace.principal) as unit:
            jobs = (await unit.session.execute(select(Job))).scalars().all()
            (kept,) = (await unit.session.execute(select(Schedule))).scalars()
        assert [(job.title, job.made_by_name) for job in jobs] == [("scheduled whales", "Ada")]
        assert kept.last_number == jobs[0].number
        assert kept.next_at is not None
        assert kept.next_at > datetime.now(UTC)
        async with units.open(workspace.principal) as unit:
            now = await run_now(unit, row.id, "form-1", KINDS)
            assert (await run_now(unit, row.id, "form-1", KINDS)).id == now.id
            assert now.number == jobs[0].number + 1
            await pause_schedule(unit, row.id, True)
            with pytest.raises(WrongState):
                await pause_schedule(unit, row.id, True)
            await remove_schedule(unit, row.id)

    async def test_what_cannot_start_is_said(self, units: Units, workspace: Workspace, monkeypatch: Any) -> None:
        monkeypatch.setattr("domain.production.clockwork.run_schedule", with_kinds)
        new = NewJob(workspace.project.slug, "gone", "nobody's recipe")
        async with units.open(workspace.principal) as unit:
            await add_schedule(unit, new, datetime.now(UTC) + timedelta(hours=1))
            await unit.session.execute(update(Schedule).values(next_at=func.clock_timestamp()))
        assert await run_schedules(units) == 0
        async with units.open(workspace.principal) as unit:
            (kept,) = (await unit.session.execute(select(Schedule))).scalars()
        assert kept.next_at is None
        assert "no recipe" in (kept.last_error or "")


async def with_kinds(unit: Any, schedule_id: Any, now: datetime, tariffs: Any) -> Job | None:
    from domain.production.commands.schedule_job import run_schedule

    return await run_schedule(unit, schedule_id, now, KINDS, tariffs)
