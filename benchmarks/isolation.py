"""What row-level security costs: the same reads of a job list by turns with and without it, in one run.

Two databases with the same rows; on the second the policies are switched off. Reads go through units of work, one after
the other, by turns, so that a busy machine slows both alike.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from adapters.settings import Settings
from adapters.wiring import build_runtime
from domain.production.queries.jobs import JobFilter, list_jobs
from domain.production.queries.projects import projects_of
from tests.support.factories import Workspace, seed_jobs, seed_workspace
from tests.support.rows import NAMES
from tests.support.services import Services

ROUNDS, WARM, MOST = 300, 30, 1.10


def main(argv: Sequence[str]) -> int:
    """Measure; answers 1 when the median costs more than a tenth more."""
    home = Path(tempfile.mkdtemp(prefix="vfos-bench-"))
    services = Services.start(home)
    try:
        walled, bare = services.fresh_database(), services.fresh_database()
        with create_engine(bare.database_owner_url, poolclass=NullPool).begin() as connection:
            for name in NAMES:
                connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY")
        return asyncio.run(measure(walled, bare))
    finally:
        services.stop()
        shutil.rmtree(home, ignore_errors=True)


async def measure(walled: Settings, bare: Settings) -> int:
    runtimes = [build_runtime(settings) for settings in (walled, bare)]
    spaces = []
    for runtime in runtimes:
        spaces.append(await seed_workspace(runtime.units, runtime.store))
        await seed_jobs(spaces[-1])
    took: list[list[float]] = [[], []]
    for number in range(ROUNDS + WARM):
        for side in (0, 1) if number % 2 else (1, 0):
            began = time.perf_counter()
            await read(spaces[side])
            if number >= WARM:
                took[side].append((time.perf_counter() - began) * 1000)
    for runtime in runtimes:
        await runtime.close()
    medians = [statistics.median(times) for times in took]
    ratio = medians[0] / medians[1]
    print(f"job list, p50 of {ROUNDS}: with {medians[0]:.2f} ms, without {medians[1]:.2f} ms, ratio {ratio:.3f}")
    return int(ratio > MOST)


async def read(space: Workspace) -> None:
    """What a page of jobs reads."""
    async with space.units.open(space.owner) as unit:
        await projects_of(unit)
        await list_jobs(unit, space.project.id, JobFilter())
