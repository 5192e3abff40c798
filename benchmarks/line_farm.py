"""A farm for benchmarks: services, workspaces, a pump and worker units as real processes, all ended at the end."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psutil
from sqlalchemy import func, select, update

from adapters import lifeline
from adapters.database import make_engines
from adapters.settings import Settings
from benchmarks.line_kinds import CALLS, KINDS, RECIPES, Wish
from domain.catalog.commands import save_version
from domain.dispatch.farm import pool_loads
from domain.dispatch.model import SchedFlow
from domain.production.commands.create_job import create_job
from domain.production.commands.new_job import NewJob
from domain.production.model import Job
from tenants.model import Tenant
from tenants.unit import Units
from tests.support.line import Workspace, open_workspace
from tests.support.services import Services

ROOT = Path(__file__).resolve().parents[1]


class TooSlow(Exception):
    """Raised when something does not happen in the time a benchmark may take."""


@dataclass
class Line:
    """Real processes over one database, and what benchmarks do with them."""

    settings: Settings
    units: Units
    services: Services
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    workers: list[int] = field(default_factory=list)
    frozen: list[int] = field(default_factory=list)
    _nursery: subprocess.Popen[str] | None = None
    _lifeline: tuple[int, int] = field(default_factory=os.pipe)

    # ── Processes ─────────────────────────────────────────────────────────────────────────────────────────
    def pump(self) -> None:
        """Start a pump."""
        self._start("workers.pump")

    def worker(self, pools: str, host: str = "-", *, films: bool = False) -> int:
        """Start a worker unit (with `films` one that makes real ones); answer its process number."""
        if self._nursery is None:
            self._nursery = self._start("benchmarks.line_unit")
        assert self._nursery.stdin
        assert self._nursery.stdout
        self._nursery.stdin.write(f"{pools} {host} {'films' if films else 'waits'}\n")
        self._nursery.stdin.flush()
        self.workers.append(int(self._nursery.stdout.readline()))
        return self.workers[-1]

    def kill(self, pid: int) -> None:
        """End a worker without warning, and it alone."""
        self.workers.remove(pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def freeze(self, pid: int) -> None:
        """Stop a worker where it stands; it is counted as one no more, and ended with the farm."""
        self.workers.remove(pid)
        self.frozen.append(pid)
        os.kill(pid, signal.SIGSTOP)

    def _start(self, module: str) -> subprocess.Popen[str]:
        environment = {**os.environ, **self.settings.environment(), CALLS: str(self.calls), "PYTHONPATH": str(ROOT)}
        # However the benchmark ends, a pump sees this pipe close; the nursery sees the end of its input.
        environment[lifeline.VARIABLE] = str(self._lifeline[0])
        with (self.settings.home / f"{module}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if module != "workers.pump" else log,
                stderr=log,
                pass_fds=self._lifeline[:1],
                start_new_session=True,
                text=True,
            )
        self.processes.append(process)
        return process

    def end(self) -> None:
        """End every process that was started here."""
        for pid in (*self.workers, *self.frozen):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self.processes:
            process.kill()
            process.communicate()
        for end in self._lifeline:
            os.close(end)

    @property
    def calls(self) -> Path:
        """Where the pretended provider writes down what it is paid for."""
        return self.settings.home / "calls"

    # ── Work ──────────────────────────────────────────────────────────────────────────────────────────────
    async def workspace(self, slug: str, weight: int = 1, max_running: int = 64) -> Workspace:
        """Make a workspace with a share and a limit of its own."""
        made = await open_workspace(self.units, slug)
        async with self.units.open(made.principal) as unit:
            for name, recipe in RECIPES.items():
                await save_version(unit, "recipe", name, name.title(), recipe)
        share = {"weight": weight, "max_running": max_running}
        async with self.units.system("farm") as unit:
            await unit.session.execute(update(Tenant).where(Tenant.id == made.tenant_id).values(**share))
            await unit.session.execute(update(SchedFlow).where(SchedFlow.tenant_id == made.tenant_id).values(**share))
        return made

    async def order(self, space: Workspace, wish: Wish, recipe: str = "many", seconds: int | None = None) -> UUID:
        """Create a job (of a film of so many seconds); answer its id."""
        async with self.units.open(space.principal) as unit:
            new = NewJob(space.project.slug, recipe, wish.topic(), seconds=seconds)
            job = await create_job(unit, new, KINDS)
        return job.id

    async def open_jobs(self) -> int:
        """How many jobs have not come to their end."""
        async with self.units.system("farm") as unit:
            ended = Job.state.in_(("succeeded", "failed", "cancelled"))
            return int((await unit.session.execute(select(func.count()).where(~ended))).scalar_one())

    async def slots(self, pool: str) -> int:
        """How many slots of living workers a pool has."""
        loads = await pool_loads(self.units)
        return loads[pool].slots if pool in loads else 0

    async def until(self, seconds: float, met: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait until something is so. Raises TooSlow."""
        deadline = time.monotonic() + seconds
        while not await met():
            if time.monotonic() > deadline:
                raise TooSlow(f"not within {seconds:.0f} s: {what}\n{self.words()}")
            await asyncio.sleep(0.1)

    async def until_slots(self, pool: str, wanted: int) -> None:
        """Wait until workers have joined."""

        async def joined() -> bool:
            return await self.slots(pool) >= wanted

        await self.until(120, joined, f"{wanted} slots of {pool}")

    async def until_done(self, seconds: float) -> None:
        """Wait until every job has come to its end."""

        async def done() -> bool:
            return await self.open_jobs() == 0

        await self.until(seconds, done, "all jobs at their end")

    def words(self) -> str:
        """The last that the processes have said."""
        return "\n".join(path.read_text(errors="replace")[-2000:] for path in sorted(self.settings.home.glob("*.log")))


@contextmanager
def services() -> Iterator[Services]:
    """PostgreSQL and Redis of our own in a temporary folder."""
    end_by_unwinding()
    home = Path(tempfile.mkdtemp(prefix="vfos-bench-"))
    try:
        running = Services.start(home)
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def end_by_unwinding() -> None:
    """Make SIGTERM end this process as Ctrl-C does, so that all it has started is ended too."""
    signal.signal(signal.SIGTERM, _give_up)


def _give_up(_signal: int, _frame: object) -> None:
    """Begin to end once; what asks again does not interrupt the ending."""
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, signal.SIG_IGN)
    raise KeyboardInterrupt


@asynccontextmanager
async def open_line(running: Services, lease_seconds: int = 15) -> AsyncIterator[Line]:
    """A farm on a fresh database; every process of it is gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="line-", dir=running.settings.home))
    chosen = running.fresh_database().using(home=home, lease_seconds=lease_seconds)
    engines = make_engines(chosen, "worker")
    from adapters.queue.signal import RedisSignal

    signals = RedisSignal(chosen.redis_url)
    line = Line(chosen, engines.units(signals), running)
    line.calls.touch()
    try:
        yield line
    finally:
        line.end()
        await signals.close()
        await engines.dispose()


# ── Figures ───────────────────────────────────────────────────────────────────────────────────────────────
def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which `percent` of the values lie."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def load_now() -> str:
    """How busy the machine is, to be said beside every figure."""
    one, five, _ = os.getloadavg()
    return f"load average {one:.1f} now, {five:.1f} over five minutes, on {psutil.cpu_count()} cores"


def verdict(what: str, good: bool) -> int:
    """Print whether a promise was kept; answer 0 or 1."""
    print(f"{'kept  ' if good else 'BROKEN'}  {what}")
    return int(not good)
