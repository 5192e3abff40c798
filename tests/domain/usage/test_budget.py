"""Budgets: nothing is set aside beyond a cap, however many ask at once; the books are the sums of their entries."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from adapters.store.objects import LocalObjects
from domain.production.commands.control_job import cancel_job
from domain.production.commands.decide_call import set_cost_limit
from domain.production.errors import InvalidInput
from domain.production.model import Job
from domain.production.ports import Usage
from domain.usage.budget import Bill, JobAccount, OverBudget, find_drift, hold, let_go, settle
from domain.usage.caps import month_states, set_project_cap, set_workspace_cap
from domain.usage.effects import Caller, Ledger, Purse
from domain.usage.model import Budget, BudgetEntry
from tenants.model import AuditEntry
from tenants.principal import Forbidden, Principal
from tests.support.line import Workspace

LIKELY = 1000


@pytest.fixture(autouse=True)
def quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotes come to the number a topic ends in."""

    async def quoted(_unit: Any, spec: Any, *_: Any) -> Any:
        likely = int(spec.topic.rsplit(" ", 1)[1])
        return SimpleNamespace(as_json=lambda: {"lines": [], "low": likely, "micro_dollars": likely, "high": likely})

    monkeypatch.setattr("domain.production.commands.create_job.quote_job", quoted)


async def order(workspace: Workspace, topic: str = "Paid", likely: int = LIKELY, **changes: Any) -> Job:
    """Order a job that should cost `likely`."""
    return await workspace.order(f"{topic} {likely}", **changes)


def account(workspace: Workspace, job: Job) -> JobAccount:
    return JobAccount(workspace.tenant_id, workspace.project.id, job.id)


async def do(workspace: Workspace, command: Any, *arguments: Any) -> Any:
    async with workspace.units.open(workspace.principal) as unit:
        return await command(unit.session, *arguments)


async def as_person(workspace: Workspace, command: Any, *arguments: Any, **more: Any) -> Any:
    async with workspace.units.open(workspace.principal) as unit:
        return await command(unit, *arguments, **more)


async def books(workspace: Workspace) -> dict[str, tuple[int, int, int]]:
    """Reserved, spent and overrun by scope; the books are checked on the way."""
    async with workspace.units.open(workspace.principal) as unit:
        assert await find_drift(unit.session, workspace.tenant_id) == []
        rows = await unit.session.scalars(select(Budget).where((Budget.month != "") | (Budget.scope == "job")))
        return {row.scope: (row.reserved, row.spent, row.overrun) for row in rows}


class TestStart:
    async def test_a_start_sets_the_quote_aside_and_the_end_gives_it_back(self, workspace: Workspace) -> None:
        job = await order(workspace)
        assert await books(workspace) == dict.fromkeys(("workspace", "project", "job"), (LIKELY, 0, 0))
        await as_person(workspace, cancel_job, job.id)
        assert await books(workspace) == dict.fromkeys(("workspace", "project", "job"), (0, 0, 0))

    async def test_no_more_than_the_job_may_spend_is_set_aside(self, workspace: Workspace) -> None:
        await order(workspace, cost_limit=400)
        assert (await books(workspace))["workspace"] == (400, 0, 0)

    @pytest.mark.parametrize("scope", ["workspace", "project"])
    async def test_concurrent_starts_cannot_overshoot(self, workspace: Workspace, scope: str) -> None:
        """Eight starts at once, each in a connection of its own, and room for three."""
        cap = 3 * LIKELY + 10
        if scope == "workspace":
            await as_person(workspace, set_workspace_cap, cap)
        else:
            await as_person(workspace, set_project_cap, workspace.project.id, cap)
        asked = [order(workspace, f"At once {number}") for number in range(8)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, InvalidInput)]
        assert [type(answer) for answer in answers].count(Job) == 3
        assert len(refused) == 5
        assert f"the {scope} has $0.0000 left this month" in refused[0].faults[0].message
        assert (await books(workspace))[scope] == (3 * LIKELY, 0, 0)
        assert await as_person(workspace, count_jobs) == 3

    async def test_a_refused_start_leaves_nothing(self, workspace: Workspace) -> None:
        await as_person(workspace, set_workspace_cap, LIKELY - 1)
        with pytest.raises(InvalidInput):
            await order(workspace)
        assert await as_person(workspace, count_jobs) == 0
        assert {scope: sums for scope, sums in (await books(workspace)).items() if any(sums)} == {}


async def count_jobs(unit: Any) -> int:
    return len(list(await unit.session.scalars(select(Job.id))))


