"""Streamed JSON becomes readable, however it is cut into pieces."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.production.live_text import TOLD, LiveScript, LiveText

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)
SCENE = st.fixed_dictionaries(
    {
        "id": TEXT,
        "title": TEXT,
        "sentences": st.lists(st.fixed_dictionaries({"id": TEXT, "text": TEXT, "say": st.none() | TEXT}), max_size=3),
        "visual": st.fixed_dictionaries({"title": TEXT, "keywords": st.lists(TEXT, max_size=2)}),
    }
)
SCRIPT = st.fixed_dictionaries({"title": TEXT, "scenes": st.lists(SCENE, max_size=3), "description": TEXT})


def expected(value: Any, place: tuple[str, ...] = ()) -> list[LiveText]:
    """Every told text of a document, in its order."""
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in expected(inner, (*place, key))]
    if isinstance(value, list):
        return [found for inner in value for found in expected(inner, place)]
    return [LiveText(TOLD[place], value)] if place in TOLD else []


class TestReading:
    @given(SCRIPT, st.integers(1, 40), st.booleans())
    def test_every_cut_tells_the_same(self, script: dict[str, Any], size: int, plain: bool) -> None:
        text = json.dumps(script, ensure_ascii=plain, indent=1 if plain else None)
        live = LiveScript()
        told = [found for at in range(0, len(text), size) for found in live.feed(text[at : at + size])]
        assert told == expected(script)

    def test_a_sentence_is_told_with_its_closing_quote(self) -> None:
        live = LiveScript()
        assert live.feed('{"scenes":[{"sentences":[{"text":"Say \\"hel') == []
        assert live.feed('lo\\""') == [LiveText("sentence", 'Say "hello"')]

    @given(st.text(max_size=200) | st.text('{}[]",:\\ ua0', max_size=200))
    def test_garbage_is_borne(self, text: str) -> None:
        for found in LiveScript().feed(text):
            found.text.encode()

    @pytest.mark.parametrize("text", ['{"title":"\\ud800 a"}', '{"title":"\\x"}', '{"title":" "}'])
    def test_what_cannot_be_shown_is_not_told_raw(self, text: str) -> None:
        assert all("\ud800" not in found.text and found.text.strip() for found in LiveScript().feed(text))
