"""Batch synthesis against the double: one job, one bill, whatever breaks on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from adapters.egress import Caps
from adapters.egress_rules import Allowance
from adapters.speech.azure import AzureSpeaker, way_of
from adapters.speech.azure_batch import MAX_BODY, MAX_CHARACTERS, grouped, job_body, pause_before
from adapters.speech.azure_ssml import azure_text
from benchmarks.narration_drift import FRAME, errors, narrated
from domain.production.ports import ProviderError, SpokenSentence
from domain.production.provider_errors import NoSuchVoice, PartialAnswer, RateLimited, Unavailable, kind_of
from tests.adapters.speech.azure_requests import ORDER, VOICE, ask
from tests.support.providers.azure_live import AzureDouble

REQUESTS = [ask("Olá, mundo."), ask("A Lua tem 4,5 bilhões de anos."), ask("Três hábitos simples.")]
Speakers = Callable[..., AzureSpeaker]


def bursts(pcm: bytes) -> list[int]:
    """Where the double's words begin in sound: after 15 ms of silence."""
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, dtype="<i2").astype(int)) > 300)
    return [int(loud[0]), *(int(b) for a, b in pairwise(loud) if b - a > 720)]


class TestSpeakGroup:
    async def test_every_sentence_with_its_words_as_they_sound(self, speaker: AzureSpeaker) -> None:
        group = await speaker.speak_group(REQUESTS, ORDER)
        assert not group.faults
        for request, spoken in zip(REQUESTS, group.sentences, strict=True):
            assert isinstance(spoken, SpokenSentence)
            assert [word.text for word in spoken.words] == list(request.words)
            assert {word.source for word in spoken.words} == {"synth"}
            starts = bursts(spoken.pcm)
            assert all(min(abs(word.start - start) for start in starts) <= 48 for word in spoken.words)
            assert spoken.words[-1].end <= len(spoken.pcm) // 2

    async def test_the_price_is_what_the_service_billed(self, speaker: AzureSpeaker, double: AzureDouble) -> None:
        group = await speaker.speak_group(REQUESTS, ORDER)
        assert group.usage.micro_dollars == double.micro_dollars
        assert group.usage.units == {"characters": sum(azure_text(request).billed for request in REQUESTS)}

    async def test_what_is_sent(self, speaker: AzureSpeaker, double: AzureDouble) -> None:
        await speaker.speak_group(REQUESTS, ORDER)
        (call,) = double.calls
        assert (call.method, call.path) == ("PUT", f"/texttospeech/batchsyntheses/vfos-{ORDER}")
        properties = call.json()["properties"]
        assert properties["wordBoundaryEnabled"]
        assert properties["sentenceBoundaryEnabled"]
        assert properties["timeToLiveInHours"] == 168
        assert not properties["concatenateResult"]
        assert len(call.json()["inputs"]) == len(REQUESTS)

    async def test_the_same_order_again_is_found_and_not_paid(self, speaker: AzureSpeaker, double: AzureDouble) -> None:
        first, again = [await speaker.speak_group(REQUESTS, ORDER) for _ in range(2)]
        assert first == again
        assert (len(double.calls), len(double.billed)) == (1, 1)

    async def test_forgotten_it_is_gone_from_the_service(self, speaker: AzureSpeaker, double: AzureDouble) -> None:
        await speaker.speak_group(REQUESTS, ORDER)
        await speaker.forget(ORDER)
        assert (double.deleted, double.jobs) == ([f"vfos-{ORDER}"], {})
        await speaker.forget(ORDER)

    @pytest.mark.parametrize("how", ["drop", "busy", "refused"])
    async def test_forgetting_never_fails(self, speaker: AzureSpeaker, double: AzureDouble, how: str) -> None:
        double.fail(f"delete_{how}")
        await speaker.forget(ORDER)

    @pytest.mark.parametrize("fault", ["drop_after", "drop_half"])
    async def test_an_order_whose_answer_was_lost_is_looked_up(
        self, speaker: AzureSpeaker, double: AzureDouble, fault: str
    ) -> None:
        double.fail(fault)
        assert all((await speaker.speak_group(REQUESTS, ORDER)).sentences)
        assert (len(double.calls), len(double.billed)) == (1, 1)

    @pytest.mark.parametrize(
        "fault", ["drop_before", "look_drop", "look_half", "fetch_drop", "fetch_half", "fetch_busy", "look_busy"]
    )
    async def test_a_broken_line_costs_another_try_and_no_money(
        self, speaker: AzureSpeaker, double: AzureDouble, fault: str
    ) -> None:
        double.fail(fault)
        with pytest.raises((Unavailable, RateLimited)):
            await speaker.speak_group(REQUESTS, ORDER)
        assert all((await speaker.speak_group(REQUESTS, ORDER)).sentences)
        assert len(double.billed) == 1

    async def test_an_unfinished_order_goes_on(self, speaker_of: Speakers, double: AzureDouble) -> None:
        double.fail("stuck")
        with pytest.raises(Unavailable) as stopped:
            await speaker_of(patience=0.25).speak_group(REQUESTS, ORDER)
        assert stopped.value.retry_after == 60
        assert stopped.value.request_id == f"vfos-{ORDER}"
        double.jobs[f"vfos-{ORDER}"].fault = ""
        assert all((await speaker_of().speak_group(REQUESTS, ORDER)).sentences)
        assert len(double.billed) == 1

    async def test_a_failed_order_is_made_anew(self, speaker: AzureSpeaker, double: AzureDouble) -> None:
        double.fail("job_failed")
        with pytest.raises(Unavailable, match="The job failed"):
            await speaker.speak_group(REQUESTS, ORDER)
        assert double.deleted
        assert all((await speaker.speak_group(REQUESTS, ORDER)).sentences)
        assert len(double.billed) == 1

    @pytest.mark.parametrize(
        ("fault", "words"),
        [
            ("one_failed", "could not say this"),
            ("one_missing", "no sound"),
            ("one_silent", "silent"),
        ],
    )
    async def test_one_sentence_that_failed_spares_the_others(
        self, speaker: AzureSpeaker, double: AzureDouble, fault: str, words: str
    ) -> None:
        double.fail(fault)
        group = await speaker.speak_group(REQUESTS, ORDER)
        assert group.sentences[0] is None
        assert words in group.faults[0]
        assert all(group.sentences[1:])

    @pytest.mark.parametrize("fault", ["zip_broken", "zip_html", "zip_slip", "zip_bomb", "zip_crowd", "no_address"])
    async def test_a_result_that_cannot_be_used_is_fetched_again_without_paying(
        self, speaker: AzureSpeaker, double: AzureDouble, fault: str
    ) -> None:
        double.fail(fault)
        with pytest.raises(PartialAnswer) as refused:
            await speaker.speak_group(REQUESTS[:1], ORDER)
        assert "sig=" not in str(refused.value)
        double.jobs[f"vfos-{ORDER}"].fault = ""
        assert all((await speaker.speak_group(REQUESTS[:1], ORDER)).sentences)
        assert len(double.billed) == 1

    async def test_sound_of_another_kind_is_no_sound(self, speaker: AzureSpeaker, double: AzureDouble) -> None:
        double.fail("zip_odd_sound")
        group = await speaker.speak_group(REQUESTS, ORDER)
        assert "24000 Hz" in group.faults[0]
        assert group.sentences == [None, None, None]

    @pytest.mark.parametrize("fault", ["no_words", "late_words", "odd_words"])
    async def test_times_that_are_missing_or_cannot_be_are_aligned(
        self, speaker: AzureSpeaker, double: AzureDouble, fault: str
    ) -> None:
        double.fail(fault)
        (spoken,) = (await speaker.speak_group(REQUESTS[1:2], ORDER)).sentences
        assert spoken is not None
        assert {word.source for word in spoken.words} <= {"aligned", "interpolated"}
        assert "aligned" in {word.source for word in spoken.words}
        starts = [word.start for word in spoken.words]
        assert starts == sorted(starts)
        assert spoken.words[-1].end <= len(spoken.pcm) // 2

    async def test_a_price_without_the_services_count_rests_on_ours(
        self, speaker: AzureSpeaker, double: AzureDouble
    ) -> None:
        double.fail("no_usage")
        assert (await speaker.speak_group(REQUESTS, ORDER)).usage.micro_dollars == double.micro_dollars

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            ("bad_request", "bad_request"), ("wrong_key", "auth"), ("forbidden", "auth"), ("no_quota", "quota"),
            ("not_found", "gone"), ("rate_limited", "rate_limited"), ("server_error", "transient"),
            ("unavailable", "transient"), ("job_refused", "bad_request"), ("job_no_quota", "quota"),
            ("fetch_refused", "partial"), ("look_refused", "auth"), ("garbage", "partial"),
        ],
    )  # fmt: skip
    async def test_each_error_by_class(self, speaker: AzureSpeaker, double: AzureDouble, fault: str, kind: str) -> None:
        double.fail(fault, **({"retry_after": 17} if fault == "rate_limited" else {}))
        with pytest.raises(ProviderError) as raised:
            await speaker.speak_group(REQUESTS, ORDER)
        assert kind_of(raised.value) == kind
        assert raised.value.fix
        if isinstance(raised.value, RateLimited):
            assert raised.value.retry_after == 17

    async def test_a_slow_service_is_not_waited_for_forever(self, speaker_of: Speakers, double: AzureDouble) -> None:
        double.fail("fetch_slow", seconds=5)
        with pytest.raises(Unavailable):
            await speaker_of(fetch_caps=Caps(seconds=0.3)).speak_group(REQUESTS, ORDER)

    @pytest.mark.parametrize("key", ["wrong", "revoked", "expired"])
    async def test_a_refused_key(self, speaker_of: Speakers, double: AzureDouble, key: str) -> None:
        with pytest.raises(ProviderError, match="does not accept the key") as refused:
            await speaker_of(key).speak_group(REQUESTS, ORDER)
        assert kind_of(refused.value) == "auth"
        assert not double.billed


