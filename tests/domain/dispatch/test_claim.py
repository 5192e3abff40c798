"""The claim on a real database: fair between tenants, exact limits, fences that hold."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from domain.catalog.model import Project
from domain.dispatch.claim import Claim, claim_next
from domain.dispatch.model import SchedFlow, SchedPool, Step
from domain.dispatch.recount import read_drift, recount
from domain.dispatch.settle import Ending, Replaced, close, leave
from domain.production.engine import HOOKS, Engine, reap_expired
from domain.production.pipeline.base import StepResult
from domain.production.settle import fail, release, succeed
from domain.production.settle_at_once import Success
from tenants.model import Tenant
from tenants.principal import worker_principal
from tenants.unit import Units
from tests.support.line import Workspace

Make = Callable[[], Awaitable[Workspace]]
DONE = Success(StepResult({"script": "x"}), [], None, False)


pytestmark = pytest.mark.usefixtures("alone")


async def claim(units: Units, lease_s: float = 30.0) -> Claim:
    found = await claim_next(units, "io", None, lease_s, HOOKS)
    assert found is not None
    return found


async def set_tenant(units: Units, tenant_id: UUID, **values: int) -> None:
    async with units.system("farm") as unit:
        await unit.session.execute(update(Tenant).where(Tenant.id == tenant_id).values(**values))
        flows = {"weight": values["weight"]} if "weight" in values else {}
        if flows:
            await unit.session.execute(update(SchedFlow).where(SchedFlow.tenant_id == tenant_id).values(**flows))


async def fill(workspace: Workspace, jobs: int) -> None:
    for number in range(jobs):
        await workspace.order(f"job {number}")


class TestFairness:
    async def test_weights_share_the_slots(self, units: Units, make_workspace: Make) -> None:
        spaces = [await make_workspace() for _ in range(3)]
        for space, weight in zip(spaces, (1, 1, 3), strict=True):
            await set_tenant(units, space.tenant_id, weight=weight, max_running=99)
            await fill(space, 10)
        # None is settled before the last is claimed: how long they really took must not shift the shares.
        claims = [await claim(units) for _ in range(15)]
        started = Counter(got.tenant_id for got in claims)
        assert [started[space.tenant_id] for space in spaces] == pytest.approx([3, 3, 9], abs=1)

    async def test_a_newcomer_is_next_however_long_the_queue(self, units: Units, make_workspace: Make) -> None:
        busy, new = await make_workspace(), await make_workspace()
        await fill(busy, 12)
        for _ in range(6):
            await succeed(units, await claim(units), DONE)
        await new.order("my first")
        first_two = {(await claim(units)).tenant_id, (await claim(units)).tenant_id}
        assert new.tenant_id in first_two

    async def test_jobs_of_a_tenant_keep_their_order(self, units: Units, workspace: Workspace) -> None:
        jobs = [(await workspace.order(f"n{number}")).id for number in range(4)]
        assert [(await claim(units)).job_id for _ in range(4)] == jobs

    async def test_urgent_jobs_go_first(self, units: Units, workspace: Workspace) -> None:
        await workspace.order("later")
        urgent = await workspace.order("urgent", priority=-1)
        assert (await claim(units)).job_id == urgent.id

    async def test_waiting_overcomes_priority(self, units: Units, workspace: Workspace) -> None:
        old = await workspace.order("old")
        await workspace.order("urgent", priority=-1)
        async with workspace.units.open(workspace.principal) as unit:
            await unit.session.execute(
                update(Step).where(Step.job_id == old.id, Step.state == "ready").values(ready_at="2020-01-01T00:00:00Z")
            )
        assert (await claim(units)).job_id == old.id


class TestLimits:
    async def test_tenant_cap_is_never_passed_by_claims_at_once(self, units: Units, workspace: Workspace) -> None:
        await set_tenant(units, workspace.tenant_id, max_running=3)
        await fill(workspace, 8)
        claims = await asyncio.gather(*(claim_next(units, "io", None, 30.0, HOOKS) for _ in range(8)))
        assert len([one for one in claims if one]) == 3
        assert await recount(units) == 0

    async def test_caps_that_span_pools_hold_too(self, units: Units, workspace: Workspace) -> None:
        await set_tenant(units, workspace.tenant_id, max_running=2)
        await fill(workspace, 4)
        async with units.system("farm") as unit:
            mine = (Step.tenant_id == workspace.tenant_id, Step.kind == "script")
            ids = (await unit.session.execute(select(Step.id).where(*mine))).scalars().all()
            await unit.session.execute(update(Step).where(Step.id.in_(ids[:2])).values(pool="cpu"))
        await recount(units)
        pools = ["io", "cpu"] * 4
        claims = await asyncio.gather(*(claim_next(units, pool, None, 30.0, HOOKS) for pool in pools))
        assert len([one for one in claims if one]) == 2

    async def test_project_cap(self, units: Units, workspace: Workspace) -> None:
        async with workspace.units.open(workspace.principal) as unit:
            await unit.session.execute(update(Project).values(max_running=1))
        await fill(workspace, 3)
        assert await claim_next(units, "io", None, 30.0, HOOKS) is not None
        assert await claim_next(units, "io", None, 30.0, HOOKS) is None
        assert await recount(units) == 0

    async def test_one_capped_tenant_does_not_block_others(self, units: Units, make_workspace: Make) -> None:
        capped, free = await make_workspace(), await make_workspace()
        await set_tenant(units, capped.tenant_id, max_running=1)
        await fill(capped, 3)
        await fill(free, 1)
        assert {(await claim(units)).tenant_id, (await claim(units)).tenant_id} == {capped.tenant_id, free.tenant_id}

    async def test_many_slots_never_share_a_step(self, units: Units, make_workspace: Make) -> None:
        for _ in range(3):
            await fill(await make_workspace(), 4)
        claims = await asyncio.gather(*(claim_next(units, "io", None, 30.0, HOOKS) for _ in range(16)))
        steps = [one.step_id for one in claims if one]
        assert len(steps) == len(set(steps)) == 12


class TestFences:
    async def test_a_zombie_changes_nothing(self, units: Units, workspace: Workspace) -> None:
        await workspace.order("fenced")
        old = await claim(units, lease_s=-1.0)
        assert await reap_expired(units) == 1
        new = await claim(units)
        assert (new.step_id, new.attempt) == (old.step_id, 2)
        assert new.fence > old.fence
        for ending in (
            succeed(units, old, DONE),
            release(units, old),
            fail(units, old, {"class": "X"}, transient=True),
        ):
            with pytest.raises(Replaced):
                await ending
        await succeed(units, new, DONE)
        assert await recount(units) == 0

    async def test_a_renewed_lease_is_not_reaped(self, units: Units, workspace: Workspace) -> None:
        await workspace.order("renewed")
        await claim(units, lease_s=60)
        assert await reap_expired(units) == 0

    async def test_poison_dies(self, units: Units, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("poison")
        for _ in range(3):
            await claim(units, lease_s=-1.0)
            assert await reap_expired(units) == 1
        async with workspace.units.open(workspace.principal) as unit:
            state, error = (
                await unit.session.execute(
                    select(Step.state, Step.error).where(Step.job_id == job.id, Step.kind == "script")
                )
            ).one()
        assert state == "dead"
        assert "lost 3 times" in error["sentence"]

    async def test_the_fence_is_checked_in_the_write_itself(self, units: Units, workspace: Workspace) -> None:
        await workspace.order("late")
        got = await claim(units)

        async def close_late() -> None:
            async with units.open(worker_principal(workspace.tenant_id)) as unit:
                await leave(unit.session, got)
                moved = update(Step).where(Step.id == got.step_id).values(fence=Step.fence + 1)
                await unit.session.execute(moved)
                await close(unit.session, got, Ending("succeeded", "succeeded"))

        with pytest.raises(Replaced):
            await close_late()
        assert await recount(units) == 0

    @pytest.mark.parametrize("first", ["release", "succeed"])
    async def test_of_two_ends_of_one_step_at_once_one_holds(
        self, units: Units, workspace: Workspace, first: str
    ) -> None:
        await workspace.order("twice")
        got = await claim(units)
        ends = {"release": lambda: release(units, got), "succeed": lambda: succeed(units, got, DONE)}
        second = next(name for name in ends if name != first)
        async with units.open(worker_principal(workspace.tenant_id)) as unit:
            # Whoever holds the tenant's row is first; both others wait for it, past the pool's lock.
            await unit.session.execute(select(Tenant.id).where(Tenant.id == workspace.tenant_id).with_for_update())
            tasks = [asyncio.create_task(ends[name]()) for name in (first, second)]
            await waiting_for_a_row(units, 2)
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(result, Replaced) for result in results) == 1
        assert [
            result for result in results if isinstance(result, Exception) and not isinstance(result, Replaced)
        ] == []
        assert await recount(units) == 0

    async def test_slots_side_by_side_keep_every_counter(self, units: Units, make_workspace: Make) -> None:
        spaces = [await make_workspace() for _ in range(3)]
        for space in spaces:
            await set_tenant(units, space.tenant_id, max_running=2)
            await fill(space, 6)
        seen: list[UUID] = []

        async def turn() -> None:
            while got := await claim_next(units, "io", None, 30.0, HOOKS):
                seen.append(got.step_id)
                await succeed(units, got, DONE)

        await asyncio.gather(*(turn() for _ in range(4)))
        await turn()  # what a limit held back until the end
        assert len(seen) == len(set(seen)) >= 18
        assert await recount(units) == 0


async def waiting_for_a_row(units: Units, many: int) -> None:
    """Return when that many connections wait for somebody's row."""
    asked = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')")
    async with asyncio.timeout(20), units.system("farm") as unit:
        while (await unit.session.scalar(asked) or 0) < many:  # noqa: ASYNC110 the database tells nobody
            await asyncio.sleep(0.02)


