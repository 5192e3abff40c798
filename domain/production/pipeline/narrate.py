"""Speak the script: one call per sentence, joined by us, with every word's time in whole samples.

A sentence is made once for its words, voice and way of saying; editing one scene speaks only that scene anew.
"""

from __future__ import annotations

import dataclasses
import io
import json
import wave
from fractions import Fraction
from typing import Any

from domain.catalog.bodies import SsmlPreset, VoicePreset
from domain.production.narration import Delivery, Pauses, Said, join_narration, speech_request
from domain.production.pipeline.base import Json, StepContext, StepResult, Work
from domain.production.pipeline.speaking import Speaking
from domain.production.ports import SAMPLE_RATE
from domain.production.spec import JobSpec
from domain.production.wishes import understood, wished_delivery, wished_pauses
from domain.studio.script import Script
from timeline.plan import Rate

KIND = "narrate"
VERSION = 1
POOL = "io"
FAN_OUT = False


def key(work: Work) -> Json | None:
    spec = JobSpec.read(work.job.spec)
    return {
        "script": work.inputs["script"]["script"],
        "voice": spec.voice.body.model_dump(mode="json"),
        "ssml": spec.ssml.body.model_dump(mode="json"),
        "fps": spec.video.body.fps,
        "salt": work.step.salt or spec.salt,
        "build": work.build,
    }


def cost(spec: Json, step: Json) -> float:
    return max(2.0, float(spec["seconds"]) / 10.0)


async def run(ctx: StepContext) -> StepResult:
    spec = JobSpec.read(ctx.work.job.spec)
    script = Script.model_validate_json(await ctx.read(str(ctx.work.inputs["script"]["script"])))
    delivery, pauses = spoken_as(spec, ctx.work.step.instruction)
    sentences = [(scene, sentence) for scene in script.scenes for sentence in scene.sentences]
    requests = [
        speech_request(sentence, language=spec.language, delivery=delivery, pauses=pauses)
        for _scene, sentence in sentences
    ]
    if ctx.work.step.instruction:
        heard = ", ".join(understood(KIND, ctx.work.step.instruction)) or "nothing that changes a voice"
        ctx.log(f"The instruction is understood as: {heard}")
    ctx.log(f"Narrating {len(sentences)} sentences with {spec.voice.body.voice} ({ctx.tools.narrator.name})")
    speaking = Speaking(ctx, requests, ctx.work.step.salt or spec.salt)
    spoken = await speaking.all()
    said = [
        Said(scene=scene.id, sentence=sentence.id, text=sentence.text, spoken=answer)
        for (scene, sentence), answer in zip(sentences, spoken, strict=True)
    ]
    fps = Fraction(spec.video.body.fps)
    pcm, narration = join_narration(said, pauses, Rate(num=fps.numerator, den=fps.denominator), language=spec.language)
    return await _keep(ctx, pcm, narration, speaking.made, draft=any(answer.draft for answer in spoken))


def spoken_as(spec: JobSpec, instruction: str) -> tuple[Delivery, Pauses]:
    """How a job's voice speaks and pauses, with what a person has asked of it."""
    delivery, pauses = read_delivery(spec.voice.body, spec.ssml.body), read_pauses(spec.ssml.body)
    if not instruction:
        return delivery, pauses
    return wished_delivery(delivery, instruction), wished_pauses(pauses, instruction)


def read_pauses(preset: SsmlPreset) -> Pauses:
    """Answer the preset's pause map; what it leaves out keeps its default, and the film adds its own lead and tail."""
    known = {field.name for field in dataclasses.fields(Pauses)}
    given = {name: ms for name, ms in preset.pauses.items() if name in known}
    return Pauses(**{"lead": 0, "tail": 300, **given})


def read_delivery(voice: VoicePreset, ssml: SsmlPreset) -> Delivery:
    """Answer how the preset's voice speaks; percentages are written like `+8%`."""
    percent = {name: int(getattr(voice, name).strip().rstrip("%") or 0) for name in ("rate", "pitch")}
    return Delivery(
        voice=voice.voice,
        rate=percent["rate"],
        pitch=percent["pitch"],
        lexicon=ssml.lexicon,
        style=voice.style,
        degree=voice.degree,
        role=voice.role,
        say_as=ssml.say_as,
    )


async def _keep(ctx: StepContext, pcm: bytes, narration: dict[str, Any], made: int, *, draft: bool) -> StepResult:
    seconds = narration["samples"] / SAMPLE_RATE
    facts = {"seconds": round(seconds, 3), "sentences": len(narration["sentences"]), "draft": draft}
    wav = await ctx.artifact("narration.wav", "narration", wave_file(pcm), "audio/wav", facts)
    text = json.dumps(narration, ensure_ascii=False, indent=1).encode()
    stored = await ctx.artifact("narration.json", "words", text, "application/json")
    kept = len(narration["sentences"]) - made
    spoken = f"{made} sentence{'' if made == 1 else 's'} spoken"
    ctx.log(f"Narration: {seconds:.1f} s, {spoken}, {kept} kept from before")
    outputs = {
        "wav": wav.sha256,
        "narration": stored.sha256,
        "seconds": round(seconds, 3),
        "sentences": len(narration["sentences"]),
        "draft": draft,
    }
    return StepResult(outputs, units=len(narration["sentences"]))


def wave_file(pcm: bytes) -> bytes:
    """Put a WAV head on mono 16-bit 48 kHz PCM."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm)
    return out.getvalue()
