"""Worker units and pumps as real processes over one database, for tests that kill, freeze and starve them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from sqlalchemy import func, select

from adapters.settings import Settings
from domain.dispatch.model import Attempt, Step
from domain.production.model import Job
from tenants.principal import Principal
from tenants.unit import Units
from tests.support import kindled

ROOT = Path(__file__).resolve().parents[2]
LOOK_S = 0.05


@dataclass
class Farm:
    """Real processes over one database, and what a test asks about one tenant's jobs."""

    settings: Settings
    units: Units
    principal: Principal
    unit: tuple[str, ...] = ("tests.support.unit", "io:1,cpu:2")
    """Module and arguments of a worker unit."""
    running: list[kindled.Process] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.settings.home

    @property
    def gate(self) -> Path:
        """While this file is missing, the slow kinds of tests/support/line.py go on for ever."""
        return self.home / "gate"

    def start(self, *arguments: str) -> kindled.Process:
        environment = {
            **os.environ,
            **self.settings.environment(),
            "LINE_GATE": str(self.gate),
            "LINE_CALLS": str(self.home / "calls"),
            "PYTHONPATH": str(ROOT),
        }
        with (self.home / f"process-{len(self.running)}.log").open("wb") as log:
            process = kindled.start(arguments, environment, stdout=log, stderr=log, session=True)
        self.running.append(process)
        return process

    def worker(self) -> kindled.Process:
        return self.start(*self.unit)

    def pump(self) -> kindled.Process:
        return self.start("workers.pump")

    def calls(self) -> Counter[str]:
        return Counter((self.home / "calls").read_text().split())

    async def steps(self, job_id: UUID, kind: str, state: str) -> int:
        """How many steps of a kind are in a state."""
        async with self.units.open(self.principal) as unit:
            found = await unit.session.execute(
                select(func.count()).where(Step.job_id == job_id, Step.kind == kind, Step.state == state)
            )
            return int(found.scalar_one())

    async def running_steps(self, kind: str) -> int:
        """How many steps of a kind run and have told their first progress."""
        async with self.units.open(self.principal) as unit:
            found = await unit.session.execute(
                select(func.count()).where(Step.kind == kind, Step.state == "running", Step.done > 0)
            )
            return int(found.scalar_one())

    async def state(self, job_id: UUID) -> str:
        async with self.units.open(self.principal) as unit:
            return (await unit.session.execute(select(Job.state).where(Job.id == job_id))).scalar_one()

    async def film(self, job_id: UUID) -> str:
        async with self.units.open(self.principal) as unit:
            outputs = await unit.session.execute(select(Step.outputs).where(Step.job_id == job_id, Step.kind == "mux"))
            return str((outputs.scalar_one() or {})["film"])

    async def outcomes(self, job_id: UUID, kind: str = "") -> list[str | None]:
        """How the attempts at a job's steps (of one kind) ended."""
        async with self.units.open(self.principal) as unit:
            rows = await unit.session.execute(
                select(Attempt.outcome)
                .join(Step, (Step.tenant_id == Attempt.tenant_id) & (Step.id == Attempt.step_id))
                .where(Step.job_id == job_id, Step.kind == (kind or Step.kind))
            )
            return sorted(rows.scalars(), key=str)

    def words(self) -> str:
        """The last lines of every process."""
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in sorted(self.home.glob("process-*.log")))

    async def until(self, seconds: float, met: Callable[[], Awaitable[bool]]) -> float:
        """Wait until a condition holds; answer how long it took."""
        begun = time.monotonic()
        while not await met():
            if time.monotonic() - begun > seconds:
                pytest.fail(f"not within {seconds} s; the processes said:\n{self.words()}")
            await asyncio.sleep(LOOK_S)
        return time.monotonic() - begun

    def end(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait(10)


async def holds(asked: Awaitable[object], wanted: object) -> bool:
    """Whether an awaited answer is the wanted one."""
    return await asked == wanted


def command_of(process: psutil.Process) -> str:
    """How a process was started; nothing for one that has ended, collected by its parent or not yet."""
    try:
        return " ".join(process.cmdline())
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return ""
