"""A worker is killed in the middle of a real render and again while it joins: the film is the same to the byte."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from sqlalchemy import func, select

from adapters.settings import Settings
from adapters.store.objects import sweep_staging
from adapters.wiring import Runtime, build_runtime
from domain.dispatch.model import Attempt, Step
from domain.dispatch.recount import recount
from domain.dispatch.watch import running_steps
from domain.production.commands.create_job import create_job
from domain.production.commands.new_job import NewJob
from domain.production.manifest import NAME as MANIFEST
from domain.production.model import ArtifactRef, Made
from domain.usage.model import Effect
from tests.support import kindled
from tests.support.farm import Farm, command_of, holds
from tests.support.scripted import TOPIC, open_scripted
from tests.support.services import Services

LEASE_S = 8
SLOTS = 3
SECONDS = 10
MEDIA_SERVER = "adapters.media.node_server"
PATIENCE_S = 180

pytestmark = [pytest.mark.flow, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Record:
    """What a tenant has to show for its only job."""

    files: dict[str, str]
    """Artifacts by name; the manifest, which tells times and attempts, is left out."""
    made: dict[str, tuple[str, float]]
    """Things made by key: kind, and the seconds their making took (another making would take another time)."""
    calls: Counter[tuple[str, str]]
    outcomes: Counter[str | None]


@dataclass(frozen=True)
class Blow:
    """When a blow fell and what it met: the steps that ran, the worker's children, and what was recorded before."""

    at: datetime
    lost: list[UUID]
    children: list[psutil.Process]
    before: Record


@pytest.fixture
def settings(services: Services, tmp_path: Path) -> Settings:
    home = tmp_path / "var"
    home.mkdir()
    return services.fresh_database().using(home=home, lease_seconds=LEASE_S)


@pytest.fixture
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    made = build_runtime(settings, "command")
    yield made
    await made.close()


async def make_farm(runtime: Runtime, slug: str) -> Farm:
    studio = await open_scripted(runtime.settings, runtime.units, runtime.store, slug)
    return Farm(runtime.settings, runtime.units, studio.owner, unit=("workers.main", "--pools", "io:1,cpu:2"))


async def order(farm: Farm) -> UUID:
    async with farm.units.open(farm.principal) as unit:
        return (await create_job(unit, NewJob("deep-sky", "quick", TOPIC, seconds=SECONDS))).id


async def record(farm: Farm, job_id: UUID) -> Record:
    outcomes = Counter(await farm.outcomes(job_id))
    async with farm.units.open(farm.principal) as unit:
        refs = await unit.session.scalars(select(ArtifactRef).where(ArtifactRef.job_id == job_id))
        files = {ref.name: ref.sha256 for ref in refs if ref.name != MANIFEST}
        made = {row.key: (row.kind, row.seconds) for row in await unit.session.scalars(select(Made))}
        effects = await unit.session.scalars(select(Effect))
        calls = Counter((effect.provider, effect.state) for effect in effects)
    return Record(files, made, calls, outcomes)


async def strike(farm: Farm, worker: kindled.Process, job_id: UUID, kind: str, done: int) -> Blow:
    """Kill a worker, and it alone, while a step of the kind is at work and at least `done` others are finished.

    It is frozen before it is looked at, so what is seen is what the blow meets.
    """
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if await farm.steps(job_id, kind, "running") and await farm.steps(job_id, kind, "succeeded") >= done:
            worker.send_signal(signal.SIGSTOP)
            children = psutil.Process(worker.pid).children(recursive=True)
            nodes = [child for child in children if MEDIA_SERVER in command_of(child)]
            lost = await running(farm, job_id)
            # Nodes are forks of one server: a second process of that name is a node at work.
            if len(nodes) > 1 and await farm.steps(job_id, kind, "running"):
                before = await record(farm, job_id)
                os.kill(worker.pid, signal.SIGKILL)
                worker.wait()
                return Blow(await database_time(farm), lost, children, before)
            worker.send_signal(signal.SIGCONT)
        await asyncio.sleep(0.05)
    return pytest.fail(f"no {kind} step could be caught at work; the processes said:\n{farm.words()}")


async def running(farm: Farm, job_id: UUID) -> list[UUID]:
    async with farm.units.open(farm.principal) as unit:
        return list(await unit.session.scalars(select(Step.id).where(Step.job_id == job_id, Step.state == "running")))


async def taken_again(farm: Farm, lost: list[UUID]) -> bool:
    """Whether another worker has begun with every lost step."""
    async with farm.units.open(farm.principal) as unit:
        again = await unit.session.scalars(select(Attempt.step_id).where(Attempt.step_id.in_(lost), Attempt.number > 1))
        return set(again) == set(lost)


async def database_time(farm: Farm) -> datetime:
    async with farm.units.open(farm.principal) as unit:
        return (await unit.session.execute(select(func.clock_timestamp()))).scalar_one()


async def recovered(farm: Farm, lost: list[UUID]) -> datetime:
    """When the last of the lost steps was free again for any worker."""
    crashed = select(func.max(Attempt.ended_at)).where(Attempt.step_id.in_(lost), Attempt.outcome == "crashed")
    async with farm.units.open(farm.principal) as unit:
        return (await unit.session.execute(crashed)).scalar_one()


async def test_a_worker_killed_while_rendering_and_while_joining(runtime: Runtime) -> None:
    farm = await make_farm(runtime, "struck")
    blows: list[Blow] = []
    try:
        farm.pump()
        worker = farm.worker()
        job_id = await order(farm)
        for kind, done in (("render", 1), ("mux", 0)):
            blows.append(await strike(farm, worker, job_id, kind, done))
            worker = farm.worker()
            await farm.until(PATIENCE_S, partial(taken_again, farm, blows[-1].lost))
            # The next worker's own start is not counted: in a farm another one is there already.
            assert await recovered(farm, blows[-1].lost) - blows[-1].at <= timedelta(seconds=LEASE_S + 5)
            assert psutil.wait_procs(blows[-1].children, timeout=5)[1] == []
        await farm.until(PATIENCE_S, lambda: holds(farm.state(job_id), "succeeded"))
        struck = await record(farm, job_id)
        calm = await undisturbed(runtime, farm)
        # What a blow between a settlement and the end of its folder has left is the sweeper's; nothing else is.
        assert len([*runtime.settings.staging.iterdir()]) <= len(blows) * SLOTS
        await asyncio.to_thread(sweep_staging, runtime.settings.staging, 0.0, await running_steps(farm.units))
        assert [path.name for path in runtime.settings.staging.iterdir()] == []
        assert await recount(farm.units) == 0
    finally:
        farm.end()
    assert struck.files == calm.files
    assert any(name.startswith("segments/") for name in struck.files)
    for blow in blows:
        assert blow.before.made.items() <= struck.made.items()
    assert Counter(kind for kind, _ in struck.made.values()) == Counter(kind for kind, _ in calm.made.values())
    assert struck.calls == calm.calls
    assert all(state == "done" for _, state in struck.calls)
    assert struck.outcomes == calm.outcomes + Counter(crashed=sum(len(blow.lost) for blow in blows))
    assert set(calm.outcomes) == {"succeeded"}


async def undisturbed(runtime: Runtime, struck: Farm) -> Record:
    """The same film in a workspace of its own, made by the same living worker."""
    farm = await make_farm(runtime, "calm")
    job_id = await order(farm)
    await struck.until(PATIENCE_S, lambda: holds(farm.state(job_id), "succeeded"))
    return await record(farm, job_id)
