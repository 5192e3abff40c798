"""The pure parts of the Azure adapter: its SSML and its price, places, voices, results, and word times."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.prices.book import price_book
from adapters.prices.voices import price_kind
from adapters.speech import azure_zip
from adapters.speech.alignment import aligned_words, warped
from adapters.speech.azure_line import kind_of_answer, places
from adapters.speech.azure_ssml import azure_text, billed_characters, locale_of
from adapters.speech.azure_voices import read_voice, require_voice
from adapters.speech.azure_zip import BadResult, Heard, read_results
from adapters.speech.espeak import EspeakNarrator
from adapters.speech.heard import SLACK, faults_of_times, place_words, shared_out
from domain.production.narration import Pauses, speech_request
from domain.production.provider_errors import BadRequest, NoSuchVoice
from domain.studio.script import Sentence
from tests.adapters.speech.azure_requests import VOICE, ask
from tests.support.providers import azure_speech
from tests.support.providers.azure_speech import VOICES, wav


class TestText:
    def test_marks_stay_here_and_aliases_go_out_as_words(self) -> None:
        text = azure_text(ask("São 10 km, já!", lexicon={"já": "agora"}))
        assert "bookmark" not in text.ssml
        assert "<sub" not in text.ssml
        assert text.spoken == ("São", "dez", "quilômetros,", "agora!")

    def test_style_degree_role_and_prosody(self) -> None:
        ssml = azure_text(ask("Oi.", style="calm", degree=130, role="Girl", rate=8, pitch=-2)).ssml
        assert '<mstts:express-as style="calm" styledegree="1.3" role="Girl">' in ssml
        assert '<prosody rate="+8%" pitch="-2%">' in ssml
        assert 'xml:lang="pt-BR"' in ssml
        assert not azure_speech.fault_of(ssml)

    def test_the_pause_map(self) -> None:
        request = speech_request(
            Sentence(id="s", text="Um, dois."), language="pt-BR", delivery=_delivery(), pauses=Pauses(comma=180)
        )
        assert '<break time="180ms"/>' in azure_text(request).ssml

    def test_dates_and_times_of_languages_without_a_reader_keep_their_kind(self) -> None:
        text = "El 2026-01-05, a las 15:30!"
        told = azure_text(ask(text, "es-ES-X", "es"))
        assert '<say-as interpret-as="date" format="ymd">2026-01-05</say-as>,' in told.ssml
        assert '<say-as interpret-as="time" format="hms24">15:30</say-as>!' in told.ssml
        assert told.spoken == ("El", "2026-01-05,", "a", "las", "15:30!")
        assert "say-as" not in azure_text(ask(text, "es-ES-X", "es", say_as=False)).ssml
        assert "say-as" not in azure_text(ask("Em 2026-01-05, às 15:30.")).ssml

    @pytest.mark.parametrize("change", [{"rate": 150}, {"rate": -60}, {"pitch": 70}, {"volume": 101}])
    def test_prosody_out_of_range_is_refused(self, change: dict[str, int]) -> None:
        with pytest.raises(BadRequest, match="cannot speak with") as refused:
            azure_text(ask("Oi.", **change))
        assert "rate -50% to +100%" in refused.value.fix

    @pytest.mark.parametrize("text", ["😀", "…", "— 🎉 —"])
    def test_nothing_to_say_is_refused(self, text: str) -> None:
        with pytest.raises(BadRequest, match="can be spoken"):
            azure_text(ask(text))

    @given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=80))
    def test_no_text_becomes_markup(self, text: str) -> None:
        hostile = f"a {text} </prosody></voice><voice name='x'><!--&lt;"
        try:
            made = azure_text(ask(hostile))
        except BadRequest:
            return
        tags = [element.tag.rpartition("}")[2] for element in ElementTree.fromstring(made.ssml).iter()]
        assert tags == ["speak", "voice"]

    @pytest.mark.parametrize(
        ("text", "voice", "language"),
        [
            ("Olá 😀 mundo — 健康 and health, Здоровье!", VOICE, "pt-BR"),
            ("健康は大切です。", "zh-CN-XiaomoNeural", "zh-CN"),
            ("R & D <b>“cheap”</b> 'quotes'", VOICE, "pt-BR"),
        ],
    )
    def test_billed_as_the_service_counts(self, text: str, voice: str, language: str) -> None:
        made = azure_text(ask(text, voice, language, style="calm"))
        assert made.billed == azure_speech.billed(made.ssml)

    def test_ideographs_count_twice_and_the_frame_nothing(self) -> None:
        assert billed_characters('<speak a="b"><voice name="c">ab健康<break time="1ms"/></voice></speak>') == 6 + 19

    def test_the_price_of_a_million(self) -> None:
        assert price_book("azure").price("neural", {"characters": 1_000_000}) == 16_000_000
        assert price_book("azure").price("neural-hd", {"characters": 1}) is None

    def test_locales(self) -> None:
        assert [locale_of(v) for v in (VOICE, "zh-Hans-CN-X", "espeak")] == ["pt-BR", "zh-Hans-CN", ""]


def _delivery() -> Any:
    from domain.production.narration import Delivery

    return Delivery(VOICE)


class TestPlaces:
    def test_by_region_and_by_address(self) -> None:
        east = places("eastus")
        assert east.batch == "https://eastus.api.cognitive.microsoft.com"
        assert east.live == "wss://eastus.tts.speech.microsoft.com/cognitiveservices/websocket/v1"
        own = places("", "https://r.cognitiveservices.azure.com/")
        assert own.voices == "https://r.cognitiveservices.azure.com/tts/cognitiveservices/voices/list"
        assert own.live == "wss://r.cognitiveservices.azure.com/tts/cognitiveservices/websocket/v1"

    @pytest.mark.parametrize("region", ["", "East US", "evil.example/", "a" * 60])
    def test_no_region(self, region: str) -> None:
        with pytest.raises(BadRequest, match="no region"):
            places(region)

    @pytest.mark.parametrize("endpoint", ["ftp://x", "https://", "https://u:p@x/", "https://x/?a=b", "x"])
    def test_no_address(self, endpoint: str) -> None:
        with pytest.raises(BadRequest, match="no address"):
            places("eastus", endpoint)

    @pytest.mark.parametrize(
        ("status", "words", "kind"),
        [
            (403, "Out of call volume quota", "quota"), (403, "Forbidden", "auth"), (429, "quota exceeded", "quota"),
            (429, "rate limit", "rate_limited"), (418, "", "bad_request"), (599, "", "transient"), (302, "", "partial"),
        ],
    )  # fmt: skip
    def test_statuses(self, status: int, words: str, kind: str) -> None:
        assert kind_of_answer(status, words) == kind


KNOWN = {voice.name: voice for voice in map(read_voice, VOICES) if voice is not None}


class TestVoices:
    def test_rows_lacking_the_optional_are_read(self) -> None:
        voice = read_voice({"ShortName": "x-X-Y"})
        assert voice is not None
        assert (voice.styles, voice.kind) == ((), "neural")
        assert read_voice({"ShortName": ""}) is None

    def test_hd_and_custom_voices_have_their_own_price(self) -> None:
        kinds = [price_kind(VOICE), price_kind("en-US-Ava:DragonHDLatestNeural"), price_kind("MineNeural", "Custom")]
        assert kinds == ["neural", "neural-hd", "custom-neural"]

    def test_what_it_can_is_answered(self) -> None:
        assert require_voice(KNOWN, "zh-CN-XiaomoNeural", "calm", "Girl", "zh").gender == "Female"

    def test_far_from_any_name_voices_of_the_language_are_told(self) -> None:
        with pytest.raises(NoSuchVoice) as refused:
            require_voice(KNOWN, "nobody", "", "", "en-US")
        assert refused.value.fix == "Nearest: en-US-JennyNeural, en-US-GuyNeural, en-GB-SoniaNeural."


def archive(**entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return out.getvalue()


class TestResults:
    SOUND = wav(bytes(960))

    def test_sound_words_and_what_else_lies_there(self) -> None:
        words = json.dumps([{"Text": "a", "AudioOffset": 1, "Duration": 2.5}]).encode()
        data = archive(**{"0001.wav": self.SOUND, "0001.word.json": words, "0001.debug.json": b"{", "x.txt": b""})
        (result,) = read_results(data, 1)
        assert (len(result.pcm), result.words) == (960, (Heard("a", 48, 168),))

    @pytest.mark.parametrize("name", ["../0001.wav", "/etc/0001.wav", "a/../../b", "C:0001.wav", "..\\0001.wav"])
    def test_paths_are_refused(self, name: str) -> None:
        with pytest.raises(BadResult, match="outside its folder"):
            read_results(archive(**{"0001.wav": self.SOUND, name: b""}), 1)

    def test_a_link_is_refused(self) -> None:
        out, info = io.BytesIO(), zipfile.ZipInfo("0001.wav")
        info.external_attr = 0o120777 << 16
        with zipfile.ZipFile(out, "w") as file:
            file.writestr(info, "/etc/passwd")
        with pytest.raises(BadResult, match="outside"):
            read_results(out.getvalue(), 1)

    def test_the_same_name_twice(self) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as file:
            file.writestr("0001.wav", self.SOUND)
            with pytest.warns(UserWarning, match="Duplicate"):
                file.writestr("0001.wav", self.SOUND)
        with pytest.raises(BadResult, match="twice"):
            read_results(out.getvalue(), 1)

    def test_what_unfolds_too_far(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = archive(**{f"{n:04d}.wav": wav(bytes(100_000)) for n in range(1, 5)})
        monkeypatch.setattr(azure_zip, "MAX_TOTAL", 300_000)
        with pytest.raises(BadResult, match="at most"):
            read_results(data, 4)
        monkeypatch.setattr(azure_zip, "MAX_TOTAL", 10**9)
        monkeypatch.setattr(azure_zip, "MAX_ENTRY", 50_000)
        with pytest.raises(BadResult, match="unfolds to more"):
            read_results(data, 4)

    def test_a_size_that_lies(self) -> None:
        data = bytearray(archive(**{"0001.wav": wav(bytes(200_000))}))
        for place in (data.index(b"PK\x01\x02") + 24, 22):
            struct.pack_into("<I", data, place, 500)
        assert read_results_or_bad(bytes(data)) in ("bad", "unreadable")

    @given(st.binary(max_size=400))
    def test_any_bytes_are_read_or_refused(self, data: bytes) -> None:
        with pytest.raises(BadResult):
            read_results(data, 1)

    @pytest.mark.parametrize("cut", [0.2, 0.5, 0.9])
    def test_a_part_of_a_file(self, cut: float) -> None:
        data = archive(**{"0001.wav": self.SOUND})
        with pytest.raises(BadResult):
            read_results(data[: int(len(data) * cut)], 1)


def read_results_or_bad(data: bytes) -> str:
    try:
        (result,) = read_results(data, 1)
    except BadResult:
        return "bad"
    return "unreadable" if result.fault else "read"


class TestWordTimes:
    def test_services_may_cut_and_join_words(self) -> None:
        shown, spoken = ["15h30", "e", "pt-BR."], ["quinze e trinta", "e", "pt-BR."]
        heard = [Heard("quinze", 100, 200), Heard("e trinta", 210, 400), Heard("e", 410, 450), Heard("pt", 460, 500)]
        heard += [Heard("BR", 510, 600), Heard(".", 600, 610)]
        found = place_words(shown, spoken, heard, 700)
        assert found is not None
        assert [(w.start, w.end, w.source) for w in found] == [
            (100, 400, "synth"), (410, 450, "synth"), (460, 600, "synth"),
        ]  # fmt: skip

    def test_a_word_inside_another_has_its_share(self) -> None:
        found = place_words(["São", "Paulo"], ["São", "Paulo"], [Heard("SãoPaulo", 0, 800)], 800)
        assert found is not None
        assert [(w.start, w.source) for w in found] == [(0, "synth"), (300, "interpolated")]

    def test_unheard_and_silent_words_share_the_gap(self) -> None:
        heard = [Heard("a", 0, 100), Heard("d", 900, 1000)]
        found = place_words(["a", "b", "😀", "d"], ["a", "b", "", "d"], heard, 1000)
        assert found is not None
        assert [w.source for w in found] == ["synth", "interpolated", "interpolated", "synth"]
        assert place_words(["x"], ["totally"], [Heard("different", 0, 10)], 10) is None

    @given(
        st.lists(st.text("abcdé健 😀", min_size=1, max_size=6), min_size=1, max_size=8),
        st.lists(st.tuples(st.text("abcdé健", min_size=1, max_size=6), st.integers(0, 900)), max_size=8),
    )
    def test_no_word_is_lost_and_times_are_in_order(self, shown: list[str], told: list[tuple[str, int]]) -> None:
        heard = sorted((Heard(text, at, at + 50) for text, at in told), key=lambda word: word.start)
        for found in (place_words(shown, shown, heard, 1000), shared_out(shown, shown, 1000)):
            if found is None:
                continue
            assert [word.text for word in found] == shown
            edges = [edge for word in found for edge in (word.start, word.end)]
            assert edges == sorted(edges)
            assert edges[0] >= 0
            assert edges[-1] <= 1000

    @pytest.mark.parametrize(
        ("words", "fault"),
        [
            ([], "no words"),
            ([Heard("a", -1, 5)], "before it begins"),
            ([Heard("a", 9, 5)], "before it begins"),
            ([Heard("a", 9, 10), Heard("b", 5, 10)], "order"),
            ([Heard("a", 0, 1001 + SLACK)], "after the sound"),
            ([Heard("a", 0, 1000 + SLACK)], ""),
        ],
    )
    def test_times_that_cannot_be(self, words: list[Heard], fault: str) -> None:
        found = faults_of_times(words, 1000)
        assert (fault in found) if fault else not found


class TestAlignment:
    async def test_another_pace_and_pitch_of_the_same_words(self) -> None:
        narrator = EspeakNarrator()
        text = "A Lua se formou há cerca de 4,5 bilhões de anos, e o mesmo lado dela sempre olha para a Terra."
        reference = await narrator.speak(ask(text, "pt-br-draft"))
        target = await narrator.speak(ask(text, "pt-br-draft", rate=-20, pitch=20))
        narrator.close()
        found = aligned_words(target.pcm, reference.pcm, reference.words)
        errors = sorted(abs(ours.start - true.start) / 48 for ours, true in zip(found, target.words, strict=True))
        assert sum(errors) / len(errors) < 15
        assert errors[-1] < 60
        assert {word.source for word in found} == {"aligned"}

    def test_a_path_never_runs_back(self) -> None:
        import numpy as np

        chance = np.random.default_rng(7)
        one, other = (chance.normal(size=(n, 13)).astype(np.float32) for n in (80, 130))
        path = warped(one, other)
        assert len(path) == 80
        assert path == sorted(path)
        assert path[0] == 0
        assert 0 <= path[-1] <= 129
