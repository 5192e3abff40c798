"""Real adapters, a real ledger and providers that count: whatever breaks, nothing is paid twice in silence."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from adapters.database import Engines, make_engines
from adapters.settings import Settings
from domain.dispatch.model import Step
from domain.production.provider_errors import OutcomeUnknown, RateLimited
from domain.usage.effects import InDoubt
from domain.usage.model import Effect
from tests.support import kindled
from tests.support.line import Workspace, open_workspace
from tests.support.paid_call import PaidCall, perform
from tests.support.providers.anthropic import AnthropicDouble
from tests.support.providers.gemini import GeminiDouble
from tests.support.providers.openai import OpenAiDouble
from tests.support.providers.server import Double, running

PROVIDERS = ("anthropic", "openai", "gemini")

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module")
async def engines(database: Settings) -> AsyncIterator[Engines]:
    made = make_engines(database, "worker")
    yield made
    await made.dispose()


@pytest.fixture(scope="module")
async def workspace(engines: Engines) -> Workspace:
    return await open_workspace(engines.units(), "payers")


@pytest.fixture(scope="module")
def doubles() -> Iterator[dict[str, Double]]:
    made: dict[str, Double] = {"anthropic": AnthropicDouble(), "openai": OpenAiDouble(), "gemini": GeminiDouble()}
    with running(*made.values()):
        yield made


@dataclass
class Payer:
    """One step of a new job that calls one provider."""

    call: PaidCall
    double: Double
    workspace: Workspace
    database: Settings

    async def pay(self) -> Any:
        return await perform(self.call, self.workspace.units)

    def killed_while_paying(self) -> None:
        """Pay in a process of its own and kill it (-9) once the provider has made and billed the answer."""
        self.double.fail("slow", seconds=30)
        told = json.dumps(dataclasses.asdict(self.call)).encode()
        environment = {**os.environ, **self.database.environment()}
        process = kindled.start(["tests.support.paid_call"], environment, stdin=told)
        self.double.wait_for_bills(1)
        process.kill()
        assert process.wait(30) == -9

    async def effects(self) -> list[Effect]:
        async with self.workspace.units.open(self.workspace.principal) as unit:
            rows = select(Effect).where(Effect.job_id == self.call.caller["job_id"])
            return list((await unit.session.execute(rows)).scalars())


@pytest.fixture(params=PROVIDERS)
async def payer(
    request: pytest.FixtureRequest,
    workspace: Workspace,
    doubles: dict[str, Double],
    database: Settings,
    tmp_path: Path,
) -> Payer:
    double = doubles[request.param]
    double.reset()
    caller = await _caller(workspace)
    return Payer(PaidCall(request.param, double.url, str(tmp_path), caller), double, workspace, database)


async def _caller(workspace: Workspace) -> dict[str, Any]:
    job = await workspace.order("Paid")
    async with workspace.units.open(workspace.principal) as unit:
        found = await unit.session.execute(select(Step.id).where(Step.job_id == job.id, Step.kind == "script"))
        step = found.scalar_one()
    ids = {"tenant_id": str(workspace.tenant_id), "job_id": str(job.id), "step_id": str(step)}
    return {**ids, "kind": "script", "shard": "", "fence": 1}


class TestPaidOnce:
    async def test_the_ledger_holds_what_the_provider_billed(self, payer: Payer) -> None:
        first, again = await payer.pay(), await payer.pay()
        assert first == again
        assert len(payer.double.calls) == 1
        (effect,) = await payer.effects()
        assert (effect.state, effect.micro_dollars) == ("done", payer.double.micro_dollars)
        assert payer.double.micro_dollars > 0

    @pytest.mark.parametrize("fault", ["drop_before", "drop_after", "drop_half"])
    async def test_a_lost_line_stays_in_doubt(self, payer: Payer, fault: str) -> None:
        payer.double.fail(fault)
        with pytest.raises(OutcomeUnknown):
            await payer.pay()
        for _ in range(2):
            with pytest.raises(InDoubt):
                await payer.pay()
        assert len(payer.double.calls) == 1
        assert [effect.state for effect in await payer.effects()] == ["in_doubt"]

    async def test_killed_between_request_and_answer(self, payer: Payer) -> None:
        payer.killed_while_paying()
        assert [effect.state for effect in await payer.effects()] == ["sent"]
        with pytest.raises(InDoubt):
            await payer.pay()
        assert len(payer.double.billed) == 1
        assert [effect.state for effect in await payer.effects()] == ["in_doubt"]

    async def test_a_busy_provider_is_asked_again(self, payer: Payer) -> None:
        payer.double.fail("rate_limited", retry_after=1)
        with pytest.raises(RateLimited):
            await payer.pay()
        await payer.pay()
        assert (len(payer.double.calls), len(payer.double.billed)) == (2, 1)
        assert [effect.state for effect in await payer.effects()] == ["done"]
