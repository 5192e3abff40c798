"""Taking turns at a provider: breaker, rate and seats before a call, and what became of it afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapters.limits import Limits, Rate
from domain.production.ports import ProviderError
from domain.production.provider_errors import LeftAlone, NoTurn, RateLimited, kind_of

PATIENCE_S = 30.0


@dataclass(frozen=True)
class Turns:
    """Turns at one provider. `key` names its credential in limits; no rate = no limit, 0 seats = any number at once.

    `patience`: seconds that a call may wait for its turn.
    """

    limits: Limits
    name: str
    key: str
    rate: Rate | None = None
    seats: int = 0
    patience: float = PATIENCE_S

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and keep it. Raises LeftAlone or NoTurn; nothing has been sent then."""
        async with self.limits.seat(self.key, self.seats, self.patience) as wait:
            if wait:
                sentence = f"As many calls to {self.name} as it may have are under way."
                fix = "Nothing to do: it goes on by itself. Allow the provider more calls at once, or wait."
                raise NoTurn(self.name, sentence, retry_after=wait, fix=fix)
            await require_turn(self.limits, self.name, self.key, self.rate, self.patience)
            yield

    async def worked(self) -> None:
        """Tell that a call succeeded."""
        await self.limits.worked(self.key)

    async def failed(self, error: ProviderError) -> None:
        """Tell breaker and rate limit why a call failed."""
        await note_failure(self.limits, self.key, self.rate, error)


async def require_turn(limits: Limits, name: str, key: str, rate: Rate | None, patience: float) -> None:
    """Pass breaker and rate limit, waiting at most `patience` seconds.

    Raises LeftAlone or NoTurn; nothing is sent in that case.
    """
    if rest := await limits.resting(key):
        sentence = f"{name} failed repeatedly and is left alone for {rest:.0f} s more."
        fix = "Nothing to do: it is tried again by itself. Testing its connection tells what is wrong."
        raise LeftAlone(name, sentence, retry_after=rest, fix=fix)
    if rate and (wait := await limits.wait(key, rate, patience)):
        sentence = f"The rate set for {name} is used up for {wait:.0f} s."
        raise NoTurn(name, sentence, retry_after=wait, fix="Raise the provider's rate, or wait.")


async def note_failure(limits: Limits, key: str, rate: Rate | None, error: ProviderError) -> None:
    """Tell breaker and rate limit what became of a call."""
    await limits.failed(key, kind_of(error))
    if rate and isinstance(error, RateLimited) and error.retry_after:
        await limits.hold(key, rate, error.retry_after)
