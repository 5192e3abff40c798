"""OpenAI and Gemini pictures: real HTTP against doubles that judge sizes, count tokens and bill by their own tables."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from adapters.egress import Caps
from adapters.egress_rules import Allowance
from adapters.images.gemini import GeminiImages, nearest_ratio
from adapters.images.openai import OpenAiImages, legal_size
from domain.production.ports import PictureRequest, ProviderError
from domain.production.provider_errors import (
    BadRequest,
    KeyRefused,
    NotOffered,
    OutcomeUnknown,
    PartialAnswer,
    QuotaSpent,
    RateLimited,
    Unavailable,
    UnsafeRequest,
    usage_of,
)
from tests.support.providers import gemini, openai
from tests.support.providers.gemini import GeminiDouble
from tests.support.providers.openai import OpenAiDouble
from tests.support.providers.server import Double, running

ALLOW = Allowance.parse("127.0.0.1")
REQUEST = PictureRequest(
    prompt="A quiet crater at the pole of the Moon, lit from the side",
    headline="Ice in the dark",
    keywords=["crater", "ice"],
    language="en",
    width=320,
    height=180,
    seed="5",
)
TALL = dataclasses.replace(REQUEST, width=1080, height=1920)
Maker = OpenAiImages | GeminiImages


@pytest.fixture(scope="module")
def doubles() -> Iterator[dict[str, Double]]:
    made: dict[str, Double] = {"openai": OpenAiDouble(), "gemini": GeminiDouble()}
    with running(*made.values()):
        yield made


@pytest.fixture(params=["openai", "gemini"])
def double(doubles: dict[str, Double], request: pytest.FixtureRequest) -> Double:
    chosen = doubles[request.param]
    chosen.reset()
    return chosen


def maker_of(double: Double, key: str = "k-good", **changes: Any) -> Maker:
    if double.name == "openai":
        return OpenAiImages(key, base_url=f"{double.url}/v1", allow=ALLOW, **changes)
    return GeminiImages(key, base_url=double.url, allow=ALLOW, **({"model": "gemini-3-pro-image"} | changes))


@pytest.fixture
async def maker(double: Double) -> AsyncIterator[Maker]:
    made = maker_of(double)
    yield made
    await made.close()


class TestMaking:
    @pytest.mark.parametrize("request_made", [REQUEST, TALL], ids=["wide", "tall"])
    async def test_a_picture_of_the_right_shape(
        self, double: Double, maker: Maker, request_made: PictureRequest
    ) -> None:
        made = await maker.make(request_made)
        image = Image.open(io.BytesIO(made.data))
        assert image.size == (made.width, made.height)
        assert made.width / made.height == pytest.approx(request_made.width / request_made.height, rel=0.02)
        assert made.width >= request_made.width
        assert made.media_type == "image/jpeg"
        assert made.provider == double.name
        assert made.request_id
        assert not made.draft

    async def test_the_price_is_what_was_billed(self, double: Double, maker: Maker) -> None:
        made = [await maker.make(REQUEST), await maker.make(TALL)]
        assert sum(picture.usage.micro_dollars or 0 for picture in made) == double.micro_dollars > 0
        assert [picture.usage.units["pictures"] for picture in made] == [1, 1]

    async def test_the_same_request_has_the_same_key(self, double: Double, maker: Maker) -> None:
        await maker.make(REQUEST)
        await maker.make(REQUEST)
        await maker.make(dataclasses.replace(REQUEST, prompt="Something else"))
        assert sorted(double.count()["billed_by_key"].values()) == [1, 2]

    async def test_private_things_do_not_leave(self, double: Double, maker: Maker) -> None:
        await maker.make(dataclasses.replace(REQUEST, prompt="Write to ada@example.org <b>now</b> https://x.example/a"))
        sent = double.calls[0].body.decode()
        assert "example" not in sent
        assert "<b>" not in sent
        assert "No text" in sent


class TestSafety:
    HARSH = dataclasses.replace(REQUEST, prompt="A crater under the stars. Blood runs over the stones.")

    async def test_one_milder_try(self, double: Double, maker: Maker) -> None:
        made = await maker.make(self.HARSH)
        assert len(double.calls) == 2
        first, second = (call.body.decode() for call in double.calls)
        assert "Blood" in first
        assert "Blood" not in second
        assert "A crater under the stars" in second
        assert made.usage.micro_dollars == double.micro_dollars

    async def test_then_a_refusal(self, double: Double, maker: Maker) -> None:
        with pytest.raises(UnsafeRequest, match="safety rules") as caught:
            await maker.make(dataclasses.replace(REQUEST, prompt="A forbidden place."))
        assert len(double.calls) == 2
        spent = usage_of(caught.value)
        assert (spent.micro_dollars if spent else 0) == double.micro_dollars


class TestFailures:
    CLASSES = (
        ("openai", "bad_request", BadRequest),
        ("openai", "wrong_key", KeyRefused),
        ("openai", "forbidden", KeyRefused),
        ("openai", "no_model", NotOffered),
        ("openai", "rate_limited", RateLimited),
        ("openai", "no_quota", QuotaSpent),
        ("openai", "server_error", Unavailable),
        ("openai", "unavailable", Unavailable),
        ("gemini", "bad_request", BadRequest),
        ("gemini", "wrong_key", KeyRefused),
        ("gemini", "forbidden", KeyRefused),
        ("gemini", "no_model", NotOffered),
        ("gemini", "rate_limited", RateLimited),
        ("gemini", "no_quota", QuotaSpent),
        ("gemini", "server_error", Unavailable),
        ("gemini", "unavailable", Unavailable),
        ("gemini", "deadline", Unavailable),
    )

    def test_every_status_is_tried(self) -> None:
        known = {("openai", fault) for fault in openai.STATUS_ERRORS if fault != "moderation"}
        known |= {("gemini", fault) for fault in gemini.STATUS_ERRORS}
        assert {(provider, fault) for provider, fault, _ in self.CLASSES} == known

    @pytest.mark.parametrize(("provider", "fault", "expected"), CLASSES)
    async def test_by_status(
        self, doubles: dict[str, Double], provider: str, fault: str, expected: type[ProviderError]
    ) -> None:
        double = doubles[provider]
        double.reset()
        double.fail(fault)
        maker = maker_of(double)
        with pytest.raises(expected) as caught:
            await maker.make(REQUEST)
        await maker.close()
        assert type(caught.value) is expected
        assert caught.value.fix
        assert "It says" in caught.value.sentence
        assert double.billed == []
        assert len(double.calls) == 1

    async def test_a_key_is_never_repeated(self, doubles: dict[str, Double]) -> None:
        double = doubles["openai"]
        double.reset()
        double.fail("wrong_key")
        maker = maker_of(double)
        with pytest.raises(KeyRefused, match="hidden") as caught:
            await maker.make(REQUEST)
        assert "abcdef" not in caught.value.sentence
        await maker.close()

    async def test_a_rate_limit_says_how_long_to_wait(self, double: Double, maker: Maker) -> None:
        double.fail("rate_limited", retry_after=34)
        with pytest.raises(RateLimited) as caught:
            await maker.make(REQUEST)
        assert caught.value.retry_after == 34

    @pytest.mark.parametrize("fault", ["html_picture", "no_picture"])
    async def test_what_is_no_picture_is_paid_all_the_same(self, double: Double, maker: Maker, fault: str) -> None:
        double.fail(fault)
        with pytest.raises(PartialAnswer) as caught:
            await maker.make(REQUEST)
        usage = usage_of(caught.value)
        assert usage is not None
        assert usage.micro_dollars == double.micro_dollars > 0

    async def test_a_page_instead_of_an_answer(self, double: Double, maker: Maker) -> None:
        double.fail("garbage")
        with pytest.raises(PartialAnswer, match="cannot be used"):
            await maker.make(REQUEST)

    async def test_json_of_another_form(self, doubles: dict[str, Double]) -> None:
        double = doubles["gemini"]
        double.reset()
        double.fail("odd_json")
        maker = maker_of(double)
        with pytest.raises(PartialAnswer):
            await maker.make(REQUEST)
        await maker.close()

    @pytest.mark.parametrize("fault", ["prompt_blocked", "image_safety"])
    async def test_both_forms_of_a_silent_refusal(self, doubles: dict[str, Double], fault: str) -> None:
        double = doubles["gemini"]
        double.reset()
        double.fail(fault, times=2)
        maker = maker_of(double)
        with pytest.raises(UnsafeRequest) as caught:
            await maker.make(REQUEST)
        usage = usage_of(caught.value)
        assert usage is not None
        assert usage.micro_dollars == double.micro_dollars > 0
        await maker.close()

    async def test_without_counts_the_price_is_unknown(self, doubles: dict[str, Double]) -> None:
        double = doubles["openai"]
        double.reset()
        double.fail("no_usage")
        maker = maker_of(double)
        assert (await maker.make(REQUEST)).usage.micro_dollars is None
        await maker.close()


class TestLostLines:
    @pytest.mark.parametrize("fault", ["drop_before", "drop_after", "drop_half"])
    async def test_a_lost_answer_is_in_doubt_and_not_asked_again(
        self, double: Double, maker: Maker, fault: str
    ) -> None:
        double.fail(fault)
        with pytest.raises(OutcomeUnknown) as caught:
            await maker.make(REQUEST)
        assert caught.value.outcome_unknown
        assert len(double.calls) == 1
        assert len(double.billed) == (0 if fault == "drop_before" else 1)

    async def test_silence_ends_in_doubt(self, double: Double) -> None:
        double.fail("slow", seconds=5)
        maker = maker_of(double, caps=Caps(seconds=0.3))
        with pytest.raises(OutcomeUnknown):
            await maker.make(REQUEST)
        await maker.close()

    async def test_a_line_that_never_stood_costs_nothing(self) -> None:
        maker = OpenAiImages("k", base_url="http://127.0.0.1:9/v1", allow=ALLOW)
        with pytest.raises(Unavailable, match="nothing was sent"):
            await maker.make(REQUEST)
        await maker.close()

    async def test_loopback_is_refused_unless_allowed(self, double: Double) -> None:
        maker = OpenAiImages("k", base_url=f"{double.url}/v1")
        with pytest.raises(BadRequest, match="loopback"):
            await maker.make(REQUEST)
        assert double.calls == []
        await maker.close()


class TestKeysAndModels:
    async def test_the_connection_test(self, double: Double, maker: Maker) -> None:
        assert (await maker.check()).sentence.endswith(f"the key may use {maker.model}.")
        assert double.billed == []

    async def test_a_revoked_key(self, double: Double) -> None:
        maker = maker_of(double, "revoked")
        for call in (maker.check(), maker.make(REQUEST)):
            with pytest.raises(KeyRefused):
                await call
        await maker.close()

    async def test_a_model_that_is_gone(self, double: Double) -> None:
        maker = maker_of(double, model="gone-1")
        for call in (maker.check(), maker.make(REQUEST)):
            with pytest.raises(NotOffered, match="gone-1"):
                await call
        await maker.close()

    @pytest.mark.parametrize("maker", [OpenAiImages, GeminiImages])
    def test_a_key_no_header_can_carry(self, maker: type[Maker]) -> None:
        with pytest.raises(KeyRefused):
            maker("two words")

    def test_a_model_id_that_would_change_the_address(self) -> None:
        with pytest.raises(BadRequest, match="no model id"):
            GeminiImages("k", model="../x?y")


class TestSizes:
    @pytest.mark.parametrize(
        ("asked", "given"),
        [
            ((1080, 1920), (1088, 1920)),
            ((1920, 1080), (1920, 1088)),
            ((1024, 1024), (1024, 1024)),
            ((3840, 2160), (2560, 1440)),
            ((320, 180), (1376, 768)),
        ],
    )
    def test_known_sizes(self, asked: tuple[int, int], given: tuple[int, int]) -> None:
        assert legal_size(*asked) == given

    @given(st.integers(64, 4320), st.integers(64, 4320))
    def test_every_size_is_one_the_service_takes(self, width: int, height: int) -> None:
        wide, high = legal_size(width, height)
        body = {"prompt": "p", "size": f"{wide}x{high}"}
        assert openai.faults_of(body) == ""
        if 1 / 3 <= width / height <= 3:
            assert wide / high == pytest.approx(width / height, rel=0.04)

    @pytest.mark.parametrize(
        ("size", "ratio"),
        [((1080, 1920), "9:16"), ((1920, 1080), "16:9"), ((500, 500), "1:1"), ((2560, 1080), "21:9"), ((4, 3), "4:3")],
    )
    def test_ratios(self, size: tuple[int, int], ratio: str) -> None:
        assert nearest_ratio(*size) == ratio
