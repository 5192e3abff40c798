"""How quickly pages answer and follow: first byte of a job page, and commit → open page over the event stream.

A real web process on real services; one client, requests one after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
from sqlalchemy import select

from adapters.settings import Settings
from adapters.wiring import Runtime, build_runtime
from domain.dispatch.model import Step
from domain.production.model import Job
from tenants.directory import issue_owner_link
from tenants.principal import worker_principal
from tests.support.factories import Workspace, seed_jobs, seed_workspace
from tests.support.services import Services

REQUESTS, EVENTS, WARM = 300, 60, 20
FIRST_BYTE_MS, FOLLOW_MS = 50.0, 300.0


def main(argv: Sequence[str]) -> int:
    """Measure; answers 1 above a limit."""
    home = Path(tempfile.mkdtemp(prefix="vfos-bench-"))
    services = Services.start(home)
    try:
        settings = services.fresh_database().using(port=_free_port())
        web = subprocess.Popen(
            [sys.executable, "-m", "app", "web", "--port", str(settings.port)],
            env={**os.environ, **settings.environment()},
        )
        try:
            return asyncio.run(measure(settings))
        finally:
            web.terminate()
            web.wait(20)
    finally:
        services.stop()
        shutil.rmtree(home, ignore_errors=True)


async def measure(settings: Settings) -> int:
    runtime = build_runtime(settings, "command")
    space = await seed_workspace(runtime.units, runtime.store)
    await seed_jobs(space)
    async with httpx.AsyncClient(base_url=f"http://localhost:{settings.port}", timeout=30) as client:
        await _wait(client)
        await _sign_in(client, await issue_owner_link(runtime.units, space.tenant_id))
        running = await _running_job(runtime, space)
        page = f"/w/{space.slug}/p/{space.project.slug}/jobs/{running.number}"
        first = await first_bytes(client, page)
        follow = await follow_times(client, page, runtime, space, running)
    await runtime.close()
    print(
        f"first byte of a job page   p50 {_p(first, 50):6.1f} ms   p95 {_p(first, 95):6.1f} ms   limit {FIRST_BYTE_MS}"
    )
    print(f"commit → open page         p50 {_p(follow, 50):6.1f} ms   p95 {_p(follow, 95):6.1f} ms   limit {FOLLOW_MS}")
    return int(_p(first, 95) > FIRST_BYTE_MS or _p(follow, 95) > FOLLOW_MS)


async def first_bytes(client: httpx.AsyncClient, page: str) -> list[float]:
    """Milliseconds from the request to the first byte of the answer."""
    times = []
    for _ in range(REQUESTS + WARM):
        begun = time.perf_counter()
        async with client.stream("GET", page) as answer:
            assert answer.status_code == 200, answer.status_code
            await anext(answer.aiter_raw())
            times.append((time.perf_counter() - begun) * 1000)
    return times[WARM:]


async def follow_times(
    client: httpx.AsyncClient, page: str, runtime: Runtime, space: Workspace, job: Job
) -> list[float]:
    """Milliseconds from a commit to its arrival on an open event stream."""
    times: list[float] = []
    arrivals: asyncio.Queue[float] = asyncio.Queue()
    async with client.stream("GET", f"{page}/events?after=0.0", headers={"Accept": "text/event-stream"}) as stream:
        reader = asyncio.create_task(_read(stream, arrivals))
        for number in range(EVENTS):
            await _quiet(arrivals)
            await _make_progress(runtime, space, job, number)
            committed = time.perf_counter()
            times.append((await asyncio.wait_for(arrivals.get(), 10) - committed) * 1000)
        reader.cancel()
    return times


async def _read(stream: httpx.Response, arrivals: asyncio.Queue[float]) -> None:
    """Note when each message arrives."""
    async for line in stream.aiter_lines():
        if line.startswith("id:"):
            arrivals.put_nowait(time.perf_counter())


async def _make_progress(runtime: Runtime, space: Workspace, job: Job, number: int) -> None:
    async with runtime.units.open(worker_principal(space.tenant_id)) as unit:
        running = select(Step).where(Step.job_id == job.id, Step.state == "running").limit(1)
        step = (await unit.session.scalars(running)).one()
        step.done, step.total = number + 1, 1000 + number
        unit.emit("step.progress", job_id=job.id, project_id=job.project_id)


async def _quiet(arrivals: asyncio.Queue[float]) -> None:
    """Take what arrives until nothing has for half a second."""
    with contextlib.suppress(TimeoutError):
        while True:
            await asyncio.wait_for(arrivals.get(), 0.5)


async def _wait(client: httpx.AsyncClient) -> None:
    for _ in range(300):
        try:
            if (await client.get("/health/ready")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.1)
    raise RuntimeError("the web server did not become ready")


async def _sign_in(client: httpx.AsyncClient, token: str) -> None:
    form = await client.get(f"/start/{token}")
    assert form.status_code == 200, form.status_code
    answer = await client.post(
        f"/start/{token}", data={"name": "Ada", "language": "en"}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 303, answer.text[:500]


async def _running_job(runtime: Runtime, space: Workspace) -> Job:
    async with runtime.units.open(worker_principal(space.tenant_id)) as unit:
        return (await unit.session.scalars(select(Job).where(Job.state == "running").limit(1))).one()


def _p(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
