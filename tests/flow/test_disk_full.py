"""A really full disk under the unfinished files: one clear message, nothing half-written, and Resume goes on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update

from adapters.settings import Settings
from adapters.wiring import build_runtime
from domain.dispatch.model import Attempt, Step
from domain.dispatch.watch import wake_delayed
from domain.production.commands.control_job import retry_job
from domain.production.commands.create_job import create_job
from domain.production.commands.new_job import NewJob
from domain.production.model import Job
from tests.support.scripted import TOPIC, Scripted, open_scripted
from tests.support.services import Services

TINY_KB, SMALL_KB, ROOMY_KB = 160, 1500, 65_536

pytestmark = [pytest.mark.flow, pytest.mark.timeout(600)]


class Disk:
    """A file system of its own whose size can be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resize(self, kilobytes: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(self.folder)], check=True)

    def files(self) -> list[str]:
        return [path.name for path in self.folder.rglob("*") if path.is_file()]


@contextmanager
def mounted(folder: Path) -> Iterator[Disk]:
    folder.mkdir(parents=True)
    argv = ["mount", "-t", "tmpfs", "-o", f"size={ROOMY_KB}k", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(argv, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here (it needs root and the right to mount)")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def settings(services: Services, tmp_path: Path) -> Settings:
    return services.fresh_database().using(home=tmp_path / "var")


@pytest.fixture
def disk(settings: Settings) -> Iterator[Disk]:
    with mounted(settings.staging) as made:
        yield made


@pytest.fixture
async def studio(settings: Settings, disk: Disk) -> AsyncIterator[Scripted]:
    runtime = build_runtime(settings, "command")
    made = await open_scripted(settings, runtime.units, runtime.store, "full")
    yield made
    tools = made.engine.tools
    for adapter in (tools.narrator, tools.images, tools.renderer):
        if close := getattr(adapter, "close", None):  # ends the warm processes; not part of the ports
            close()
    await runtime.close()


async def run_until(studio: Scripted, job_id: UUID, wanted: str) -> Job:
    """Work without waiting: delayed steps are due at once; until the job's state or a finished kind is reached."""
    while True:
        worked = [await studio.engine.run_next(pool) for pool in ("io", "cpu")]
        async with studio.units.open(studio.owner) as unit:
            job = await unit.session.get(Job, (studio.tenant_id, job_id))
            steps = list(await unit.session.scalars(select(Step).where(Step.job_id == job_id)))
            late = [step.id for step in steps if step.state == "delayed"]
            await unit.session.execute(update(Step).where(Step.id.in_(late)).values(not_before=Step.started_at))
        await wake_delayed(studio.units)
        assert job is not None
        if job.state == wanted or any(f"{step.kind} {step.state}" == wanted for step in steps):
            return job
        assert any(worked) or late, [(step.kind, step.state, step.error) for step in steps]


async def resume(studio: Scripted, job_id: UUID) -> None:
    async with studio.units.open(studio.owner) as unit:
        await retry_job(unit, job_id)


async def tried(studio: Scripted, kind: str) -> list[str | None]:
    async with studio.units.open(studio.owner) as unit:
        rows = await unit.session.execute(
            select(Attempt.outcome).join(Step, Step.id == Attempt.step_id).where(Step.kind == kind)
        )
        return list(rows.scalars())


async def test_full_then_resumed(studio: Scripted, disk: Disk, settings: Settings) -> None:
    async with studio.units.open(studio.owner) as unit:
        job_id = (await create_job(unit, NewJob("deep-sky", "quick", TOPIC, seconds=10))).id
    disk.resize(TINY_KB)
    failed = await run_until(studio, job_id, "failed")
    clear(failed, "narrate")
    assert disk.files() == []
    assert partial_objects(settings) == []
    disk.resize(SMALL_KB)
    await resume(studio, job_id)
    failed = await run_until(studio, job_id, "failed")
    clear(failed, "render")
    assert disk.files() == []
    assert partial_objects(settings) == []
    disk.resize(ROOMY_KB)
    await resume(studio, job_id)
    await run_until(studio, job_id, "render succeeded")
    assert (await tried(studio, "script")) == ["succeeded"]
    assert (await tried(studio, "narrate")).count("succeeded") == 1
    assert disk.files() == []


def clear(job: Job, kind: str) -> None:
    """The job's one message names the step, the cause, what was kept and what to do."""
    error = job.error or {}
    assert error["step"] == kind
    assert error["class"] == "DiskFull"
    assert "disk" in error["sentence"]
    assert "kept" in error["kept"]
    assert "Free some space" in error["next"]
    assert "retry" in error["next"]
    assert error["trace"] == ""


def partial_objects(settings: Settings) -> list[str]:
    """Files in the store that do not bear the hash of their content."""
    from hashlib import sha256

    found = (path for path in (settings.home / "objects").rglob("*") if path.is_file())
    return [path.name for path in found if sha256(path.read_bytes()).hexdigest() != path.name]
