"""Languages: complete catalogues, and numbers and times as people write them."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from app.i18n import DEFAULT, LANGUAGES, Tongue, pick_language
from app.messages import extract, read

HOLE = re.compile(r"%\((\w+)\)[sd]")
OTHERS = [language for language in LANGUAGES if language != DEFAULT]
SAYING = ("gettext", "ngettext", "N_")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def template() -> Catalog:
    return extract()


def texts(value: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def entries(catalog: Catalog) -> dict[tuple[str, ...], Message]:
    return {texts(message.id): message for message in catalog if message.id}


def test_no_text_is_hidden_in_another_where_it_is_not_found(template: Catalog) -> None:
    known = {text for key in entries(template) for text in key}
    trees = [ast.parse(path.read_text()) for path in (Path(__file__).parents[2] / "app").rglob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    said = [call.args[0] for call in calls if getattr(call.func, "attr", getattr(call.func, "id", "")) in SAYING]
    texts_said = {text.value for text in said if isinstance(text, ast.Constant)}
    assert len(texts_said) > 500
    assert texts_said - known == set()


@pytest.mark.parametrize("language", OTHERS)
class TestCatalogue:
    def test_holds_exactly_the_texts_of_the_pages(self, language: str, template: Catalog) -> None:
        assert len(entries(template)) > 150
        assert entries(read(language)).keys() == entries(template).keys()

    def test_nothing_is_missing_or_fuzzy(self, language: str) -> None:
        found = entries(read(language))
        assert [key for key, message in found.items() if not all(texts(message.string))] == []
        assert [key for key, message in found.items() if message.fuzzy] == []

    def test_every_translation_has_the_same_holes(self, language: str) -> None:
        unequal = []
        for key, message in entries(read(language)).items():
            # A singular may leave its number out ("One thing…"), a translation may not invent a hole.
            allowed = {name for text in key for name in HOLE.findall(text)}
            needed = set(HOLE.findall(key[-1])) if len(key) == 1 else set()
            for text in texts(message.string):
                holes = set(HOLE.findall(text))
                if not needed <= holes <= allowed or text.count("%") != len(HOLE.findall(text)) + 2 * text.count("%%"):
                    unequal.append(text)
            if len(key) > 1 and set(HOLE.findall(texts(message.string)[-1])) != set(HOLE.findall(key[-1])):
                unequal.append(key[-1])
        assert unequal == []


class TestNumbers:
    @pytest.mark.parametrize(
        ("micro", "english", "portuguese"),
        [
            (2_410_000, "$2.41", "US$\xa02,41"),
            (0, "$0.00", "US$\xa00,00"),
            (4_200, "$0.0042", "US$\xa00,0042"),
            (None, "unknown", "desconhecido"),
        ],
    )
    def test_money(self, micro: int | None, english: str, portuguese: str) -> None:
        assert (Tongue("en").money(micro), Tongue("pt-BR").money(micro)) == (english, portuguese)

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [
            (0.42, "0.4 s"),
            (9.96, "10 s"),
            (59.4, "59 s"),
            (59.6, "1 min 00 s"),
            (724, "12 min 04 s"),
            (3599.7, "1 h 00 min"),
            (-3, "0 s"),
        ],
    )
    def test_duration(self, seconds: float, text: str) -> None:
        assert Tongue("en").duration(seconds) == text

    def test_size_uses_the_language_s_comma(self) -> None:
        assert (Tongue("en").size(1_540_000), Tongue("pt-BR").size(1_540_000)) == ("1.5 MB", "1,5 MB")


class TestTimes:
    def test_relative_only_under_24_hours(self) -> None:
        tongue = Tongue("pt-BR")
        assert tongue.moment(NOW - timedelta(minutes=5), NOW) == "há 5 min"
        assert tongue.moment(NOW - timedelta(hours=23, minutes=59), NOW) == "há 23 h"
        assert tongue.moment(NOW - timedelta(hours=25), NOW) == "21 de nov. de 2026"

    def test_log_times_are_in_the_person_s_zone(self) -> None:
        assert Tongue("en", "America/Sao_Paulo").log_time(NOW) == "09:00:00.000"

    def test_an_unknown_zone_is_utc(self) -> None:
        assert Tongue("en", "Mars/Olympus").log_time(NOW) == "12:00:00.000"


@pytest.mark.parametrize(
    ("header", "language"),
    [("pt-BR,pt;q=0.9,en;q=0.8", "pt-BR"), ("pt", "pt-BR"), ("de,en;q=0.5", "en"), ("", "en"), ("x;q=y", "en")],
)
def test_the_browser_s_wish_is_followed(header: str, language: str) -> None:
    assert pick_language(header) == language
