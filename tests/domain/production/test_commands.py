"""What people can ask of a job, and what is refused in clear words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from domain.catalog.commands import save_version
from domain.dispatch.model import Step
from domain.dispatch.recount import recount
from domain.production.commands.control_job import cancel_job, pause_job, resume_job, retry_job
from domain.production.commands.create_job import create_job, write_title
from domain.production.commands.decide_gate import decide_gate
from domain.production.commands.edit_script import edit_script
from domain.production.commands.new_job import NewJob, check_fields
from domain.production.commands.redo_step import redo_step
from domain.production.engine import Engine
from domain.production.errors import InvalidInput, NotFound, WrongState
from domain.production.model import Approval, Job
from tenants.model import Event, OutboxMessage
from tenants.principal import Forbidden
from tests.domain.production.test_engine import reload, rows, steps_of
from tests.support.line import CALLS, KINDS, RECIPE, SHARDS, Workspace, work_off

Make = Callable[[], Awaitable[Workspace]]


async def ask(workspace: Workspace, command: Any, *arguments: Any, **more: Any) -> Any:
    async with workspace.units.open(workspace.principal) as unit:
        return await command(unit, *arguments, **more)


class TestCreate:
    async def test_snapshot_and_numbers(self, workspace: Workspace) -> None:
        first, second = await workspace.order("One"), await workspace.order("Two")
        assert (first.number, second.number) == (1, 2)
        assert first.spec["prompt"]["ref"] == {
            "kind": "prompt",
            "slug": "plain",
            "number": 1,
            "digest": first.spec["prompt"]["ref"]["digest"],
            "origin": "recipe",
        }
        line = first.quote["lines"][0]
        assert (line["step"], line["provider"], line["micro_dollars"]) == ("script", "offline", 0)
        assert first.quote["complete"]

    async def test_a_later_version_does_not_change_a_job(self, workspace: Workspace) -> None:
        job = await workspace.order("Fixed")
        await ask(workspace, save_version, "prompt", "plain", "Plain", {"template": "other {{ topic }}"})
        assert (await reload(workspace, job)).spec["prompt"]["body"]["template"] == "{{ topic }}"
        assert (await workspace.order("Newer")).spec["prompt"]["ref"]["number"] == 2

    async def test_fan_out_is_not_made_with_the_job(self, workspace: Workspace) -> None:
        steps = await steps_of(workspace, await workspace.order("Steps"))
        assert {kind: step.state for kind, step in steps.items()} == {
            "script": "ready",
            "compose": "blocked",
            "mux": "blocked",
        }

    async def test_event_and_message(self, workspace: Workspace) -> None:
        job = await workspace.order("Said")
        [event] = await rows(workspace, select(Event).where(Event.job_id == job.id))
        [message] = await rows(workspace, select(OutboxMessage).where(OutboxMessage.topic == "job.created"))
        assert (event.type, message.payload["number"]) == ("job.created", job.number)

    async def test_all_faults_at_once(self, workspace: Workspace) -> None:
        with pytest.raises(InvalidInput) as refused:
            await workspace.order("\x07" + "x" * 6000, recipe="tini", language="de", seconds=5, mode="magic")
        faults = {fault.field: fault for fault in refused.value.faults}
        assert sorted(fault.field for fault in refused.value.faults) == ["mode", "recipe", "seconds", "topic", "topic"]
        assert "Did you mean “tiny”?" in faults["recipe"].fix
        assert (await ask(workspace, count_jobs)) == 0

    async def test_language_and_voice(self, workspace: Workspace) -> None:
        with pytest.raises(InvalidInput) as refused:
            await workspace.order("Walfische", language="de")
        messages = [fault.message for fault in refused.value.faults]
        assert messages == [
            "The project does not speak “de”.",
            "The voice “narrator” speaks en, not de.",
        ]

    async def test_a_recipe_that_names_what_is_not_there(self, workspace: Workspace) -> None:
        broken = RECIPE | {"prompt": "gone", "steps": [{"kind": "script"}, {"kind": "paint", "needs": ["mux"]}]}
        await ask(workspace, save_version, "recipe", "broken", "Broken", broken)
        with pytest.raises(InvalidInput) as refused:
            await workspace.order("Topic", recipe="broken")
        told = " ".join(fault.message for fault in refused.value.faults)
        assert "“paint” is not a kind of step" in told
        assert "needs “mux”, which is not listed before it" in told
        assert "prompt “gone”" in told

    async def test_unknown_project_reads_like_a_foreign_one(self, workspace: Workspace, make_workspace: Make) -> None:
        other = await make_workspace()
        words = set()
        for slug in ("nothing", "films-of-other"):
            with pytest.raises(NotFound) as refused:
                await ask(other, create_job, NewJob(slug, "tiny", "Topic"), KINDS)
            words.add(refused.value.sentence)
        assert words == {"There is no such project."}

    async def test_viewers_may_not(self, workspace: Workspace) -> None:
        viewer = Workspace(replace(workspace.principal, role="viewer"), workspace.project, workspace.units)
        with pytest.raises(Forbidden):
            await viewer.order("Topic")

    async def test_the_same_key_is_the_same_job(self, workspace: Workspace) -> None:
        jobs = await asyncio.gather(*(workspace.order("Once", idem_key="k1") for _ in range(4)))
        assert len({job.id for job in jobs}) == 1
        with pytest.raises(WrongState):
            await workspace.order("Something else", idem_key="k1")

    @pytest.mark.parametrize(
        "topic", ["", "   \n\t", "x" * 5001, "a\x00b", "tab\tis fine\x1b", "\ud800", "\u200b\u200d", "a\u202eb"]
    )
    def test_bad_topics(self, topic: str) -> None:
        faults = check_fields(NewJob("p", "r", topic))
        assert [fault.field for fault in faults] == ["topic"]
        assert faults[0].fix

    @pytest.mark.parametrize("topic", ["Ünïcödé 鯨", "two\nlines\r\n", "x" * 5000, "emoji 🐋 joined 👩‍🚀"])
    def test_good_topics(self, topic: str) -> None:
        assert check_fields(NewJob("p", "r", topic)) == []

    def test_an_unknown_profile_is_refused_with_those_there_are(self) -> None:
        [fault] = check_fields(NewJob("p", "r", "Whales", profile="tall"))
        assert (fault.field, "tall" in fault.message) == ("profile", True)
        assert "shorts-9x16" in fault.fix
        assert check_fields(NewJob("p", "r", "Whales", profile="shorts-9x16")) == []

    def test_titles(self) -> None:
        assert write_title("  Whales\nand more") == "Whales"
        assert len(write_title("word " * 100)) <= 121


async def count_jobs(unit: Any) -> int:
    return int((await unit.session.execute(select(func.count(Job.id)))).scalar_one())


class TestControl:
    async def test_pause_and_resume(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Pause me")
        assert (await ask(workspace, pause_job, job.id, "lunch")).state == "paused"
        assert await work_off(engine) == 0
        assert (await ask(workspace, resume_job, job.id)).state == "queued"
        await work_off(engine)
        assert (await reload(workspace, job)).state == "succeeded"
        assert await recount(engine.units) == 0

    async def test_what_becomes_ready_during_a_pause_is_held(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Pause in between")
        await engine.run_next("io")
        await ask(workspace, pause_job, job.id)
        assert await work_off(engine) == 0
        steps = await steps_of(workspace, job)
        assert steps["compose"].state == "held"
        await ask(workspace, resume_job, job.id)
        await work_off(engine)
        assert (await reload(workspace, job)).state == "succeeded"

    async def test_cancel_waiting_work(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Cancel me")
        assert (await ask(workspace, cancel_job, job.id, "wrong topic")).state == "cancelled"
        assert await work_off(engine) == 0
        assert await recount(engine.units) == 0
        with pytest.raises(WrongState):
            await ask(workspace, cancel_job, job.id)

    async def test_wrong_states_are_named(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Done")
        await work_off(engine)
        for command in (pause_job, resume_job, retry_job, cancel_job):
            with pytest.raises(WrongState, match=f"Job #{job.number}"):
                await ask(workspace, command, job.id)

    async def test_jobs_of_others_are_not_there(self, workspace: Workspace, make_workspace: Make) -> None:
        job = await workspace.order("Mine")
        other = await make_workspace()
        for command in (pause_job, cancel_job, retry_job):
            with pytest.raises(NotFound):
                await ask(other, command, job.id)


class TestGate:
    async def test_approve(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Ask me", mode="wizard")
        await work_off(engine)
        assert (await reload(workspace, job)).state == "waiting_approval"
        [approval] = await rows(workspace, select(Approval).where(Approval.job_id == job.id))
        with pytest.raises(WrongState, match="has changed"):
            await ask(workspace, decide_gate, job.id, approval.id, "approved", "another version")
        await ask(workspace, decide_gate, job.id, approval.id, "approved", approval.seen_version)
        with pytest.raises(WrongState, match="decided this already"):
            await ask(workspace, decide_gate, job.id, approval.id, "approved")
        await work_off(engine)
        assert (await reload(workspace, job)).state == "succeeded"
        assert await recount(engine.units) == 0

    async def test_auto_does_not_ask(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Do not ask")
        await work_off(engine)
        assert (await reload(workspace, job)).state == "succeeded"


class TestRedo:
    async def test_makes_the_step_again_and_what_rests_on_it(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Again")
        await work_off(engine)
        CALLS.clear()
        step = (await steps_of(workspace, job))["script"]
        await ask(workspace, redo_step, job.id, step.id, "shorter", KINDS)
        await work_off(engine)
        assert (await reload(workspace, job)).state == "succeeded"
        # The call is a new one; the same words lead to the same segments, which are found.
        assert CALLS == {"write": 1}
        assert await recount(engine.units) == 0

    async def test_not_while_something_rests_on_it_runs(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Busy with it")
        step = (await steps_of(workspace, job))["script"]
        with pytest.raises(WrongState, match="wait until it has ended"):
            await ask(workspace, redo_step, job.id, step.id, "", KINDS)


class TestEdit:
    async def test_only_the_touched_segment_is_made(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Edited")
        await work_off(engine)
        CALLS.clear()
        edited = await ask(workspace, edit_script, job.id, {"s1": ["A new sentence."]}, kinds=KINDS)
        await work_off(engine)
        assert CALLS["draw"] == 1
        steps = await steps_of(workspace, edited)
        assert [steps[f"render:{n:03d}"].reused for n in range(SHARDS)] == [True, False, True]
        assert (await reload(workspace, job)).state == "succeeded"

    async def test_refuses_nonsense(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Whole")
        with pytest.raises(InvalidInput) as refused:
            await ask(workspace, edit_script, job.id, {"s1": [""], "s2": []}, kinds=KINDS)
        assert [fault.field for fault in refused.value.faults] == ["edits.s1.1", "edits.s2"]

    async def test_the_same_key_makes_one_job_and_refuses_other_words(
        self, engine: Engine, workspace: Workspace
    ) -> None:
        job = await workspace.order("Keyed")
        words = {"s1": ["A new sentence."]}
        first = await ask(workspace, edit_script, job.id, words, idem_key="edit-1", kinds=KINDS)
        again = await ask(workspace, edit_script, job.id, words, idem_key="edit-1", kinds=KINDS)
        assert (first.id, first.spec["edited_from"]) == (again.id, job.number)
        with pytest.raises(WrongState, match="already used"):
            await ask(workspace, edit_script, job.id, {"s1": ["Others."]}, idem_key="edit-1", kinds=KINDS)

    async def test_what_a_person_had_made_again_is_what_is_edited(self, engine: Engine, workspace: Workspace) -> None:
        job = await workspace.order("Made again")
        await work_off(engine)
        step = (await steps_of(workspace, job))["script"]
        await ask(workspace, redo_step, job.id, step.id, "shorter", KINDS)
        await work_off(engine)
        edited = await ask(workspace, edit_script, job.id, {"s1": ["A new sentence."]}, kinds=KINDS)
        steps = await steps_of(workspace, edited)
        assert (steps["script"].instruction, steps["script"].spec["salt"]) == ("shorter", "1")
        assert (steps["compose"].instruction, "salt" in steps["compose"].spec) == (None, False)

    async def test_wide_blanks_are_text_and_hidden_signs_are_not(self, workspace: Workspace) -> None:
        job = await workspace.order("Blanks")
        await ask(workspace, edit_script, job.id, {"s1": ["10\u202f000 stars,\u00a0at least."]}, kinds=KINDS)
        with pytest.raises(InvalidInput):
            await ask(workspace, edit_script, job.id, {"s1": ["Turned\u202e round."]}, kinds=KINDS)


async def test_every_command_leaves_the_counters_right(engine: Engine, workspace: Workspace) -> None:
    jobs = [await workspace.order(f"Mix {n}") for n in range(4)]
    await engine.run_next("io")
    await ask(workspace, pause_job, jobs[1].id)
    await ask(workspace, cancel_job, jobs[2].id)
    await ask(workspace, resume_job, jobs[1].id)
    assert await recount(engine.units) == 0
    await work_off(engine)
    states = [(await reload(workspace, job)).state for job in jobs]
    assert states == ["succeeded", "succeeded", "cancelled", "succeeded"]
    running = await rows(workspace, select(Step).where(Step.state == "running"))
    assert running == []
