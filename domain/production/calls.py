"""The ledger as steps use it: knows from the job what a call should cost and what may take its place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from domain.production.ports import Usage
from domain.production.provider_errors import LeftOut, PartialAnswer, with_usage
from domain.usage.effects import CallSkipped, Ledger, PaidInVain

T = TypeVar("T")


class StepLedger(Ledger):
    """The ledger of one running step. `makers`: the job's picture makers, in the order they are asked."""

    makers: Sequence[str] = ()

    async def perform(
        self,
        *,
        provider: str,
        model: str = "",
        request: Mapping[str, Any],
        call: Callable[[], Awaitable[T]],
        encode: Callable[[T], bytes],
        decode: Callable[[bytes], T],
        usage: Callable[[T], Any] | None = None,
        idempotent: bool = False,
        fallback: str = "",
        ref: str = "",
        amount: Mapping[str, int] | None = None,
    ) -> T:
        """Make a call once (see Ledger).

        Raises LeftOut where a person has decided to do without it, PartialAnswer where it was paid in vain before.
        """
        try:
            return await super().perform(
                provider=provider,
                model=model,
                request=request,
                call=call,
                encode=encode,
                decode=decode,
                usage=usage,
                idempotent=idempotent,
                fallback=fallback or next_maker(self.makers, provider),
                ref=ref,
                amount=amount or spoken_amount(request),
            )
        except CallSkipped as skipped:
            fix = f"Nothing to do: {skipped.fallback} takes its place."
            raise LeftOut(provider, skipped.sentence, fix=fix) from skipped
        except PaidInVain as vain:
            fix = "It is not asked and paid again by itself: retry the job to ask once more."
            raise with_usage(PartialAnswer(provider, vain.sentence, fix=fix), vain_usage(vain)) from vain


def vain_usage(vain: PaidInVain) -> Usage:
    """What a call that was paid in vain has consumed."""
    return Usage(vain.units, vain.micro_dollars)


def next_maker(makers: Sequence[str], provider: str) -> str:
    """Who makes a picture when one maker is passed over; empty when nobody can."""
    place = makers.index(provider) if provider in makers else -1
    return makers[place + 1] if 0 <= place < len(makers) - 1 else ""


def spoken_amount(request: Mapping[str, Any]) -> dict[str, int]:
    """The characters of a request to speak, by which voices are billed; empty for any other."""
    parts = [request, *(part for part in request.get("requests", ()) if isinstance(part, Mapping))]
    length = sum(len(ssml) for part in parts if isinstance(ssml := part.get("ssml"), str))
    return {"characters": length} if length else {}
