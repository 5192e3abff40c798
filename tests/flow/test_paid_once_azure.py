"""Narration by Azure, a real ledger and a service that counts: killed at any call, nothing is paid twice in silence."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, update

from adapters.database import Engines, make_engines
from adapters.settings import Settings
from domain.dispatch.model import Step
from domain.production.model import Made
from domain.production.ports import SpokenSentence, Stopped
from domain.production.provider_errors import OutcomeUnknown, Unavailable
from domain.usage.effects import InDoubt
from domain.usage.model import Effect
from tests.support import kindled
from tests.support.line import Workspace, open_workspace
from tests.support.paid_narration import LONG, SHORT, PaidNarration, narrate
from tests.support.providers.azure_live import AzureDouble
from tests.support.providers.server import running

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module")
async def engines(database: Settings) -> AsyncIterator[Engines]:
    made = make_engines(database, "worker")
    yield made
    await made.dispose()


@pytest.fixture(scope="module")
async def workspace(engines: Engines) -> Workspace:
    return await open_workspace(engines.units(), "speakers")


@pytest.fixture(scope="module")
def module_double() -> Iterator[AzureDouble]:
    made = AzureDouble()
    with running(made):
        yield made


@dataclass
class Payer:
    """The narrate step of a new job."""

    wish: PaidNarration
    double: AzureDouble
    workspace: Workspace
    database: Settings

    async def pay(self) -> list[SpokenSentence]:
        return await narrate(self.wish, self.workspace.units)

    def killed(self, fault: str, seen: Callable[[], None]) -> None:
        """Narrate in a process of its own and kill it (-9) while the double is slow with one answer."""
        self.double.fail(fault, seconds=300)
        told = json.dumps(dataclasses.asdict(self.wish)).encode()
        environment = {**os.environ, **self.database.environment()}
        process = kindled.start(["tests.support.paid_narration"], environment, stdin=told)
        seen()
        process.kill()
        assert process.wait(30) == -9

    async def effects(self) -> list[Effect]:
        async with self.workspace.units.open(self.workspace.principal) as unit:
            rows = select(Effect).where(Effect.job_id == self.wish.ids["job"])
            return list((await unit.session.execute(rows)).scalars())


@pytest.fixture
async def payer(workspace: Workspace, module_double: AzureDouble, database: Settings, tmp_path: Path) -> Payer:
    module_double.reset()
    job = await workspace.order("Spoken")
    async with workspace.units.open(workspace.principal) as unit:
        step = (await unit.session.execute(select(Step.id).where(Step.job_id == job.id).limit(1))).scalar_one()
    ids = {"tenant": workspace.tenant_id, "project": workspace.project.id, "job": job.id, "step": step}
    # A word of its own, so that no other test's sentences are found.
    texts = tuple(f"{text} Caso {job.number}." for text in LONG)
    wish = PaidNarration(texts, module_double.url, str(tmp_path), {name: str(value) for name, value in ids.items()})
    return Payer(wish, module_double, workspace, database)


class TestOrders:
    async def test_all_sentences_are_one_order_and_the_ledger_holds_its_bill(self, payer: Payer) -> None:
        first, again = await payer.pay(), await payer.pay()
        assert first == again
        assert len(first) == len(LONG)
        assert (len(payer.double.calls), len(payer.double.billed)) == (1, 1)
        (effect,) = await payer.effects()
        assert (effect.state, effect.micro_dollars) == ("done", payer.double.micro_dollars)
        assert len(payer.double.deleted) == 1

    @pytest.mark.parametrize("call", ["create", "look", "fetch", "delete"])
    async def test_killed_between_a_request_and_its_answer(self, payer: Payer, call: str) -> None:
        if call == "create":
            payer.killed("slow", lambda: payer.double.wait_for_bills(1, 120))
        else:
            payer.killed(f"{call}_slow", lambda: payer.double.wait_for_free(f"{call}_slow", 120))
        spoken = await payer.pay()
        assert len(spoken) == len(LONG)
        assert len(payer.double.billed) == 1
        (effect,) = await payer.effects()
        assert (effect.state, effect.micro_dollars) == ("done", payer.double.micro_dollars)

    async def test_one_sentence_more_is_all_that_is_spoken_anew(self, payer: Payer) -> None:
        await payer.pay()
        payer.wish = dataclasses.replace(payer.wish, texts=(*payer.wish.texts, "Uma frase nova."))
        assert len(await payer.pay()) == len(LONG) + 1
        assert [call.method for call in payer.double.calls] == ["PUT", "SSML"]

    async def test_a_sentence_that_failed_is_asked_for_alone(self, payer: Payer) -> None:
        payer.double.fail("one_failed")
        assert len(await payer.pay()) == len(LONG)
        assert [call.method for call in payer.double.calls] == ["PUT", "SSML"]
        assert {effect.state for effect in await payer.effects()} == {"done"}

    async def test_a_busy_service_keeps_what_it_has(self, payer: Payer) -> None:
        payer.double.fail("fetch_drop")
        with pytest.raises(Unavailable):
            await payer.pay()
        await payer.pay()
        assert len(payer.double.billed) == 1

    async def test_cancelled_while_an_order_is_waited_for_it_is_found_again(self, payer: Payer) -> None:
        payer.double.fail("stuck")
        with pytest.raises(Stopped):
            await narrate(payer.wish, payer.workspace.units, stop_after=1.5)
        for job in payer.double.jobs.values():
            job.fault = ""
        assert len(await payer.pay()) == len(LONG)
        assert len(payer.double.billed) == 1

    async def test_an_order_too_old_to_be_found_again_is_in_doubt(self, payer: Payer) -> None:
        payer.double.fail("fetch_drop")
        with pytest.raises(Unavailable):
            await payer.pay()
        async with payer.workspace.units.open(payer.workspace.principal) as unit:
            # As a killed worker would have left it, eight days ago.
            await unit.session.execute(
                update(Effect).where(Effect.job_id == payer.wish.ids["job"]).values(state="sent")
            )
            plan = select(Made).where(Made.kind == "narration-plan", Made.job_id == payer.wish.ids["job"])
            row = (await unit.session.execute(plan)).scalar_one()
            aged = {**row.facts, "planned": row.facts["planned"] - 8 * 24 * 3600}
            await unit.session.execute(update(Made).where(Made.key == row.key).values(facts=aged))
        with pytest.raises(InDoubt):
            await payer.pay()
        assert len(payer.double.billed) == 1


class TestLive:
    @pytest.fixture(autouse=True)
    def _short(self, payer: Payer) -> None:
        payer.wish = dataclasses.replace(payer.wish, texts=(f"{SHORT[0]} {payer.wish.texts[0][-9:]}",))

    async def test_killed_while_it_speaks(self, payer: Payer) -> None:
        payer.killed("live_slow", lambda: payer.double.wait_for_bills(1, 120))
        assert [effect.state for effect in await payer.effects()] == ["sent"]
        for _ in range(2):
            with pytest.raises(InDoubt):
                await payer.pay()
        assert len(payer.double.billed) == 1
        assert [effect.state for effect in await payer.effects()] == ["in_doubt"]

    @pytest.mark.parametrize("fault", ["live_drop_before", "live_drop_after", "live_drop_half"])
    async def test_a_lost_line_stays_in_doubt(self, payer: Payer, fault: str) -> None:
        payer.double.fail(fault)
        with pytest.raises(OutcomeUnknown):
            await payer.pay()
        with pytest.raises(InDoubt):
            await payer.pay()
        assert len(payer.double.calls) == 1

    async def test_paid_once_and_to_the_micro_dollar(self, payer: Payer) -> None:
        assert await payer.pay() == await payer.pay()
        (effect,) = await payer.effects()
        assert (effect.state, effect.micro_dollars) == ("done", payer.double.micro_dollars)
        assert len(payer.double.calls) == 1