class TestRefusedBeforePaying:
    @pytest.mark.parametrize(
        ("request_", "words", "fix"),
        [
            (ask("Oi.", "pt-BR-FranciskaNeural"), "no voice “pt-BR-FranciskaNeural”", VOICE),
            (ask("Oi.", "espeak-thing"), "no voice", "pt-BR-AntonioNeural"),
            (ask("Oi.", style="cheerful"), "no style “cheerful”", "calm"),
            (ask("Hi.", "en-US-JennyNeural", "en", style="cheerfull"), "no style", "Nearest: cheerful"),
            (ask("Oi.", "pt-BR-AntonioNeural", style="calm"), "no style", VOICE),
            (ask("Oi.", role="Girl"), "no role “Girl”", "empty"),
        ],
    )
    async def test_what_no_voice_can_say(
        self, speaker: AzureSpeaker, double: AzureDouble, request_: object, words: str, fix: str
    ) -> None:
        for call in (speaker.require([request_]), speaker.speak(request_), speaker.speak_group([request_], ORDER)):  # type: ignore[list-item,arg-type]
            with pytest.raises(NoSuchVoice, match=words) as refused:
                await call
            assert fix in refused.value.fix
        assert not double.calls

    async def test_the_list_of_voices_is_read_once(self, speaker: AzureSpeaker, double: AzureDouble) -> None:
        for _ in range(3):
            await speaker.require([*REQUESTS, ask("Hi.", "en-US-JennyNeural", "en", style="sad", degree=150)])
        assert [call.path for call in double.unpaid] == ["/tts/cognitiveservices/voices/list"]

    async def test_the_connection_test_tells_what_the_key_may_use(self, speaker: AzureSpeaker) -> None:
        assert "7 voices in 4 languages" in (await speaker.check()).sentence

    async def test_loopback_needs_the_operators_leave(self, double: AzureDouble) -> None:
        speaker = AzureSpeaker("k", endpoint=double.url, allow=Allowance())
        with pytest.raises(ProviderError, match="public addresses only"):
            await speaker.check()
        await speaker.close()


