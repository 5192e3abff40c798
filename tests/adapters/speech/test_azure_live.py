"""Live synthesis: the vendor's SDK against the double, one try per text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters.egress import Caps
from adapters.egress_rules import Allowance
from adapters.speech.azure import AzureSpeaker
from adapters.speech.azure_live import LiveSynthesis, cancelled, heard
from domain.production.ports import ProviderError, SpokenSentence
from domain.production.provider_errors import BadRequest, OutcomeUnknown, Unavailable, kind_of
from tests.adapters.speech.azure_requests import ask
from tests.support.providers.azure_live import AzureDouble

REQUEST = ask("Olá, mundo: três hábitos simples.", style="calm", degree=130, rate=8)
Speakers = Callable[..., AzureSpeaker]


class TestSpeak:
    async def test_all_words_with_their_times_and_the_price(self, speaker: AzureSpeaker, double: AzureDouble) -> None:
        spoken = await speaker.speak(REQUEST)
        assert [word.text for word in spoken.words] == list(REQUEST.words)
        assert {word.source for word in spoken.words} == {"synth"}
        assert spoken.usage.micro_dollars == double.micro_dollars > 0
        assert spoken.request_id == double.calls[0].query

    async def test_live_and_batch_say_the_same(self, speaker: AzureSpeaker) -> None:
        live = await speaker.speak(REQUEST)
        (batch,) = (await speaker.speak_group([REQUEST], "a" * 40)).sentences
        assert isinstance(batch, SpokenSentence)
        assert (live.pcm, live.words, live.usage) == (batch.pcm, batch.words, batch.usage)

    async def test_many_words_have_all_arrived(self, speaker: AzureSpeaker) -> None:
        text = " ".join(f"fala{number}" for number in range(120))
        spoken = await speaker.speak(ask(text))
        assert {word.source for word in spoken.words} == {"synth"}

    async def test_a_preview(self, speaker: AzureSpeaker) -> None:
        assert (await speaker.preview("Hello there.", "en", "en-US-JennyNeural", "chat")).words[0].text == "Hello"

    @pytest.mark.parametrize("fault", ["live_no_words", "live_late_words"])
    async def test_times_that_are_missing_or_cannot_be_are_aligned(
        self, speaker: AzureSpeaker, double: AzureDouble, fault: str
    ) -> None:
        double.fail(fault)
        assert "aligned" in {word.source for word in (await speaker.speak(REQUEST)).words}

    async def test_a_language_the_draft_voice_lacks_is_shared_out(self, speaker: AzureSpeaker) -> None:
        spoken = await speaker.speak(ask("Guten Morgen Welt.", "en-GB-SoniaNeural", "de"))
        assert {word.source for word in spoken.words} == {"interpolated"}
        assert spoken.words[-1].end == len(spoken.pcm) // 2

    @pytest.mark.parametrize(
        ("fault", "kind", "calls"),
        [
            ("live_wrong_key", "auth", 0), ("live_forbidden", "auth", 0), ("live_rate_limited", "rate_limited", 0),
            ("live_unavailable", "transient", 0), ("live_not_found", "gone", 0), ("live_internal", "transient", 1),
            ("live_overloaded", "transient", 1), ("live_bad_request", "bad_request", 1), ("live_quota", "quota", 1),
            ("live_drop_before", "unknown", 1), ("live_drop_after", "unknown", 1), ("live_drop_half", "unknown", 1),
        ],
    )  # fmt: skip
    async def test_each_error_by_class_after_one_try(
        self, speaker: AzureSpeaker, double: AzureDouble, fault: str, kind: str, calls: int
    ) -> None:
        double.fail(fault)
        with pytest.raises(ProviderError) as raised:
            await speaker.speak(REQUEST)
        assert kind_of(raised.value) == kind
        assert raised.value.request_id
        assert (len(double.calls), len(double.upgrades)) == (calls, 1)

    async def test_a_slow_service_leaves_the_outcome_open(self, speaker_of: Speakers, double: AzureDouble) -> None:
        double.fail("live_slow", seconds=3)
        with pytest.raises(OutcomeUnknown, match="in the time"):
            await speaker_of(caps=Caps(seconds=0.4)).speak(REQUEST)

    async def test_a_service_that_is_not_there(self) -> None:
        line = LiveSynthesis("k", "ws://127.0.0.1:9/x", Allowance.parse("127.0.0.1"), Caps(seconds=5))
        with pytest.raises(Unavailable, match="nothing was sent"):
            await line.say("<speak/>")


class TestPlace:
    """The SDK dials by itself, so its address is checked first."""

    @pytest.mark.parametrize(
        ("url", "address", "words"),
        [
            ("wss://inside.example/x", "10.1.2.3", "private"),
            ("wss://meta.example/x", "169.254.169.254", "link-local"),
            ("ws://public.example/x", "93.184.216.34", "without encryption"),
        ],
    )
    async def test_refused(self, url: str, address: str, words: str) -> None:
        async def resolve(host: str, port: int) -> list[str]:
            return [address]

        line = LiveSynthesis("k", url, Allowance(), Caps(), resolve=resolve)
        with pytest.raises(BadRequest, match=words):
            await line.say("<speak/>")


class TestCancelled:
    @pytest.mark.parametrize(
        ("code", "details", "connected", "kind"),
        [
            ("ConnectionFailure", "Connection failed", False, "transient"),
            ("ConnectionFailure", "WS_ERROR USP state: Sending.", True, "unknown"),
            ("ServiceTimeout", "Timeout. USP state: TurnStarted.", True, "unknown"),
            ("ServiceError", "Error code: 1011. Error details: x USP state: TurnStarted.", True, "unknown"),
            ("RuntimeError", "", True, "unknown"),
        ],
    )
    def test_how_far_the_text_got_decides(self, code: str, details: str, connected: bool, kind: str) -> None:
        assert kind_of(cancelled(code, details, connected, "r")) == kind

    def test_words_that_look_like_a_key_are_hidden(self) -> None:
        error = cancelled("AuthenticationFailure", "(401) Error details: bad key-1234567890abcdef", False, "r")
        assert "1234567890abcdef" not in error.sentence


def test_ticks_are_whole_samples() -> None:
    found = heard("Olá", 500_000, 0.3)
    assert (found.start, found.end) == (2400, 2400 + 14_400)
