"""Join the rendered segments by copy and put the sound under them: the film."""

from __future__ import annotations

from pathlib import Path

from domain.production.pipeline.base import Json, NewFile, Product, StepContext, StepResult, Work
from domain.production.pipeline.plans import load_plan
from domain.production.pipeline.render import SOUND

KIND = "mux"
VERSION = 1
POOL = "cpu"
FAN_OUT = False


def key(work: Work) -> Json | None:
    shards = work.shards["render"]
    return {
        "segments": [shards[name]["sha256"] for name in sorted(shards) if name != SOUND],
        "sound": shards[SOUND]["sha256"],
        "output": work.inputs["compose"]["output"],
        "build": work.build,
    }


def cost(spec: Json, step: Json) -> float:
    return max(3.0, float(spec["seconds"]) / 12.0)


async def run(ctx: StepContext) -> StepResult:
    plan = await load_plan(ctx)
    shards = ctx.work.shards["render"]
    names = sorted(name for name in shards if name != SOUND)
    ctx.log(f"Joining {len(names)} segments with the sound")
    segments = [await ctx.local(str(shards[name]["sha256"])) for name in names]
    sound = await ctx.local(str(shards[SOUND]["sha256"]))

    def report(done: int, total: int) -> None:
        ctx.progress(done, total, "joined")

    async def make(staging: Path) -> Product:
        out = staging / "film.mp4"
        await ctx.tools.renderer.join(plan, segments, sound, out, report, ctx.stop)
        return Product({"film.mp4": NewFile(out, "video/mp4", {"frames": plan.frames})})

    made = await ctx.made_once("film", key(ctx.work) or {}, make)
    film = await ctx.artifact("film.mp4", "film", made.files["film.mp4"], facts=_facts(plan.frames, ctx.work))
    ctx.log(f"Film joined: {plan.frames} frames, {film.size / 1e6:.1f} MB")
    return StepResult({"film": film.sha256, "size": film.size, "frames": plan.frames}, units=plan.frames)


def _facts(frames: int, work: Work) -> Json:
    output = work.inputs["compose"]["output"]
    rate = output["rate"]
    return {
        "frames": frames,
        "seconds": round(frames * int(rate["den"]) / int(rate["num"]), 3),
        "width": output["width"],
        "height": output["height"],
    }
