"""Give every scene its picture: the project's own pictures first, a made one where none fits."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from domain.production.matching import Match, Picture, match_again
from domain.production.pipeline.base import (
    Json,
    MadeThing,
    NewFile,
    Product,
    StepContext,
    StepInfo,
    StepResult,
    StoredFile,
    Work,
)
from domain.production.ports import Fallback, ImageMaker, MadePicture, PictureRequest, Stopped, Usage, turn_of
from domain.production.spec import JobSpec, LibraryItem
from domain.studio.script import Scene, Script
from timeline.profiles import PROFILES

KIND = "illustrate"
VERSION = 1
POOL = "io"
FAN_OUT = False


def key(work: Work) -> Json | None:
    spec = JobSpec.read(work.job.spec)
    return {
        "script": work.inputs["script"]["script"],
        "library": [item.model_dump(mode="json") for item in spec.library if item.role == "picture"],
        "profile": spec.profile,
        "title": float(spec.video.body.title_seconds) > 0,
        "project": spec.project.name,
        "palette": spec.project.palette,
        "makers": spec.recipe.pictures,
        "wishes": work.step.spec.get("pictures", {}),
        "salt": work.step.salt or spec.salt,
        "instruction": work.step.instruction,
        "build": work.build,
    }


def cost(spec: Json, step: Json) -> float:
    return max(3.0, float(spec["seconds"]) / 6.0)


async def run(ctx: StepContext) -> StepResult:
    spec = JobSpec.read(ctx.work.job.spec)
    script = Script.model_validate_json(await ctx.read(str(ctx.work.inputs["script"]["script"])))
    library = (
        {item.id: item for item in spec.library if item.role == "picture"} if "library" in spec.recipe.pictures else {}
    )
    step = ctx.work.step
    matches = choose_pictures(script.scenes, list(library.values()), step)
    pictures = []
    for number, scene in enumerate(script.scenes):
        ctx.progress(number, len(script.scenes), "pictures")
        if ctx.stop():
            raise Stopped
        pictures.append(await _picture(ctx, spec, script.title, (number, scene), matches[scene.id], library))
    ctx.progress(len(script.scenes), len(script.scenes), "pictures")
    made = sum(1 for picture in pictures if picture["origin"] != "library")
    ctx.log(f"{len(pictures)} pictures: {len(pictures) - made} from the library, {made} made")
    return StepResult({"pictures": pictures}, units=len(pictures), lesser=lesser(pictures))


def choose_pictures(scenes: Sequence[Scene], library: Sequence[Picture], step: StepInfo) -> dict[str, Match]:
    """The library's pictures for scenes. Rounds are counted by the step's own salt; the job's says nothing of them."""
    return match_again(scenes, library, step.instruction, str(step.spec.get("salt", "")))


def lesser(pictures: Sequence[Json]) -> str:
    """In what way the pictures are less than what was asked for; empty when they are not."""
    fallen = [str(picture["scene"]) for picture in pictures if picture.get("fallbacks")]
    milder = [str(picture["scene"]) for picture in pictures if picture.get("softened")]
    told = [f"another maker stood in for {', '.join(fallen)}"] if fallen else []
    told += [f"a milder prompt was used for {', '.join(milder)}"] if milder else []
    return "; ".join(told)


async def _picture(
    ctx: StepContext,
    spec: JobSpec,
    title: str,
    numbered: tuple[int, Scene],
    match: Match,
    library: Mapping[str, LibraryItem],
) -> dict[str, Any]:
    number, scene = numbered
    if match.picture is not None and scene.id not in ctx.work.step.spec.get("pictures", {}):
        return await _from_library(ctx, scene, number, match, library[match.picture])
    ctx.log(f"Scene {scene.id}: {match.reason}; a picture is made by {ctx.tools.images.name}", group=scene.id)
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
    wish = _wish(ctx.work, scene)
    fallbacks: list[dict[str, Any]] = []

    async def attempt(maker: ImageMaker) -> MadeThing:
        # A picture belongs to the maker that made it: one that stood in is not found again under another's name.
        parts = _parts(ctx.work, spec, scene, lettering, wish, maker)
        return await ctx.made_once("picture", parts, lambda _staging: _ask(ctx, maker, _request(parts, wish)))

    def tell(step: Fallback) -> None:
        fallbacks.append(_tell_fallback(ctx, scene, step))

    made = await ctx.tools.images.first(attempt, tell)
    stored = made.files["picture"]
    if made.facts.get("softened"):
        _tell_softened(ctx, scene, made)
    facts = {**made.facts, "scene": scene.id, **({"fallbacks": fallbacks} if fallbacks else {})}
    name = f"pictures/{scene.id}{_suffix(stored.media_type)}"
    await ctx.artifact(name, "picture", stored, facts=facts, position=number)
    return {"sha256": stored.sha256, "media_type": stored.media_type, **facts}


