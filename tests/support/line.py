"""A small factory for tests of the line: a workspace, a recipe, and step kinds that are quick, slow or faulty.

The kinds do real work through the real engine (files, calls, parts, fan-out); only what they make is small. Behaviour
is steered by the topic of the job: words such as `slow`, `refused`, `busy`, `crash`, `full`.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from adapters.database import Engines
from adapters.store.objects import LocalObjects
from domain.catalog.commands import create_project, save_version
from domain.catalog.model import Project
from domain.production.commands.create_job import create_job
from domain.production.commands.new_job import NewJob
from domain.production.engine import Engine
from domain.production.model import Job
from domain.production.pipeline.base import (
    Json,
    NewFile,
    NewStep,
    Product,
    StepContext,
    StepKind,
    StepResult,
    Tools,
    Work,
)
from domain.production.ports import ProviderBusy, ProviderRefused, Stopped, Usage
from tenants.directory import create_tenant
from tenants.principal import Principal
from tenants.unit import Units

CALLS: Counter[str] = Counter()
"""How often outside calls were really made in this process, by name."""

SHARDS = 3


def count_call(name: str) -> None:
    """Count a call here, and in the file that several processes share when a test names one."""
    CALLS[name] += 1
    if shared := os.environ.get("LINE_CALLS"):
        with Path(shared).open("a") as file:
            file.write(f"{name}\n")


def spec_topic(work: Work) -> str:
    return str(work.job.spec["topic"])


class Write:
    """Stands for the script: one paid call, one artifact; obeys the topic's word."""

    KIND, VERSION, POOL, FAN_OUT = "script", 1, "io", False

    def key(self, work: Work) -> Json | None:
        return {
            "topic": spec_topic(work),
            "edits": {**work.job.spec["script_edits"], **work.step.spec.get("edits", {})},
        }

    def cost(self, spec: Json, step: Json) -> float:
        return 1.0

    async def run(self, ctx: StepContext) -> StepResult:
        topic = spec_topic(ctx.work)
        ctx.log("Writing", group="rounds")
        ctx.progress(1, 2, "drafts")

        async def call() -> str:
            count_call("write")
            if "refused" in topic:
                raise ProviderRefused("scribe", "The key is not accepted.", request_id="req-7", fix="Set a valid key.")
            if "busy" in topic and ctx.work.step.attempt == 1:
                raise ProviderBusy("scribe", "Too many requests.", retry_after=0.0)
            return topic.upper()

        answer = await ctx.effects.perform(
            provider="scribe",
            request={"topic": topic},
            call=call,
            encode=str.encode,
            decode=bytes.decode,
            usage=lambda _: Usage({"calls": 1}, 1500),
        )
        if "full" in topic:
            raise OSError(errno.ENOSPC, "No space left on device")
        if "odd" in topic:
            raise RuntimeError("nobody expected this")
        ctx.progress(2, 2, "drafts")
        edits = {**ctx.work.job.spec["script_edits"], **ctx.work.step.spec.get("edits", {})}
        edited = f"{answer}\n{edits or ''}".strip()
        kept = await ctx.artifact("script.txt", "script", edited.encode(), "text/plain")
        return StepResult({"script": kept.sha256}, units=1)


class Plan:
    """Stands for composing: spawns one shard per letter group of the script."""

    KIND, VERSION, POOL, FAN_OUT = "compose", 1, "io", False

    def key(self, work: Work) -> Json | None:
        return {"script": work.inputs["script"]["script"], "topic": spec_topic(work)}

    def cost(self, spec: Json, step: Json) -> float:
        return 0.5

    async def run(self, ctx: StepContext) -> StepResult:
        edits = ctx.work.job.spec["script_edits"]
        texts = [edits.get(f"s{n}", {}).get("sentences", [f"part {n}"])[0] for n in range(SHARDS)]
        seed = spec_topic(ctx.work).split("!")[0]
        shards = [
            NewStep("render", f"{n:03d}", {"key": hashlib.sha256(f"{seed}:{text}".encode()).hexdigest()}, cost=2.0)
            for n, text in enumerate(texts)
        ]
        return StepResult({"shards": SHARDS}, spawn=shards, before=["mux"])


