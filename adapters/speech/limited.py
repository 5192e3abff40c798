"""A narrator that takes turns: the shared rate limit and breaker stand before each of its calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from adapters.limits import Limits, Rate
from adapters.speech.azure import AzureSpeaker
from adapters.speech.azure_voices import AzureVoice
from adapters.turns import note_failure, require_turn
from domain.production.ports import ProviderError, SpeechRequest, SpokenGroup, SpokenSentence

T = TypeVar("T")


class LimitedSpeaker:
    """GroupNarrator in front of another; `key` names its credential in limits (default: the speaker's name)."""

    def __init__(
        self,
        speaker: AzureSpeaker,
        limits: Limits,
        rate: Rate | None = None,
        key: str = "",
        patience: float = 30.0,
    ) -> None:
        """`patience`: seconds a call may wait for its turn."""
        self.name, self.model, self.build = speaker.name, speaker.model, speaker.build
        self.order_hours = speaker.order_hours
        self._speaker, self._limits, self._rate, self._patience = speaker, limits, rate, patience
        self._key = key or speaker.name

    async def close(self) -> None:
        await self._speaker.close()

    async def voices(self) -> Mapping[str, AzureVoice]:
        return await self._speaker.voices()

    async def require(self, requests: Sequence[SpeechRequest]) -> None:
        await self._speaker.require(requests)

    def groups(self, requests: Sequence[SpeechRequest]) -> Sequence[Sequence[int]]:
        return self._speaker.groups(requests)

    async def speak(self, request: SpeechRequest) -> SpokenSentence:
        """Have it spoken. Raises what the speaker raises, and Unavailable or RateLimited when there is no turn."""
        return await self._in_turn(lambda: self._speaker.speak(request))

    async def speak_group(self, requests: Sequence[SpeechRequest], order: str) -> SpokenGroup:
        """Have a group spoken. Raises what the speaker raises, and Unavailable or RateLimited without a turn."""
        return await self._in_turn(lambda: self._speaker.speak_group(requests, order))

    async def forget(self, order: str) -> None:
        await self._speaker.forget(order)

    async def _in_turn(self, call: Callable[[], Awaitable[T]]) -> T:
        await require_turn(self._limits, self.name, self._key, self._rate, self._patience)
        try:
            done = await call()
        except ProviderError as error:
            await note_failure(self._limits, self._key, self._rate, error)
            raise
        await self._limits.worked(self._key)
        return done
