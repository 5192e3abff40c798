"""Give every scene its picture: the project's own pictures first, a made one where none fits."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domain.production.matching import Match, match_pictures
from domain.production.pipeline.base import Json, NewFile, Product, StepContext, StepResult, StoredFile, Work
from domain.production.ports import ImageMaker, MadePicture, PictureRequest, Stopped, Usage
from domain.production.spec import JobSpec, LibraryItem
from domain.studio.script import Scene, Script
from timeline.profiles import PROFILES

KIND = "illustrate"
VERSION = 1
POOL = "io"
FAN_OUT = False


def key(work: Work) -> Json | None:
    spec = JobSpec.model_validate(work.job.spec)
    return {
        "script": work.inputs["script"]["script"],
        "library": [item.model_dump(mode="json") for item in spec.library if item.role == "picture"],
        "profile": spec.profile,
        "title": float(spec.video.body.title_seconds) > 0,
        "project": spec.project.name,
        "palette": spec.project.palette,
        "makers": spec.recipe.pictures,
        "salt": work.step.salt or spec.salt,
        "instruction": work.step.instruction,
        "build": work.build,
    }


def cost(spec: Json, step: Json) -> float:
    return max(3.0, float(spec["seconds"]) / 6.0)


async def run(ctx: StepContext) -> StepResult:
    spec = JobSpec.model_validate(ctx.work.job.spec)
    script = Script.model_validate_json(await ctx.read(str(ctx.work.inputs["script"]["script"])))
    library = (
        {item.id: item for item in spec.library if item.role == "picture"} if "library" in spec.recipe.pictures else {}
    )
    matches = match_pictures(script.scenes, list(library.values()))
    pictures = []
    for number, scene in enumerate(script.scenes):
        ctx.progress(number, len(script.scenes), "pictures")
        if ctx.stop():
            raise Stopped
        pictures.append(await _picture(ctx, spec, script.title, (number, scene), matches[scene.id], library))
    ctx.progress(len(script.scenes), len(script.scenes), "pictures")
    made = sum(1 for picture in pictures if picture["origin"] != "library")
    ctx.log(f"{len(pictures)} pictures: {len(pictures) - made} from the library, {made} made")
    return StepResult({"pictures": pictures}, units=len(pictures))


async def _picture(
    ctx: StepContext,
    spec: JobSpec,
    title: str,
    numbered: tuple[int, Scene],
    match: Match,
    library: Mapping[str, LibraryItem],
) -> dict[str, Any]:
    number, scene = numbered
    if match.picture is not None:
        return await _from_library(ctx, scene, number, match, library[match.picture])
    ctx.log(f"Scene {scene.id}: {match.reason}; a board is made", group=scene.id)
    return await _made(ctx, spec, scene, number, _lettering(spec, title, scene, number))


async def _from_library(ctx: StepContext, scene: Scene, number: int, match: Match, item: LibraryItem) -> dict[str, Any]:
    ctx.log(f"Scene {scene.id}: library picture, {match.reason}", group=scene.id)
    size = len(await ctx.read(item.sha256))
    stored = StoredFile(item.sha256, size, item.media_type)
    facts = {"scene": scene.id, "origin": "library", "width": item.width, "height": item.height, "credit": item.credit}
    await ctx.artifact(
        f"pictures/{scene.id}{_suffix(item.media_type)}", "picture", stored, facts=facts, position=number
    )
    return {
        "scene": scene.id,
        "sha256": item.sha256,
        "width": item.width,
        "height": item.height,
        "media_type": item.media_type,
        "focus": item.focus,
        "origin": "library",
        "reason": match.reason,
        "credit": item.credit,
        "licence": item.licence,
    }


def _lettering(spec: JobSpec, title: str, scene: Scene, number: int) -> tuple[str, str]:
    """Answer headline and figure of a scene's board; the first board carries the film's title, where it has one."""
    if number == 0 and float(spec.video.body.title_seconds) > 0:
        return title, ""
    return scene.visual.headline or scene.title, scene.visual.figure


async def _made(
    ctx: StepContext, spec: JobSpec, scene: Scene, number: int, lettering: tuple[str, str]
) -> dict[str, Any]:
    profile = PROFILES[spec.profile]
    maker: ImageMaker = ctx.tools.images
    parts = {
        "prompt": scene.visual.prompt,
        "keywords": scene.visual.keywords,
        "lettering": list(lettering),
        "size": [profile.width, profile.height],
        "language": spec.language,
        "palette": spec.project.palette,
        "maker": maker.build,
        "kicker": spec.project.name,
        "salt": ctx.work.step.salt or spec.salt,
    }
    request = PictureRequest(
        prompt=scene.visual.prompt,
        headline=lettering[0],
        keywords=scene.visual.keywords,
        language=spec.language,
        width=profile.width,
        height=profile.height,
        seed=hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest(),
        palette=spec.project.palette,
        figure=lettering[1],
        kicker=spec.project.name,
    )

    async def make(_staging: Path) -> Product:
        made = await ctx.effects.perform(
            provider=maker.name,
            request=dataclasses.asdict(request),
            call=lambda: maker.make(request),
            encode=_encode,
            decode=_decode,
            usage=lambda picture: picture.usage,
            idempotent=maker.name == "artboard",
        )
        return _product(made)

    made = await ctx.made_once("picture", parts, make)
    stored = made.files["picture"]
    facts = {**made.facts, "scene": scene.id}
    name = f"pictures/{scene.id}{_suffix(stored.media_type)}"
    await ctx.artifact(name, "picture", stored, facts=facts, position=number)
    return {"scene": scene.id, "sha256": stored.sha256, "media_type": stored.media_type, **made.facts}


def _encode(made: MadePicture) -> bytes:
    """One line of JSON, then the picture's bytes."""
    head = {name: value for name, value in dataclasses.asdict(made).items() if name != "data"}
    return json.dumps(head).encode() + b"\n" + made.data


def _decode(answer: bytes) -> MadePicture:
    head, data = answer.split(b"\n", 1)
    values = json.loads(head)
    return MadePicture(**{**values, "data": data, "usage": Usage(**values["usage"])})


def _product(made: MadePicture) -> Product:
    facts = {
        "width": made.width,
        "height": made.height,
        "origin": made.provider,
        "credit": made.credit,
        "licence": made.licence,
        "draft": made.draft,
    }
    return Product({"picture": NewFile(made.data, made.media_type)}, facts)


def _suffix(media_type: str) -> str:
    return {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}.get(media_type, ".img")
