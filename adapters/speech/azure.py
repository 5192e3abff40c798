"""Azure Speech as narrator: many sentences as one batch job, short texts and previews live; one voice list for both.

Which way is taken is decided by `way_of`. Both give the same sound for the same request, so a sentence has one key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import structlog

from adapters.egress import Caps
from adapters.egress_rules import Allowance
from adapters.prices.book import PriceBook, price_book
from adapters.prices.voices import price_kind
from adapters.speech.azure_batch import CALL_CAPS, FETCH_CAPS, KEEP_HOURS, PATIENCE_S, BatchSynthesis, grouped
from adapters.speech.azure_line import Line, places, sound_key
from adapters.speech.azure_ssml import LABEL, NAME, AzureText, azure_text
from adapters.speech.azure_voices import AzureVoice, Shelf, Voices
from adapters.speech.azure_zip import Heard
from adapters.speech.heard import faults_of_times, place_words, shared_out, trimmed
from domain.production.ports import (
    Checked,
    ProviderError,
    SpeechRequest,
    SpokenGroup,
    SpokenSentence,
    SpokenWord,
    Usage,
)
from domain.production.provider_errors import PartialAnswer, with_usage

if TYPE_CHECKING:
    from adapters.speech.azure_live import LiveSynthesis
    from adapters.speech.espeak import EspeakNarrator

REVISION = 1
"""Raise it when equal requests would sound different or be timed differently than before."""
LIVE_CHARACTERS = 800
"""Billed characters up to which a text is spoken live; a batch job takes 10 s at the least, but is safe to repeat."""

log = structlog.get_logger(__name__)


def way_of(characters: int) -> Literal["live", "batch"]:
    """How so many billed characters are spoken."""
    return "live" if characters <= LIVE_CHARACTERS else "batch"


class AzureSpeaker:
    """GroupNarrator on one speech resource. Close it with `close`; safe to use from many tasks of one loop."""

    name = NAME
    model = "neural"
    build = f"azure/neural/{REVISION}"
    order_hours = float(KEEP_HOURS - 8)

    def __init__(
        self,
        key: str,
        *,
        region: str = "",
        endpoint: str = "",
        allow: Allowance | None = None,
        prices: PriceBook | None = None,
        caps: Caps = CALL_CAPS,
        fetch_caps: Caps = FETCH_CAPS,
        patience: float = PATIENCE_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        shelf: Shelf | None = None,
    ) -> None:
        """`region` such as eastus, or `endpoint`, the resource's own address. Raises KeyRefused and BadRequest."""
        self._key, self._where, self._allow = sound_key(key), places(region, endpoint), allow
        self._prices, self._caps = prices or price_book(NAME), caps
        self._line = Line(key, allow, caps)
        self._batch = BatchSynthesis(
            self._line, self._where, key, allow, caps=fetch_caps, patience=patience, sleep=sleep
        )
        self._voices = Voices(self._line, self._where.voices, shelf=shelf)
        self._live: LiveSynthesis | None = None
        self._reference: EspeakNarrator | None = None

    async def close(self) -> None:
        """End lines and helpers."""
        await self._line.close()
        await self._batch.close()
        if self._reference is not None:
            self._reference.close()

    # ── Voices ────────────────────────────────────────────────────────────────────────────────────────────
    async def voices(self) -> Mapping[str, AzureVoice]:
        """Every voice of the resource by name; free, and kept for a while."""
        return await self._voices.all()

    async def check(self) -> Checked:
        """Ask for the list of voices, which is free. Raises the errors of `speak`."""
        found = await self._voices.all(younger_than=0.0)
        languages = {voice.language for voice in found.values()}
        return Checked(f"{LABEL} answered; the key may use {len(found)} voices in {len(languages)} languages.")

    async def require(self, requests: Sequence[SpeechRequest]) -> None:
        """Refuse, before anything is paid, what the voice cannot say. Raises NoSuchVoice and BadRequest."""
        for request in requests:
            azure_text(request)
        await self._voices.require(requests)

    # ── Speaking ──────────────────────────────────────────────────────────────────────────────────────────
    def groups(self, requests: Sequence[SpeechRequest]) -> Sequence[Sequence[int]]:
        """Places of the sentences to be ordered together; none when the whole is short enough to be spoken live."""
        texts = [azure_text(request) for request in requests]
        if way_of(sum(text.billed for text in texts)) == "live":
            return []
        return grouped(texts)

    async def speak_group(self, requests: Sequence[SpeechRequest], order: str) -> SpokenGroup:
        """Have a group spoken as one batch job. Raises the errors of domain/production/provider_errors.py."""
        await self._voices.require(requests)
        texts = [azure_text(request) for request in requests]
        batch = await self._batch.make(texts, f"vfos-{order[:40]}")
        billed = sum(text.billed for text in texts) if batch.billed is None else batch.billed
        sentences: list[SpokenSentence | None] = []
        faults: dict[int, str] = {}
        for place, (request, text, result) in enumerate(zip(requests, texts, batch.results, strict=True)):
            spoken = None
            if not result.fault:
                spoken = await self._spoken(request, text, result.pcm, result.words, batch.request_id)
            sentences.append(spoken)
            if spoken is None:
                faults[place] = result.fault or "The sound is silent."
        kind = price_kind(requests[0].voice) if requests else self.model
        return SpokenGroup(sentences, self._usage(kind, billed), faults, batch.request_id)

    async def forget(self, order: str) -> None:
        """Delete a batch job, texts and sound, from the service."""
        await self._batch.forget(f"vfos-{order[:40]}")

    async def speak(self, request: SpeechRequest) -> SpokenSentence:
        """Speak one sentence live. Raises the errors of domain/production/provider_errors.py."""
        await self._voices.require([request])
        text = azure_text(request)
        said = await self._live_line().say(text.ssml)
        spoken = await self._spoken(request, text, said.pcm, said.words, said.request_id)
        if spoken is None:
            fault = PartialAnswer(NAME, f"{LABEL} answered silence.", request_id=said.request_id)
            raise with_usage(fault, self._usage(price_kind(request.voice), text.billed))
        return spoken

    async def preview(self, text: str, language: str, voice: str, style: str = "", degree: int = 100) -> SpokenSentence:
        """Speak a short text live, for listening to a voice."""
        from domain.production.narration import Delivery, speech_request
        from domain.studio.script import Sentence

        delivery = Delivery(voice, style=style, degree=degree)
        return await self.speak(speech_request(Sentence(id="p", text=text), language=language, delivery=delivery))

    def _live_line(self) -> LiveSynthesis:
        from adapters.speech.azure_live import LiveSynthesis

        if self._live is None:
            self._live = LiveSynthesis(self._key, self._where.live, self._allow, self._caps)
        return self._live

    def _usage(self, kind: str, billed: int) -> Usage:
        return Usage({"characters": billed}, self._prices.price(kind, {"characters": billed}))

    async def _spoken(
        self,
        request: SpeechRequest,
        text: AzureText,
        sound: bytes,
        heard: Sequence[Heard] | None,
        request_id: str,
    ) -> SpokenSentence | None:
        """A sentence with its words timed: by the service where it can be believed, else by alignment."""
        whole = await asyncio.to_thread(trimmed, sound)
        if not whole.pcm:
            return None
        words = await asyncio.to_thread(_timed, request, text, len(sound) // 2, whole.cut, len(whole.pcm) // 2, heard)
        if words is None:
            words = await self._aligned(request, text, whole.pcm)
        usage = self._usage(price_kind(request.voice), text.billed)
        return SpokenSentence(whole.pcm, words, NAME, request.voice, usage, request_id)

    async def _aligned(self, request: SpeechRequest, text: AzureText, pcm: bytes) -> tuple[SpokenWord, ...]:
        """Word times by comparison with the draft voice; where that has no such language, by letters."""
        from adapters.speech.alignment import aligned_words
        from adapters.speech.espeak import EspeakNarrator
        from adapters.speech.voices import default_voice

        if voice := default_voice(request.language):
            if self._reference is None:
                self._reference = EspeakNarrator()
            try:
                said = await self._reference.speak(replace(request, voice=voice, style="", role="", degree=100))
                return await asyncio.to_thread(aligned_words, pcm, said.pcm, said.words)
            except ProviderError as error:
                log.warning("azure.align", error=error.sentence)
        return shared_out(request.words, text.spoken, len(pcm) // 2)


def _timed(
    request: SpeechRequest, text: AzureText, length: int, cut: int, kept: int, heard: Sequence[Heard] | None
) -> tuple[SpokenWord, ...] | None:
    """The service's times moved to the trimmed sound; None when there are none to believe."""
    if not heard:
        return None
    ordered = sorted(heard, key=lambda word: word.start)
    if why := faults_of_times(ordered, length):
        log.warning("azure.times", why=why)
        return None
    moved = [Heard(word.text, max(0, word.start - cut), max(0, word.end - cut)) for word in ordered]
    return place_words(request.words, text.spoken, moved, kept)
