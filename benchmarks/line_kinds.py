"""Step kinds for benchmarks of the line: real steps through the real engine, whose work is to wait.

A job's topic says how many shards it has and how long they take: `whales 7 | shards=10 seconds=0.5 spread=0.4`.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

from domain.production.pipeline.base import Json, NewStep, StepContext, StepKind, StepResult, Work
from domain.production.ports import Stopped, Usage

CALLS = "LINE_CALLS"
"""Environment variable: the file in which the pretended provider writes down each call that it is paid for."""
LOOK_S = 0.05


@dataclass(frozen=True)
class Wish:
    """What a topic asks for. `seconds` per shard, give or take `spread` (a share); `guess`: what is thought before."""

    name: str
    shards: int = 1
    seconds: float = 0.05
    spread: float = 0.0
    guess: float = 0.0

    def topic(self) -> str:
        """The topic that says this."""
        told = " ".join(f"{one.name}={getattr(self, one.name)}" for one in fields(self) if one.name != "name")
        return f"{self.name} | {told}"

    def lasts(self, shard: str) -> float:
        """How long a shard takes; the same shard always takes the same time."""
        chance = random.Random(f"{self.name}:{shard}")
        return self.seconds * chance.uniform(1 - self.spread, 1 + self.spread)


def read_wish(topic: str) -> Wish:
    """Read a topic."""
    name, _, told = topic.partition(" | ")
    given = dict(part.split("=") for part in told.split())
    kinds = {"shards": int}
    return Wish(name, **{key: kinds.get(key, float)(value) for key, value in given.items()})


def _wish(work: Work) -> Wish:
    return read_wish(str(work.job.spec["topic"]))


def _note(call: str) -> None:
    """Write down a paid call, as the provider would."""
    with Path(os.environ[CALLS]).open("a") as file:
        file.write(f"{call}\n")


class Begin:
    """Stands for the script: one call that is paid for, then one shard after the other is spawned."""

    KIND, VERSION, POOL, FAN_OUT = "script", 1, "io", False

    def key(self, work: Work) -> Json | None:
        return None

    def cost(self, spec: Json, step: Json) -> float:
        return 0.1

    async def run(self, ctx: StepContext) -> StepResult:
        wish = _wish(ctx.work)

        async def call() -> str:
            _note(f"{ctx.work.tenant_id} {wish.name}")
            return wish.name.upper()

        await ctx.effects.perform(
            provider="scribe",
            request={"topic": wish.name},
            call=call,
            encode=str.encode,
            decode=bytes.decode,
            usage=lambda _: Usage({"calls": 1}, 1500),
        )
        cost = wish.guess or wish.seconds
        shards = [NewStep("render", f"{n:03d}", {"key": f"{wish.name}:{n}"}, cost=cost) for n in range(wish.shards)]
        return StepResult({"shards": wish.shards}, spawn=shards, before=["mux"])


class Doze:
    """Stands for a segment: waits as long as it should, then keeps bytes that follow from its key."""

    KIND, VERSION, POOL, FAN_OUT = "render", 1, "cpu", True

    def key(self, work: Work) -> Json | None:
        return None

    def cost(self, spec: Json, step: Json) -> float:
        return read_wish(str(spec.get("topic", "-"))).seconds

    async def run(self, ctx: StepContext) -> StepResult:
        await _wait(ctx, _wish(ctx.work).lasts(ctx.work.step.shard))
        data = hashlib.sha256(str(ctx.work.step.spec["key"]).encode()).digest() * 64
        kept = await ctx.artifact(f"segments/{ctx.work.step.shard}.bin", "segment", data, "application/octet-stream")
        return StepResult({"sha256": kept.sha256})


class Join:
    """Stands for joining: puts the segments one after the other."""

    KIND, VERSION, POOL, FAN_OUT = "mux", 1, "cpu", False

    def key(self, work: Work) -> Json | None:
        return None

    def cost(self, spec: Json, step: Json) -> float:
        return 0.1

    async def run(self, ctx: StepContext) -> StepResult:
        shards = ctx.work.shards["render"]
        whole = b"".join([await ctx.read(str(shards[name]["sha256"])) for name in sorted(shards)])
        kept = await ctx.artifact("film.bin", "film", whole, "application/octet-stream")
        return StepResult({"film": kept.sha256})


class Alone:
    """A step that is a whole job: it waits and keeps nothing."""

    KIND, VERSION, POOL, FAN_OUT = "check", 1, "io", False

    def key(self, work: Work) -> Json | None:
        return None

    def cost(self, spec: Json, step: Json) -> float:
        # A quote asks without a topic.
        wish = read_wish(str(spec.get("topic", "-")))
        return wish.guess or wish.seconds

    async def run(self, ctx: StepContext) -> StepResult:
        await _wait(ctx, _wish(ctx.work).lasts(""))
        return StepResult({"done": True})


async def _wait(ctx: StepContext, seconds: float) -> None:
    """Wait, and look now and then whether to stop."""
    until = asyncio.get_running_loop().time() + seconds
    while (left := until - asyncio.get_running_loop().time()) > 0:
        if ctx.stop():
            raise Stopped
        await asyncio.sleep(min(left, LOOK_S))


KINDS: Mapping[str, StepKind] = cast(
    Mapping[str, StepKind], {kind.KIND: kind for kind in (Begin(), Doze(), Join(), Alone())}
)

_CATALOGUE: dict[str, Any] = {
    "prompt": "plain",
    "voice": "narrator",
    "video": "calm",
    "ssml": "pauses",
    "validators": [],
}
RECIPES: Mapping[str, dict[str, Any]] = {
    "many": {
        **_CATALOGUE,
        "steps": [
            {"kind": "script"},
            {"kind": "render", "needs": ["script"]},
            {"kind": "mux", "needs": ["render"]},
        ],
    },
    "one": {**_CATALOGUE, "steps": [{"kind": "check"}]},
}