def _wish(work: Work, scene: Scene) -> Mapping[str, str]:
    """What a person wants changed: in this picture alone, else in all of them."""
    own = work.step.spec.get("pictures", {}).get(scene.id)
    return own if own else {"instruction": work.step.instruction, "salt": ""}


def _parts(
    work: Work,
    spec: JobSpec,
    scene: Scene,
    lettering: tuple[str, str],
    wish: Mapping[str, str],
    maker: ImageMaker,
) -> dict[str, Any]:
    """Everything that shapes a made picture."""
    profile = PROFILES[spec.profile]
    parts = {
        "prompt": scene.visual.prompt,
        "keywords": scene.visual.keywords,
        "lettering": list(lettering),
        "size": [profile.width, profile.height],
        "language": spec.language,
        "palette": spec.project.palette,
        "maker": maker.build,
        "kicker": spec.project.name,
        "salt": work.step.salt or spec.salt,
    }
    wanted = {name: text for name, text in wish.items() if text}
    return {**parts, "wish": wanted} if wanted else parts


def _request(parts: Json, wish: Mapping[str, str]) -> PictureRequest:
    headline, figure = parts["lettering"]
    width, height = parts["size"]
    return PictureRequest(
        prompt=" ".join(filter(None, (parts["prompt"], wish["instruction"]))),
        headline=headline,
        keywords=parts["keywords"],
        language=parts["language"],
        width=width,
        height=height,
        seed=hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest(),
        palette=parts["palette"],
        figure=figure,
        kicker=parts["kicker"],
    )


async def _ask(ctx: StepContext, maker: ImageMaker, request: PictureRequest) -> Product:
    async with turn_of(maker):
        made = await ctx.effects.perform(
            provider=maker.name,
            model=maker.model,
            request=dataclasses.asdict(request),
            call=lambda: maker.make(request),
            encode=_encode,
            decode=_decode,
            usage=lambda picture: picture.usage,
            idempotent=maker.name == "artboard",
        )
    return _product(made)


def _tell_fallback(ctx: StepContext, scene: Scene, step: Fallback) -> dict[str, Any]:
    """No step down is silent: a line, an event with reason and price, and a fact of the picture."""
    # What a call in doubt was billed is known to its provider alone.
    spent = None if step.kind == "left_out" else step.usage.micro_dollars if step.usage else 0
    told = {
        "provider": step.provider,
        "then": step.then,
        "kind": step.kind,
        "sentence": step.sentence,
        "request_id": step.request_id,
        "micro_dollars": spent,
    }
    ctx.log(f"Scene {scene.id}: {step.then} stands in for {step.provider}. {step.sentence}", "warn", scene.id)
    ctx.event("picture.fallback", scene=scene.id, **told)
    return told


def _tell_softened(ctx: StepContext, scene: Scene, made: MadeThing) -> None:
    ctx.log(f"Scene {scene.id}: made from a milder prompt. {made.facts['softened']}", "warn", scene.id)
    ctx.event("picture.softened", scene=scene.id, provider=made.facts["origin"], sentence=made.facts["softened"])


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
        **({"softened": made.softened} if made.softened else {}),
    }
    return Product({"picture": NewFile(made.data, made.media_type)}, facts)


def _suffix(media_type: str) -> str:
    return {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}.get(media_type, ".img")
