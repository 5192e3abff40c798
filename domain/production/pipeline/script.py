"""Write the script: prompt and knowledge go in, a checked script comes out.

The writer's answer is made once for equal inputs; a person's edits are laid over it afterwards, so an edit never
asks (or pays) the writer again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from domain.catalog.knowledge import Fact
from domain.catalog.validators import Fault, Validator, make_validator
from domain.catalog.words import words_for
from domain.production.asking import choose_facts, script_request
from domain.production.live_text import LiveScript
from domain.production.pipeline.base import Json, NewFile, Product, StepContext, StepResult, Work
from domain.production.ports import (
    OnText,
    ProviderRefused,
    ScriptRequest,
    ScriptWriter,
    Usage,
    WrittenScript,
    turn_of,
)
from domain.production.scripting import MAX_ROUNDS, MAX_SHOWN_FAULTS, ScriptRejected, write_script
from domain.production.spec import JobSpec
from domain.studio.edits import replace_sentences, write_markdown
from domain.studio.script import Script

KIND = "script"
VERSION = 1
POOL = "io"
FAN_OUT = False

LIVE = "draft"
"""Group of the log lines that show a script while it is written, followed by the round's number."""
ROUNDS = "rounds"
"""Group of the log lines that say what the checks found in each draft."""


def key(work: Work) -> Json | None:
    spec = JobSpec.read(work.job.spec)
    return {**draft_parts(spec, work), "edits": edits_of(spec, work.step.spec), "build": work.build}


def edits_of(spec: JobSpec, step: Json) -> dict[str, list[str]]:
    """What people say instead of the writer, by scene: the job's own edits, and those made at its gate."""
    own = {scene: list(edit.sentences) for scene, edit in spec.script_edits.items()}
    return {**own, **step.get("edits", {})}


def draft_parts(spec: JobSpec, work: Work) -> dict[str, Any]:
    """Everything that shapes the writer's answer."""
    return {
        "topic": spec.topic,
        "language": spec.language,
        "seconds": spec.seconds,
        "tone": spec.recipe.tone,
        "prompt": spec.prompt.ref.digest,
        "validators": [part.ref.digest for part in spec.validators],
        "knowledge": [part.ref.digest for part in spec.knowledge],
        "choice": spec.recipe.knowledge.model_dump(mode="json"),
        "writer": spec.writer,
        "instruction": work.step.instruction,
        "salt": work.step.salt or spec.salt,
    }


def cost(spec: Json, step: Json) -> float:
    return 3.0


async def run(ctx: StepContext) -> StepResult:
    spec = JobSpec.read(ctx.work.job.spec)
    facts = choose_facts(spec, ctx.work.step.instruction)
    parts = {**draft_parts(spec, ctx.work), "build": ctx.tools.writer.build}

    async def make(_staging: Path) -> Product:
        return await _draft(ctx, spec, facts, _digest(parts))

    made = await ctx.made_once("script.draft", parts, make)
    if made.reused:
        ctx.log("The writer was asked the same before; its answer is used again")
    draft = Script.model_validate_json(await ctx.read(made.files["draft.json"].sha256))
    script = replace_sentences(draft, edits_of(spec, ctx.work.step.spec))
    return await _keep(ctx, script, facts, dict(made.facts))


async def _draft(ctx: StepContext, spec: JobSpec, facts: Sequence[Fact], seed: str) -> Product:
    render = ctx.tools.extra["render_prompt"]
    request = await script_request(spec, facts, render, seed, ctx.work.step.instruction)
    who = named(ctx.tools.writer)
    ctx.log(f"Asking the writer “{who}” for {spec.seconds} s in {spec.language}, {len(facts)} facts")
    validators = [_validator(part.ref.slug, part.body) for part in spec.validators]
    try:
        written, script, faults = await write_script(
            _Ledgered(ctx), request, validators, on_round=_tell_rounds(ctx, spec.language)
        )
    except ScriptRejected as rejected:
        raise ProviderRefused(ctx.tools.writer.name, rejected.sentence, fix="See the faults in the log.") from rejected
    facts_made = {
        "provider": written.provider,
        "model": written.model,
        "draft": written.draft,
        "request_id": written.request_id,
        "warnings": [str(fault) for fault in faults],
    }
    return Product({"draft.json": NewFile(script.model_dump_json().encode(), "application/json")}, facts_made)


