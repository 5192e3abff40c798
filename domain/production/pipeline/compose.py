"""Place everything on tracks: write the timeline document, resolve it, and compile the render plan.

Spawns one *render* step per segment and one for the sound; *mux* waits for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from domain.production.composing import Ingredients, ScenePicture, compose_document, timeline_words
from domain.production.pipeline import render
from domain.production.pipeline.base import Json, NewStep, StepContext, StepResult, Work
from domain.production.pressing import Pressed, describe_unfit, press, wished_spec
from domain.production.spec import JobSpec, LibraryItem
from domain.production.wishes import understood
from domain.studio.script import Script
from timeline.captions.sidecars import write_srt, write_vtt
from timeline.editing.draft import Draft
from timeline.loading import parse
from timeline.media import Media, MediaWord
from timeline.plan import RenderPlan
from timeline.profiles import PROFILES
from timeline.resolve import ResolvedTimeline

KIND = "compose"
VERSION = 1
POOL = "io"
FAN_OUT = False


def key(work: Work) -> Json | None:
    spec = JobSpec.read(work.job.spec)
    return {
        "script": work.inputs["script"]["script"],
        "narration": work.inputs["narrate"]["narration"],
        "wav": work.inputs["narrate"]["wav"],
        "pictures": work.inputs["illustrate"]["pictures"],
        "video": spec.video.body.model_dump(mode="json"),
        "profile": spec.profile,
        "library": [item.model_dump(mode="json") for item in spec.library if item.role != "picture"],
        "project": spec.project.name,
        "build": work.build,
        **({"edits": [edit.operation for edit in spec.timeline_edits]} if spec.timeline_edits else {}),
    }


def cost(spec: Json, step: Json) -> float:
    return 2.0


async def run(ctx: StepContext) -> StepResult:
    spec = _wished(ctx)
    script = Script.model_validate_json(await ctx.read(str(ctx.work.inputs["script"]["script"])))
    narration = json.loads(await ctx.read(str(ctx.work.inputs["narrate"]["narration"])))
    parts = await _gather(ctx, spec, script, narration)
    profile = PROFILES[spec.profile]
    authored = compose_document(parts, spec.video.body, spec.profile, (profile.width, profile.height))
    composed = Draft(parse(authored), _media(ctx.work, spec, parts, narration))
    pressed = press(composed, spec, ctx.tools.extra["font_metrics"](), ctx.tools.renderer.build)
    written = authored
    if spec.timeline_edits:
        written = pressed.draft.plain
        await _tell_edits(ctx, authored, pressed)
    stored = await _keep(ctx, written, pressed.draft.resolved, pressed.plan)
    plan = pressed.plan
    ctx.log(
        f"Plan: {plan.frames} frames in {len(plan.segments)} segments, {len(plan.cues)} captions, "
        f"{plan.output.width}×{plan.output.height}"
    )
    result = hand_over(plan, stored, music=parts.music_sha is not None)
    return replace(result, outputs={**result.outputs, **_edits_told(spec, pressed)})


async def _tell_edits(ctx: StepContext, authored: Mapping[str, Any], pressed: Pressed) -> None:
    """Keep what was composed before the edits, and say which of them no longer fit: none is left out in silence."""
    text = json.dumps(authored, indent=1, ensure_ascii=False).encode()
    await ctx.artifact("timeline.composed.json", "timeline", text, "application/json")
    for unfit in pressed.unfit:
        ctx.log(f"An edit of the timeline no longer fits: {describe_unfit(unfit)}", "warn")
    if pressed.unfit:
        ctx.event("timeline.unfit", count=len(pressed.unfit))


def _edits_told(spec: JobSpec, pressed: Pressed) -> dict[str, Any]:
    if not spec.timeline_edits:
        return {}
    lost = [{"number": unfit.number, "why": describe_unfit(unfit)} for unfit in pressed.unfit]
    return {"edits": {"count": len(spec.timeline_edits), "lost": lost}}


def _wished(ctx: StepContext) -> JobSpec:
    """The job's choices, with what a person has asked of this film's timeline."""
    spec, instruction = JobSpec.read(ctx.work.job.spec), ctx.work.step.instruction
    if instruction:
        heard = ", ".join(understood(KIND, instruction)) or "nothing that changes a timeline"
        ctx.log(f"The instruction is understood as: {heard}")
    return wished_spec(spec, instruction)


async def _gather(ctx: StepContext, spec: JobSpec, script: Script, narration: Mapping[str, Any]) -> Ingredients:
    words = json.dumps(timeline_words(narration), ensure_ascii=False).encode()
    kept = await ctx.artifact("words.json", "words", words, "application/json")
    logo, music = _library(spec, "logo"), _library(spec, "music")
    return Ingredients(
        script=script,
        narration=narration,
        narration_sha=str(ctx.work.inputs["narrate"]["wav"]),
        words_sha=kept.sha256,
        pictures=[_scene_picture(entry) for entry in ctx.work.inputs["illustrate"]["pictures"]],
        project_name=spec.project.name,
        logo_sha=logo.sha256 if logo and spec.video.body.logo else None,
        music_sha=music.sha256 if music and spec.video.body.music else None,
    )


def _library(spec: JobSpec, role: str) -> LibraryItem | None:
    return next((item for item in spec.library if item.role == role), None)


def _scene_picture(entry: Mapping[str, Any]) -> ScenePicture:
    focus = entry.get("focus") or ["0.5", "0.5"]
    return ScenePicture(
        scene=entry["scene"],
        sha256=entry["sha256"],
        width=int(entry["width"]),
        height=int(entry["height"]),
        focus=(str(focus[0]), str(focus[1])),
        origin=entry["origin"],
    )


def _media(work: Work, spec: JobSpec, parts: Ingredients, narration: Mapping[str, Any]) -> dict[str, Media]:
    rate = int(narration["sample_rate"])
    words = tuple(MediaWord(**word) for word in timeline_words(narration))
    media = {
        "voice": Media(
            sha256=parts.narration_sha,
            kind="audio",
            duration=Fraction(int(narration["samples"]), rate),
            sample_rate=rate,
            words=words,
        )
    }
    for picture in parts.pictures:
        media[f"picture-{picture.scene}"] = Media(picture.sha256, "image", width=picture.width, height=picture.height)
    logo, music = _library(spec, "logo"), _library(spec, "music")
    if parts.logo_sha and logo:
        media["logo"] = Media(logo.sha256, "image", width=logo.width, height=logo.height)
    if parts.music_sha and music:
        media["bed"] = Media(music.sha256, "audio", duration=Fraction(music.seconds), sample_rate=48000)
    return media


async def _keep(ctx: StepContext, authored: Mapping[str, Any], resolved: ResolvedTimeline, plan: RenderPlan) -> str:
    """Store the document, its resolved form, the plan and the sidecar captions; answer the plan's hash."""
    text = json.dumps(authored, indent=1, ensure_ascii=False).encode()
    await ctx.artifact("timeline.json", "timeline", text, "application/json")
    whole = resolved.model_dump_json(indent=1).encode()
    await ctx.artifact("timeline.resolved.json", "timeline", whole, "application/json")
    if plan.cues:
        rate, name = plan.sound.sample_rate, f"captions.{plan.language}"
        await ctx.artifact(f"{name}.srt", "captions", write_srt(plan.cues, rate).encode(), "application/x-subrip")
        await ctx.artifact(f"{name}.vtt", "captions", write_vtt(plan.cues, rate).encode(), "text/vtt")
    stored = await ctx.artifact("plan.json", "plan", plan.model_dump_json().encode(), "application/json")
    return stored.sha256


def hand_over(plan: RenderPlan, plan_sha: str, *, music: bool) -> StepResult:
    """Spawn one render step per node of the plan; the sound comes first because it takes longest."""
    sound = {"key": plan.sound.key, "frames": plan.frames // render.SOUND_SHARE}
    specs = {render.SOUND: sound}
    for segment in plan.segments:
        specs[f"{segment.index:03d}"] = {"key": segment.key, "segment": segment.index, "frames": segment.frames}
    steps = [NewStep(render.KIND, shard, spec, cost=render.cost({}, spec)) for shard, spec in specs.items()]
    outputs = {
        "plan": plan_sha,
        "output": plan.output.model_dump(mode="json"),
        "frames": plan.frames,
        "segments": len(plan.segments),
        "cues": len(plan.cues),
        "music": music,
    }
    return StepResult(outputs, spawn=steps, before=["mux"], units=plan.frames)
