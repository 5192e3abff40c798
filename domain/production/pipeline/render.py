"""Render one node of the plan: a silent segment of the picture, or the whole film's sound. One step per node."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domain.production.pipeline.base import Json, NewFile, Product, StepContext, StepResult, Work
from domain.production.pipeline.plans import load_plan, local_assets
from domain.production.ports import Assets
from timeline.plan import RenderPlan, Segment

KIND = "render"
VERSION = 1
POOL = "cpu"
FAN_OUT = True

SOUND = "sound"
FRAMES_PER_SECOND_GUESS = 30.0
"""Frames that one slot makes in a second; only for the estimate."""
SOUND_SHARE = 10
"""Mixing the sound of so many frames takes as long as making one of them."""


def key(work: Work) -> Json | None:
    """A node's key already holds everything that shapes its bytes; the place in the film names its artifact."""
    return {"node": work.step.spec["key"], "segment": work.step.spec.get("segment", SOUND)}


def cost(spec: Json, step: Json) -> float:
    return max(1.0, float(step.get("frames", 60)) / FRAMES_PER_SECOND_GUESS)


async def run(ctx: StepContext) -> StepResult:
    plan = await load_plan(ctx)
    if ctx.work.step.shard == SOUND:
        return await _run_sound(ctx, plan)
    return await _run_segment(ctx, plan, plan.segments[int(ctx.work.step.spec["segment"])])


async def _run_segment(ctx: StepContext, plan: RenderPlan, segment: Segment) -> StepResult:
    ctx.log(f"Segment {segment.index + 1} of {len(plan.segments)}: {segment.frames} frames, {segment.kind}")
    assets = await local_assets(ctx, plan, _names_of(segment.model_dump(mode="json")))

    async def make(staging: Path) -> Product:
        renderer, out, seen = ctx.tools.renderer, staging / "segment.mp4", staging / "seen.json"
        await renderer.render_segment(plan, segment, Assets(assets), out, _report(ctx, "frames"), ctx.stop)
        # Looked at while others are made; the quality gate reads what was seen.
        await renderer.watch(plan, segment, out, seen, ctx.stop)
        film = NewFile(out, "video/mp4", {"frames": segment.frames})
        return Product({"segment.mp4": film, "seen.json": NewFile(seen, "application/json")})

    made = await ctx.made_once("segment", {"node": segment.key}, make)
    kept = await ctx.artifact(
        f"segments/{segment.index:03d}.mp4", "segment", made.files["segment.mp4"], position=segment.index
    )
    ctx.progress(segment.frames, segment.frames, "frames")
    # Segments of earlier versions were not looked at; the gate then looks at the film.
    seen = made.files.get("seen.json")
    outputs = {"sha256": kept.sha256, "frames": segment.frames, "seen": seen.sha256 if seen else ""}
    return StepResult(outputs, units=segment.frames)


async def _run_sound(ctx: StepContext, plan: RenderPlan) -> StepResult:
    ctx.log(f"Sound of the whole film: {len(plan.sound.sounds)} pieces")
    assets = await local_assets(ctx, plan, {sound.asset for sound in plan.sound.sounds})

    async def make(staging: Path) -> Product:
        out = staging / "sound.wav"
        await ctx.tools.renderer.mix_sound(plan, Assets(assets), out, _report(ctx, "samples"), ctx.stop)
        return Product({"sound.wav": NewFile(out, "audio/wav", {"samples": plan.sound.samples})})

    made = await ctx.made_once("sound", {"node": plan.sound.key}, make)
    kept = await ctx.artifact("sound.wav", "sound", made.files["sound.wav"])
    outputs = {"sha256": kept.sha256, "samples": plan.sound.samples}
    return StepResult(outputs, units=plan.sound.samples / plan.sound.sample_rate)


def _report(ctx: StepContext, stage: str) -> Any:
    def report(done: int, total: int) -> None:
        ctx.progress(done, total, stage)

    return report


def _names_of(node: Any) -> set[str]:
    """Answer every asset that a node names."""
    if isinstance(node, Mapping):
        own = {node["asset"]} if isinstance(node.get("asset"), str) else set()
        return own.union(*(_names_of(value) for value in node.values()))
    if isinstance(node, list | tuple):
        return set[str]().union(*(_names_of(value) for value in node))
    return set()