class TestClock:
    async def test_vtime_is_corrected_by_the_real_cost(self, units: Units, workspace: Workspace) -> None:
        await workspace.order("cost")
        got = await claim(units)
        charged = await vtime(workspace)
        await succeed(units, got, DONE)
        # The step was charged 1 s and took next to nothing.
        assert await vtime(workspace) == pytest.approx(charged - 1.0, abs=0.9)

    async def test_pool_clock_never_runs_back(self, units: Units, workspace: Workspace) -> None:
        await fill(workspace, 3)
        seen = []
        for _ in range(3):
            await succeed(units, await claim(units), DONE)
            async with units.system("farm") as unit:
                seen.append(
                    (await unit.session.execute(select(SchedPool.vclock).where(SchedPool.pool == "io"))).scalar()
                )
        assert seen == sorted(seen)

    async def test_being_capped_earns_no_credit(self, units: Units, make_workspace: Make) -> None:
        capped, other = await make_workspace(), await make_workspace()
        await set_tenant(units, capped.tenant_id, max_running=1)
        await set_tenant(units, other.tenant_id, max_running=99)
        await fill(capped, 2)
        await fill(other, 12)
        held = next(one for one in [await claim(units) for _ in range(12)] if one.tenant_id == capped.tenant_id)
        await succeed(units, held, DONE)
        async with units.system("farm") as unit:
            clock = (await unit.session.execute(select(SchedPool.vclock).where(SchedPool.pool == "io"))).scalar_one()
        assert await vtime(capped) >= clock


