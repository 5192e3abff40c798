"""Workers are killed, stopped and drained in the middle of long steps; nothing is lost and nothing is done twice."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from sqlalchemy import select

from adapters.database import Engines, make_engines
from domain.dispatch.recount import recount
from domain.production.commands.control_job import cancel_job
from domain.usage.model import Effect
from tests.support import kindled
from tests.support.farm import Farm, command_of, holds
from tests.support.line import SHARDS, Workspace, open_workspace
from tests.support.services import Services
from tests.support.watching import Witness

LEASE_S = 8
ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.flow


@dataclass
class LineFarm(Farm):
    """A farm with the small kinds."""

    workspace: Workspace = field(kw_only=True)


@pytest.fixture
async def farm(services: Services, tmp_path: Path) -> AsyncIterator[LineFarm]:
    home = tmp_path / "var"
    home.mkdir()
    chosen = services.fresh_database().using(home=home, lease_seconds=LEASE_S)
    engines: Engines = make_engines(chosen, "command")
    witness = Witness(chosen)
    witness.install()
    workspace = await open_workspace(engines.units(), "recovery")
    made = LineFarm(chosen, workspace.units, workspace.principal, workspace=workspace)
    yield made
    made.end()
    assert witness.wrong_moves() == []
    assert await recount(engines.units()) == 0
    await engines.dispose()


async def begin_slow_job(farm: LineFarm) -> tuple[UUID, kindled.Process]:
    """Start pump and worker, and wait until the worker is in the middle of two long steps."""
    farm.pump()
    first = farm.worker()
    job = await farm.workspace.order("slow whales!")
    await farm.until(60, lambda: holds(farm.running_steps("render"), 2))
    return job.id, first


async def make_film_undisturbed(farm: LineFarm) -> str:
    """The same film in a workspace where nobody is killed."""
    workspace = await open_workspace(farm.units, "calm")
    calm = LineFarm(farm.settings, farm.units, workspace.principal, workspace=workspace)
    job = await workspace.order("slow whales!")
    await farm.until(60, lambda: holds(calm.state(job.id), "succeeded"))
    return await calm.film(job.id)


class TestKilled:
    async def test_the_job_ends_as_if_nothing_had_happened(self, farm: LineFarm) -> None:
        job_id, first = await begin_slow_job(farm)
        farm.worker()
        os.killpg(first.pid, signal.SIGKILL)
        begun = time.monotonic()
        farm.gate.touch()
        await farm.until(LEASE_S + 5, lambda: holds(_recovered(farm, job_id), True))
        recovery = time.monotonic() - begun
        await farm.until(60, lambda: holds(farm.state(job_id), "succeeded"))
        assert recovery <= LEASE_S + 5
        assert (await farm.outcomes(job_id, "render")).count("crashed") == 2
        assert farm.calls()["write"] == 1
        assert farm.calls()["draw"] == SHARDS
        assert await farm.film(job_id) == await make_film_undisturbed(farm)
        assert await recount(farm.units) == 0

    async def test_a_recorded_call_is_not_repeated(self, farm: LineFarm) -> None:
        job_id, first = await begin_slow_job(farm)
        os.killpg(first.pid, signal.SIGKILL)
        farm.gate.touch()
        farm.worker()
        await farm.until(60, lambda: holds(farm.state(job_id), "succeeded"))
        async with farm.units.open(farm.principal) as unit:
            states = (await unit.session.execute(select(Effect.state))).scalars().all()
        assert states == ["done"]
        assert farm.calls()["write"] == 1


async def _recovered(farm: LineFarm, job_id: UUID) -> bool:
    return (await farm.outcomes(job_id, "render")).count("crashed") == 2


class TestSilent:
    async def test_a_frozen_worker_loses_its_steps_and_changes_nothing_when_it_wakes(self, farm: LineFarm) -> None:
        job_id, first = await begin_slow_job(farm)
        os.killpg(first.pid, signal.SIGSTOP)
        begun = time.monotonic()
        farm.worker()
        farm.gate.touch()
        await farm.until(LEASE_S + 5, lambda: holds(_recovered(farm, job_id), True))
        assert time.monotonic() - begun <= LEASE_S + 5
        await farm.until(60, lambda: holds(farm.state(job_id), "succeeded"))
        film = await farm.film(job_id)
        os.killpg(first.pid, signal.SIGCONT)
        again = await farm.workspace.order("slow seals!")
        await farm.until(60, lambda: holds(farm.state(again.id), "succeeded"))
        assert await farm.film(job_id) == film
        assert (await farm.outcomes(job_id, "render")).count("succeeded") == SHARDS
        assert await recount(farm.units) == 0


class TestDrained:
    async def test_steps_are_given_back_without_penalty(self, farm: LineFarm) -> None:
        job_id, first = await begin_slow_job(farm)
        begun = time.monotonic()
        first.terminate()
        await asyncio.to_thread(first.wait, 20)
        assert time.monotonic() - begun < 8
        assert first.returncode == 0
        assert (await farm.outcomes(job_id, "render")).count("released") == 2
        farm.gate.touch()
        farm.worker()
        await farm.until(60, lambda: holds(farm.state(job_id), "succeeded"))
        assert await recount(farm.units) == 0


class TestCancelled:
    async def test_running_steps_stop_soon(self, farm: LineFarm) -> None:
        job_id, _ = await begin_slow_job(farm)
        async with farm.units.open(farm.principal) as unit:
            job = await cancel_job(unit, job_id, "enough")
        assert job.state == "cancelling"
        assert await farm.until(LEASE_S, lambda: holds(farm.state(job_id), "cancelled")) < LEASE_S / 3 + 2
        assert await farm.running_steps("render") == 0
        assert await recount(farm.units) == 0


class TestServicesAway:
    async def test_steps_go_on_and_are_settled_when_database_and_redis_return(
        self, farm: LineFarm, services: Services
    ) -> None:
        job_id, _ = await begin_slow_job(farm)
        services.redis.stop()
        services.postgres.stop()
        farm.gate.touch()  # the steps come to their end while nobody can be told
        await farm.until(30, lambda: holds(_said(farm, "step.waits_for_database"), True))
        services.postgres.start()
        services.redis.start()
        await farm.until(60, lambda: holds(farm.state(job_id), "succeeded"))
        assert set(await farm.outcomes(job_id)) <= {"succeeded", "released"}  # neither failed nor crashed
        assert farm.calls()["write"] == 1
        assert await recount(farm.units) == 0
        assert "Traceback" not in farm.words()
        assert max(Counter(line.split("  ")[1] for line in warnings(farm)).values()) <= 6


async def _said(farm: LineFarm, word: str) -> bool:
    return word in farm.words()


def warnings(farm: LineFarm) -> list[str]:
    return [line for line in farm.words().splitlines() if line.startswith(("warning", "error", "critical"))]


class TestWithoutRedis:
    async def test_the_farm_goes_on_by_polling(self, farm: LineFarm) -> None:
        farm.settings = farm.settings.using(redis_url="redis://127.0.0.1:1/0")
        farm.worker()
        farm.gate.touch()
        job = await farm.workspace.order("quick whales")
        await farm.until(60, lambda: holds(farm.state(job.id), "succeeded"))


def test_no_process_is_left_behind(services: Services) -> None:
    """Runs last in this module: all units of the tests above have ended with their farms."""
    commands = map(command_of, psutil.Process().children(recursive=True))
    assert [command for command in commands if "tests.support.unit" in command] == []
