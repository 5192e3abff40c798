"""Speaking a script's sentences through a narrator: each made once, and ordered together where the narrator can.

Which sentences go into one order is written down before the first is sent. A step that is run again after a crash
sends the same orders under the same names, so that the provider finds them and nothing is paid twice.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import Awaitable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from domain.production.pipeline.base import MadeThing, NewFile, Product, StepContext
from domain.production.ports import (
    GroupNarrator,
    SpeechRequest,
    SpokenGroup,
    SpokenSentence,
    SpokenWord,
    Stopped,
    Usage,
)
from domain.usage.effects import hash_json

AT_ONCE = 4
"""Sentences asked for at the same time."""
ORDERS_AT_ONCE = 2
"""Orders under way at the same time; one holds some minutes of sound."""
LISTEN_S = 0.5
"""How often a wish to stop is looked for while an order is waited for."""
MEDIA = "application/octet-stream"

T = TypeVar("T")


class NotMade(Exception):
    """Raised instead of making something that was only looked for."""


@dataclass(frozen=True)
class Plan:
    """Which sentences (by place) are ordered together, and whether their orders are still safe to repeat."""

    groups: Sequence[Sequence[int]]
    repeatable: bool


@dataclass
class Speaking:
    """The sentences of one step. `salt`: what makes a regeneration something new; `made`: spoken now."""

    ctx: StepContext
    requests: Sequence[SpeechRequest]
    salt: str
    things: dict[int, MadeThing] = field(default_factory=dict)
    made: int = 0

    async def all(self) -> list[SpokenSentence]:
        """Every sentence in order. Raises ProviderError, InDoubt and Stopped."""
        narrator = self.ctx.tools.narrator
        if isinstance(narrator, GroupNarrator):
            await self._together(narrator)
        await _few_at_once(AT_ONCE, [self._alone(place) for place in self._missing()])
        return [decode_spoken(await self.ctx.read(self.things[n].files["spoken"].sha256)) for n in self._places()]

    def _places(self) -> range:
        return range(len(self.requests))

    def _missing(self) -> list[int]:
        return [place for place in self._places() if place not in self.things]

    def _parts(self, place: int) -> dict[str, Any]:
        return sentence_parts(self.requests[place], self.ctx.tools.narrator.build, self.salt)

    def _keep(self, place: int, thing: MadeThing) -> None:
        self.things[place] = thing
        self.made += not thing.reused
        self.ctx.progress(len(self.things), len(self.requests), "sentences")

    # ── One by one ────────────────────────────────────────────────────────────────────────────────────────
    async def _alone(self, place: int) -> None:
        if self.ctx.stop():
            raise Stopped
        narrator, request = self.ctx.tools.narrator, self.requests[place]

        async def make(_staging: Path) -> Product:
            answer = await self.ctx.effects.perform(
                provider=narrator.name,
                model=request.voice,
                request=dataclasses.asdict(request),
                call=lambda: narrator.speak(request),
                encode=encode_spoken,
                decode=decode_spoken,
                usage=lambda spoken: spoken.usage,
                idempotent=narrator.name == "espeak",
                amount=characters_of([request]),
            )
            return _product(answer)

        self._keep(place, await self.ctx.made_once("sentence", self._parts(place), make))

    # ── Together ──────────────────────────────────────────────────────────────────────────────────────────
    async def _together(self, narrator: GroupNarrator) -> None:
        """Order what is not made yet. What an order leaves out is left to be spoken alone."""
        for place in self._places():
            if (thing := await self._found(place)) is not None:
                self._keep(place, thing)
        missing = self._missing()
        if not missing:
            return
        await narrator.require([self.requests[place] for place in missing])
        plan = await self._plan(narrator, missing)
        await _few_at_once(
            ORDERS_AT_ONCE,
            [
                self._order(narrator, group, plan.repeatable)
                for group in plan.groups
                if any(place in missing for place in group)
            ],
        )

    async def _found(self, place: int) -> MadeThing | None:
        async def make(_staging: Path) -> Product:
            raise NotMade

        try:
            return await self.ctx.made_once("sentence", self._parts(place), make)
        except NotMade:
            return None

    async def _plan(self, narrator: GroupNarrator, missing: Sequence[int]) -> Plan:
        """The orders of this step: those of the try before, if there was one, else new ones."""

        async def make(_staging: Path) -> Product:
            groups = narrator.groups([self.requests[place] for place in missing])
            places = [[missing[number] for number in group] for group in groups]
            return Product(facts={"groups": places, "planned": round(time.time())})

        named = {"job": str(self.ctx.work.job.id), "sentences": [self._parts(place) for place in self._places()]}
        made = await self.ctx.made_once("narration-plan", named, make)
        hours = (time.time() - made.facts["planned"]) / 3600
        return Plan(made.facts["groups"], hours < narrator.order_hours)

    def order_name(self, group: Sequence[int]) -> str:
        """The name of an order: the same for the same sentences of the same job, whoever tries."""
        work = self.ctx.work
        parts = [self._parts(place) for place in group]
        return hash_json([str(work.tenant_id), str(work.job.id), work.step.kind, work.step.shard, self.salt, parts])[
            :40
        ]

    async def _order(self, narrator: GroupNarrator, group: Sequence[int], repeatable: bool) -> None:
        requests, name = [self.requests[place] for place in group], self.order_name(group)
        self.ctx.log(f"Ordering {len(group)} sentences from {narrator.name} as {name[:12]}")
        answer = await self._unless_stopped(
            self.ctx.effects.perform(
                provider=narrator.name,
                model=requests[0].voice,
                request={"order": name, "requests": [dataclasses.asdict(request) for request in requests]},
                call=lambda: narrator.speak_group(requests, name),
                encode=encode_group,
                decode=decode_group,
                usage=lambda spoken: spoken.usage,
                idempotent=repeatable,
                ref=name,
                amount=characters_of(requests),
            )
        )
        for place, spoken in zip(group, answer.sentences, strict=True):
            if spoken is not None and place not in self.things:
                self._keep(place, await self._kept(place, spoken))
        for number, why in sorted(answer.faults.items()):
            text = " ".join(requests[number].words)
            self.ctx.log(f"“{text[:80]}” was not spoken with the others and is asked for alone: {why}", "warn")
        await narrator.forget(name)

    async def _kept(self, place: int, spoken: SpokenSentence) -> MadeThing:
        async def make(_staging: Path) -> Product:
            return _product(spoken)

        return await self.ctx.made_once("sentence", self._parts(place), make)

    async def _unless_stopped(self, call: Awaitable[T]) -> T:
        """Wait for an order, but not against a wish to stop: it goes on at the provider and is found again."""
        task = asyncio.ensure_future(call)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=LISTEN_S)
                if not task.done() and self.ctx.stop():
                    raise Stopped
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        return task.result()


def characters_of(requests: Sequence[SpeechRequest]) -> dict[str, int]:
    """About what speaking will consume."""
    return {"characters": sum(len(word) + 1 for request in requests for word in request.words)}


def sentence_parts(request: SpeechRequest, build: str, salt: str) -> dict[str, Any]:
    """Everything that shapes the sound of one sentence; `build` is the narrator's."""
    return {**dataclasses.asdict(request), "build": build, "salt": salt}


