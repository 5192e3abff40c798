"""What people say of pictures: tags from names, cleaning, faults."""

from __future__ import annotations

import pytest

from domain.catalog.library import (
    CAPTION_LIMIT,
    MOST_TAGS,
    PictureDetails,
    check_details,
    clean_details,
    split_tags,
    suggest_tags,
)


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("jupiter_red-spot_2019.jpg", ["jupiter", "red", "spot"]),
        ("IMG_2041.JPG", []),
        ("DSC00012-final copy (2).png", []),
        ("NebulosaÓrion.webp", ["nebulosa", "órion"]),
        ("Screenshot 2024-05-01 at 10.11.12.png", []),
        ("the moon and the moon.tiff", ["moon"]),
        ("no-ending", ["ending"]),
        (".jpg", []),
        ("", []),
        ("one two three four five six seven eight.png", ["one", "two", "three", "four", "five", "six"]),
    ],
)
def test_words_of_a_file_name_that_tell_something(name: str, tags: list[str]) -> None:
    assert suggest_tags(name) == tags


@pytest.mark.parametrize(
    ("line", "tags"),
    [("moon, Moon ,  deep   field;x\ny", ["moon", "deep field", "x", "y"]), (" , ;", []), ("", [])],
)
def test_tags_are_split_and_kept_once(line: str, tags: list[str]) -> None:
    assert split_tags(line) == tags


class TestDetails:
    def test_idle_spaces_and_empty_entries_go(self) -> None:
        given = PictureDetails(
            {"en": "  A \n moon ", "pt-BR": "  "}, {"en": ["a, b", ""], "pt-BR": [""]}, " CC0 ", " x "
        )
        assert clean_details(given) == PictureDetails({"en": "A moon"}, {"en": ["a", "b"]}, "CC0", "x")

    def test_every_fault_is_named_with_its_place(self) -> None:
        given = PictureDetails(
            {"en": "x" * (CAPTION_LIMIT + 1), "pt-BR": "a\x00b"},
            {"en": ["t"] * (MOST_TAGS + 1), "pt-BR": ["y" * 61, "z" * 62]},
            "l" * 121,
            "c" * 201,
            ("0.5", "1.01"),
        )
        assert [(fault.name, fault.code) for fault in check_details(given)] == [
            ("caption:en", "long"),
            ("caption:pt-BR", "control"),
            ("tags:en", "many-tags"),
            ("tags:pt-BR", "long"),
            ("licence", "long"),
            ("credit", "long"),
            ("focus", "focus"),
        ]

    @pytest.mark.parametrize("part", ["-0.1", "1.1", "NaN", "Infinity", "x", "", "0." + "1" * 20])
    def test_a_focus_outside_the_picture_is_refused(self, part: str) -> None:
        assert [fault.code for fault in check_details(PictureDetails(focus=("0.5", part)))] == ["focus"]
