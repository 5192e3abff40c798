"""The chain: who is asked, how long, what is told, what it costs; real makers on doubles at the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

import pytest

from adapters.egress_rules import Allowance
from adapters.images.artboard import ArtBoard
from adapters.images.chain import ImageChain
from adapters.images.gemini import GeminiImages
from adapters.images.openai import OpenAiImages
from adapters.limits import BreakerRule, Limits, OwnShelf, Rate
from adapters.turns import Turns
from domain.production.ports import Fallback, ImageMaker, MadePicture, PictureRequest, ProviderError, Usage, turn_of
from domain.production.provider_errors import (
    KeyRefused,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
    UnsafeRequest,
    with_usage,
)
from tests.support.providers.gemini import GeminiDouble
from tests.support.providers.openai import OpenAiDouble
from tests.support.providers.server import running

REQUEST = PictureRequest("A lake", "Lake", ["lake"], "en", 320, 180, "1")


class Maker:
    """Answers with what it was given, in order; then with pictures. Takes turns where it has any."""

    model = ""

    def __init__(self, name: str, *errors: Exception) -> None:
        self.name, self.build, self.errors, self.asked = name, f"{name}/1", list(errors), 0
        self.turns: Turns | None = None

    def turn(self) -> AbstractAsyncContextManager[None]:
        return self.turns.turn() if self.turns else nullcontext()

    async def make(self, request: PictureRequest) -> MadePicture:
        self.asked += 1
        try:
            if self.errors:
                raise self.errors.pop(0)
        except ProviderError as error:
            if self.turns:
                await self.turns.failed(error)
            raise
        if self.turns:
            await self.turns.worked()
        return MadePicture(b"x", "image/jpeg", 1, 1, self.name, Usage({"pictures": 1}, 7))


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.at = 1_000_000_000
        self.naps: list[float] = []

    def now(self) -> int:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.at += round(seconds * 1_000_000)


def busy(wait: float | None = None) -> RateLimited:
    return RateLimited("a", "Too many.", retry_after=wait)


class Asked:
    """A chain and what it has told."""

    def __init__(self, makers: Sequence[ImageMaker], clock: Clock) -> None:
        self.chain = ImageChain(makers, sleep=clock.sleep, chance=lambda: 1.0)
        self.name, self.build = self.chain.name, self.chain.build
        self.told: list[Fallback] = []

    async def make(self, request: PictureRequest) -> MadePicture:
        async def attempt(maker: ImageMaker) -> MadePicture:
            async with turn_of(maker):
                return await maker.make(request)

        return await self.chain.first(attempt, self.told.append)


def make_chain(
    makers: Sequence[ImageMaker], clock: Clock, rate: Rate | None = None, rule: BreakerRule | None = None
) -> tuple[Asked, list[Fallback]]:
    """A chain whose makers share limits; only the first has a rate."""
    limits = Limits(None, rule, own=OwnShelf(clock.now), sleep=clock.sleep)
    for number, maker in enumerate(makers):
        if isinstance(maker, Maker):
            maker.turns = Turns(limits, maker.name, maker.name, None if number else rate)
    asked = Asked(makers, clock)
    return asked, asked.told


class TestOrder:
    async def test_the_first_one_that_works(self) -> None:
        first, second = Maker("a"), Maker("b")
        chain, told = make_chain([first, second], Clock())
        assert (await chain.make(REQUEST)).provider == "a"
        assert (second.asked, told, chain.name, chain.build) == (0, [], "a+b", "a/1+b/1")

    async def test_every_step_down_is_told_with_reason_and_price(self) -> None:
        refused = with_usage(UnsafeRequest("a", "It is not safe.", request_id="r1"), Usage({"input_tokens": 3}, 2))
        chain, told = make_chain([Maker("a", refused), Maker("b", KeyRefused("b", "Wrong key.")), Maker("c")], Clock())
        made = await chain.make(REQUEST)
        assert told == [
            Fallback("a", "b", "safety", "It is not safe.", "r1", Usage({"input_tokens": 3}, 2)),
            Fallback("b", "c", "auth", "Wrong key."),
        ]
        assert made.provider == "c"

    async def test_a_lost_answer_is_not_passed_over(self) -> None:
        second = Maker("b")
        chain, told = make_chain([Maker("a", OutcomeUnknown("a", "Lost.")), second], Clock())
        with pytest.raises(OutcomeUnknown):
            await chain.make(REQUEST)
        assert (second.asked, told) == (0, [])

    async def test_the_last_ones_failure_is_raised(self) -> None:
        chain, told = make_chain([Maker("a", KeyRefused("a", "1.")), Maker("b", KeyRefused("b", "2."))], Clock())
        with pytest.raises(KeyRefused, match="2"):
            await chain.make(REQUEST)
        assert len(told) == 1

    async def test_what_is_no_failure_of_a_provider_is_not_passed_over(self) -> None:
        second = Maker("b")
        chain, told = make_chain([Maker("a", RuntimeError("odd")), second], Clock())
        with pytest.raises(RuntimeError):
            await chain.make(REQUEST)
        assert (second.asked, told) == (0, [])

    def test_an_empty_chain(self) -> None:
        with pytest.raises(ValueError, match="at least one"):
            make_chain([], Clock())


class TestPatience:
    async def test_it_waits_exactly_as_long_as_asked(self) -> None:
        clock, maker = Clock(), Maker("a", busy(7.0), busy(3.0))
        chain, told = make_chain([maker, Maker("b")], clock)
        assert (await chain.make(REQUEST)).provider == "a"
        assert (clock.naps, told) == ([7.0, 3.0], [])

    async def test_without_a_wish_the_pauses_grow(self) -> None:
        clock = Clock()
        faults = [Unavailable("a", "Down.") for _ in range(2)]
        chain, _ = make_chain([Maker("a", *faults), Maker("b")], clock)
        await chain.make(REQUEST)
        assert clock.naps == [1.0, 2.0]

    async def test_too_long_a_wait_goes_to_the_next_at_once(self) -> None:
        clock = Clock()
        chain, told = make_chain([Maker("a", busy(120.0)), Maker("b")], clock)
        assert (await chain.make(REQUEST)).provider == "b"
        assert (clock.naps, told[0].kind) == ([], "rate_limited")

    async def test_three_tries_and_no_more(self) -> None:
        first = Maker("a", *[busy(0.1) for _ in range(9)])
        chain, told = make_chain([first, Maker("b")], Clock())
        await chain.make(REQUEST)
        assert (first.asked, len(told)) == (3, 1)


class TestBreaker:
    async def test_a_refused_key_is_not_tried_for_every_picture(self) -> None:
        first = Maker("a", *[KeyRefused("a", "Wrong key.") for _ in range(9)])
        clock = Clock()
        chain, told = make_chain([first, Maker("b")], clock)
        for _ in range(4):
            await chain.make(REQUEST)
        assert first.asked == 1
        assert "left alone for 600 s" in told[1].sentence
        await clock.sleep(601)
        await chain.make(REQUEST)
        assert first.asked == 2

    async def test_it_opens_after_repeated_faults_and_closes_after_a_good_probe(self) -> None:
        first = Maker("a", *[Unavailable("a", "Down.", retry_after=60.0) for _ in range(3)])
        clock = Clock()
        chain, told = make_chain([first, Maker("b")], clock, rule=BreakerRule(faults=3, rest=30.0))
        for _ in range(5):
            await chain.make(REQUEST)
        assert (first.asked, len(told)) == (3, 5)
        await clock.sleep(31)
        assert [(await chain.make(REQUEST)).provider for _ in range(3)] == ["a", "a", "a"]

    async def test_safety_says_nothing_about_the_provider(self) -> None:
        first = Maker("a", *[UnsafeRequest("a", "Unsafe.") for _ in range(9)])
        chain, _ = make_chain([first, Maker("b")], Clock(), rule=BreakerRule(faults=2))
        for _ in range(5):
            await chain.make(REQUEST)
        assert first.asked == 5


class TestRate:
    async def test_calls_keep_their_distance(self) -> None:
        clock = Clock()
        chain, told = make_chain([Maker("a"), Maker("b")], clock, Rate(per_minute=6))
        for _ in range(3):
            await chain.make(REQUEST)
        assert clock.naps == [10.0, 10.0]
        assert told == []

    async def test_a_wait_beyond_patience_is_a_told_step_down(self) -> None:
        chain, told = make_chain([Maker("a"), Maker("b")], Clock(), Rate(per_minute=1))
        assert [(await chain.make(REQUEST)).provider for _ in range(2)] == ["a", "b"]
        assert (told[0].kind, told[0].sentence) == ("rate_limited", "The rate set for a is used up for 60 s.")


class TestWithRealMakers:
    async def test_down_to_the_art_board(self) -> None:
        first, second = OpenAiDouble(), GeminiDouble()
        with running(first, second):
            first.fail("no_quota", times=9)
            second.fail("html_picture", times=9)
            allow = Allowance.parse("127.0.0.1")
            makers: list[OpenAiImages | GeminiImages] = [
                OpenAiImages("k", base_url=f"{first.url}/v1", allow=allow),
                GeminiImages("k", model="gemini-3-pro-image", base_url=second.url, allow=allow),
            ]
            chain, told = make_chain([*makers, ArtBoard()], Clock())
            made = await chain.make(dataclasses.replace(REQUEST, width=160, height=90))
            for maker in makers:
                await maker.close()
        assert (made.provider, made.draft) == ("artboard", True)
        assert [(step.provider, step.then, step.kind) for step in told] == [
            ("openai", "gemini", "quota"),
            ("gemini", "artboard", "partial"),
        ]
        assert sum(step.usage.micro_dollars or 0 for step in told if step.usage) == second.micro_dollars > 0
