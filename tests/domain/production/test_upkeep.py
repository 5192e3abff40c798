"""Forecasts, manifests after a crash, and the pump's one look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from domain.dispatch.foresee import Awaited, foresee
from domain.dispatch.stats import Remaining
from domain.dispatch.watch import glance
from domain.production.engine import Engine
from domain.production.manifest import NAME, write_manifest
from domain.production.model import ArtifactRef, Job
from domain.production.upkeep import (
    SPREAD,
    Forecast,
    caution_of,
    forecast,
    missing_manifests,
    unplanned,
    update_forecasts,
)
from tests.domain.production.test_engine import reload, rows
from tests.support.line import Workspace, work_off

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def job(number: int, steps: list[Remaining], tenant: int = 1, **changes: Any) -> Awaited:
    return Awaited(UUID(int=number), UUID(int=tenant), (0, number), steps, **changes)


def ends(jobs: list[Awaited], slots: int) -> list[float]:
    found = foresee(jobs, slots)
    return [found[one.id] for one in jobs]


class TestForesee:
    def test_a_chain_after_a_fan_out(self) -> None:
        steps = [Remaining("a", 10), Remaining("b", 10), Remaining("c", 4, needs=["a", "b"])]
        assert ends([job(1, steps)], 2) == [14]
        assert ends([job(1, steps)], 1) == [24]

    def test_jobs_of_a_tenant_follow_each_other(self) -> None:
        jobs = [job(n, [Remaining("a", 10)]) for n in range(1, 5)]
        assert ends(jobs, 2) == [10, 10, 20, 20]

    def test_tenants_take_turns_by_weight(self) -> None:
        many = [job(n, [Remaining("a", 10)], tenant=1) for n in range(1, 9)]
        late = job(9, [Remaining("a", 10)], tenant=2)
        assert ends([*many, late], 1)[-1] == 20

    def test_a_limit_holds_back(self) -> None:
        assert ends([job(1, [Remaining(str(n), 10) for n in range(4)], limit=1)], 4) == [40]

    def test_what_has_begun_goes_on_and_needs_that_are_done_do_not_count(self) -> None:
        assert ends([job(1, [Remaining("a", 10)]), job(2, [Remaining("b", 10, done=0.5, needs=["x"])])], 1) == [15, 5]

    def test_nothing_left_is_done_now(self) -> None:
        assert ends([job(1, [])], 2) == [0]

    @given(st.lists(st.lists(st.floats(0.1, 100), max_size=5), max_size=6), st.integers(1, 8))
    def test_the_last_job_ends_within_all_the_work(self, costs: list[list[float]], slots: int) -> None:
        jobs = [job(n, [Remaining(str(m), cost) for m, cost in enumerate(own)]) for n, own in enumerate(costs)]
        total, found = sum(sum(own) for own in costs), ends(jobs, slots)
        assert all(end <= total + 1e-6 for end in found)
        assert max(found, default=0.0) >= total / slots - 1e-6

    def test_more_than_is_played_through_still_has_an_end(self) -> None:
        jobs = [job(n, [Remaining(str(m), 1) for m in range(100)]) for n in range(1, 80)]
        found = ends(jobs, 4)
        assert found == sorted(found)
        assert max(found) >= 79 * 100 / 4 - 1


class TestPromise:
    def test_the_cautious_one_is_later(self) -> None:
        made = forecast(NOW, 100.0)
        assert made == Forecast(NOW + timedelta(seconds=100), NOW + timedelta(seconds=100 * SPREAD))

    def test_caution_is_learnt_from_jobs_that_have_ended(self) -> None:
        ended = [
            (NOW, NOW + timedelta(seconds=100), NOW, NOW + timedelta(seconds=80 + 2 * number)) for number in range(50)
        ]
        assert caution_of(ended[:10]) is None
        assert caution_of(ended) == pytest.approx(1.7)

    def test_what_is_not_planned_yet_counts_in_pieces(self) -> None:
        spec = {"seconds": 100, "recipe": {"steps": [{"kind": "script"}, {"kind": "render"}]}}
        assert [one.seconds for one in unplanned(spec)] == [20.0] * 4
        assert unplanned({"seconds": 100, "recipe": {"steps": [{"kind": "script"}]}}) == []


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
