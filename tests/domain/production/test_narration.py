import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.production.narration import (
    Delivery,
    Pauses,
    Said,
    align_spoken,
    frame_step,
    join_narration,
    speech_request,
    spoken_tokens,
)
from domain.production.ports import SpokenSentence, SpokenWord, Usage
from domain.production.speech import UnspeakableText
from domain.studio.script import Sentence
from timeline.plan import Rate

THIRTY, NTSC, FILM = Rate(num=30), Rate(num=30_000, den=1001), Rate(num=24_000, den=1001)


def sentence(text, **more):
    return Sentence(id="s1.1", text=text, **more)


def tone(samples):
    return (np.sin(np.arange(samples) * 0.05) * 20_000).astype("<i2").tobytes()


def said(scene, number, samples, words=2):
    step = samples // words
    spoken = [SpokenWord(f"w{n}", n * step, (n + 1) * step, "synth") for n in range(words)]
    return Said(scene, f"{scene}.{number}", "text", SpokenSentence(tone(samples), spoken, "espeak", "v", Usage()))


class TestSpeechRequest:
    def test_marks_stand_before_shown_words_and_aliases_carry_the_spoken_form(self):
        request = speech_request(sentence("It took 10 days — & more."), language="en", delivery=Delivery("v", rate=-3))
        assert request.words == ("It", "took", "10", "days —", "&", "more.")
        assert '<mark name="2"/><sub alias="ten">10</sub>' in request.ssml
        assert '<sub alias="and">&amp;</sub>' in request.ssml
        assert '<prosody rate="-3%">' in request.ssml
        assert request.ssml.startswith('<speak version="1.1"')

    def test_markup_in_a_sentence_is_only_text(self):
        request = speech_request(sentence('</speak><audio src="x"/> now'), language="en", delivery=Delivery('"v"'))
        assert "<audio" not in request.ssml
        assert "&lt;/speak&gt;" in request.ssml

    def test_control_characters_are_named(self):
        with pytest.raises(UnspeakableText, match=r"U\+0007"):
            speech_request(sentence("Ring\u0007 it"), language="en", delivery=Delivery("v"))

    def test_comma_pauses_come_from_the_pause_map(self):
        request = speech_request(sentence("One, two."), language="en", delivery=Delivery("v"), pauses=Pauses(comma=180))
        assert request.ssml.count('<break time="180ms"/>') == 1

    def test_lexicon_takes_phrases_before_words_and_keeps_punctuation(self):
        lexicon = {"Hubble": "Râbol", "Big Bang": "Bigue Béng"}
        tokens = spoken_tokens(sentence("O hubble, antes do Big Bang."), "pt-BR", lexicon)
        assert [(token.shown, token.spoken) for token in tokens] == [
            ("O", "O"),
            ("hubble,", "Râbol,"),
            ("antes", "antes"),
            ("do", "do"),
            ("Big", "Bigue"),
            ("Bang.", "Béng."),
        ]

    def test_say_is_spread_over_the_shown_words(self):
        tokens = spoken_tokens(sentence("The JWST sees far.", say="The James Webb telescope sees far."), "en", {})
        assert [(token.shown, token.spoken) for token in tokens] == [
            ("The", "The"),
            ("JWST", "James Webb telescope"),
            ("sees", "sees"),
            ("far.", "far."),
        ]

    words = st.lists(st.sampled_from(["a", "b", "c", "Dê", "e,"]), min_size=1, max_size=8)

    @given(words, words)
    def test_aligning_loses_neither_shown_nor_spoken_words(self, shown, spoken):
        tokens = align_spoken(shown, spoken)
        assert [token.shown for token in tokens] == shown
        assert [word for token in tokens for word in token.spoken.split()] == spoken


class TestJoinNarration:
    @pytest.mark.parametrize(("fps", "samples"), [(THIRTY, 1600), (NTSC, 8008), (FILM, 2002), (Rate(num=25), 1920)])
    def test_frame_steps_are_whole_samples_and_whole_frames(self, fps, samples):
        assert frame_step(fps) == samples
        assert samples * fps.num % (48_000 * fps.den) == 0

    @given(st.lists(st.integers(1_000, 90_000), min_size=1, max_size=6), st.sampled_from([THIRTY, NTSC, FILM]))
    def test_scenes_meet_on_frame_boundaries(self, lengths, fps):
        parts = [said(f"s{n // 2}", n, length) for n, length in enumerate(lengths)]
        pcm, document = join_narration(parts, Pauses(), fps, language="en")
        assert len(pcm) == document["samples"] * 2
        assert document["scenes"][0]["start"] == 0
        assert document["scenes"][-1]["end"] == document["samples"]
        for one, other in zip(document["scenes"], document["scenes"][1:], strict=False):
            assert one["end"] == other["start"]
        for scene in document["scenes"]:
            assert scene["end"] * fps.num % (48_000 * fps.den) == 0
        times = [t for s in document["sentences"] for w in s["words"] for t in (w["start"], w["end"])]
        assert times == sorted(times)

    def test_words_and_pauses_fall_where_the_document_says(self):
        pauses = Pauses(lead=100, sentence=200, paragraph=400, scene=600, tail=300)
        pcm, document = join_narration([said("s1", 1, 48_000), said("s1", 2, 24_000)], pauses, THIRTY, language="en")
        first, second = document["sentences"]
        assert (first["start"], first["end"]) == (4_800, 52_800)
        assert second["start"] == 52_800 + 9_600
        assert first["words"][1] == {"text": "w1", "start": 4_800 + 24_000, "end": 52_800, "source": "synth"}
        sound = np.frombuffer(pcm, dtype="<i2")
        assert not sound[first["end"] : second["start"]].any()
        assert np.abs(sound[second["start"] : second["end"]]).max() > 15_000

    def test_edges_are_faded(self):
        pcm, document = join_narration([said("s1", 1, 9_600)], Pauses(lead=10), THIRTY, language="en")
        sound = np.frombuffer(pcm, dtype="<i2")
        start = document["sentences"][0]["start"]
        assert np.abs(np.diff(sound[start - 2 : start + 20].astype(int))).max() < 300

    def test_disorderly_words_are_put_in_order_and_none_is_lost(self):
        words = [SpokenWord("a", 0, 90, "synth"), SpokenWord("b", 50, 40, "aligned"), SpokenWord("c", 20, 999, "synth")]
        part = Said("s1", "s1.1", "a b c", SpokenSentence(tone(500), words, "azure", "v", Usage()))
        _, document = join_narration([part], Pauses(lead=0), THIRTY, language="en")
        got = [(w["text"], w["start"], w["end"]) for w in document["sentences"][0]["words"]]
        assert got == [("a", 0, 50), ("b", 50, 50), ("c", 50, 500)]

    def test_nothing_to_join_is_an_error(self):
        with pytest.raises(ValueError, match="nothing"):
            join_narration([], Pauses(), THIRTY, language="en")
