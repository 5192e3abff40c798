"""An ordered chain of picture makers that ends in the art board; every step down is told, none is silent.

The chain owns the retries of its links: a busy provider is asked again after the wait it names (or a back-off with
full jitter) as long as patience lasts, then the next one is asked. A lost answer is never passed over: it may have been
paid, so it is raised for a person to decide.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from adapters.limits import Limits, Rate
from adapters.turns import note_failure, require_turn
from domain.production.ports import ImageMaker, MadePicture, PictureRequest, ProviderBusy, ProviderError, Usage
from domain.production.provider_errors import (
    OutcomeUnknown,
    add_usage,
    kind_of,
    usage_of,
    with_usage,
)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 16.0


@dataclass(frozen=True)
class Link:
    """One maker of a chain. `key` names its credential in limits (default: the maker's name); no rate = no limit."""

    maker: ImageMaker
    rate: Rate | None = None
    key: str = ""

    @property
    def limit_key(self) -> str:
        return self.key or self.maker.name


@dataclass(frozen=True)
class Fallback:
    """One step down a chain: who failed, why (kind and sentence), who is asked next, and what it has cost."""

    provider: str
    then: str
    kind: str
    sentence: str
    request_id: str = ""
    usage: Usage | None = None


OnFallback = Callable[[Fallback], None]
Perform = Callable[[ImageMaker, PictureRequest], Awaitable[MadePicture]]
"""Makes the call of one link, through the ledger where there is one."""


async def call_directly(maker: ImageMaker, request: PictureRequest) -> MadePicture:
    """Call a maker without a ledger."""
    return await maker.make(request)


class ImageChain:
    """ImageMaker that asks its links in order. The last one should be the art board, which always works."""

    def __init__(
        self,
        links: Sequence[Link],
        limits: Limits,
        on_fallback: OnFallback,
        *,
        tries: int = 3,
        patience: float = 45.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`tries` per link and picture; `patience`: seconds a link may make one picture wait, all waits together."""
        if not links:
            raise ValueError("A chain needs at least one maker.")
        self._links, self._limits, self._on_fallback = list(links), limits, on_fallback
        self._tries, self._patience, self._sleep, self._chance = tries, patience, sleep, chance
        self.name = "+".join(link.maker.name for link in self._links)
        self.build = "+".join(link.maker.build for link in self._links)

    async def make(
        self,
        request: PictureRequest,
        *,
        on_fallback: OnFallback | None = None,
        perform: Perform = call_directly,
    ) -> MadePicture:
        """Make one picture. Raises OutcomeUnknown of any link, and whatever the last link raises.

        The picture's usage holds what failed links have consumed as well.
        """
        tell = on_fallback or self._on_fallback
        spent: list[Usage | None] = []
        for link, after in zip(self._links, [*self._links[1:], None], strict=True):
            try:
                made = await self._ask(link, request, perform, spent)
            except OutcomeUnknown as lost:
                if any(spent):
                    with_usage(lost, add_usage(*spent, lost.usage))
                raise
            except ProviderError as error:
                if after is None:
                    raise
                spent.append(usage_of(error))
                tell(_fallback(link, after, error))
            else:
                return replace(made, usage=add_usage(*spent, made.usage)) if spent else made
        raise AssertionError("the last link answers or raises")

    async def _ask(
        self, link: Link, request: PictureRequest, perform: Perform, spent: list[Usage | None]
    ) -> MadePicture:
        """Ask one link until it answers, refuses, or patience ends."""
        patience = self._patience
        for number in range(1, self._tries + 1):
            await require_turn(self._limits, link.maker.name, link.limit_key, link.rate, patience)
            try:
                made = await perform(link.maker, request)
            except ProviderError as error:
                await note_failure(self._limits, link.limit_key, link.rate, error)
                pause = self._pause(error, number)
                if pause is None or pause > patience:
                    raise
                spent.append(usage_of(error))
                patience -= pause
                await self._sleep(pause)
            else:
                await self._limits.worked(link.limit_key)
                return made
        raise AssertionError("the last try answers or raises")

    def _pause(self, error: ProviderError, number: int) -> float | None:
        """Seconds before the next try; None when there is none."""
        if not isinstance(error, ProviderBusy) or number >= self._tries:
            return None
        if error.retry_after is not None:
            return error.retry_after
        return float(self._chance() * min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**number))


def _fallback(link: Link, after: Link, error: ProviderError) -> Fallback:
    return Fallback(
        link.maker.name, after.maker.name, kind_of(error), error.sentence, error.request_id, usage_of(error)
    )