class Draw:
    """Stands for rendering a segment: the same key gives the same bytes; `slow` topics take as long as they may."""

    KIND, VERSION, POOL, FAN_OUT = "render", 1, "cpu", True

    def key(self, work: Work) -> Json | None:
        return {"node": work.step.spec["key"]}

    def cost(self, spec: Json, step: Json) -> float:
        return 2.0

    async def run(self, ctx: StepContext) -> StepResult:
        topic = spec_topic(ctx.work)
        if "slow" in topic:
            await self._linger(ctx)

        async def make(staging: Path) -> Product:
            count_call("draw")
            out = staging / "segment.bin"
            out.write_bytes(hashlib.sha256(str(ctx.work.step.spec["key"]).encode()).digest() * 1000)
            return Product({"segment.bin": NewFile(out, "application/octet-stream")})

        made = await ctx.made_once("segment", {"node": ctx.work.step.spec["key"]}, make)
        kept = await ctx.artifact(f"segments/{ctx.work.step.shard}.bin", "segment", made.files["segment.bin"])
        return StepResult({"sha256": kept.sha256})

    async def _linger(self, ctx: StepContext) -> None:
        """Work in small pieces until the first try is stopped, or the gate file of the test appears."""
        gate = Path(os.environ.get("LINE_GATE", "/nonexistent"))
        turn = 0
        while not gate.exists():
            if ctx.stop():
                raise Stopped
            turn += 1
            ctx.progress(turn, 1000, "frames")
            await asyncio.sleep(0.02)


class Join:
    """Stands for joining: puts the segments one after the other."""

    KIND, VERSION, POOL, FAN_OUT = "mux", 1, "cpu", False

    def key(self, work: Work) -> Json | None:
        return {"segments": [work.shards["render"][name]["sha256"] for name in sorted(work.shards["render"])]}

    def cost(self, spec: Json, step: Json) -> float:
        return 1.0

    async def run(self, ctx: StepContext) -> StepResult:
        shards = ctx.work.shards["render"]
        whole = b"".join([await ctx.read(str(shards[name]["sha256"])) for name in sorted(shards)])
        kept = await ctx.artifact("film.bin", "film", whole, "application/octet-stream")
        return StepResult({"film": kept.sha256, "size": kept.size})


KINDS: Mapping[str, StepKind] = cast(
    Mapping[str, StepKind], {kind.KIND: kind for kind in (Write(), Plan(), Draw(), Join())}
)

RECIPE: dict[str, Any] = {
    "steps": [
        {"kind": "script", "gate": True},
        {"kind": "compose", "needs": ["script"]},
        {"kind": "render", "needs": ["compose"]},
        {"kind": "mux", "needs": ["render"], "gate": False},
    ],
    "prompt": "plain",
    "voice": "narrator",
    "video": "calm",
    "ssml": "pauses",
    "validators": [],
}


@dataclass(frozen=True)
class Workspace:
    """A tenant with a project and the recipe `tiny`."""

    principal: Principal
    project: Project
    units: Units

    @property
    def tenant_id(self) -> UUID:
        return self.principal.tenant_id

    async def order(self, topic: str, **changes: Any) -> Job:
        """Create a job."""
        new = NewJob(self.project.slug, changes.pop("recipe", "tiny"), topic, **changes)
        async with self.units.open(self.principal) as unit:
            return await create_job(unit, new, KINDS)


async def open_workspace(units: Units, slug: str) -> Workspace:
    """Make a tenant that can order jobs."""
    tenant_id = await create_tenant(units, slug, slug.title())
    principal = Principal(tenant_id=tenant_id, kind="person", role="owner", name="Ada")
    async with units.open(principal) as unit:
        project = await create_project(unit, "films", "Films", languages=["en"])
        await save_version(unit, "prompt", "plain", "Plain", {"template": "{{ topic }}"})
        voice = {"preset": "voice", "voice": "en", "language": "en"}
        await save_version(unit, "preset", "narrator", "Narrator", voice)
        await save_version(unit, "preset", "calm", "Calm", {"preset": "video"})
        await save_version(unit, "preset", "pauses", "Pauses", {"preset": "ssml"})
        await save_version(unit, "recipe", "tiny", "Tiny", RECIPE)
    return Workspace(principal, project, units)


def make_tools(home: Path) -> Tools:
    """A real object store and no providers."""
    nothing: Any = None
    store = LocalObjects(home / "objects", home / "staging")
    return Tools(store=store, writer=nothing, narrator=nothing, images=nothing, renderer=nothing, build="test/1")


def make_engine(engines: Engines, home: Path, lease_s: float = 30.0) -> Engine:
    """An engine on real rows and a real object store, with the kinds above and no providers."""
    return Engine(engines.units(), make_tools(home), KINDS, home, lease_s)


async def work_off(engine: Engine, pools: tuple[str, ...] = ("io", "cpu")) -> int:
    """Run steps until nothing can be claimed; answer how many ran."""
    ran = 0
    while True:
        worked = [await engine.run_next(pool) for pool in pools]
        ran += sum(worked)
        if not any(worked):
            return ran
