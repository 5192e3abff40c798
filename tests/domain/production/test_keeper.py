"""Small results reach the disk beside the slot's next step, and always before the step that made them is settled."""

from __future__ import annotations

import asyncio
import errno
from dataclasses import replace
from pathlib import Path
from typing import cast
from uuid import UUID

import pytest
from sqlalchemy import select

from adapters.store.objects import LocalObjects
from domain.dispatch.model import Step
from domain.production.engine import Engine
from domain.production.keeper import Keeper
from domain.production.model import Artifact, Job
from domain.production.pipeline.base import Json, StepContext, StepKind, StepResult, Work
from domain.production.ports import Stored
from tests.support.line import Workspace, spec_topic


class SlowDisk(LocalObjects):
    """A disk that takes what it is given once it is let to, or is full."""

    def __init__(self, home: Path, fault: OSError | None = None) -> None:
        super().__init__(home / "objects", home / "staging")
        self.free, self.fault = asyncio.Event(), fault

    async def put_bytes(self, tenant_id: UUID, data: bytes) -> Stored:
        await self.free.wait()
        if self.fault:
            raise self.fault
        return await super().put_bytes(tenant_id, data)


class Notes:
    """A script that makes no call and keeps a few words."""

    KIND, VERSION, POOL, FAN_OUT = "script", 1, "io", False

    def key(self, work: Work) -> Json | None:
        return None

    def cost(self, spec: Json, step: Json) -> float:
        return 1.0

    async def run(self, ctx: StepContext) -> StepResult:
        kept = await ctx.artifact("notes.txt", "script", spec_topic(ctx.work).encode(), "text/plain")
        return StepResult({"notes": kept.sha256})


def equip(engine: Engine, disk: SlowDisk) -> None:
    engine.tools = replace(engine.tools, store=disk)
    engine.kinds = {**engine.kinds, "script": cast(StepKind, Notes())}


async def step_of(workspace: Workspace, job: Job, kind: str) -> Step:
    async with workspace.units.open(workspace.principal) as unit:
        return (await unit.session.execute(select(Step).where(Step.job_id == job.id, Step.kind == kind))).scalar_one()


class TestSlot:
    async def test_goes_on_before_the_bytes_are_kept_and_settles_after(
        self, engine: Engine, workspace: Workspace
    ) -> None:
        disk = SlowDisk(engine.home)
        equip(engine, disk)
        first, second = await workspace.order("First"), await workspace.order("Second")
        settling = await engine.run_ahead("io")
        assert settling is not None
        other = asyncio.create_task(engine.run_ahead("io", settling))
        while (await step_of(workspace, second, "script")).state != "running":
            assert not other.done()
        assert not settling.done()
        assert (await step_of(workspace, first, "script")).state == "running"
        disk.free.set()
        last = await other
        assert last is not None
        assert settling.done()
        await last.begin()
        step = await step_of(workspace, first, "script")
        assert step.state == "succeeded"
        assert step.outputs is not None
        assert await disk.get_bytes(workspace.tenant_id, step.outputs["notes"]) == b"First"

    async def test_bytes_that_could_not_be_kept_are_no_success(self, engine: Engine, workspace: Workspace) -> None:
        disk = SlowDisk(engine.home, OSError(errno.ENOSPC, "No space left on device"))
        disk.free.set()
        equip(engine, disk)
        job = await workspace.order("Nowhere")
        assert await engine.run_next("io")
        step = await step_of(workspace, job, "script")
        assert step.state == "delayed"
        assert step.error is not None
        assert "disk is full" in step.error["sentence"]
        async with workspace.units.open(workspace.principal) as unit:
            assert (await unit.session.execute(select(Artifact))).scalars().all() == []


class TestKeeper:
    async def test_what_was_promised_can_be_read_once_it_is_kept(self, tmp_path: Path) -> None:
        disk, tenant = SlowDisk(tmp_path), UUID(int=7)
        disk.free.set()
        keeper = Keeper(disk, tenant)
        words, others = keeper.promise(b"words"), keeper.promise(b"others")
        assert not await disk.exists(tenant, words.sha256)
        await keeper.keep(words.sha256)
        assert await disk.get_bytes(tenant, words.sha256) == b"words"
        assert not await disk.exists(tenant, others.sha256)
        await keeper.keep_all()
        assert await disk.get_bytes(tenant, others.sha256) == b"others"

    async def test_a_fault_is_told_and_what_is_held_stays(self, tmp_path: Path) -> None:
        disk, tenant = SlowDisk(tmp_path, OSError(errno.EIO, "lost")), UUID(int=7)
        disk.free.set()
        keeper = Keeper(disk, tenant)
        promised = keeper.promise(b"words")
        with pytest.raises(OSError, match="lost"):
            await keeper.keep_all()
        disk.fault = None
        await keeper.keep_all()
        assert await disk.get_bytes(tenant, promised.sha256) == b"words"
