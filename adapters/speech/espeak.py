"""espeak-ng as a narrator: the draft voice that needs no key and no network.

The library runs in `adapters.speech.espeak_process`, started on first use and kept; sentences are spoken one by
one. The same request gives the same bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.speech.ssml import BadSsml, for_espeak, parse
from adapters.speech.voices import VOICES, DraftVoice, default_voice, find_voice
from adapters.warm_child import ChildLost, WarmChild
from domain.production.ports import ProviderBusy, ProviderRefused, SpeechRequest, SpokenSentence, SpokenWord, Usage
from domain.production.speech import Node, Prosody, UnspeakableText, Voice

BUILD = "espeak/1"
"""Raise the number whenever equal requests sound different than before."""
ANSWER_SECONDS = 30.0


class EspeakNarrator:
    """Narrator over one long-lived child process; safe to share between tasks and threads."""

    name = "espeak"
    build = BUILD

    def __init__(self) -> None:
        self._child = WarmChild("adapters.speech.espeak_process", answer_s=ANSWER_SECONDS)

    async def speak(self, request: SpeechRequest) -> SpokenSentence:
        """Speak one sentence. Raises ProviderRefused for bad SSML or voice, ProviderBusy if the child is lost twice."""
        order, voice = engine_order(request)
        header, pcm = await asyncio.to_thread(self._ask, order)
        if error := header.get("error"):
            raise ProviderRefused(self.name, f"The draft voice could not speak the sentence: {error}.")
        if not pcm:
            shown = " ".join(request.words)[:80]
            fix = "Write words that can be read aloud, or delete the sentence."
            raise ProviderRefused(self.name, f"Nothing of “{shown}” can be spoken.", fix=fix)
        columns = zip(request.words, header["starts"], header["ends"], header["sources"], strict=True)
        words = tuple(SpokenWord(text, start, end, source) for text, start, end, source in columns)
        usage = Usage({"characters": sum(map(len, request.words))}, 0)
        return SpokenSentence(pcm, words, self.name, voice.name, usage, draft=True)

    async def preview(self, text: str, language: str, voice: str = "") -> SpokenSentence:
        """Speak a short text for listening to a voice."""
        from domain.production.narration import Delivery, speech_request
        from domain.studio.script import Sentence

        delivery = Delivery(voice or default_voice(language))
        return await self.speak(speech_request(Sentence(id="p", text=text), language=language, delivery=delivery))

    def close(self) -> None:
        """End the child process; the next sentence starts a new one."""
        self._child.close()

    def _ask(self, order: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        try:
            return self._child.ask(order)
        except ChildLost as fault:
            sentence = f"The draft voice stopped working twice on one sentence ({fault})."
            raise ProviderBusy(self.name, sentence, fix="Run the step again.") from None


def engine_order(request: SpeechRequest) -> tuple[dict[str, Any], DraftVoice]:
    """What the child is told: the engine's voice and settings, its SSML, and how many marks to expect."""
    try:
        tree = parse(request.ssml)
        nodes, prosody = unwrapped(tree.children)
        voice = find_voice(request.voice)
        if voice is None:
            sentence = f"The draft voice “{request.voice}” is unknown."
            raise ProviderRefused("espeak", sentence, fix=f"Use one of {', '.join(VOICES)}.")
        ssml = for_espeak(nodes)
    except (BadSsml, UnspeakableText) as fault:
        raise ProviderRefused("espeak", fault.sentence) from None
    order = {
        "ssml": ssml,
        "letters": [len(word) for word in request.words],
        "voice": voice.engine,
        "rate": round(voice.rate * (1 + prosody.rate / 100)),
        "pitch": max(0, min(100, round(voice.pitch * (1 + prosody.pitch / 100)))),
        "range": voice.range,
        "gain": voice.gain + prosody.volume * 0.1,
    }
    return order, voice


def unwrapped(children: tuple[Node, ...] | Any) -> tuple[tuple[Node, ...], Prosody]:
    """Take off the voice and prosody that wrap the whole sentence; the engine is set by parameters instead."""
    prosody = Prosody(())
    nodes: tuple[Node, ...] = tuple(children)
    while len(nodes) == 1 and isinstance(nodes[0], Voice | Prosody):
        if isinstance(nodes[0], Prosody):
            prosody = replace(nodes[0], children=())
        nodes = tuple(nodes[0].children)
    return nodes, prosody
