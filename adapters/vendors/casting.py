"""Voices to choose from and to listen to: a provider's own list, and a short text spoken live, paid once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from adapters.vendors.desk import Desk
from adapters.vendors.stand_ins import VendorNarrator
from domain.catalog.provider_rows import Provider
from domain.catalog.voices import Voice
from domain.production.ports import ProviderError, SpeechRequest, SpokenSentence
from domain.production.provider_errors import Unavailable
from domain.production.spec import ProviderPart

if TYPE_CHECKING:
    from adapters.speech.espeak import EspeakNarrator

PATIENCE_S = 8.0
"""A page does not wait longer for a list."""
LISTEN_S = 30.0


class Casting:
    """Lists and speaks for pages, through a desk that is opened with the first provider; close it with `close`."""

    def __init__(self, open_desk: Callable[[], Desk]) -> None:
        self._open = open_desk
        self._desk: Desk | None = None
        self._draft: EspeakNarrator | None = None

    async def close(self) -> None:
        """End the lines to providers, and the draft voice."""
        if self._desk is not None:
            await self._desk.close()
        if self._draft is not None:
            self._draft.close()

    async def voices(self, tenant_id: UUID, row: Provider | None) -> Sequence[Voice]:
        """The voices of a provider (None: the draft voices), kept while they are fresh. Raises ProviderError."""
        if row is None:
            from adapters.speech.voices import VOICES

            return [Voice(voice.engine.casefold(), voice.label, voice.language) for voice in VOICES.values()]
        try:
            async with asyncio.timeout(PATIENCE_S):
                line = await self._at_desk().line(tenant_id, row.id, row.name)
                found = await line.adapter.voices()  # type: ignore[attr-defined]  # all narrators list theirs
        except TimeoutError:
            raise _late(row.kind) from None
        return [
            Voice(one.name, one.label, one.language, one.gender, one.styles, one.roles, one.status)
            for one in sorted(found.values(), key=lambda one: (one.language, one.name))
        ]

    async def speak(self, tenant_id: UUID, row: Provider | None, request: SpeechRequest) -> SpokenSentence:
        """Speak a short text live. Raises ProviderError."""
        if row is None:
            from adapters.speech.espeak import EspeakNarrator

            self._draft = self._draft or EspeakNarrator()
            return await self._draft.speak(request)
        part = ProviderPart(id=str(row.id), slug=row.slug, kind=row.kind, name=row.name, model=row.model)
        # The call itself ends in time by its own limits; this bounds the wait for a turn as well.
        async with asyncio.timeout(LISTEN_S):
            return await VendorNarrator(self._at_desk(), tenant_id, part, row).speak(request)

    def _at_desk(self) -> Desk:
        self._desk = self._desk or self._open()
        return self._desk


def _late(kind: str) -> ProviderError:
    return Unavailable(kind, "The list of voices did not come in time.", fix="Load the page again.")
