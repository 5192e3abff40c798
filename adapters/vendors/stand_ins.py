"""Writers, narrators and makers of pictures that stand for a workspace's providers in the tools of a step.

They name model and build without opening anything; a provider is opened when its turn comes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

from adapters.vendors.desk import Desk, Line
from adapters.vendors.makers import build_of
from domain.catalog.provider_rows import Provider
from domain.production.ports import (
    MadePicture,
    OnText,
    PictureRequest,
    ProviderError,
    ScriptRequest,
    SpeechRequest,
    SpokenGroup,
    SpokenSentence,
    WrittenScript,
)
from domain.production.spec import ProviderPart

ORDER_HOURS = 160.0
"""How long an order's name makes asking again safe; the service keeps orders a little longer."""

T = TypeVar("T")


class StandIn:
    """What all stand-ins share. `row` is None when the provider was removed; then every call is refused."""

    def __init__(self, desk: Desk, tenant_id: UUID, part: ProviderPart, row: Provider | None) -> None:
        self.name = part.kind
        self.model = row.model if row else part.model
        self.build = build_of(row) if row else f"{part.kind}:removed"
        self._desk, self._tenant_id, self._part = desk, tenant_id, part
        self._line: Line | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Open the provider and wait for its turn. Raises ProviderError; nothing has been sent then."""
        line = self._line = await self._desk.line(self._tenant_id, UUID(self._part.id), self._part.name)
        line.busy += 1
        try:
            async with line.turns.turn():
                yield
        finally:
            line.busy -= 1

    async def _call(self, use: Callable[[Any], Awaitable[T]]) -> T:
        line = self._line
        if line is None:
            line = self._line = await self._desk.line(self._tenant_id, UUID(self._part.id), self._part.name)
        try:
            answer = await use(line.adapter)
        except ProviderError as error:
            await self._desk.failed(line, error)
            raise
        await self._desk.worked(line)
        return answer


class VendorWriter(StandIn):
    """ScriptWriter of a provider."""

    async def write(self, request: ScriptRequest, on_text: OnText | None = None) -> WrittenScript:
        return await self._call(lambda adapter: adapter.write(request, on_text))


class VendorNarrator(StandIn):
    """GroupNarrator of a provider. It takes its turns itself: orders are safe to repeat, wherever they break off."""

    order_hours = ORDER_HOURS

    async def require(self, requests: Sequence[SpeechRequest]) -> None:
        await self._call(lambda adapter: adapter.require(requests))

    def groups(self, requests: Sequence[SpeechRequest]) -> Sequence[Sequence[int]]:
        """Raises AssertionError before `require` has opened the provider."""
        assert self._line is not None, "the provider is opened by require()"
        adapter: Any = self._line.adapter
        found: Sequence[Sequence[int]] = adapter.groups(requests)
        return found

    async def speak(self, request: SpeechRequest) -> SpokenSentence:
        async with self.turn():
            return await self._call(lambda adapter: adapter.speak(request))

    async def speak_group(self, requests: Sequence[SpeechRequest], order: str) -> SpokenGroup:
        async with self.turn():
            return await self._call(lambda adapter: adapter.speak_group(requests, order))

    async def forget(self, order: str) -> None:
        await self._call(lambda adapter: adapter.forget(order))


class VendorImages(StandIn):
    """ImageMaker of a provider."""

    async def make(self, request: PictureRequest) -> MadePicture:
        return await self._call(lambda adapter: adapter.make(request))
