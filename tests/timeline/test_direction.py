"""Words from right to left: order as it is seen, and marks that keep a line's direction."""

from __future__ import annotations

import pytest

from timeline.direction import LEFT_MARK, RIGHT_MARK, from_right, marked, visual_order


class TestDirection:
    @pytest.mark.parametrize(
        ("text", "language", "rtl"),
        [
            ("The Moon", "en", False),
            ("هذا قمر", "ar", True),
            ("Hubble هو تلسكوب", "ar", True),
            ("Hubble Space Telescope", "ar", False),
            ("1995 שנת", "en", True),
            ("The word שלום", "en", False),
        ],
    )
    def test_of_a_text(self, text, language, rtl):
        assert from_right(text, language) is rtl

    def test_marks_stand_only_where_they_are_needed(self):
        assert marked("שלום", "שלום", True) == "שלום"
        assert marked("Hubble!", "Hubble!", True) == f"{RIGHT_MARK}Hubble!{RIGHT_MARK}"
        assert marked("שלום!", "שלום!", False) == f"{LEFT_MARK}שלום!{LEFT_MARK}"


class TestOrder:
    @pytest.mark.parametrize(
        ("texts", "rtl", "order"),
        [
            ("one two three", False, [0, 1, 2]),
            ("אחת שתיים שלוש", True, [2, 1, 0]),
            ("אחת Space Telescope שלוש", True, [3, 1, 2, 0]),
            ("אחת 10 20 שלוש", True, [3, 2, 1, 0]),
            ("אחת iPhone 15 שלוש", True, [3, 1, 2, 0]),
            ("אחת — שלוש", True, [2, 1, 0]),
            ("say אחת שתיים now", False, [0, 2, 1, 3]),
            ("say אחת 10 now", False, [0, 2, 1, 3]),
        ],
    )
    def test_as_seen_from_the_left(self, texts, rtl, order):
        assert visual_order(texts.split(), rtl) == order