async def vtime(workspace: Workspace) -> float:
    async with workspace.units.open(workspace.principal) as unit:
        return (await unit.session.execute(select(SchedFlow.vtime).where(SchedFlow.pool == "io"))).scalar_one()


class TestRecount:
    async def test_a_step_that_waits_for_too_much_is_freed(self, units: Units, workspace: Workspace) -> None:
        job = await workspace.order("forgotten")
        async with units.system("farm") as unit:
            waiting = (Step.job_id == job.id, Step.kind == "compose")
            await unit.session.execute(update(Step).where(*waiting).values(deps_left=2))
        before = (await read_drift(units)).get("needs", (0, 0))[1]
        assert await recount(units) == 1
        assert (await read_drift(units))["needs"] == (1, before + 1)
        assert await recount(units) == 0
        assert (await read_drift(units))["needs"] == (0, before + 1)

    async def test_repairs_what_is_wrong_and_says_how_much(self, units: Units, workspace: Workspace) -> None:
        await fill(workspace, 2)
        await recount(units)
        async with units.system("farm") as unit:
            flow = (SchedFlow.tenant_id == workspace.tenant_id, SchedFlow.pool == "io")
            await unit.session.execute(update(SchedFlow).where(*flow).values(ready=77))
            await unit.session.execute(update(Tenant).where(Tenant.id == workspace.tenant_id).values(running=5))
        assert await recount(units) == 2
        assert await recount(units) == 0
