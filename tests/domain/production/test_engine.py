"""Jobs through the real engine on real rows: claim, run, settle, reuse, fail, stop."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select, update

from domain.dispatch.model import Attempt, Step
from domain.dispatch.recount import recount
from domain.production import settle
from domain.production.commands.control_job import retry_job
from domain.production.commands.decide_call import set_cost_limit
from domain.production.commands.redo_step import redo_step
from domain.production.engine import Engine
from domain.production.model import ArtifactRef, Job, LogChunk
from domain.production.settle_at_once import settle_at_once
from domain.usage.model import Budget, BudgetEntry, Effect
from tenants.model import Event
from tests.support.line import CALLS, SHARDS, Workspace, work_off


async def reload(workspace: Workspace, job: Job) -> Job:
    async with workspace.units.open(workspace.principal) as unit:
        found = await unit.session.get(Job, (workspace.tenant_id, job.id))
        assert found is not None
        return found


async def rows(workspace: Workspace, statement: Any) -> list[Any]:
    async with workspace.units.open(workspace.principal) as unit:
        return list((await unit.session.execute(statement)).scalars())


async def steps_of(workspace: Workspace, job: Job) -> dict[str, Step]:
    found = await rows(workspace, select(Step).where(Step.job_id == job.id))
    return {step.kind + (f":{step.shard}" if step.shard else ""): step for step in found}


class TestWholeJob:
    async def test_from_topic_to_manifest(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Whales")
        assert await work_off(engine) == 2 + SHARDS + 1
        job = await reload(workspace, job)
        assert job.state == "succeeded"
        assert job.finished_at is not None
        names = {ref.name for ref in await rows(workspace, select(ArtifactRef).where(ArtifactRef.job_id == job.id))}
        assert names == {"script.txt", "film.bin", "manifest.json", *(f"segments/{n:03d}.bin" for n in range(SHARDS))}
        assert await recount(engine.units) == 0

    async def test_events_tell_the_story_in_order(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Seals")
        await work_off(engine)
        events = await rows(workspace, select(Event).where(Event.job_id == job.id).order_by(Event.seq))
        told = [(event.type, event.data.get("step") or event.data.get("state")) for event in events]
        assert told[0] == ("job.created", "queued")
        assert told[1:3] == [("step.started", "script"), ("job.state", "running")]
        assert told[-2:] == [("job.state", "succeeded"), ("job.manifest", None)]
        assert [event.seq for event in events] == sorted({event.seq for event in events})

    async def test_log_lines_have_numbers_of_the_whole_job(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Otters")
        await work_off(engine)
        chunks = await rows(workspace, select(LogChunk).where(LogChunk.job_id == job.id).order_by(LogChunk.first))
        assert [line["text"] for chunk in chunks for line in chunk.lines] == ["Writing"]
        assert chunks[0].first == 1
        assert (await reload(workspace, job)).log_lines == 1

    async def test_manifest_is_the_receipt(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Orcas")
        await work_off(engine)
        [ref] = await rows(
            workspace, select(ArtifactRef).where(ArtifactRef.job_id == job.id, ArtifactRef.role == "manifest")
        )
        manifest = json.loads(await engine.tools.store.get_bytes(workspace.tenant_id, ref.sha256))
        assert manifest["cost"] == {"micro_dollars": 1500, "calls": 1, "unknown_prices": 0}
        assert [step["kind"] for step in manifest["steps"]] == ["script", "compose", *["render"] * SHARDS, "mux"]
        assert manifest["calls"][0]["provider"] == "scribe"
        assert manifest["spec"]["topic"] == "Orcas"

    async def test_budget_is_settled(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Rays")
        await work_off(engine)
        entries = await rows(workspace, select(BudgetEntry).where(BudgetEntry.job_id == job.id))
        assert [(entry.kind, entry.micro_dollars, entry.provider) for entry in entries] == [("settle", 1500, "scribe")]

    async def test_staging_is_left_empty(self, engine: Engine, workspace: Workspace) -> None:
        await workspace.order("Crabs")
        await work_off(engine)
        assert list(engine.staging.iterdir()) == []


class TestAhead:
    async def test_the_next_step_runs_while_the_last_is_settled(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Ahead")
        first = await engine.run_ahead("io")
        assert first is not None
        # What rests on a step is found as soon as that is settled, however early the slot asks.
        second = await engine.run_ahead("io", first)
        assert second is not None
        assert first.done()
        assert await engine.run_ahead("io", second) is None
        assert second.done()
        shard = await engine.run_ahead("cpu")
        assert shard is not None
        other = await engine.run_ahead("cpu", shard)
        assert shard.done()
        assert other is not None
        assert not other.done()
        await other.begin()
        states = Counter(step.state for step in (await steps_of(workspace, job)).values())
        assert states == {"succeeded": 4, "ready": SHARDS - 2, "blocked": 1}
        assert engine.tethers.all() == []


class TestEnd:
    @pytest.mark.parametrize("reserved", [0, 700])
    async def test_the_last_step_ends_the_job_in_one_call_or_by_the_longer_way(
        self, engine: Engine, workspace: Workspace, reserved: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = await workspace.order(f"End {reserved}")
        await work_off(engine, ("io",))
        async with workspace.units.open(workspace.principal) as unit:
            account = update(Budget).where(Budget.scope_id.in_((job.id, job.project_id, workspace.tenant_id)))
            await unit.session.execute(account.where(Budget.month != "").values(reserved=reserved))
            await unit.session.execute(account.where(Budget.scope == "job").values(reserved=reserved))
        answers: list[str] = []

        async def heard(*given: Any) -> str:
            answers.append(await settle_at_once(*given))
            return answers[-1]

        monkeypatch.setattr(settle, "settle_at_once", heard)
        await work_off(engine)
        assert answers == [*["done"] * SHARDS, "long" if reserved else "ended"]
        ended = await reload(workspace, job)
        assert (ended.state, ended.eta_p50, ended.finished_at is not None) == ("succeeded", None, True)
        events = await rows(workspace, select(Event).where(Event.job_id == job.id).order_by(Event.seq))
        last = next(event for event in events if event.data.get("state") == "succeeded")
        step = events[events.index(last) - 1]
        assert (step.type, step.data["step"], last.type) == ("step.succeeded", "mux", "job.state")
        assert last.data == {"state": "succeeded", "before": "running", "number": job.number, "micro_dollars": 1500}
        counters = await rows(workspace, select(Budget).where(Budget.scope_id == job.id))
        assert [counter.reserved for counter in counters] == [0]
        assert await recount(engine.units) == 0


class TestMadeOnce:
    async def test_the_same_job_again_makes_nothing(self, engine: Engine, workspace: Workspace) -> None:
        await workspace.order("Twice")
        await work_off(engine)
        before = CALLS.copy()
        again = await workspace.order("Twice")
        # Shards whose result is known are born finished: no slot ever runs them.
        assert await work_off(engine) == 3
        assert before == CALLS
        steps = await steps_of(workspace, again)
        assert all(step.reused and step.state == "succeeded" for step in steps.values())
        assert (await reload(workspace, again)).state == "succeeded"
        assert await rows(workspace, select(Effect).where(Effect.job_id == again.id)) == []

    async def test_the_same_film_comes_out(self, engine: Engine, workspace: Workspace) -> None:
        jobs = [await workspace.order("Same"), await workspace.order("Same")]
        await work_off(engine)
        films = [(await steps_of(workspace, job))["mux"].outputs for job in jobs]
        assert films[0] == films[1]

    async def test_a_lost_file_is_made_again(self, engine: Engine, workspace: Workspace) -> None:
        first = await workspace.order("Lost")
        await work_off(engine)
        sha = (await steps_of(workspace, first))["render:001"].outputs["sha256"]  # type: ignore[index]
        await engine.tools.store.delete(workspace.tenant_id, sha)
        CALLS.clear()
        await workspace.order("Lost")
        await work_off(engine)
        assert CALLS["draw"] == 1
        assert await engine.tools.store.exists(workspace.tenant_id, sha)

    async def test_tenants_do_not_share(self, engine: Engine, workspace: Workspace, make_workspace: Any) -> None:
        await workspace.order("Shared topic")
        await work_off(engine)
        CALLS.clear()
        other = await make_workspace()
        await other.order("Shared topic")
        await work_off(engine)
        assert CALLS == {"write": 1, "draw": SHARDS}


class TestFailure:
    async def test_refusal_is_dead_at_once_and_names_everything(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("refused")
        await work_off(engine)
        job = await reload(workspace, job)
        assert job.state == "failed"
        assert job.error is not None
        assert {key: job.error[key] for key in ("step", "provider", "request_id", "sentence", "next")} == {
            "step": "script",
            "provider": "scribe",
            "request_id": "req-7",
            "sentence": "The key is not accepted.",
            "next": "Set a valid key.",
        }
        assert CALLS["write"] == 1

    async def test_busy_waits_and_goes_on(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("busy")
        await work_off(engine)
        step = (await steps_of(workspace, job))["script"]
        assert step.state == "delayed"
        assert (await reload(workspace, job)).state == "running"
        await end_delays(workspace, job)
        await work_off(engine)
        assert (await reload(workspace, job)).state == "succeeded"
        attempts = await rows(workspace, select(Attempt).where(Attempt.step_id == step.id).order_by(Attempt.number))
        assert [attempt.outcome for attempt in attempts] == ["failed", "succeeded"]

    async def test_full_disk_says_so_and_the_paid_answer_is_kept(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("full")
        await work_off(engine)
        step = (await steps_of(workspace, job))["script"]
        assert step.state == "delayed"
        assert step.error is not None
        assert "disk is full in staging" in step.error["sentence"]
        await end_delays(workspace, job)
        await work_off(engine)
        assert CALLS["write"] == 1

    async def test_unforeseen_is_tried_again_then_dead_with_a_reference(
        self, engine: Engine, workspace: Workspace
    ) -> None:
        job = await workspace.order("odd")
        for _ in range(4):
            await end_delays(workspace, job)
            await work_off(engine)
        job = await reload(workspace, job)
        assert job.state == "failed"
        assert job.error is not None
        assert job.error["trace"]
        assert "nobody expected" not in json.dumps(job.error)

    async def test_retry_goes_on_where_it_failed(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("refused at first")
        await work_off(engine)
        async with workspace.units.open(workspace.principal) as unit:
            spec = dict(job.spec) | {"topic": "accepted now"}
            await unit.session.execute(update(Job).where(Job.id == job.id).values(spec=spec))
        async with workspace.units.open(workspace.principal) as unit:
            assert (await retry_job(unit, job.id)).state == "queued"
        await work_off(engine)
        assert (await reload(workspace, job)).state == "succeeded"
        assert await recount(engine.units) == 0


async def end_delays(workspace: Workspace, job: Job) -> None:
    """Let delayed steps be due now, and wake them as the pump does."""
    from domain.dispatch.watch import wake_delayed

    async with workspace.units.open(workspace.principal) as unit:
        await unit.session.execute(
            update(Step).where(Step.job_id == job.id, Step.state == "delayed").values(not_before=Step.started_at)
        )
    await wake_delayed(workspace.units)


@pytest.mark.parametrize("limit", [0, 1499])
async def test_a_job_over_its_limit_stops_before_the_next_call(
    engine: Engine, workspace: Workspace, limit: int
) -> None:
    job = await workspace.order(f"limit {limit}", cost_limit=limit)
    await work_off(engine)
    # What a call of no known price costs shows only afterwards: below the limit one is made, and the next is refused.
    if made := int(limit > 0):
        step = (await steps_of(workspace, job))["script"]
        async with workspace.units.open(workspace.principal) as unit:
            await redo_step(unit, job.id, step.id, "again", engine.kinds)
        await work_off(engine)
    job = await reload(workspace, job)
    assert (job.state, job.control) == ("paused", "pause")
    assert "limit" in str(job.control_reason)
    step = (await steps_of(workspace, job))["script"]
    assert (step.state, step.error_class) == ("held", "OverBudget")
    assert CALLS["write"] == made
    async with workspace.units.open(workspace.principal) as unit:
        await set_cost_limit(unit, job.id, 10_000, go_on=True)
    await work_off(engine)
    assert CALLS["write"] == made + 1
    assert (await reload(workspace, job)).state == "succeeded"