async def _few_at_once(number: int, calls: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Await calls, a few at a time. After a failure none begins; those under way end, since they may be paid already.

    Raises what the first failing one raises.
    """
    gate, failures = asyncio.Semaphore(number), list[Exception]()

    async def one(call: Coroutine[Any, Any, None]) -> None:
        async with gate:
            if failures:
                return
            try:
                await call
            except Exception as error:
                failures.append(error)

    try:
        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(one(call))
    finally:
        for call in calls:
            call.close()
    if failures:
        raise failures[0]


def _product(spoken: SpokenSentence) -> Product:
    return Product({"spoken": NewFile(encode_spoken(spoken), MEDIA)})


# ── On disk ───────────────────────────────────────────────────────────────────────────────────────────────
def encode_spoken(spoken: SpokenSentence) -> bytes:
    """One line of JSON (words, receipt), then the PCM."""
    return json.dumps(_head(spoken), ensure_ascii=False).encode() + b"\n" + spoken.pcm


def decode_spoken(answer: bytes) -> SpokenSentence:
    """Undo encode_spoken."""
    head, pcm = answer.split(b"\n", 1)
    return _sentence(json.loads(head), pcm)


def encode_group(group: SpokenGroup) -> bytes:
    """One line of JSON (each sentence's words and receipt with the length of its sound), then all PCM."""
    told = [None if one is None else {**_head(one), "bytes": len(one.pcm)} for one in group.sentences]
    head = {
        "sentences": told,
        "usage": dataclasses.asdict(group.usage),
        "faults": {str(place): why for place, why in group.faults.items()},
        "request_id": group.request_id,
    }
    line = json.dumps(head, ensure_ascii=False).encode()
    return b"".join([line, b"\n", *(one.pcm for one in group.sentences if one is not None)])


def decode_group(answer: bytes) -> SpokenGroup:
    """Undo encode_group."""
    line, sound = answer.split(b"\n", 1)
    head, at = json.loads(line), 0
    sentences: list[SpokenSentence | None] = []
    for told in head["sentences"]:
        if told is None:
            sentences.append(None)
            continue
        length = told.pop("bytes")
        sentences.append(_sentence(told, sound[at : at + length]))
        at += length
    faults = {int(place): why for place, why in head["faults"].items()}
    return SpokenGroup(sentences, Usage(**head["usage"]), faults, head["request_id"])


def _head(spoken: SpokenSentence) -> dict[str, Any]:
    # Not by asdict of the whole: that would copy the sound.
    fields = (field.name for field in dataclasses.fields(spoken) if field.name != "pcm")
    head = {name: getattr(spoken, name) for name in fields}
    words = [dataclasses.asdict(word) for word in spoken.words]
    return {**head, "words": words, "usage": dataclasses.asdict(spoken.usage)}


def _sentence(head: dict[str, Any], pcm: bytes) -> SpokenSentence:
    words = tuple(SpokenWord(**word) for word in head["words"])
    return SpokenSentence(**{**head, "pcm": pcm, "words": words, "usage": Usage(**head["usage"])})
