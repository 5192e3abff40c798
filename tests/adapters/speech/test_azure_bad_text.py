"""Texts that nobody expects: markup, pictographs, many scripts at once; said as they are, or refused before paying."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from adapters.speech.azure import AzureSpeaker
from adapters.speech.azure_ssml import MAX_BYTES, azure_text
from domain.production.provider_errors import BadRequest, NoSuchVoice
from tests.adapters.speech.azure_requests import VOICE, ask
from tests.support.providers.azure_live import AzureDouble

ATTACKS = (
    '</voice><voice name="en-US-GuyNeural">Other voice',
    'Wait <break time="20s"/> for it',
    "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y; read me",
    '<audio src="https://example.com/a.wav"/> listen',
    "Tom & Jerry < 3 > 2 \"quoted\" 'too' ]]> end",
)


class TestMarkup:
    @pytest.mark.parametrize("text", ATTACKS)
    async def test_markup_in_a_text_is_text(self, speaker: AzureSpeaker, double: AzureDouble, text: str) -> None:
        request = ask(text)
        (voice,) = ElementTree.fromstring(azure_text(request).ssml)
        assert voice.get("name") == VOICE
        assert {element.tag.rpartition("}")[2] for element in voice.iter()} <= {"voice", "sub", "say-as"}
        spoken = await speaker.speak(request)
        assert [word.text for word in spoken.words] == list(request.words)
        assert spoken.usage.micro_dollars == double.micro_dollars

    @pytest.mark.parametrize("manner", [{"style": 'calm"><break/>'}, {"role": "'/><x/>"}])
    async def test_markup_in_a_manner_is_no_style(
        self, speaker: AzureSpeaker, double: AzureDouble, manner: dict[str, str]
    ) -> None:
        with pytest.raises(NoSuchVoice):
            await speaker.speak(ask("Olá.", **manner))
        assert double.calls == []


class TestSigns:
    @pytest.mark.parametrize(
        "text",
        [
            "A Lua 🌕 brilha 👩‍🚀 hoje 🇧🇷!",
            "Olá, world, 你好, мир, مرحبا, नमस्ते.",
            "Cafe\u0301 à la crème — “oui” … 100 % ½",
        ],
    )
    async def test_every_word_comes_back_with_a_time(
        self, speaker: AzureSpeaker, double: AzureDouble, text: str
    ) -> None:
        request = ask(text)
        spoken = await speaker.speak(request)
        assert [word.text for word in spoken.words] == list(request.words)
        assert all(0 <= word.start <= word.end <= len(spoken.pcm) // 2 for word in spoken.words)
        assert spoken.usage.micro_dollars == double.micro_dollars > 0

    async def test_nothing_but_pictographs_is_refused_unpaid(self, speaker: AzureSpeaker, double: AzureDouble) -> None:
        with pytest.raises(BadRequest, match="can be spoken"):
            await speaker.speak(ask("🎈🎈 🎉"))
        assert double.calls == []


class TestLength:
    async def test_a_hundred_kilobytes_at_once_are_refused_unpaid(
        self, speaker: AzureSpeaker, double: AzureDouble
    ) -> None:
        request = ask("nada " * 200)
        long = request.__class__(**{**vars(request), "ssml": request.ssml.replace("nada", "n" * (MAX_BYTES // 190))})
        with pytest.raises(BadRequest, match=r"longer than|at most"):
            await speaker.speak(long)
        assert double.calls == []

    async def test_a_hundred_kilobytes_of_sentences_are_ordered_in_parts(self, speaker: AzureSpeaker) -> None:
        requests = [ask(f"Frase {number} " + "de um texto que não acaba " * 35) for number in range(110)]
        assert sum(len(request.ssml) for request in requests) > 100_000
        groups = speaker.groups(requests)
        assert [place for group in groups for place in group] == list(range(110))
        assert all(sum(azure_text(requests[place]).billed for place in group) <= 6000 for group in groups)
