"""Workers are killed, stopped and drained in the middle of long steps; nothing is lost and nothing is done twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from sqlalchemy import func, select

from adapters.database import Engines, make_engines
from adapters.settings import Settings
from domain.dispatch.model import Attempt, Step
from domain.dispatch.recount import recount
from domain.production.commands.control_job import cancel_job
from domain.production.model import Job
from domain.usage.model import Effect
from tests.support.line import SHARDS, Workspace, open_workspace
from tests.support.services import Services

LEASE_S = 8
ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.flow


@dataclass
class Farm:
    """Worker units and a pump as real processes over one database."""

    settings: Settings
    home: Path
    workspace: Workspace
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def gate(self) -> Path:
        return self.home / "gate"

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            **self.settings.environment(),
            "LINE_GATE": str(self.gate),
            "LINE_CALLS": str(self.home / "calls"),
            "PYTHONPATH": str(ROOT),
        }
        log = (self.home / f"process-{len(self.running)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self.running.append(process)
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        return self.start("tests.support.unit", "io:1,cpu:2")

    def pump(self) -> subprocess.Popen[bytes]:
        return self.start("workers.pump")

    def calls(self) -> Counter[str]:
        return Counter((self.home / "calls").read_text().split())

    async def running_steps(self, kind: str) -> int:
        async with self.workspace.units.open(self.workspace.principal) as unit:
            found = await unit.session.execute(
                select(func.count()).where(Step.kind == kind, Step.state == "running", Step.done > 0)
            )
            return int(found.scalar_one())

    async def state(self, job_id: UUID) -> str:
        async with self.workspace.units.open(self.workspace.principal) as unit:
            return (await unit.session.execute(select(Job.state).where(Job.id == job_id))).scalar_one()

    async def film(self, job_id: UUID) -> str:
        async with self.workspace.units.open(self.workspace.principal) as unit:
            outputs = await unit.session.execute(select(Step.outputs).where(Step.job_id == job_id, Step.kind == "mux"))
            return str((outputs.scalar_one() or {})["film"])

    async def outcomes(self, job_id: UUID, kind: str) -> list[str | None]:
        async with self.workspace.units.open(self.workspace.principal) as unit:
            rows = await unit.session.execute(
                select(Attempt.outcome)
                .join(Step, (Step.tenant_id == Attempt.tenant_id) & (Step.id == Attempt.step_id))
                .where(Step.job_id == job_id, Step.kind == kind)
            )
            return sorted(rows.scalars(), key=str)

    def words(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in sorted(self.home.glob("process-*.log")))

    async def until(self, seconds: float, met: Callable[[], Awaitable[bool]]) -> float:
        """Wait until a condition holds; answer how long it took."""
        begun = time.monotonic()
        while not await met():
            if time.monotonic() - begun > seconds:
                pytest.fail(f"not within {seconds} s; the processes said:\n{self.words()}")
            await asyncio.sleep(0.05)
        return time.monotonic() - begun

    def end(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait(10)


@pytest.fixture
async def farm(services: Services, tmp_path: Path) -> AsyncIterator[Farm]:
    home = tmp_path / "var"
    home.mkdir()
    chosen = services.fresh_database().using(home=home, lease_seconds=LEASE_S)
    engines: Engines = make_engines(chosen, "command")
    made = Farm(chosen, home, await open_workspace(engines.units(), "recovery"))
    yield made
    made.end()
    await engines.dispose()


async def begin_slow_job(farm: Farm) -> tuple[UUID, subprocess.Popen[bytes]]:
    """Start pump and worker, and wait until the worker is in the middle of two long steps."""
    farm.pump()
    first = farm.worker()
    job = await farm.workspace.order("slow whales!")
    await farm.until(60, lambda: _is(farm.running_steps("render"), 2))
    return job.id, first


async def _is(asked: Awaitable[object], wanted: object) -> bool:
    return await asked == wanted


async def make_film_undisturbed(farm: Farm) -> str:
    """The same film in a workspace where nobody is killed."""
    calm = Farm(farm.settings, farm.home, await open_workspace(farm.workspace.units, "calm"))
    job = await calm.workspace.order("slow whales!")
    await farm.until(60, lambda: _is(calm.state(job.id), "succeeded"))
    return await calm.film(job.id)


class TestKilled:
    async def test_the_job_ends_as_if_nothing_had_happened(self, farm: Farm) -> None:
        job_id, first = await begin_slow_job(farm)
        farm.worker()
        os.killpg(first.pid, signal.SIGKILL)
        begun = time.monotonic()
        farm.gate.touch()
        await farm.until(LEASE_S + 5, lambda: _is(_recovered(farm, job_id), True))
        recovery = time.monotonic() - begun
        await farm.until(60, lambda: _is(farm.state(job_id), "succeeded"))
        assert recovery <= LEASE_S + 5
        assert (await farm.outcomes(job_id, "render")).count("crashed") == 2
        assert farm.calls()["write"] == 1
        assert farm.calls()["draw"] == SHARDS
        assert await farm.film(job_id) == await make_film_undisturbed(farm)
        assert await recount(farm.workspace.units) == 0

    async def test_a_recorded_call_is_not_repeated(self, farm: Farm) -> None:
        job_id, first = await begin_slow_job(farm)
        os.killpg(first.pid, signal.SIGKILL)
        farm.gate.touch()
        farm.worker()
        await farm.until(60, lambda: _is(farm.state(job_id), "succeeded"))
        async with farm.workspace.units.open(farm.workspace.principal) as unit:
            states = (await unit.session.execute(select(Effect.state))).scalars().all()
        assert states == ["done"]
        assert farm.calls()["write"] == 1


async def _recovered(farm: Farm, job_id: UUID) -> bool:
    return (await farm.outcomes(job_id, "render")).count("crashed") == 2


class TestSilent:
    async def test_a_frozen_worker_loses_its_steps_and_changes_nothing_when_it_wakes(self, farm: Farm) -> None:
        job_id, first = await begin_slow_job(farm)
        os.killpg(first.pid, signal.SIGSTOP)
        begun = time.monotonic()
        farm.worker()
        farm.gate.touch()
        await farm.until(LEASE_S + 5, lambda: _is(_recovered(farm, job_id), True))
        assert time.monotonic() - begun <= LEASE_S + 5
        await farm.until(60, lambda: _is(farm.state(job_id), "succeeded"))
        film = await farm.film(job_id)
        os.killpg(first.pid, signal.SIGCONT)
        again = await farm.workspace.order("slow seals!")
        await farm.until(60, lambda: _is(farm.state(again.id), "succeeded"))
        assert await farm.film(job_id) == film
        assert (await farm.outcomes(job_id, "render")).count("succeeded") == SHARDS
        assert await recount(farm.workspace.units) == 0


class TestDrained:
    async def test_steps_are_given_back_without_penalty(self, farm: Farm) -> None:
        job_id, first = await begin_slow_job(farm)
        begun = time.monotonic()
        first.terminate()
        await asyncio.to_thread(first.wait, 20)
        assert time.monotonic() - begun < 8
        assert first.returncode == 0
        assert (await farm.outcomes(job_id, "render")).count("released") == 2
        farm.gate.touch()
        farm.worker()
        await farm.until(60, lambda: _is(farm.state(job_id), "succeeded"))
        assert await recount(farm.workspace.units) == 0


class TestCancelled:
    async def test_running_steps_stop_soon(self, farm: Farm) -> None:
        job_id, _ = await begin_slow_job(farm)
        async with farm.workspace.units.open(farm.workspace.principal) as unit:
            job = await cancel_job(unit, job_id, "enough")
        assert job.state == "cancelling"
        assert await farm.until(LEASE_S, lambda: _is(farm.state(job_id), "cancelled")) < LEASE_S / 3 + 2
        assert await farm.running_steps("render") == 0
        assert await recount(farm.workspace.units) == 0


class TestWithoutRedis:
    async def test_the_farm_goes_on_by_polling(self, farm: Farm) -> None:
        farm.settings = farm.settings.using(redis_url="redis://127.0.0.1:1/0")
        farm.worker()
        farm.gate.touch()
        job = await farm.workspace.order("quick whales")
        await farm.until(60, lambda: _is(farm.state(job.id), "succeeded"))


def test_no_process_is_left_behind(services: Services) -> None:
    """Runs last in this module: all units of the tests above have ended with their farms."""
    assert [
        line for line in map(_command, psutil.Process().children(recursive=True)) if "tests.support.unit" in line
    ] == []


def _command(process: psutil.Process) -> list[str]:
    """How a process was started; nothing for one that has ended, collected by its parent or not yet."""
    try:
        return process.cmdline()
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return []
