"""Taking turns at a provider: breaker and rate limit before a call, what became of it afterwards."""

from __future__ import annotations

from adapters.limits import Limits, Rate
from domain.production.ports import ProviderError
from domain.production.provider_errors import RateLimited, Unavailable, kind_of


async def require_turn(limits: Limits, name: str, key: str, rate: Rate | None, patience: float) -> None:
    """Pass breaker and rate limit, waiting at most `patience` seconds.

    Raises Unavailable or RateLimited; nothing is sent in that case.
    """
    if rest := await limits.resting(key):
        sentence = f"{name} failed repeatedly and is left alone for {rest:.0f} s more."
        fix = "Nothing to do: it is tried again by itself. Testing its connection tells what is wrong."
        raise Unavailable(name, sentence, retry_after=rest, fix=fix)
    if rate and (wait := await limits.wait(key, rate, patience)):
        sentence = f"The rate set for {name} is used up for {wait:.0f} s."
        raise RateLimited(name, sentence, retry_after=wait, fix="Raise the provider's rate, or wait.")


async def note_failure(limits: Limits, key: str, rate: Rate | None, error: ProviderError) -> None:
    """Tell breaker and rate limit what became of a call."""
    await limits.failed(key, kind_of(error))
    if rate and isinstance(error, RateLimited) and error.retry_after:
        await limits.hold(key, rate, error.retry_after)
