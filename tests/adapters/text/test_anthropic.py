"""Claude as writer: the real SDK against a server that speaks the Messages API and counts money by its own table."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Iterator
from typing import ClassVar

import pytest

from adapters.egress import Caps
from adapters.egress_rules import Allowance
from adapters.limits import Limits, Rate
from adapters.text.anthropic import AnthropicWriter
from adapters.text.anthropic_request import answer_schema, make_body, system_blocks
from adapters.turns import Turns
from domain.catalog.knowledge import Fact
from domain.production.live_text import LiveScript
from domain.production.ports import Checked, ProviderBusy, ProviderError, ScriptRequest
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
    kind_of,
    usage_of,
)
from domain.production.scripting import write_script
from domain.studio.script import Script
from tests.support.providers.anthropic import STATUS_ERRORS, AnthropicDouble
from tests.support.providers.server import running

FACTS = [
    Fact("moon-1", "The Moon formed about 4.5 billion years ago.", "NASA", "The Moon"),
    Fact("moon-2", "The Moon moves away from the Earth by 3.8 centimetres each year.", "NASA", "The Moon"),
    Fact("moon-3", "The same side of the Moon always faces the Earth.", "NASA", "The Moon"),
    Fact("moon-4", "A day on the Moon lasts about 29 Earth days.", "NASA", "The Moon"),
    Fact("moon-5", "Water ice lies in dark craters near the poles of the Moon.", "NASA", "The Moon"),
    Fact("moon-6", "Twelve people have walked on the Moon so far.", "NASA", "The Moon"),
]
REQUEST = ScriptRequest(
    topic="The Moon",
    language="en",
    seconds=45,
    tone="calm",
    system="You write narration for short films about space.",
    prompt="Write about the Moon.\n" + "\n".join(f"- [{fact.id}] {fact.text}" for fact in FACTS),
    facts=FACTS,
    seed="7",
)
ALLOW = Allowance.parse("127.0.0.0/8")


@pytest.fixture(scope="module")
def started() -> Iterator[AnthropicDouble]:
    double = AnthropicDouble()
    with running(double):
        yield double


@pytest.fixture
def double(started: AnthropicDouble) -> AnthropicDouble:
    started.reset()
    started.thinking_tokens = 0
    return started


@pytest.fixture
async def writer(double: AnthropicDouble) -> AsyncIterator[AnthropicWriter]:
    writer = AnthropicWriter("sk-ant-good", base_url=double.url, allow=ALLOW)
    yield writer
    await writer.close()


class TestWriting:
    async def test_the_answer_is_a_script_with_receipt(self, double: AnthropicDouble, writer: AnthropicWriter) -> None:
        written = await writer.write(REQUEST)
        script = Script.model_validate(written.script)
        assert script.language == "en"
        assert len(script.scenes) >= 3
        assert (written.provider, written.model) == ("anthropic", "claude-sonnet-5-5")
        assert written.request_id == "req_0001"
        assert not written.draft

    async def test_the_price_is_what_was_billed(self, double: AnthropicDouble, writer: AnthropicWriter) -> None:
        double.thinking_tokens = 321
        written = [await writer.write(REQUEST), await writer.write(dataclasses.replace(REQUEST, seconds=60))]
        assert double.micro_dollars == sum(draft.usage.micro_dollars or 0 for draft in written) > 0
        assert all(draft.usage.units["calls"] == 1 for draft in written)

    async def test_text_arrives_while_it_is_written(self, double: AnthropicDouble, writer: AnthropicWriter) -> None:
        double.thinking_tokens = 5
        pieces: list[str] = []
        written = await writer.write(REQUEST, on_text=pieces.append)
        assert len(pieces) > 5
        assert json.loads("".join(pieces)) == written.script
        live = LiveScript()
        told = [found.text for piece in pieces for found in live.feed(piece) if found.kind == "sentence"]
        assert told == [sentence.text for sentence in Script.model_validate(written.script).sentences()]

    async def test_a_page_that_went_away_does_not_break_the_call(
        self, double: AnthropicDouble, writer: AnthropicWriter
    ) -> None:
        told: list[str] = []

        def gone(text: str) -> None:
            told.append(text)
            raise ValueError("the page has gone")

        assert (await writer.write(REQUEST, on_text=gone)).script["scenes"]
        assert len(told) == 1

    async def test_the_second_call_reads_the_cache(self, double: AnthropicDouble, writer: AnthropicWriter) -> None:
        first, second = await writer.write(REQUEST), await writer.write(REQUEST)
        assert first.usage.units["cache_write_5m_tokens"] == second.usage.units["cache_read_tokens"] > 100
        assert (second.usage.micro_dollars or 0) < (first.usage.micro_dollars or 0)

    async def test_a_repair_round_shows_draft_and_faults(
        self, double: AnthropicDouble, writer: AnthropicWriter
    ) -> None:
        texts = [json.dumps({"title": "No scenes", "language": "en", "scenes": []})]
        usual = double.write
        double.write = lambda body: texts.pop() if texts else usual(body)
        try:
            written, script, _ = await write_script(writer, REQUEST, [])
        finally:
            double.write = usual
        turns = double.calls[1].json()["messages"]
        assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
        assert "No scenes" in turns[1]["content"]
        assert "1. [form] /scenes" in turns[2]["content"]
        assert written.usage.micro_dollars == double.micro_dollars
        assert len(script.scenes) >= 3

    async def test_one_request_each_and_none_by_the_sdk(self, double: AnthropicDouble, writer: AnthropicWriter) -> None:
        double.fail("overloaded", times=5)
        with pytest.raises(Unavailable):
            await writer.write(REQUEST)
        assert len(double.calls) == 1


class TestFailures:
    CLASSES: ClassVar[dict[str, type[ProviderError]]] = {
        "bad_request": BadRequest,
        "wrong_key": KeyRefused,
        "no_credit": QuotaSpent,
        "forbidden": KeyRefused,
        "no_model": NotOffered,
        "too_large": BadRequest,
        "rate_limited": RateLimited,
        "spend_limit": QuotaSpent,
        "server_error": Unavailable,
        "unavailable": Unavailable,
        "timeout": Unavailable,
        "overloaded": Unavailable,
    }

    def test_every_status_is_tried(self) -> None:
        assert set(self.CLASSES) == set(STATUS_ERRORS)

    @pytest.mark.parametrize("fault", sorted(STATUS_ERRORS))
    async def test_by_status(self, double: AnthropicDouble, writer: AnthropicWriter, fault: str) -> None:
        double.fail(fault)
        with pytest.raises(self.CLASSES[fault]) as caught:
            await writer.write(REQUEST)
        status, _, words = STATUS_ERRORS[fault]
        assert caught.value.request_id == f"req_err_{status}"
        assert words in caught.value.sentence
        assert "Anthropic" in caught.value.sentence
        assert caught.value.fix
        assert double.billed == []

    async def test_a_rate_limit_says_how_long_to_wait(self, double: AnthropicDouble, writer: AnthropicWriter) -> None:
        double.fail("rate_limited", retry_after=17)
        with pytest.raises(RateLimited) as caught:
            await writer.write(REQUEST)
        assert caught.value.retry_after == 17
        assert isinstance(caught.value, ProviderBusy)
        assert "17 s" in caught.value.sentence

    async def test_an_error_inside_the_stream_is_judged_by_its_type(
        self, double: AnthropicDouble, writer: AnthropicWriter
    ) -> None:
        double.fail("stream_error")
        with pytest.raises(Unavailable, match="Overloaded") as caught:
            await writer.write(REQUEST)
        assert caught.value.request_id == "req_0001"
        usage = usage_of(caught.value)
        assert usage is not None
        assert usage.units["cache_write_5m_tokens"] > 0
        assert usage.micro_dollars is None

    async def test_a_refusal_is_a_safety_stop_with_its_price(
        self, double: AnthropicDouble, writer: AnthropicWriter
    ) -> None:
        double.fail("refusal")
        with pytest.raises(UnsafeRequest, match=r"general_harms.*asks for harm") as caught:
            await writer.write(REQUEST)
        usage = usage_of(caught.value)
        assert usage is not None
        assert usage.micro_dollars == double.micro_dollars > 0

    @pytest.mark.parametrize(
        ("fault", "says"),
        [("max_tokens", "cut off at the limit"), ("not_json", "not the JSON object")],
    )
    async def test_an_unusable_answer_is_paid_all_the_same(
        self, double: AnthropicDouble, writer: AnthropicWriter, fault: str, says: str
    ) -> None:
        double.fail(fault)
        with pytest.raises(PartialAnswer, match=says) as caught:
            await writer.write(REQUEST)
        usage = usage_of(caught.value)
        assert usage is not None
        assert usage.micro_dollars == double.micro_dollars > 0
        assert not caught.value.transient

    async def test_too_much_to_read(self, double: AnthropicDouble, writer: AnthropicWriter) -> None:
        double.fail("context_exceeded")
        with pytest.raises(BadRequest, match="longer than the model can read"):
            await writer.write(REQUEST)

    async def test_a_stream_of_another_form_is_not_repeated(
        self, double: AnthropicDouble, writer: AnthropicWriter
    ) -> None:
        double.fail("odd_stream")
        with pytest.raises(PartialAnswer) as caught:
            await writer.write(REQUEST)
        assert not caught.value.transient

    async def test_a_page_instead_of_an_answer(self, double: AnthropicDouble, writer: AnthropicWriter) -> None:
        double.fail("garbage")
        with pytest.raises(PartialAnswer, match="cannot be used"):
            await writer.write(REQUEST)


class TestLostLines:
    @pytest.mark.parametrize("fault", ["drop_after", "drop_half", "stream_ends", "drop_before"])
    async def test_a_lost_answer_is_in_doubt_and_not_asked_again(
        self, double: AnthropicDouble, writer: AnthropicWriter, fault: str
    ) -> None:
        double.fail(fault)
        with pytest.raises(OutcomeUnknown, match="may have been paid") as caught:
            await writer.write(REQUEST)
        assert caught.value.outcome_unknown
        assert not caught.value.transient
        assert len(double.calls) == 1
        assert len(double.billed) == (0 if fault == "drop_before" else 1)

    async def test_silence_ends_in_doubt(self, double: AnthropicDouble) -> None:
        double.fail("slow", seconds=5)
        writer = AnthropicWriter("k", base_url=double.url, allow=ALLOW, caps=Caps(seconds=0.3))
        with pytest.raises(OutcomeUnknown):
            await writer.write(REQUEST)
        await writer.close()

    async def test_a_line_that_never_stood_costs_nothing(self) -> None:
        writer = AnthropicWriter("k", base_url="http://127.0.0.1:9", allow=ALLOW)
        with pytest.raises(Unavailable, match="nothing was sent"):
            await writer.write(REQUEST)
        await writer.close()

    async def test_loopback_is_refused_unless_allowed(self, double: AnthropicDouble) -> None:
        writer = AnthropicWriter("k", base_url=double.url)
        with pytest.raises(BadRequest, match="loopback") as caught:
            await writer.write(REQUEST)
        assert "VFOS_EGRESS_ALLOW" in caught.value.fix
        assert double.calls == []
        await writer.close()


class TestKeys:
    @pytest.mark.parametrize("key", ["", "  ", "sk-\nant", "clé"])
    def test_a_key_no_header_can_carry(self, key: str) -> None:
        with pytest.raises(KeyRefused, match="empty or holds characters"):
            AnthropicWriter(key)

    async def test_a_revoked_key_is_told_without_showing_it(self, double: AnthropicDouble) -> None:
        writer = AnthropicWriter("revoked", base_url=double.url, allow=ALLOW)
        with pytest.raises(KeyRefused) as caught:
            await writer.check()
        assert kind_of(caught.value) == "auth"
        await writer.close()

    async def test_the_connection_test_names_the_model(self, double: AnthropicDouble, writer: AnthropicWriter) -> None:
        sentence = "Anthropic answered; the key may use claude-sonnet-5-5 and 2 other models."
        assert await writer.check() == Checked(sentence, "req_models")

    async def test_a_model_that_is_not_offered(self, double: AnthropicDouble) -> None:
        writer = AnthropicWriter("k", model="claude-nowhere-1", base_url=double.url, allow=ALLOW)
        for call in (writer.check(), writer.write(REQUEST)):
            with pytest.raises(NotOffered, match="claude-nowhere-1"):
                await call
        await writer.close()


class TestQuotes:
    async def test_the_service_counts_the_prompt_and_bills_nothing(
        self, double: AnthropicDouble, writer: AnthropicWriter
    ) -> None:
        counted = await writer.count(REQUEST)
        assert double.billed == []
        units = (await writer.write(REQUEST)).usage.units
        assert counted == units["input_tokens"] + units["cache_write_5m_tokens"]

    async def test_a_model_without_a_price_has_an_unknown_one(self, double: AnthropicDouble) -> None:
        double.fail("overloaded")
        writer = AnthropicWriter("k", model="claude-fable-5-2", base_url=double.url, allow=ALLOW)
        with pytest.raises(Unavailable):
            await writer.write(REQUEST)
        assert writer._price({"input": 5}, 5) is None
        await writer.close()


class TestTheRequest:
    def test_every_object_is_closed_and_every_field_required(self) -> None:
        schema = answer_schema()
        for part in (schema, *schema["$defs"].values()):
            assert part["additionalProperties"] is False
            assert set(part["required"]) == set(part["properties"])
        assert "picture" not in schema["$defs"]["Visual"]["properties"]

    def test_the_cached_prefix_does_not_change_from_round_to_round(self, writer: AnthropicWriter) -> None:
        first = make_body(REQUEST, writer.style)
        again = make_body(dataclasses.replace(REQUEST, previous={"title": "x"}, faults=["a"]), writer.style)
        assert first["system"] == again["system"]
        assert first["messages"][0] == again["messages"][0]

    def test_facts_are_sent_once(self) -> None:
        bare = dataclasses.replace(REQUEST, prompt="Write about the Moon.")
        assert "4.5 billion" not in json.dumps(system_blocks(REQUEST, "5m"))
        assert json.dumps(system_blocks(bare, "5m")).count("4.5 billion") == 1

    def test_an_instruction_the_template_left_out_is_said(self, writer: AnthropicWriter) -> None:
        body = make_body(dataclasses.replace(REQUEST, instruction="Make it funnier"), writer.style)
        assert "Make it funnier" in json.dumps(body["messages"])


class TestTurns:
    """One rate and one breaker for all that ask with the same key."""

    async def write(self, writer: AnthropicWriter, turns: Turns) -> None:
        async with turns.turn():
            try:
                await writer.write(REQUEST)
            except ProviderError as error:
                await turns.failed(error)
                raise

    async def test_workers_leave_a_refused_key_alone(self, double: AnthropicDouble, writer: AnthropicWriter) -> None:
        double.fail("wrong_key", times=9)
        turns = Turns(Limits(), "Anthropic", "a", Rate(per_minute=6000))
        with pytest.raises(KeyRefused):
            await self.write(writer, turns)
        with pytest.raises(Unavailable, match="left alone") as caught:
            await self.write(writer, turns)
        assert caught.value.retry_after == pytest.approx(600, abs=5)
        assert len(double.calls) == 1

    async def test_the_providers_wish_holds_for_the_next_call(
        self, double: AnthropicDouble, writer: AnthropicWriter
    ) -> None:
        double.fail("rate_limited", retry_after=100)
        turns = Turns(Limits(), "Anthropic", "a", Rate(per_minute=6000))
        for wish in ("Anthropic asks us to wait for 100 s", "The rate set for Anthropic is used up"):
            with pytest.raises(RateLimited, match=wish):
                await self.write(writer, turns)
        assert len(double.calls) == 1
