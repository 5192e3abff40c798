"""Forecasts, manifests after a crash, and the pump's one look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from domain.dispatch.stats import Remaining
from domain.dispatch.watch import glance
from domain.production.engine import Engine
from domain.production.manifest import NAME, write_manifest
from domain.production.model import ArtifactRef, Job
from domain.production.upkeep import SPREAD, forecast, missing_manifests, update_forecasts
from tests.domain.production.test_engine import reload, rows
from tests.support.line import Workspace, work_off

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class TestForecast:
    def test_alone_on_two_slots(self) -> None:
        steps = [Remaining("a", 10), Remaining("b", 10), Remaining("c", 4, needs=["a", "b"])]
        assert forecast(NOW, steps, 0.0, 2, 1).p50 == NOW + timedelta(seconds=14)

    def test_jobs_share_the_slots(self) -> None:
        assert forecast(NOW, [Remaining("a", 10)], 0.0, 2, 4).p50 == NOW + timedelta(seconds=20)

    def test_what_is_not_planned_yet_counts(self) -> None:
        assert forecast(NOW, [], 30.0, 2, 1).p50 == NOW + timedelta(seconds=15)

    @given(st.lists(st.floats(0, 1000), max_size=6), st.integers(1, 16), st.integers(1, 16))
    def test_the_cautious_one_is_later(self, costs: list[float], slots: int, jobs: int) -> None:
        made = forecast(NOW, [Remaining(str(n), cost) for n, cost in enumerate(costs)], 0.0, slots, jobs)
        assert NOW <= made.p50 <= made.p90
        assert (made.p90 - NOW).total_seconds() <= (made.p50 - NOW).total_seconds() * SPREAD + 0.001


class TestRows:
    async def test_written_while_the_job_is_open_and_gone_after(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Forecast")
        assert await update_forecasts(engine.units, 2) >= 1
        assert (await reload(workspace, job)).eta_p50 is not None
        assert await update_forecasts(engine.units, 2) == 0
        await work_off(engine)
        assert (await reload(workspace, job)).eta_p50 is None

    async def test_a_manifest_that_a_crash_prevented(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Receipt")
        await work_off(engine)
        async with workspace.units.open(workspace.principal) as unit:
            await unit.session.execute(delete(ArtifactRef).where(ArtifactRef.name == NAME))
            long_ago = datetime.now(UTC) - timedelta(minutes=1)
            await unit.session.execute(update(Job).where(Job.id == job.id).values(finished_at=long_ago))
        assert (workspace.tenant_id, job.id) in await missing_manifests(engine.units)
        first = await write_manifest(engine.units, engine.tools.store, workspace.tenant_id, job.id)
        assert (workspace.tenant_id, job.id) not in await missing_manifests(engine.units)
        assert await write_manifest(engine.units, engine.tools.store, workspace.tenant_id, job.id) == first
        kept = await rows(workspace, select(ArtifactRef.name).where(ArtifactRef.name == NAME))
        assert kept == [NAME]

    async def test_one_look_says_what_there_is_to_do(self, engine: Engine, workspace: Workspace) -> None:
        await workspace.order("Look")
        seen = await glance(engine.units)
        assert seen.unsent
        assert seen.ready == {"io"}
        await work_off(engine)
        assert (await glance(engine.units)).ready == frozenset()
