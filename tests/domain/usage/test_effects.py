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
from domain.production.commands.control_job import retry_job
from domain.production.engine import Engine
from domain.production.model import Job
from domain.production.ports import ProviderBusy, Usage
from domain.usage.budget import OverBudget, settlement, spent_by
from domain.usage.effects import Caller, InDoubt, Ledger, effect_key, hash_json
from domain.usage.model import Effect
from domain.usage.quote import quote
from tests.support.line import Workspace


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

    def make(limit: int | None = None, **changes: Any) -> Ledger:
        return Ledger(workspace.units, store, tmp_path / "spool", replace(caller, **changes), limit)

    return make


async def perform(ledger: Ledger, provider: Provider, *, idempotent: bool = False, ask: str = "hello") -> str:
    return await ledger.perform(
        provider="scribe",
        model="m1",
        request={"ask": ask},
        call=provider,
        encode=str.encode,
        decode=bytes.decode,
        usage=lambda _: Usage({"tokens": 7}, 250),
        idempotent=idempotent,
    )


async def states(workspace: Workspace) -> list[str]:
    async with workspace.units.open(workspace.principal) as unit:
        return list((await unit.session.execute(select(Effect.state))).scalars())


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
        async with workspace.units.open(workspace.principal) as unit:
            await unit.session.execute(update(Job).where(Job.id == caller.job_id).values(state="failed"))
        async with workspace.units.open(workspace.principal) as unit:
            await retry_job(unit, caller.job_id)
        assert await perform(open_ledger(fence=3), provider) == "the answer"

    async def test_an_idempotent_call_is_simply_asked_again(self, open_ledger: Any) -> None:
        provider = Provider(Crash())
        with pytest.raises(Crash):
            await perform(open_ledger(), provider, idempotent=True)
        assert await perform(open_ledger(fence=2), provider, idempotent=True) == "the answer"


class TestLimit:
    async def test_no_call_beyond_the_limit(self, open_ledger: Any) -> None:
        provider = Provider()
        await perform(open_ledger(limit=100), provider)
        with pytest.raises(OverBudget) as over:
            await perform(open_ledger(limit=100), provider, ask="more")
        assert provider.calls == 1
        assert (over.value.limit, over.value.spent) == (100, 250)


class TestKeys:
    @given(st.dictionaries(st.text(), st.integers() | st.text(), max_size=5))
    def test_order_does_not_matter(self, request: dict[str, Any]) -> None:
        assert hash_json(request) == hash_json(dict(reversed(request.items())))

    def test_fence_is_no_part(self, engine: Engine, caller: Caller) -> None:
        assert effect_key(caller, "p", "m", "h") == effect_key(replace(caller, fence=9), "p", "m", "h")
        assert effect_key(caller, "p", "m", "h") != effect_key(replace(caller, shard="x"), "p", "m", "h")


class TestMoney:
    @pytest.mark.parametrize(
        ("reserved", "spent", "entries"),
        [
            (100, 40, [("settle", 40), ("release", 60)]),
            (100, 100, [("settle", 100)]),
            (100, 140, [("settle", 140)]),
            (0, 0, [("settle", 0)]),
        ],
    )
    def test_settlement(self, reserved: int, spent: int, entries: list[tuple[str, int]]) -> None:
        assert settlement(reserved, spent) == entries

    def test_unknown_prices_are_not_zero(self) -> None:
        offline, paid = quote(60, "offline", "espeak", "artboard"), quote(60, "claude", "espeak", "artboard")
        assert (offline.micro_dollars, offline.complete) == (0, True)
        assert not paid.complete
        assert paid.as_json()["lines"][0]["micro_dollars"] is None