class _Ledgered:
    """A writer whose every call goes through the ledger, and is told in the log while it is written."""

    def __init__(self, ctx: StepContext) -> None:
        writer = ctx.tools.writer
        self._ctx, self.name, self.model, self.build = ctx, writer.name, writer.model, writer.build
        self._round = 0

    async def write(self, request: ScriptRequest, on_text: OnText | None = None) -> WrittenScript:
        writer: ScriptWriter = self._ctx.tools.writer
        self._round += 1
        told = Telling(self._ctx, request, self._round)
        async with turn_of(writer):
            return await self._ctx.effects.perform(
                provider=writer.name,
                model=writer.model,
                request=json.loads(json.dumps(dataclasses.asdict(request), default=str)),
                call=lambda: writer.write(request, told.hear),
                encode=lambda written: json.dumps(dataclasses.asdict(written), ensure_ascii=False).encode(),
                decode=_decode_written,
                usage=lambda written: written.usage,
                idempotent=writer.name == "offline",
            )


class Telling:
    """Shows a script while it is written: each title and sentence as a line of the log, words as progress."""

    def __init__(self, ctx: StepContext, request: ScriptRequest, number: int) -> None:
        self._ctx, self._live = ctx, LiveScript()
        self._words, self._wanted = 0, max(1, round(words_for(request.seconds, request.language)))
        self._group = f"{LIVE} {number}"

    def hear(self, piece: str) -> None:
        """Take the next piece of the answer."""
        for told in self._live.feed(piece):
            self._ctx.log(told.text if told.kind == "sentence" else f"# {told.text}", group=self._group)
            if told.kind == "sentence":
                self._words = min(self._wanted, self._words + len(told.text.split()))
                self._ctx.progress(self._words, self._wanted, "words")


def named(writer: ScriptWriter) -> str:
    """Name a writer with its model, where it has one."""
    return f"{writer.name} {writer.model}".strip()


def _decode_written(answer: bytes) -> WrittenScript:
    values = json.loads(answer)
    return WrittenScript(**{**values, "usage": Usage(**values["usage"])})


def _validator(slug: str, body: Any) -> Validator:
    return make_validator(body.validator, body.settings, name=slug, severity=body.severity)


def _tell_rounds(ctx: StepContext, language: str) -> Callable[[int, WrittenScript, Sequence[Fault]], None]:
    def tell(number: int, written: WrittenScript, faults: Sequence[Fault]) -> None:
        ctx.progress(number, number + 1, "rounds")
        price = "" if not written.usage.micro_dollars else f", ${written.usage.micro_dollars / 1e6:.4f}"
        findings = "nothing found" if not faults else "1 finding" if len(faults) == 1 else f"{len(faults)} findings"
        told = f"Round {number} of at most {MAX_ROUNDS}: {written.provider} answered in {language}, {findings}{price}"
        ctx.log(told, group=ROUNDS)
        for fault in faults:
            ctx.log(str(fault), "warn", ROUNDS)
        errors = [str(fault) for fault in faults if fault.severity == "error"]
        if errors:
            ctx.event(
                "script.round",
                round=number,
                faults=errors[:MAX_SHOWN_FAULTS],
                micro_dollars=written.usage.micro_dollars,
                request_id=written.request_id,
            )

    return tell


async def _keep(ctx: StepContext, script: Script, facts: Sequence[Fact], made: dict[str, Any]) -> StepResult:
    stored = await ctx.artifact("script.json", "script", script.model_dump_json(indent=1).encode(), "application/json")
    readable = write_markdown(script).encode()
    await ctx.artifact("script.md", "script", readable, "text/markdown; charset=utf-8", {"words": script.words()})
    used = {fact_id for scene in script.scenes for fact_id in scene.facts}
    sources = sorted({fact.source for fact in facts if fact.id in used and fact.source})
    ctx.log(f"Script: “{script.title}”, {len(script.scenes)} scenes, {script.words()} words, {len(sources)} sources")
    outputs = {
        "script": stored.sha256,
        "title": script.title,
        "words": script.words(),
        "scenes": len(script.scenes),
        "sources": sources,
        **made,
    }
    return StepResult(outputs, units=script.words())


def _digest(parts: Json) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
