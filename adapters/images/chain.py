"""An ordered chain of picture makers that ends in the art board; every step down is told, none is silent.

The chain owns the retries of its links: a busy provider is asked again after the wait it names (or a back-off with
full jitter) as long as patience lasts, then the next one is asked. A lost answer is never passed over: it may have been
paid, so it is raised for a person to decide.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from domain.production.ports import Fallback, ImageMaker, OnFallback, ProviderBusy, ProviderError
from domain.production.provider_errors import LeftAlone, NoTurn, OutcomeUnknown, kind_of, usage_of

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 16.0

T = TypeVar("T")


class ImageChain:
    """Makers that are asked in order. The last one should be the art board, which always works."""

    def __init__(
        self,
        makers: Sequence[ImageMaker],
        *,
        tries: int = 3,
        patience: float = 45.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`tries` per maker and picture; `patience`: seconds a maker may make one picture wait, all waits together."""
        if not makers:
            raise ValueError("A chain needs at least one maker.")
        self._makers = list(makers)
        self._tries, self._patience, self._sleep, self._chance = tries, patience, sleep, chance
        self.name = "+".join(maker.name for maker in self._makers)
        self.build = "+".join(maker.build for maker in self._makers)

    async def first(self, attempt: Callable[[ImageMaker], Awaitable[T]], tell: OnFallback) -> T:
        """Answer what the first maker that works has made; `attempt` makes the call, through the ledger if need be.

        Raises OutcomeUnknown of any maker, what is no ProviderError at once, and whatever the last maker raises.
        """
        for maker, after in zip(self._makers, [*self._makers[1:], None], strict=True):
            try:
                return await self._ask(maker, attempt)
            except OutcomeUnknown:
                raise
            except ProviderError as error:
                if after is None:
                    raise
                tell(_fallback(maker, after, error))
        raise AssertionError("the last maker answers or raises")

    async def _ask(self, maker: ImageMaker, attempt: Callable[[ImageMaker], Awaitable[T]]) -> T:
        """Ask one maker until it answers, refuses, or patience ends."""
        patience = self._patience
        for number in range(1, self._tries + 1):
            try:
                return await attempt(maker)
            except (LeftAlone, NoTurn):
                raise
            except ProviderBusy as error:
                pause = self._pause(error, number)
                if pause is None or pause > patience:
                    raise
                patience -= pause
                await self._sleep(pause)
        raise AssertionError("the last try answers or raises")

    def _pause(self, error: ProviderBusy, number: int) -> float | None:
        """Seconds before the next try; None when there is none."""
        if number >= self._tries:
            return None
        if error.retry_after is not None:
            return error.retry_after
        return float(self._chance() * min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**number))


def _fallback(maker: ImageMaker, after: ImageMaker, error: ProviderError) -> Fallback:
    return Fallback(maker.name, after.name, kind_of(error), error.sentence, error.request_id, usage_of(error))
