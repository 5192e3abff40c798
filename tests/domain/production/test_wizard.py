"""The wizard: gates that hold nothing, signed decisions, one winner, edits, earlier runs, forks, skips."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, cast

import pytest
from sqlalchemy import select

from domain.catalog.commands import save_version
from domain.dispatch.claim import claim_next
from domain.dispatch.model import SchedFlow, Step
from domain.dispatch.recount import recount
from domain.production.commands.create_job import create_job
from domain.production.commands.decide_gate import decide_gate, edit_at_gate
from domain.production.commands.fork_choices import Changes
from domain.production.commands.fork_job import fork_job, quote_fork
from domain.production.commands.new_job import NewJob
from domain.production.commands.redo_step import redo_step
from domain.production.commands.skip_step import skip_step
from domain.production.engine import HOOKS, Engine
from domain.production.errors import Decided, InvalidInput, WrongState
from domain.production.model import Approval, ArtifactRef, Job, StepRun
from domain.production.pipeline.base import Json, StepContext, StepKind, StepResult, Work
from domain.production.ports import ProviderRefused
from domain.production.queries.line import inbox
from domain.usage.quote import NoTariffs
from tenants.model import Tenant
from tenants.unit import Unit
from tests.domain.production.test_engine import reload, rows, steps_of
from tests.support.line import CALLS, KINDS, RECIPE, Workspace, work_off


async def ask(workspace: Workspace, command: Any, *arguments: Any, **more: Any) -> Any:
    async with workspace.units.open(workspace.principal) as unit:
        return await command(unit, *arguments, **more)


async def question(workspace: Workspace, job: Job) -> Approval:
    """The open question of a job."""
    open_one = select(Approval).where(Approval.job_id == job.id, Approval.state == "waiting")
    (found,) = await rows(workspace, open_one)
    return cast(Approval, found)


async def text_of(engine: Engine, workspace: Workspace, job: Job) -> str:
    """The script of a job as it is now."""
    named = select(ArtifactRef).where(ArtifactRef.job_id == job.id, ArtifactRef.name == "script.txt")
    (ref,) = await rows(workspace, named)
    return (await engine.tools.store.get_bytes(workspace.tenant_id, ref.sha256)).decode()


async def manifest_of(engine: Engine, workspace: Workspace, job: Job) -> Mapping[str, Any]:
    named = select(ArtifactRef).where(ArtifactRef.job_id == job.id, ArtifactRef.name == "manifest.json")
    (ref,) = await rows(workspace, named)
    read: Mapping[str, Any] = json.loads(await engine.tools.store.get_bytes(workspace.tenant_id, ref.sha256))
    return read


class TestGate:
    async def test_a_waiting_job_holds_no_slot_and_no_lease(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Hold nothing", mode="wizard")
        await work_off(engine)
        step = (await steps_of(workspace, job))["script"]
        assert (step.state, step.lease_expires, step.worker_id) == ("waiting_approval", None, None)
        flows = await rows(workspace, select(SchedFlow))
        assert {(flow.ready, flow.running) for flow in flows} == {(0, 0)}
        assert [tenant.running for tenant in await rows(workspace, select(Tenant))] == [0]
        other = await workspace.order("Somebody else's turn")
        claimed = await claim_next(engine.units, "io", None, 30.0, HOOKS)
        assert claimed is not None
        assert claimed.job_id == other.id

    @pytest.mark.parametrize("decision", ["approved", "again"])
    async def test_of_two_people_at_once_exactly_one_decides(
        self, engine: Engine, workspace: Workspace, decision: Any
    ) -> None:
        job = await workspace.order("Two at once", mode="wizard")
        await work_off(engine)
        both_have_read = asyncio.Barrier(2)

        async def decide(answer: Any) -> str:
            async with workspace.units.open(workspace.principal) as unit:
                (asked,) = await inbox(unit)
                await both_have_read.wait()
                await decide_gate(unit, job.id, asked.id, answer, asked.seen_version, kinds=KINDS)
            return str(answer)

        ended = await asyncio.gather(decide("approved"), decide(decision), return_exceptions=True)
        lost = [one for one in ended if isinstance(one, Decided)]
        won = [one for one in ended if isinstance(one, str)]
        assert (len(won), len(lost)) == (1, 1), ended
        assert (lost[0].state, lost[0].by, str(lost[0])) == (won[0], "Ada", "Ada has decided this already.")
        assert await recount(engine.units) == 0

    async def test_changes_need_a_note_and_another_version_does_not(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Take two", mode="wizard")
        await work_off(engine)
        first = await question(workspace, job)
        with pytest.raises(InvalidInput, match="note"):
            await ask(workspace, decide_gate, job.id, first.id, "changes", first.seen_version, " ", KINDS)
        with pytest.raises(InvalidInput, match="longer"):
            await ask(workspace, decide_gate, job.id, first.id, "approved", first.seen_version, "x" * 2001, KINDS)
        await ask(workspace, decide_gate, job.id, first.id, "changes", first.seen_version, " Calmer. ", KINDS)
        await work_off(engine)
        second = await question(workspace, job)
        assert second.seen_version != first.seen_version
        assert (await steps_of(workspace, job))["script"].instruction == "Calmer."
        await ask(workspace, decide_gate, job.id, second.id, "again", second.seen_version, "", KINDS)
        await work_off(engine)
        assert (await question(workspace, job)).seen_version not in (first.seen_version, second.seen_version)
        states = [row.state for row in await rows(workspace, select(Approval).order_by(Approval.created_at))]
        assert states == ["changes", "again", "waiting"]

    async def test_an_edit_goes_on_with_the_persons_words(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Edit me", mode="wizard")
        await work_off(engine)
        seen, CALLS["write"] = await question(workspace, job), 0
        with pytest.raises(InvalidInput):
            await ask(workspace, edit_at_gate, job.id, seen.id, {"s1": []}, seen.seen_version, KINDS)
        edits = {"s1": ["My own words."]}
        await ask(workspace, edit_at_gate, job.id, seen.id, edits, seen.seen_version, KINDS)
        with pytest.raises(Decided):
            await ask(workspace, edit_at_gate, job.id, seen.id, edits, seen.seen_version, KINDS)
        await work_off(engine)
        assert (await reload(workspace, job)).state == "succeeded"
        assert "My own words." in await text_of(engine, workspace, job)
        assert CALLS["write"] == 0, "an edit asks nobody again"
        (signed,) = await rows(workspace, select(Approval))
        step = (await steps_of(workspace, job))["script"]
        assert (signed.state, signed.voided_at) == ("edited", None)
        assert signed.decided_version == step.input_hash != signed.seen_version
        assert await recount(engine.units) == 0

    async def test_a_newer_version_voids_the_decision_and_asks_again(
        self, engine: Engine, workspace: Workspace
    ) -> None:
        job = await workspace.order("Sign me", mode="wizard")
        await work_off(engine)
        first = await question(workspace, job)
        await ask(workspace, decide_gate, job.id, first.id, "approved", first.seen_version)
        await work_off(engine)
        assert (await reload(workspace, job)).state == "succeeded"
        step = (await steps_of(workspace, job))["script"]
        await ask(workspace, redo_step, job.id, step.id, "shorter", KINDS)
        await work_off(engine)
        assert (await reload(workspace, job)).state == "waiting_approval"
        second = await question(workspace, job)
        (old,) = await rows(workspace, select(Approval).where(Approval.id == first.id))
        assert (old.state, old.decided_version) == ("approved", first.seen_version)
        assert old.voided_at is not None
        await ask(workspace, decide_gate, job.id, second.id, "approved", second.seen_version)
        await work_off(engine)
        told = (await manifest_of(engine, workspace, job))["decisions"]
        assert [(one["decision"], one["by"], one["voided_at"] is None) for one in told] == [
            ("approved", "Ada", False),
            ("approved", "Ada", True),
        ]

    async def test_a_person_chooses_where_it_stops(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Stop at the film", mode="wizard", gates=("mux",))
        await work_off(engine)
        states = {name: step.state for name, step in (await steps_of(workspace, job)).items()}
        assert (states["script"], states["mux"]) == ("succeeded", "waiting_approval")
        with pytest.raises(InvalidInput, match="no step to stop after"):
            await workspace.order("Nowhere", mode="wizard", gates=("paint",))


class Paint:
    """Stands for pictures: made beside the script."""

    KIND, VERSION, POOL, FAN_OUT = "illustrate", 1, "cpu", False

    def key(self, work: Work) -> Json | None:
        return None

    def cost(self, spec: Json, step: Json) -> float:
        return 1.0

    async def run(self, ctx: StepContext) -> StepResult:
        return StepResult({"pictures": 1})


class TestBeside:
    async def test_what_is_made_beside_a_step_made_again_is_still_waited_for(
        self, engine: Engine, workspace: Workspace
    ) -> None:
        script, plan, *rest = RECIPE["steps"]
        steps = [script, {"kind": "illustrate"}, {**plan, "needs": ["script", "illustrate"]}, *rest]
        await ask(workspace, save_version, "recipe", "tiny", "Tiny", {**RECIPE, "steps": steps})
        engine.kinds = kinds = cast(Mapping[str, StepKind], {**KINDS, "illustrate": Paint()})
        new = NewJob(workspace.project.slug, "tiny", "Beside", mode="wizard")
        job = await ask(workspace, create_job, new, kinds)
        await work_off(engine, ("io",))
        first = await question(workspace, job)
        await ask(workspace, decide_gate, job.id, first.id, "again", first.seen_version, "", kinds)
        await work_off(engine, ("io",))
        second = await question(workspace, job)
        await ask(workspace, decide_gate, job.id, second.id, "approved", second.seen_version)
        waiting = (await steps_of(workspace, job))["compose"]
        assert (waiting.state, waiting.deps_left) == ("blocked", 1)
        assert await recount(engine.units) == 0
        await work_off(engine)
        assert (await reload(workspace, job)).state == "succeeded"


class TestRuns:
    async def test_the_earlier_result_is_kept_with_its_instruction(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Kept")
        await work_off(engine)
        step = (await steps_of(workspace, job))["script"]
        for wish in ("shorter", "shorter still"):
            await ask(workspace, redo_step, job.id, step.id, wish, KINDS)
            assert [ref.name for ref in await rows(workspace, select(ArtifactRef))] == [
                f"segments/{number:03d}.bin" for number in range(3)
            ]
            await work_off(engine)
        mine = select(StepRun).where(StepRun.kind == "script").order_by(StepRun.number)
        first, second = await rows(workspace, mine)
        assert (first.instruction, first.replaced_for, first.replaced_by) == ("", "shorter", "Ada")
        assert (second.instruction, second.replaced_for) == ("shorter", "shorter still")
        assert set(first.files) == {"script.txt"}
        assert await engine.tools.store.exists(workspace.tenant_id, first.files["script.txt"]["sha256"])
        films = await rows(workspace, select(StepRun).where(StepRun.kind == "mux"))
        assert [run.replaced_for for run in films] == ["", ""]
        told = await manifest_of(engine, workspace, job)
        script = next(one for one in told["steps"] if one["kind"] == "script")
        assert script["instruction"] == "shorter still"
        earlier = [(one["run"], one["instruction"]) for one in told["earlier_runs"] if one["kind"] == "script"]
        assert earlier == [(1, ""), (2, "shorter")]


class Refuse:
    """Stands for the check: finds fault with every film."""

    KIND, VERSION, POOL, FAN_OUT = "check", 1, "cpu", False

    def key(self, work: Work) -> Json | None:
        return None

    def cost(self, spec: Json, step: Json) -> float:
        return 1.0

    async def run(self, ctx: StepContext) -> StepResult:
        raise ProviderRefused("quality gate", "The film is too quiet.", fix="Make it louder.")


class TestSkip:
    @pytest.mark.parametrize("optional", [True, False])
    async def test_only_where_the_recipe_allows_it(self, engine: Engine, workspace: Workspace, optional: bool) -> None:
        steps = [*RECIPE["steps"], {"kind": "check", "needs": ["mux"], "optional": optional}]
        await ask(workspace, save_version, "recipe", "tiny", "Tiny", {**RECIPE, "steps": steps})
        engine.kinds = cast(Mapping[str, StepKind], {**KINDS, "check": Refuse()})
        async with workspace.units.open(workspace.principal) as unit:
            job = await create_job(unit, NewJob(workspace.project.slug, "tiny", "Quiet"), engine.kinds)
        await work_off(engine)
        assert (await reload(workspace, job)).state == "failed"
        step = (await steps_of(workspace, job))["check"]
        if not optional:
            with pytest.raises(WrongState, match="does not allow skipping"):
                await ask(workspace, skip_step, job.id, step.id)
            return
        await ask(workspace, skip_step, job.id, step.id)
        assert (await reload(workspace, job)).state == "succeeded"
        outputs = (await steps_of(workspace, job))["check"].outputs
        assert outputs == {"skipped": True, "by": "Ada", "because": "The film is too quiet."}
        with pytest.raises(WrongState, match="has not failed"):
            await ask(workspace, skip_step, job.id, step.id)
        assert await recount(engine.units) == 0


class TestFork:
    async def test_a_change_reaches_further_back_than_the_step(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Fork me!")
        await work_off(engine)
        plan = (await steps_of(workspace, job))["compose"]

        async def offered(changes: Changes) -> Any:
            return await ask(workspace, quote_fork, job.id, plan.id, changes, NoTariffs(), KINDS)

        same, other = await offered(Changes()), await offered(Changes(topic="Another topic"))
        assert (same.anew, same.reused) == (("compose", "render", "mux"), ("script",))
        assert (other.anew, other.reused) == (("script", "compose", "render", "mux"), ())
        assert [line.step for line in same.quote.lines] == []
        faults = Changes(topic="\x07", profile="tall", presets={"voice": "gone"}, providers={"writer": "gone"})
        with pytest.raises(InvalidInput) as refused:
            await offered(faults)
        assert sorted(fault.field for fault in refused.value.faults) == ["profile", "topic", "voice", "writer"]

    async def test_wishes_of_steps_before_and_beside_go_along(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Carry me")
        await work_off(engine)
        script = (await steps_of(workspace, job))["script"]
        await ask(workspace, redo_step, job.id, script.id, "shorter", KINDS)
        await work_off(engine)
        CALLS.clear()
        plan = (await steps_of(workspace, job))["compose"]
        fork = await ask(workspace, fork_job, job.id, plan.id, "slower", kinds=KINDS)
        await work_off(engine)
        steps = await steps_of(workspace, fork)
        assert (steps["script"].reused, steps["script"].instruction) == (True, "shorter")
        assert (steps["compose"].reused, steps["compose"].instruction) == (False, "slower")
        assert CALLS["write"] == 0
        shard = next(step for step in steps.values() if isinstance(step, Step) and step.shard)
        with pytest.raises(WrongState, match="cannot be the beginning"):
            await ask(workspace, fork_job, fork.id, shard.id, kinds=KINDS)

    async def test_it_reserves_only_what_it_makes(self, workspace: Workspace, engine: Engine) -> None:
        job = await workspace.order("Cheap fork")
        await work_off(engine)
        steps = await steps_of(workspace, job)

        async def lines(unit: Unit, kind: str) -> list[str]:
            fork = await fork_job(unit, job.id, steps[kind].id, kinds=KINDS)
            return [line["step"] for line in fork.quote["lines"]]

        assert await ask(workspace, lines, "mux") == []
        assert await ask(workspace, lines, "script") == ["script"]