class TestCalls:
    async def test_a_call_holds_from_the_reservation_first(self, workspace: Workspace) -> None:
        job = await order(workspace)
        assert await do(workspace, hold, account(workspace, job), 600) == 0
        assert await do(workspace, hold, account(workspace, job), LIKELY + 200) == 200
        assert (await books(workspace))["job"] == (LIKELY + 200, 0, 0)
        await do(workspace, settle, account(workspace, job), 200, Bill(700))
        assert (await books(workspace))["job"] == (LIKELY - 700, 700, 0)

    async def test_what_a_call_drew_on_top_goes_back(self, workspace: Workspace) -> None:
        job = await order(workspace)
        assert await do(workspace, hold, account(workspace, job), 1500) == 500
        await do(workspace, let_go, account(workspace, job), 500)
        assert (await books(workspace))["workspace"] == (LIKELY, 0, 0)

    async def test_concurrent_calls_cannot_overshoot(self, workspace: Workspace, tmp_path: Path) -> None:
        """Eight calls that may cost 300 each, out at the same time under a cap of 1000: three go out."""
        job = await order(workspace, likely=0, cost_limit=1000)
        line = {"step": "narrate", "provider": "voices", "calls": [1, 1, 1], "micro_dollars": 200, "high": 300}
        out, back = [], asyncio.Event()

        async def call(number: int) -> Any:
            async def speak() -> str:
                out.append(number)
                await back.wait()
                return "said"

            caller = Caller(workspace.tenant_id, job.id, job.id, "narrate", "", 1)
            store = LocalObjects(tmp_path / "objects", tmp_path / "staging")
            purse = Purse(job.project_id, {"lines": [line]})
            ledger = Ledger(workspace.units, store, tmp_path / "spool", caller, purse)
            return await ledger.perform(
                provider="voices",
                request={"sentence": number},
                call=speak,
                encode=str.encode,
                decode=bytes.decode,
                usage=lambda _: Usage({"calls": 1}, 250),
            )

        asked = [asyncio.create_task(call(number)) for number in range(8)]
        while sum(task.done() for task in asked) < 5 or len(out) < 3:
            await asyncio.wait(asked, timeout=0.05, return_when=asyncio.FIRST_COMPLETED)
        assert (await books(workspace))["job"] == (900, 0, 0)
        back.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert answers.count("said") == len(out) == 3
        over = next(answer for answer in answers if isinstance(answer, OverBudget))
        assert (over.scope, over.limit, over.wanted) == ("job", 1000, 300)
        assert (await books(workspace))["job"] == (0, 750, 0)

    def test_the_advice_says_what_the_button_says(self) -> None:
        """A job that stopped at its limit is paused and resumes; one that had ended is tried again."""
        over = OverBudget("job", 1_000_000, 900_000, 0, 250_000)
        assert over.fix == "Raise the job's limit, then resume the job."
        assert over.advise("try again") == "Raise the job's limit, then try again."

    async def test_truth_beyond_the_cap_is_recorded_and_stops_the_next_call(self, workspace: Workspace) -> None:
        job = await order(workspace, likely=0, cost_limit=1000)
        drawn = await do(workspace, hold, account(workspace, job), 900)
        await do(workspace, settle, account(workspace, job), drawn, Bill(1300))
        assert (await books(workspace))["job"] == (0, 1300, 300)
        for wanted in (1, None):
            with pytest.raises(OverBudget):
                await do(workspace, hold, account(workspace, job), wanted)
        await as_person(workspace, set_cost_limit, job.id, 2000)
        assert await do(workspace, hold, account(workspace, job), 700) == 700

    async def test_a_lower_cap_stops_what_comes_next_only(self, workspace: Workspace) -> None:
        job = await order(workspace)
        await as_person(workspace, set_workspace_cap, 10)
        assert (await books(workspace))["workspace"] == (LIKELY, 0, LIKELY - 10)
        assert await do(workspace, hold, account(workspace, job), LIKELY) == 0
        with pytest.raises(OverBudget):
            await do(workspace, hold, account(workspace, job), LIKELY + 1)

    async def test_the_database_itself_refuses_a_reservation_beyond_the_cap(self, workspace: Workspace) -> None:
        await order(workspace, cost_limit=LIKELY)
        with pytest.raises(IntegrityError, match="ck_budgets_cap"):
            await do(workspace, reserve_without_asking)


async def reserve_without_asking(session: Any) -> None:
    await session.execute(update(Budget).where(Budget.scope == "job").values(reserved=Budget.reserved + 1))


class TestDrift:
    async def test_a_counter_that_is_not_its_sum_is_found(self, workspace: Workspace) -> None:
        job = await order(workspace)
        async with workspace.units.open(workspace.principal) as unit:
            await unit.session.execute(update(Budget).where(Budget.scope == "project").values(spent=7))
        async with workspace.units.open(workspace.principal) as unit:
            [drift] = await find_drift(unit.session, workspace.tenant_id)
        assert (drift.scope, drift.spent, drift.entries_spent) == ("project", 7, 0)
        assert job.project_id == drift.scope_id

    async def test_an_entry_without_counter_is_found(self, workspace: Workspace) -> None:
        job = await order(workspace, likely=0)
        async with workspace.units.open(workspace.principal) as unit:
            row = {"job_id": job.id, "project_id": job.project_id, "kind": "settle", "micro_dollars": 5}
            unit.session.add(BudgetEntry(**row, month="2020-01"))
        async with workspace.units.open(workspace.principal) as unit:
            found = {drift.scope for drift in await find_drift(unit.session, workspace.tenant_id)}
        assert found == {"job", "project", "workspace"}


class TestCaps:
    @pytest.mark.parametrize("role", ["operator", "viewer"])
    async def test_only_who_manages_the_budget_sets_them(self, workspace: Workspace, role: Any) -> None:
        other = Principal(workspace.tenant_id, "person", role)
        async with workspace.units.open(other) as unit:
            for command, arguments in ((set_workspace_cap, (5,)), (set_project_cap, (workspace.project.id, 5))):
                with pytest.raises(Forbidden):
                    await command(unit, *arguments)  # type: ignore[operator]

    async def test_they_hold_for_later_months_and_are_audited(self, workspace: Workspace) -> None:
        await as_person(workspace, set_workspace_cap, 5_000_000)
        later = await as_person(workspace, month_states, "2031-01")
        key: tuple[str, UUID] = ("workspace", workspace.tenant_id)
        assert (later[key].cap, later[key].left) == (5_000_000, 5_000_000)
        async with workspace.units.open(workspace.principal) as unit:
            [line] = await unit.session.scalars(select(AuditEntry).where(AuditEntry.action == "budget.workspace"))
        assert (line.before, line.after) == ({"monthly": None}, {"monthly": 5_000_000})
