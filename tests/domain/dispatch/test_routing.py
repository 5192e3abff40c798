"""Which pool a step goes to, when another one will do, and which hosts get no more of a kind."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from domain.catalog.bodies import RecipeStep
from domain.catalog.commands import save_version
from domain.dispatch.claim import claim_next
from domain.dispatch.farm import join_farm
from domain.dispatch.hosts import ENOUGH, accuse, accused, acquit, shunned_hosts
from domain.dispatch.model import Step, Worker
from domain.dispatch.pools import is_pool
from domain.dispatch.recount import recount
from domain.dispatch.reroute import reroute
from domain.dispatch.watch import glance
from domain.production.engine import HOOKS, Engine
from domain.production.errors import InvalidInput
from domain.production.graph import Route, check_routes, route_of
from domain.production.model import Job
from tenants.model import Event
from tenants.unit import Units
from tests.support.line import KINDS, RECIPE, SHARDS, Workspace, work_off


@pytest.mark.parametrize("name", ["io", "cpu", "gpu", "gpu.nvenc", "cpu@eu", "gpu.nvenc@us-east1"])
def test_names_of_pools(name: str) -> None:
    assert is_pool(name)


@pytest.mark.parametrize(
    "name", ["", "tpu", "cpu:2", "gpu.", "cpu@", "gpu.NVENC", "cpu@eu@us", "io cpu", "gpu." + "x" * 30]
)
def test_what_names_no_pool(name: str) -> None:
    assert not is_pool(name)


class TestRoutes:
    @pytest.mark.parametrize(
        ("step", "route"),
        [
            ({}, Route("cpu")),
            ({"pool": "", "fallback": "", "fallback_after": 60}, Route("cpu")),
            ({"pool": "gpu"}, Route("gpu")),
            ({"pool": "gpu", "fallback": "cpu", "fallback_after": 30}, Route("gpu", "cpu", 30.0)),
            ({"fallback": "cpu", "fallback_after": 30}, Route("cpu")),
        ],
    )
    def test_table(self, step: dict[str, Any], route: Route) -> None:
        assert route_of({"recipe": {"steps": [{"kind": "render", **step}]}}, KINDS["render"]) == route

    def test_faults_are_named(self) -> None:
        steps = [
            RecipeStep(kind="render", pool="the fast one"),
            RecipeStep(kind="mux", pool="gpu", fallback="cpu", fallback_after=0),
            RecipeStep(kind="check", pool="cpu@eu", fallback="cpu", fallback_after=90),
        ]
        assert [fault.message for fault in check_routes(steps)] == [
            "Step “render”: “the fast one” cannot be the name of a pool.",
            "Step “mux”: 0 seconds is no time to wait for a pool.",
        ]


async def order_for_gpu(workspace: Workspace, **route: Any) -> Job:
    """A job whose shards want a GPU."""
    steps = [{**step, **(route if step["kind"] == "render" else {})} for step in RECIPE["steps"]]
    async with workspace.units.open(workspace.principal) as unit:
        await save_version(unit, "recipe", "shiny", "Shiny", {**RECIPE, "steps": steps})
    return await workspace.order("shiny whales", recipe="shiny")


async def pools_of(workspace: Workspace, job: Job) -> list[tuple[str, str]]:
    async with workspace.units.open(workspace.principal) as unit:
        rows = await unit.session.execute(
            select(Step.pool, Step.state).where(Step.job_id == job.id, Step.kind == "render").order_by(Step.shard)
        )
        return [(pool, state) for pool, state in rows]


async def wait_long(workspace: Workspace, job: Job) -> None:
    """Let the job's ready steps have waited for a minute."""
    async with workspace.units.open(workspace.principal) as unit:
        long_ago = func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 1)
        mine = update(Step).where(Step.job_id == job.id, Step.state == "ready")
        await unit.session.execute(mine.values(ready_at=long_ago))


