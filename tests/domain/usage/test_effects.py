"""A paid call is made once: recorded before and after, found again after a crash, never silently repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from adapters.store.objects import LocalObjects
from domain.production.commands.decide_call import decide_call
from domain.production.engine import Engine
from domain.production.model import Job
from domain.production.ports import ProviderBusy, Usage
from domain.production.provider_errors import OutcomeUnknown, PartialAnswer, Unavailable, with_usage
from domain.usage.budget import JobAccount, close_account, find_drift, spent_by
from domain.usage.effects import (
    AskAgain,
    Caller,
    CallSkipped,
    InDoubt,
    Ledger,
    PaidInVain,
    Purse,
    allow_again,
    effect_key,
    hash_json,
)
from domain.usage.model import Budget, BudgetEntry, Effect
from tests.support.line import Workspace

QUOTE = {"lines": [{"step": "script", "provider": "scribe", "calls": [1, 2, 3], "micro_dollars": 500, "high": 1200}]}
"""A call of the scribe should cost 250 and may cost 400."""


class Provider:
    """Counts what it was asked, and fails as told."""

    def __init__(self, fault: BaseException | None = None) -> None:
        self.calls, self.fault = 0, fault

    async def __call__(self) -> str:
        self.calls += 1
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        return "the answer"


class Crash(BaseException):
    """Stands for a killed process: no handler runs after it."""


@pytest.fixture
async def caller(workspace: Workspace) -> Caller:
    job = await workspace.order("Paid")
    async with workspace.units.open(workspace.principal) as unit:
        from domain.dispatch.model import Step

        step = await unit.session.execute(select(Step.id).where(Step.job_id == job.id, Step.kind == "script"))
        return Caller(workspace.tenant_id, job.id, step.scalar_one(), "script", "", fence=1)


@pytest.fixture
def open_ledger(workspace: Workspace, caller: Caller, tmp_path: Path) -> Callable[..., Ledger]:
    store = LocalObjects(tmp_path / "objects", tmp_path / "staging")

    def make(**changes: Any) -> Ledger:
        purse = Purse(workspace.project.id, QUOTE)
        return Ledger(workspace.units, store, tmp_path / "spool", replace(caller, **changes), purse)

    return make


async def perform(
    ledger: Ledger, provider: Provider, *, idempotent: bool = False, ask: str = "hello", fallback: str = ""
) -> str:
    return await ledger.perform(
        provider="scribe",
        model="m1",
        request={"ask": ask},
        call=provider,
        encode=str.encode,
        decode=bytes.decode,
        usage=lambda _: Usage({"tokens": 7}, 250),
        idempotent=idempotent,
        fallback=fallback,
    )


async def states(workspace: Workspace) -> list[str]:
    async with workspace.units.open(workspace.principal) as unit:
        return list((await unit.session.execute(select(Effect.state))).scalars())


async def effect_of(workspace: Workspace) -> Effect:
    async with workspace.units.open(workspace.principal) as unit:
        return (await unit.session.execute(select(Effect))).scalar_one()


async def books(workspace: Workspace) -> dict[str, tuple[int, int]]:
    """Reserved and spent by scope, after the books have been checked."""
    async with workspace.units.open(workspace.principal) as unit:
        assert await find_drift(unit.session, workspace.tenant_id) == []
        rows = await unit.session.scalars(select(Budget).where((Budget.month != "") | (Budget.scope == "job")))
        return {row.scope: (row.reserved, row.spent) for row in rows}


class TestOnce:
    async def test_recorded_with_cost(self, workspace: Workspace, open_ledger: Any, caller: Caller) -> None:
        assert await perform(open_ledger(), Provider()) == "the answer"
        async with workspace.units.open(workspace.principal) as unit:
            effect = (await unit.session.execute(select(Effect))).scalar_one()
            spent = await spent_by(unit.session, workspace.tenant_id, caller.job_id)
        assert (effect.state, effect.micro_dollars, effect.units) == ("done", 250, {"tokens": 7})
        assert (spent.micro_dollars, spent.calls, spent.unknown) == (250, 1, 0)

    async def test_a_later_attempt_uses_the_answer(self, open_ledger: Any) -> None:
        provider = Provider()
        await perform(open_ledger(), provider)
        ledger = open_ledger(fence=2)
        assert await perform(ledger, provider) == "the answer"
        assert (provider.calls, ledger.made, ledger.found) == (1, 0, 1)

    async def test_another_request_is_another_call(self, open_ledger: Any) -> None:
        provider = Provider()
        await perform(open_ledger(), provider)
        await perform(open_ledger(), provider, ask="other")
        await perform(open_ledger(salt="1"), provider)
        assert provider.calls == 3

    async def test_a_refused_call_may_be_made_again(self, workspace: Workspace, open_ledger: Any) -> None:
        provider = Provider(ProviderBusy("scribe", "Too many requests."))
        with pytest.raises(ProviderBusy):
            await perform(open_ledger(), provider)
        assert await states(workspace) == ["failed"]
        assert await perform(open_ledger(fence=2), provider) == "the answer"


class TestCrash:
    async def test_between_answer_and_record_the_spool_has_it(
        self, workspace: Workspace, open_ledger: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        provider, ledger = Provider(), open_ledger()

        async def die(*_: Any) -> None:
            raise Crash

        monkeypatch.setattr(ledger, "_record", die)
        with pytest.raises(Crash):
            await perform(ledger, provider)
        assert await states(workspace) == ["sent"]
        assert await perform(open_ledger(fence=2), provider) == "the answer"
        assert provider.calls == 1
        assert await states(workspace) == ["done"]

    async def test_during_the_call_it_is_in_doubt_until_a_person_decides(
        self, workspace: Workspace, open_ledger: Any, caller: Caller
    ) -> None:
        provider = Provider(Crash())
        with pytest.raises(Crash):
            await perform(open_ledger(), provider)
        with pytest.raises(InDoubt) as doubt:
            await perform(open_ledger(fence=2), provider)
        assert "may have been paid" in doubt.value.sentence
        assert await states(workspace) == ["in_doubt"]
        assert provider.calls == 1
        assert (await effect_of(workspace)).doubts == 1
        assert await books(workspace) == dict.fromkeys(("workspace", "project", "job"), (400, 0))
        await pause(workspace, caller)
        await decide(workspace, caller, "repeat")
        assert await books(workspace) == dict.fromkeys(("workspace", "project", "job"), (0, 0))
        assert await perform(open_ledger(fence=3), provider) == "the answer"
        effect = await effect_of(workspace)
        assert (effect.state, effect.micro_dollars, effect.tries, effect.decision) == ("done", 250, 2, "repeat")

    async def test_a_call_that_is_skipped_is_never_made_again(
        self, workspace: Workspace, open_ledger: Any, caller: Caller
    ) -> None:
        provider = Provider(Crash())
        with pytest.raises(Crash):
            await perform(open_ledger(), provider, fallback="artboard")
        with pytest.raises(InDoubt):
            await perform(open_ledger(fence=2), provider, fallback="artboard")
        await pause(workspace, caller)
        await decide(workspace, caller, "skip")
        for fence in (3, 4):
            with pytest.raises(CallSkipped, match="the art board takes its place"):
                await perform(open_ledger(fence=fence), provider, fallback="artboard")
        assert provider.calls == 1

    async def test_a_crash_before_anything_was_sent_is_no_doubt(
        self, workspace: Workspace, open_ledger: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        provider, ledger = Provider(), open_ledger()

        async def die(*_: Any, **__: Any) -> None:
            raise Crash

        monkeypatch.setattr(ledger, "_set", die)
        with pytest.raises(Crash):
            await perform(ledger, provider)
        assert await states(workspace) == ["intent"]
        assert await perform(open_ledger(fence=2), provider) == "the answer"
        assert (await books(workspace))["job"] == (0, 250)

    async def test_an_idempotent_call_is_simply_asked_again(self, open_ledger: Any) -> None:
        provider = Provider(Crash())
        with pytest.raises(Crash):
            await perform(open_ledger(), provider, idempotent=True)
        assert await perform(open_ledger(fence=2), provider, idempotent=True) == "the answer"

    async def test_a_lost_answer_that_can_be_asked_for_again_is_no_doubt(
        self, workspace: Workspace, open_ledger: Any
    ) -> None:
        provider = Provider(OutcomeUnknown("scribe", "The line was lost."))
        with pytest.raises(AskAgain):
            await perform(open_ledger(), provider, idempotent=True)
        assert await perform(open_ledger(fence=2), provider, idempotent=True) == "the answer"
        assert await states(workspace) == ["done"]


async def pause(workspace: Workspace, caller: Caller) -> None:
    async with workspace.units.open(workspace.principal) as unit:
        await unit.session.execute(update(Job).where(Job.id == caller.job_id).values(state="paused", control="pause"))


async def decide(workspace: Workspace, caller: Caller, decision: Any) -> None:
    async with workspace.units.open(workspace.principal) as unit:
        await decide_call(unit, caller.job_id, (await unit.session.scalars(select(Effect.effect_key))).one(), decision)


async def once_more(workspace: Workspace, caller: Caller) -> None:
    """As when a person resumes the job."""
    async with workspace.units.open(workspace.principal) as unit:
        await allow_again(unit.session, caller.job_id)


class TestBilled:
    async def test_a_failed_call_that_was_billed_is_counted(
        self, workspace: Workspace, open_ledger: Any, caller: Caller
    ) -> None:
        cut = with_usage(PartialAnswer("scribe", "Cut off."), Usage({"tokens": 5}, 190))
        provider = Provider(cut)
        with pytest.raises(PartialAnswer):
            await perform(open_ledger(), provider)
        effect = await effect_of(workspace)
        assert (effect.state, effect.micro_dollars, effect.units) == ("failed", 190, {"tokens": 5})
        with pytest.raises(PaidInVain, match="Cut off") as vain:
            await perform(open_ledger(fence=2), provider)
        assert (vain.value.micro_dollars, vain.value.units) == (190, {"tokens": 5})
        await once_more(workspace, caller)
        await perform(open_ledger(fence=3), provider)
        effect = await effect_of(workspace)
        assert (effect.state, effect.micro_dollars, effect.units) == ("done", 440, {"tokens": 12})
        assert await books(workspace) == dict.fromkeys(("workspace", "project", "job"), (0, 440))
        async with workspace.units.open(workspace.principal) as unit:
            bills = select(BudgetEntry.micro_dollars).where(BudgetEntry.kind == "settle").order_by(BudgetEntry.at)
            assert list(await unit.session.scalars(bills)) == [190, 250]
            spent = await spent_by(unit.session, workspace.tenant_id, caller.job_id)
        assert (spent.micro_dollars, spent.calls, spent.unknown) == (440, 1, 0)

    async def test_a_failed_call_of_unknown_price_stays_unknown(
        self, workspace: Workspace, open_ledger: Any, caller: Caller
    ) -> None:
        provider = Provider(with_usage(PartialAnswer("scribe", "Cut off."), Usage({"tokens": 5}, None)))
        with pytest.raises(PartialAnswer):
            await perform(open_ledger(), provider)
        await once_more(workspace, caller)
        await perform(open_ledger(fence=2), provider)
        async with workspace.units.open(workspace.principal) as unit:
            spent = await spent_by(unit.session, workspace.tenant_id, caller.job_id)
        assert (spent.micro_dollars, spent.unknown) == (250, 1)

    async def test_what_passes_by_itself_is_asked_again_though_it_was_billed(
        self, workspace: Workspace, open_ledger: Any
    ) -> None:
        provider = Provider(with_usage(Unavailable("scribe", "Overloaded."), Usage({"tokens": 5}, 190)))
        with pytest.raises(Unavailable):
            await perform(open_ledger(), provider)
        await perform(open_ledger(fence=2), provider)
        assert (await effect_of(workspace)).micro_dollars == 440

    async def test_a_call_nobody_heard_of_again_is_in_doubt_when_its_job_ends(
        self, workspace: Workspace, open_ledger: Any, caller: Caller
    ) -> None:
        ledger = open_ledger()
        asked = ledger._asked("scribe", "m", {"topic": "whales"}, False, "", "", None)
        await ledger._intend(asked)
        async with workspace.units.open(workspace.principal) as unit:
            job = await unit.session.get(Job, (workspace.tenant_id, caller.job_id))
            await close_account(unit.session, JobAccount(workspace.tenant_id, job.project_id, job.id))
        effect = await effect_of(workspace)
        assert (effect.state, effect.doubts, effect.held) == ("in_doubt", 1, 0)

    async def test_an_answer_found_in_the_spool_is_counted(
        self, workspace: Workspace, open_ledger: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ledger = open_ledger()

        async def die(*_: Any) -> None:
            raise Crash

        monkeypatch.setattr(ledger, "_record", die)
        with pytest.raises(Crash):
            await perform(ledger, Provider())
        await perform(open_ledger(fence=2), Provider())
        assert (await effect_of(workspace)).micro_dollars == 250
        assert (await books(workspace))["workspace"] == (0, 250)


class TestKeys:
    @given(st.dictionaries(st.text(), st.integers() | st.text(), max_size=5))
    def test_order_does_not_matter(self, request: dict[str, Any]) -> None:
        assert hash_json(request) == hash_json(dict(reversed(request.items())))

    def test_fence_is_no_part(self, engine: Engine, caller: Caller) -> None:
        assert effect_key(caller, "p", "m", "h") == effect_key(replace(caller, fence=9), "p", "m", "h")
        assert effect_key(caller, "p", "m", "h") != effect_key(replace(caller, shard="x"), "p", "m", "h")


@pytest.mark.parametrize(
    ("kind", "stand_in", "said"),
    [
        ("openai", "gemini", "The call to OpenAI is left out by a person's decision; Gemini takes its place."),
        (
            "azure",
            "artboard",
            "The call to Azure Speech is left out by a person's decision; the art board takes its place.",
        ),
    ],
)
def test_providers_are_called_by_their_names(kind: str, stand_in: str, said: str) -> None:
    assert CallSkipped(kind, stand_in).sentence == said
    assert InDoubt(kind, "").sentence.startswith(f"A call to {said.split()[3]}")
