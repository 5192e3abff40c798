"""What picture providers are told."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.images.sanitise import LIMIT, PLAIN_PICTURE, clean, cut, is_harsh, milder_prompt, picture_prompt
from domain.production.ports import PictureRequest


def request(
    prompt: str, headline: str = "", keywords: tuple[str, ...] = (), size: tuple[int, int] = (16, 9)
) -> PictureRequest:
    return PictureRequest(prompt, headline, keywords, "en", *size, seed="1")


class TestClean:
    @pytest.mark.parametrize(
        ("given_text", "left"),
        [
            ("A  lake\n at\tdawn", "A lake at dawn"),
            ("See https://x.example/a?b=1 now", "See now"),
            ("Mail ada.l@example.org!", "Mail!"),
            ("Call +55 (11) 91234-5678 today", "Call today"),
            ("<script>x</script> {{ prompt }} `a` **b**", "x prompt a b"),
            ("a\u200bb\u202ec\x00d", "abcd"),
            ("13.8 billion years, 1969-07-20", "13.8 billion years,"),
            ("Call 12345|67890 or a.b@exa*mple.org", "Call or a.b@exa mple.org"),
            ("Straße und Ação 🚀", "Straße und Ação 🚀"),
        ],
    )
    def test_what_is_left(self, given_text: str, left: str) -> None:
        assert clean(given_text) == left

    @given(st.text(max_size=300))
    def test_nothing_invisible_is_left_and_cleaning_twice_changes_nothing(self, text: str) -> None:
        once = clean(text)
        assert all(unicodedata.category(c)[0] != "C" and (c == " " or not c.isspace()) for c in once)
        assert clean(once) == once


class TestPrompts:
    def test_lettering_is_asked_away_and_the_shape_named(self) -> None:
        assert picture_prompt(request("A lake")) == f"A lake. Wide composition. {PLAIN_PICTURE}"
        assert "Tall composition" in picture_prompt(request("A lake", size=(9, 16)))

    def test_without_a_prompt_the_headline_and_keywords_serve(self) -> None:
        assert "The far side, moon, crater." in picture_prompt(request("", "The far side", ("moon", "crater", "moon")))
        assert "abstract background" in picture_prompt(request("https://only.example/link"))

    @given(st.text(max_size=6000))
    def test_no_prompt_is_longer_than_the_limit(self, text: str) -> None:
        for made in (picture_prompt(request(text)), milder_prompt(request(text))):
            assert 0 < len(made) <= LIMIT

    def test_a_cut_ends_at_a_sentence(self) -> None:
        assert cut("One two three. Four five six seven.", 20) == "One two three."
        assert cut("One two three four five", 12) == "One two"


class TestMilder:
    @pytest.mark.parametrize("word", ["blood", "Weapons", "murdered", "sangue", "assassinato", "nudez", "suicídio"])
    def test_harsh_sentences_are_left_out(self, word: str) -> None:
        made = milder_prompt(request(f"A field at dawn. There is {word} on it. Birds above."))
        assert not is_harsh(made)
        assert "A field at dawn." in made
        assert "Birds above." in made

    def test_keywords_serve_when_every_sentence_is_harsh(self) -> None:
        made = milder_prompt(request("A bloody weapon", "The battle", ("field", "weapon")))
        assert "The battle, field." in made
        assert not is_harsh(made)

    @pytest.mark.parametrize("word", ["skill", "killer whale", "Sussex", "armadillo", "nuclear", "drugstore"])
    def test_harmless_words_mostly_stay(self, word: str) -> None:
        assert is_harsh(word) is (word == "killer whale")
