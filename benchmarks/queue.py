"""How fast the line turns: claim + settle with 10,000 ready steps of 500 tenants, and enqueue → start.

Real rows, real routines, synced commits, no step bodies: what remains is what the line itself costs. Runs worker loops
in two processes on two cores, as two worker units would.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import insert, text

from adapters import settings as settings_module
from adapters.database import Engines, make_engines
from adapters.embedded.postgres import Postgres
from adapters.settings import Settings
from domain.catalog.model import Project
from domain.dispatch.claim import claim_next
from domain.dispatch.model import SchedFlow, Step
from domain.dispatch.recount import recount
from domain.production.engine import HOOKS
from domain.production.model import Job
from domain.production.pipeline.base import StepResult
from domain.production.settle import succeed
from domain.production.settle_at_once import Success
from tenants.model import Tenant
from tenants.records import uuid7
from tenants.unit import Units

TENANTS, STEPS, PER_JOB = 500, 10_000, 10
PROCESSES, LOOPS, SECONDS = 2, 2, 10.0
TARGET_RATE, TARGET_P99_MS = 500.0, 50.0
DONE = Success(StepResult({"done": 1}), [], None, False)


def main(argv: Sequence[str]) -> int:
    """Measure; answers 1 below the target."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queue")
    parser.add_argument("--tenants", type=int, default=TENANTS)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--loops", type=int, default=LOOPS)
    given = parser.parse_args(list(argv))
    home = Path(tempfile.mkdtemp(prefix="vfos-bench-"))
    postgres = Postgres(home)
    postgres.start()
    try:
        from adapters.database import migrate

        urls = postgres.create_database("line")
        chosen = settings_module.load({"VFOS_HOME": str(home)}).using(
            database_url=urls.app, database_owner_url=urls.owner, database_system_url=urls.system
        )
        asyncio.run(migrate(chosen))
        asyncio.run(_fill(chosen, given.tenants, given.steps))
        return _measure(chosen, given)
    finally:
        postgres.stop()
        shutil.rmtree(home, ignore_errors=True)


def _measure(chosen: Settings, given: argparse.Namespace) -> int:
    command = [sys.executable, "-m", "benchmarks.queue_worker", str(given.loops), str(given.seconds)]
    environment = chosen.environment()
    workers = [
        subprocess.Popen(command, env={**_plain_environment(), **environment}, stdout=subprocess.PIPE)
        for _ in range(given.processes)
    ]
    answers = [json.loads(worker.communicate()[0]) for worker in workers]
    claims = [ms for answer in answers for ms in answer["claims"]]
    settles = [ms for answer in answers for ms in answer["settles"]]
    rate = sum(len(answer["settles"]) / answer["seconds"] for answer in answers)
    drift = asyncio.run(_drift(chosen))
    print(f"{given.steps:,} ready steps · {given.tenants} tenants · {given.processes} processes × {given.loops} slots")
    print(f"claim + settle   {rate:7.0f} /s   target {TARGET_RATE:.0f}")
    print(f"claim    p50 {_p(claims, 50):6.1f} ms   p99 {_p(claims, 99):6.1f} ms   target {TARGET_P99_MS}")
    print(f"settle   p50 {_p(settles, 50):6.1f} ms   p99 {_p(settles, 99):6.1f} ms   target {TARGET_P99_MS}")
    print(f"counters that drifted: {drift}")
    late = _p(claims, 99) > TARGET_P99_MS or _p(settles, 99) > TARGET_P99_MS
    return int(rate < TARGET_RATE or late or drift != 0)


async def turn(units: Units, seconds: float, claims: list[float], settles: list[float]) -> None:
    """One slot: claim, settle at once, again, until the time is over or nothing is left."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        begun = time.perf_counter()
        claim = await claim_next(units, "io", None, 30.0, HOOKS)
        claimed = time.perf_counter()
        if claim is None:
            return
        await succeed(units, claim, DONE)
        claims.append((claimed - begun) * 1000)
        settles.append((time.perf_counter() - claimed) * 1000)


# ── The rows ──────────────────────────────────────────────────────────────────────────────────────────────
async def _fill(chosen: Settings, tenants: int, steps: int) -> None:
    engines: Engines = make_engines(chosen)
    async with engines.units().system("farm") as unit:
        session = unit.session
        ids = [uuid7() for _ in range(tenants)]
        weights = [(1, 3, 8)[place % 3] for place in range(tenants)]
        rows = [
            {"id": one, "slug": f"t{place}", "name": f"T{place}", "weight": weights[place], "max_running": 64}
            for place, one in enumerate(ids)
        ]
        await session.execute(insert(Tenant), rows)
        projects = {one: uuid7() for one in ids}
        await session.execute(
            insert(Project),
            [{"tenant_id": t, "id": p, "slug": "p", "name": "P", "languages": ["en"]} for t, p in projects.items()],
        )
        share = steps // tenants
        for place, one in enumerate(ids):
            await _fill_tenant(session, one, projects[one], share)
            flow = {"weight": weights[place], "max_running": 64, "ready": share}
            await session.execute(insert(SchedFlow).values(tenant_id=one, pool="io", **flow))
    await engines.dispose()
    owner = make_engines(chosen.using(database_url=chosen.database_owner_url))
    async with owner.app.connect() as connection:
        await connection.execute(text("ANALYZE"))
        await connection.commit()
    await owner.dispose()


async def _fill_tenant(session: object, tenant: UUID, project: UUID, share: int) -> None:
    jobs = [uuid7() for _ in range(max(1, share // PER_JOB))]
    body = {"recipe": {"steps": []}}
    await session.execute(  # type: ignore[attr-defined]
        insert(Job),
        [
            {
                "tenant_id": tenant,
                "id": job,
                "project_id": project,
                "number": n,
                "seq": n,
                "title": "t",
                "recipe_slug": "r",
                "recipe_version": 1,
                "state": "queued",
                "spec": body,
                "spec_hash": "0",
            }
            for n, job in enumerate(jobs, start=1)
        ],
    )
    await session.execute(  # type: ignore[attr-defined]
        insert(Step),
        [
            {
                "tenant_id": tenant,
                "id": uuid7(),
                "job_id": jobs[n % len(jobs)],
                "project_id": project,
                "pool": "io",
                "kind": "bench",
                "shard": str(n),
                "ordinal": n,
                "state": "ready",
                "job_seq": n % len(jobs) + 1,
                "ready_at": "2026-01-01T00:00:00Z",
            }
            for n in range(share)
        ],
    )


async def _drift(chosen: Settings) -> int:
    engines = make_engines(chosen)
    found = await recount(engines.units())
    await engines.dispose()
    return found


def _p(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


def _plain_environment() -> dict[str, str]:
    import os

    return dict(os.environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