class TestDrift:
    """A minute of what `python -m benchmarks narration_drift` measures for half an hour."""

    async def test_no_word_is_a_frame_away_from_its_sound(self, double: AzureDouble) -> None:
        pcm, document, cost = await narrated(double, 1.0)
        assert errors(pcm, document).max() <= FRAME
        assert cost == double.micro_dollars
        late = b"\0\0" * 2 * FRAME + pcm
        assert errors(late, document).max() > FRAME


class TestLimits:
    def test_short_texts_go_live(self) -> None:
        assert [way_of(count) for count in (1, 800, 801, 100_000)] == ["live", "live", "batch", "batch"]

    def test_a_hundred_kilobytes_are_split_within_the_limits(self, speaker: AzureSpeaker) -> None:
        sentence = ask("O café da manhã faz bem à saúde, 健康 e 😀 alegria — " + "x" * 150 + ".")
        requests = [sentence] * (100_000 // 210)
        groups = speaker.groups(requests)
        assert [place for group in groups for place in group] == list(range(len(requests)))
        for group in groups:
            texts = [azure_text(requests[place]) for place in group]
            assert sum(text.billed for text in texts) <= MAX_CHARACTERS
            assert len(json.dumps(job_body(texts), ensure_ascii=False).encode()) <= MAX_BODY
        assert len(groups) < 30

    def test_each_limit_alone_starts_a_new_group(self) -> None:
        text = azure_text(ask("Oi."))
        assert [len(group) for group in grouped([text] * 450)] == [200, 200, 50]

    def test_looks_as_often_as_wished(self) -> None:
        assert [pause_before(look, None) for look in range(7)] == [2, 2, 5, 5, 10, 10, 10]
        assert pause_before(0, 0.0) == 0.1
        assert pause_before(5, 30.0) == 30