class TestFallback:
    async def test_steps_wait_for_their_pool_and_move_together_when_it_takes_too_long(
        self, units: Units, engine: Engine, workspace: Workspace
    ) -> None:
        job = await order_for_gpu(workspace, pool="gpu", fallback="cpu", fallback_after=30)
        await work_off(engine)
        assert await pools_of(workspace, job) == [("gpu", "ready")] * SHARDS
        assert await reroute(units) == 0
        await wait_long(workspace, job)
        assert (await glance(units)).stuck
        assert await reroute(units) == SHARDS
        assert await pools_of(workspace, job) == [("cpu", "ready")] * SHARDS
        assert not (await glance(units)).stuck
        async with units.open(workspace.principal) as unit:
            told = await unit.session.scalar(select(Event.data).where(Event.type == "step.rerouted"))
        assert told == {"step": "render", "pool": "cpu", "before": "gpu", "count": SHARDS}
        await work_off(engine)
        assert {state for _, state in await pools_of(workspace, job)} == {"succeeded"}
        assert await recount(units) == 0

    async def test_once_one_has_begun_all_stay(self, units: Units, engine: Engine, workspace: Workspace) -> None:
        job = await order_for_gpu(workspace, pool="gpu", fallback="cpu", fallback_after=30)
        await work_off(engine)
        assert await engine.run_next("gpu")
        await wait_long(workspace, job)
        assert await reroute(units) == 0
        assert {pool for pool, _ in await pools_of(workspace, job)} == {"gpu"}
        assert not (await glance(units)).stuck
        await work_off(engine, ("io", "cpu", "gpu"))
        assert {state for _, state in await pools_of(workspace, job)} == {"succeeded"}
        assert await recount(units) == 0

    async def test_a_wrong_name_is_refused_before_anything_is_written(self, workspace: Workspace) -> None:
        with pytest.raises(InvalidInput, match="name of a pool"):
            await order_for_gpu(workspace, pool="the fast one")


class TestHosts:
    def test_the_same_step_counts_once(self) -> None:
        assert accused(["a", "b"], "a") == ["b", "a"]
        assert accused(["a", "b", "c"], "d") == ["b", "c", "d"]

    async def test_a_bad_host_is_shunned_while_another_is_there(
        self, units: Units, engine: Engine, workspace: Workspace
    ) -> None:
        bad = await join_farm(units, "bad", "boot", 1, {"io": 1}, "1")
        await workspace.order("shunned")
        same = uuid4()
        for step in (same, same, uuid4()):
            assert not await accuse(units, bad, "script", step)
        assert await accuse(units, bad, "script", uuid4()) == (ENOUGH == 3)
        assert [(one.host, one.kind) for one in await shunned_hosts(units)] == [("bad", "script")]
        # Alone it still gets work: a farm that stands still helps nobody.
        async with units.system("farm") as unit:
            await unit.session.execute(update(Worker).where(Worker.host != "bad").values(state="gone"))
        got = await claim_next(units, "io", bad, 30.0, HOOKS)
        assert got is not None
        await workspace.order("shunned again")
        good = await join_farm(units, "good", "boot", 1, {"io": 1}, "1")
        assert await claim_next(units, "io", bad, 30.0, HOOKS) is None
        assert await claim_next(units, "io", good, 30.0, HOOKS) is not None
        await acquit(units, bad, ["script"])
        assert await shunned_hosts(units) == []

    async def test_a_failing_step_accuses_its_host(self, units: Units, engine: Engine, workspace: Workspace) -> None:
        engine.worker_id = await join_farm(units, "odd", "boot", 1, {"io": 1}, "1")
        for number in range(ENOUGH):
            await workspace.order(f"odd {number}")
            await engine.run_next("io")
        assert [(one.host, one.kind) for one in await shunned_hosts(units)] == [("odd", "script")]

    async def test_a_provider_that_refuses_accuses_nobody(
        self, units: Units, engine: Engine, workspace: Workspace
    ) -> None:
        engine.worker_id = await join_farm(units, "fine", "boot", 1, {"io": 1}, "1")
        for number in range(ENOUGH):
            await workspace.order(f"refused {number}")
            await engine.run_next("io")
        assert "fine" not in {one.host for one in await shunned_hosts(units)}
