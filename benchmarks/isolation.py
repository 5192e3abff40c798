"""What row-level security costs: the same reads and requests by turns with and without it, in one run.

Two databases with the same rows, those of other workspaces among them; on the second the policies are switched off.
Everything is asked for one after the other, by turns, so that a busy machine slows both alike.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from httpx import ASGITransport, AsyncClient
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from adapters.settings import Settings
from app.main import build
from app.site import Site, open_site
from domain.production.queries.jobs import JobFilter, list_jobs
from domain.production.queries.projects import projects_of
from tests.support.factories import Workspace, add_job, seed_jobs, seed_workspace
from tests.support.people import add_person, cookie_of
from tests.support.rows import NAMES
from tests.support.services import Services

ROUNDS, WARM, MOST = 200, 20, 1.10
JOBS, OTHERS = 60, 5
"""Jobs of each workspace, and workspaces beside the one that is asked for."""


@dataclass
class Side:
    """One of the two databases behind a site of its own, with a signed-in browser."""

    site: Site
    space: Workspace
    client: AsyncClient

    async def queries(self) -> None:
        """What a page of jobs reads."""
        async with self.space.units.open(self.space.owner) as unit:
            await projects_of(unit)
            await list_jobs(unit, self.space.project.id, JobFilter())

    async def list_page(self) -> None:
        """The request for the list of jobs."""
        answer = await self.client.get(self.space.base)
        assert answer.status_code == 200

    async def job_page(self) -> None:
        """The request for a finished job."""
        answer = await self.client.get(f"{self.space.base}/1")
        assert answer.status_code == 200


MEASURED: dict[str, Callable[[Side], Awaitable[None]]] = {
    "reads of the job list": Side.queries,
    "request: job list": Side.list_page,
    "request: job": Side.job_page,
}


def main(argv: Sequence[str]) -> int:
    """Measure; answers 1 when a median costs more than a tenth more."""
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
    """Print a line for everything MEASURED."""
    sides = [await open_side(settings) for settings in (walled, bare)]
    ratios = [await compare(name, ask, sides) for name, ask in MEASURED.items()]
    for side in sides:
        await side.client.aclose()
        await side.site.close()
    return int(max(ratios) > MOST)


async def open_side(settings: Settings) -> Side:
    """A site with a workspace of jobs among others of the same size."""
    site = open_site(settings)
    space = await seed_workspace(site.units, site.store)
    await seed_jobs(space)
    spaces = [space, *[await seed_workspace(site.units, site.store, f"other-{n}", f"Other {n}") for n in range(OTHERS)]]
    for one in spaces:
        async with site.units.open(one.owner) as unit:
            for number in range(JOBS):
                await add_job(unit, one, f"Film {number} of {one.slug}", "succeeded")
    client = AsyncClient(transport=ASGITransport(build(site)), base_url="http://bench.local")
    token = await cookie_of(site.units, await add_person(site.units, space.tenant_id, "owner"))
    client.cookies.set("vfos_session", token, domain="bench.local")
    return Side(site, space, client)


async def compare(name: str, ask: Callable[[Side], Awaitable[None]], sides: Sequence[Side]) -> float:
    """Ask both sides by turns; answer median with ÷ median without."""
    took: list[list[float]] = [[], []]
    for number in range(ROUNDS + WARM):
        for side in (0, 1) if number % 2 else (1, 0):
            began = time.perf_counter()
            await ask(sides[side])
            if number >= WARM:
                took[side].append((time.perf_counter() - began) * 1000)
    with_, without = (statistics.median(times) for times in took)
    print(f"{name}, p50 of {ROUNDS}: with {with_:.2f} ms, without {without:.2f} ms, ratio {with_ / without:.3f}")
    return with_ / without
