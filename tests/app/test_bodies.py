"""Forms of bodies: a form shows a whole body, and reads back what a person means."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bodies.entries import Entry, dig, read_entries, show_entries
from app.bodies.kinds import FORMS
from domain.catalog import bodies
from domain.catalog.validators import KINDS

MODELS = {
    "prompt": bodies.PromptBody,
    "knowledge": bodies.KnowledgeBody,
    "recipe": bodies.RecipeBody,
    "preset:video": bodies.VideoPreset,
    "preset:ssml": bodies.SsmlPreset,
    "preset:effects": bodies.EffectsPreset,
    **{f"validator:{kind}": bodies.ValidatorBody for kind in KINDS},
}
ELSEWHERE = {"title", "steps", "preset", "validator"}
"""Fields that a form has in another place: the name, the rows of steps, the choice of the form itself."""


@pytest.mark.parametrize("form", MODELS)
def test_a_form_shows_every_field_of_its_body(form: str) -> None:
    """What it does not show, a save would set back."""
    shown = {entry.path.partition(".")[0] for entry in FORMS[form]}
    assert set(MODELS[form].model_fields) - ELSEWHERE == shown
    kind = form.partition(":")[2]
    if form.startswith("validator:"):
        settings = {field.alias or name for name, field in KINDS[kind].model_fields.items()} - {"name", "severity"}
        assert {entry.path.partition(".")[2] for entry in FORMS[form]} - {""} == settings


def test_every_form_has_its_model() -> None:
    assert set(FORMS) == set(MODELS)
    assert set(bodies.KnowledgeChoice.model_fields) == {"tiers", "documents"}


def read(way: Any, text: str, **more: Any) -> Any:
    """A value, or the code of what is wrong with it."""
    entry = Entry("x", "X", way, **more)
    body, troubles = read_entries([entry], {"x": text}, {})
    return troubles[0].code if troubles else dig(body, "x")


class TestReading:
    @pytest.mark.parametrize(
        ("way", "text", "value"),
        [
            ("decimal", "0,05", "0.05"),
            ("decimal", "−3", "bounds"),
            ("number", "5", 5),
            ("number", "2.5 %", 2.5),
            ("number", "1e9", "number"),
            ("number", "٣", "number"),
            ("whole", "2.5", "whole"),
            ("share", "40", 0.4),
            ("line", "  a \n b ", "a b"),
            ("line", "x" * 201, "long"),
            ("line", "a\u202eb", "hidden"),
            ("line", "\ud83d", "hidden"),
            ("text", "a\n", "a\n"),
            ("text", " \n", "empty"),
            ("list", "a, b ,a,", ["a", "b"]),
            ("rows", "a\n\n b \n", ["a", "b"]),
            ("pairs", "Io = eye-oh\n", {"Io": "eye-oh"}),
            ("pairs", "Io eye-oh", "pair"),
            ("pairs", "a = b\na = c", "twice"),
            ("json", '{"a": 1}', {"a": 1}),
            ("json", "[1]", "object"),
            ("json", '{"a": 1e999}', "deep"),
            ("json", '{"a":' * 60 + "1" + "}" * 60, "deep"),
        ],
    )
    def test_each_way(self, way: str, text: str, value: object) -> None:
        assert read(way, text) == value

    def test_what_may_stay_empty(self) -> None:
        assert read("whole", " ", needed=False) is None
        assert read("list", "", needed=False, empty=[]) == []

    @given(st.dictionaries(st.text("abc-é", min_size=1), st.text("xyz ", min_size=1).filter(str.strip), min_size=1))
    def test_pairs_come_back_as_they_were(self, pairs: dict[str, str]) -> None:
        entry = Entry("x", "X", "pairs")
        meant = {left: right.strip() for left, right in pairs.items()}
        assert read_entries([entry], show_entries([entry], {"x": meant}), {}) == ({"x": meant}, [])
