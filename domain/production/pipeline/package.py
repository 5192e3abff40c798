"""Put together what leaves the house: film, thumbnail, captions, credits."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from domain.production.pipeline.base import Json, NewFile, Product, StepContext, StepResult, Work
from domain.production.pipeline.plans import load_plan
from domain.production.spec import JobSpec

KIND = "package"
VERSION = 1
POOL = "io"
FAN_OUT = False

THUMBNAIL_WIDE = 1280


def key(work: Work) -> Json | None:
    return {
        "film": work.inputs["mux"]["film"],
        "output": work.inputs["compose"]["output"],
        "pictures": work.inputs["illustrate"]["pictures"],
        "script": work.inputs["script"]["script"],
        "project": work.job.spec["project"]["name"],
        "build": work.build,
    }


def cost(spec: Json, step: Json) -> float:
    return 2.0


async def run(ctx: StepContext) -> StepResult:
    plan = await load_plan(ctx)
    film_sha = str(ctx.work.inputs["mux"]["film"])
    film = await ctx.local(film_sha)
    width, height = thumbnail_size(plan.output.width, plan.output.height)

    async def make(staging: Path) -> Product:
        out = staging / "thumbnail.jpg"
        await ctx.tools.renderer.still(film, plan.output.poster_frame, out, width, height)
        return Product({"thumbnail.jpg": NewFile(out, "image/jpeg", {"width": width, "height": height})})

    parts = {"build": ctx.work.build, "film": film_sha, "frame": plan.output.poster_frame, "size": [width, height]}
    made = await ctx.made_once("thumbnail", parts, make)
    thumbnail = await ctx.artifact("thumbnail.jpg", "thumbnail", made.files["thumbnail.jpg"])
    text = write_credits(JobSpec.read(ctx.work.job.spec), ctx.work, plan.assets)
    await ctx.artifact("credits.txt", "credits", text.encode(), "text/plain; charset=utf-8")
    ctx.log("Packaged: film, thumbnail, captions and credits")
    outputs = {"film": film_sha, "thumbnail": thumbnail.sha256, "seconds": _film_seconds(ctx.work)}
    return StepResult(outputs, units=1)


def thumbnail_size(width: int, height: int) -> tuple[int, int]:
    """Answer the size of the thumbnail: the longer side of the film scaled to 1280 px, even numbers."""
    scale = THUMBNAIL_WIDE / max(width, height)
    return round(width * scale / 2) * 2, round(height * scale / 2) * 2


def write_credits(spec: JobSpec, work: Work, shown: Collection[str]) -> str:
    """List what was used and under which licence, and the sources of the facts that the script rests on.

    `shown`: hashes of what is seen and heard; a picture that an edit has replaced is not among them.
    """
    lines = [spec.project.name, str(work.inputs["script"]["title"]), ""]
    brought = [edit.operation for edit in spec.timeline_edits if edit.operation["op"] == "asset"]
    credits_of = {
        f"{picture.get('credit', '')} ({picture.get('licence', '')})"
        for picture in (*work.inputs["illustrate"]["pictures"], *brought)
        if picture["sha256"] in shown and (picture.get("credit") or picture.get("licence"))
    }
    lines += ["Pictures", *sorted(credits_of), ""] if credits_of else []
    music = [f"{item.credit} ({item.licence})" for item in spec.library if item.role == "music"]
    lines += ["Music", *music, ""] if music and work.inputs["compose"].get("music") else []
    sources = sorted(set(work.inputs["script"].get("sources", [])))
    lines += ["Sources", *sources, ""] if sources else []
    return "\n".join(lines).strip() + "\n"


def _film_seconds(work: Work) -> float:
    rate = work.inputs["compose"]["output"]["rate"]
    return round(int(work.inputs["mux"]["frames"]) * int(rate["den"]) / int(rate["num"]), 3)
