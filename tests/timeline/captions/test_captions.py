"""Captions: pages that read well, states without holes, files that players accept."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.timeline.making import FONT, spoken
from timeline.captions.breaks import break_cost
from timeline.captions.effects import EFFECTS
from timeline.captions.effects.base import TimedPage
from timeline.captions.joining import NOT_FIRST, breakable, columns, pieces_of
from timeline.captions.pages import Page, make_pages
from timeline.captions.reading import read_captions
from timeline.captions.sidecars import write_srt, write_ttml, write_vtt
from timeline.captions.timing import make_cues, time_pages
from timeline.faults import TimelineError
from timeline.media import SpokenWord
from timeline.plan import Cue, CueWord
from timeline.profiles import PROFILES, CaptionPolicy

WIDE, TALL = PROFILES["longform-16x9"].captions, PROFILES["shorts-9x16"].captions
FPS = Fraction(30)


def words(*sentences: str, pause: int = 24_000) -> list[SpokenWord]:
    return [
        SpokenWord(word.text, word.start, word.end, f"v#{word.sentence}") for word in spoken(sentences, pause=pause)
    ]


def timed_pages(*sentences: str, pause: int = 24_000, policy: CaptionPolicy = WIDE) -> list[TimedPage]:
    pages = make_pages(words(*sentences, pause=pause), policy, FONT, "en")
    return time_pages(pages, policy, FPS, 48_000, 10_000)


def lines(text: str, policy: CaptionPolicy = WIDE, language: str = "en") -> list[tuple[str, ...]]:
    return [page.texts for page in make_pages(words(text), policy, FONT, language)]


class TestBreaks:
    @pytest.mark.parametrize(
        ("better", "worse", "language"),
        [
            (("end.", "Next"), ("end,", "next"), "en"),
            (("end,", "next"), ("stars", "and"), "en"),
            (("stars", "and"), ("bright", "stars"), "en"),
            (("bright", "stars"), ("the", "stars"), "en"),
            (("bright", "stars"), ("3.8", "centimetres"), "en"),
            (("bright", "stars"), ("Edwin", "Hubble"), "en"),
            (("galáxias", "e"), ("o", "céu"), "pt-BR"),
            (("estrelas", "brilhantes"), ("das", "estrelas"), "pt-BR"),
        ],
    )
    def test_order(self, better, worse, language):
        assert break_cost(*better, 0, language) < break_cost(*worse, 0, language)


class TestPages:
    def test_a_sentence_that_fits_is_one_page(self):
        assert lines("The Moon is our neighbour.") == [("The Moon is our neighbour.",)]

    def test_pages_end_at_clauses(self):
        text = "In 1995, a telescope stared at an empty patch of sky for ten whole days, and it found galaxies."
        pages = lines(text)
        assert pages[0][-1].endswith("days,")
        assert " ".join(" ".join(page) for page in pages) == text

    def test_no_page_spans_two_sentences(self):
        pages = make_pages(words("Yes.", "It is."), WIDE, FONT, "en")
        assert [page.texts for page in pages] == [("Yes.",), ("It is.",)]

    def test_a_word_too_wide_is_set_smaller(self):
        (page,) = make_pages(words("Donaudampfschifffahrtsgesellschaft"), TALL, FONT, "de")
        assert page.size < TALL.size
        assert FONT.width(page.texts[0], page.size) <= TALL.width

    @settings(max_examples=120, deadline=None)
    @given(
        st.lists(st.text("abcdefgh,", min_size=1, max_size=11), min_size=1, max_size=60), st.sampled_from([WIDE, TALL])
    )
    def test_hold_every_word_once_and_keep_the_limits(self, texts, policy):
        given_words = words(" ".join(texts))
        pages = make_pages(given_words, policy, FONT, "en")
        assert [word for page in pages for word in page.words] == given_words
        for page in pages:
            assert 1 <= len(page.lines) <= policy.max_lines
            assert policy.max_words is None or len(page.words) <= policy.max_words
            for (begin, end), text in zip(page.lines, page.texts, strict=True):
                assert end - begin == 1 or len(text) <= policy.max_chars
                assert FONT.width(text, page.size) <= policy.width
        if policy.max_words is None and len(given_words) > 2:
            assert all(len(page.words) > 1 for page in pages)


class TestTiming:
    def test_short_pauses_are_closed_and_long_ones_left_open(self):
        first, second = timed_pages("One two.", "Three four.", pause=6_000)
        assert first.stop == second.first
        first, second = timed_pages("One two.", "Three four.", pause=96_000)
        assert second.first - first.stop > 10

    def test_the_film_ends_the_last_page(self):
        pages = make_pages(words("One two three."), WIDE, FONT, "en")
        assert time_pages(pages, WIDE, FPS, 48_000, 20)[-1].stop == 20

    def test_cues_keep_two_frames_apart(self):
        timed = time_pages(
            make_pages(words("One two.", "Three four.", pause=0), WIDE, FONT, "en"), WIDE, FPS, 48_000, 999
        )
        first, second = make_cues(timed, FPS, 48_000)
        assert second.start - first.end == 2 * 1600


@pytest.mark.parametrize("effect", list(EFFECTS))
@pytest.mark.parametrize("policy", [WIDE, TALL], ids=["wide", "tall"])
def test_states_of_a_page_have_no_holes_and_show_all_its_words(effect, policy):
    timed = time_pages(
        make_pages(words("The first stars, {so}", "lit up."), policy, FONT, "en"), policy, FPS, 48_000, 999
    )
    for page in timed:
        states = EFFECTS[effect](page, policy, FONT)
        assert (states[0].first, states[-1].stop) == (page.first, page.stop)
        assert all(a.stop == b.first for a, b in pairwise(states))
        for state in states:
            plain = re.sub(r"(?<!\\)\{[^}]*\}", " ", " ".join(state.events)).replace("\\{", "{").replace("\\}", "}")
            if effect != "one-word":  # which shows the others in their own turns
                assert {word.text for word in page.page.words} <= set(plain.split())


def test_words_do_not_move_while_others_light_up():
    (page,) = time_pages(make_pages(words("The first stars lit up."), WIDE, FONT, "en"), WIDE, FPS, 48_000, 999)
    for effect in ("highlight", "word-pop"):
        places = [
            sorted(re.findall(r"\\pos\(([^)]*)\)", " ".join(state.events)))
            for state in EFFECTS[effect](page, WIDE, FONT)
        ]
        assert all(place == places[0] for place in places)


def test_vertical_captions_stay_in_the_universal_box():
    profile = PROFILES["shorts-9x16"]
    page = Page(tuple(words("Wider lines")), ((0, 1), (1, 2)), TALL.size)
    half = FONT.line_height(TALL.size) + TALL.outline
    assert TALL.y + half <= profile.safe.y + profile.safe.h
    assert TALL.x + TALL.width // 2 <= profile.safe.x + profile.safe.w
    assert page.texts == ("Wider", "lines")


class TestFiles:
    CUES = (
        Cue(
            start=2400,
            end=91_200,
            lines=("Olá, <mundo>", "-->"),
            words=(
                CueWord(text="Olá,", start=2400, end=20_000),
                CueWord(text="<mundo>", start=21_600, end=40_000),
                CueWord(text="-->", start=48_000, end=60_000),
            ),
        ),
        Cue(start=172_848_000, end=172_896_000, lines=("Fim",)),
    )

    def test_srt(self):
        assert write_srt(self.CUES) == (
            "1\n00:00:00,050 --> 00:00:01,900\nOlá, <mundo>\n→\n\n2\n01:00:01,000 --> 01:00:02,000\nFim\n"
        )

    def test_vtt_has_word_times_inside_the_cue_and_harmless_text(self):
        assert write_vtt(self.CUES) == (
            "WEBVTT\n\n1\n00:00:00.050 --> 00:00:01.900\n"
            "<c>Olá,</c> <00:00:00.450><c>&lt;mundo&gt;</c>\n<00:00:01.000><c>→</c>\n\n"
            "2\n01:00:01.000 --> 01:00:02.000\nFim\n"
        )

    def test_no_cues(self):
        assert (write_srt(()), write_vtt(())) == ("", "WEBVTT\n")


class TestUnspaced:
    def test_ideographs_break_anywhere_but_never_before_a_mark(self):
        assert pieces_of("宇宙は、「暗い」。") == ["宇", "宙", "は、", "「暗", "い」。"]
        assert pieces_of("NASAの15号") == ["NASA", "の", "15", "号"]

    def test_pages_of_japanese_keep_their_text_and_fit(self):
        text = "宇宙望遠鏡は空の何もない場所を十日間見つめ、そして無数の銀河を見つけました。"
        page_words = [SpokenWord(text, 0, 480_000, "1")]
        pages = make_pages(page_words, replace(WIDE, max_chars=24), FONT, "ja")
        assert "".join("".join(page.texts) for page in pages) == text
        assert all(columns(line) <= 24 for page in pages for line in page.texts)
        assert all(line[0] not in NOT_FIRST for page in pages for line in page.texts)

    def test_divided_words_share_their_time_without_holes(self):
        parts = breakable([SpokenWord("銀河の、光", 100, 1_100, "1")])
        assert [part.text for part in parts] == ["銀", "河", "の、", "光"]
        assert (parts[0].start, parts[-1].end) == (100, 1_100)
        assert all(a.end == b.start for a, b in pairwise(parts))


class TestReading:
    SRT = "1\n00:00:01,000 --> 00:00:02,500\n<i>Hello</i> there\n\n2\n00:00:03,000 --> 00:00:04,000\nworld\n"

    def test_srt_becomes_words(self):
        words = read_captions(self.SRT)
        assert [(word.text, word.sentence) for word in words] == [("Hello", 1), ("there", 1), ("world", 2)]
        assert (words[0].start, words[1].end, words[2].end) == (48_000, 120_000, 192_000)

    def test_vtt_word_times_are_kept(self):
        words = read_captions("WEBVTT\n\n00:01.000 --> 00:03.000\nOne <00:02.000><c>two</c>\n")
        assert [(word.text, word.start) for word in words] == [("One", 48_000), ("two", 96_000)]

    def test_what_is_written_is_read_again(self):
        cues = [Cue(start=48_000, end=96_000, lines=("a & b", "c"))]
        for text in (write_srt(cues), write_vtt(cues)):
            assert [word.text for word in read_captions(text)] == ["a", "&", "b", "c"]

    @pytest.mark.parametrize("text", ["", "hello", "1\n00:00:02,000 --> 00:00:01,000\nx\n", "1\n0 --> 1\nx\n", "\0"])
    def test_what_is_none_is_said(self, text):
        with pytest.raises(TimelineError):
            read_captions(text)


def test_ttml_holds_the_same_cues():
    cues = [Cue(start=48_000, end=96_000, lines=("a <b>", "c"))]
    root = ElementTree.fromstring(write_ttml(cues, "en"))
    (paragraph,) = root.iter("{http://www.w3.org/ns/ttml}p")
    assert (paragraph.get("begin"), paragraph.get("end")) == ("00:00:01.000", "00:00:02.000")
    assert "".join(paragraph.itertext()) == "a <b>c"
