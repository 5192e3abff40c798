"""Writing systems: every one that the docs promise has glyphs, takes its forms and stands on one baseline."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
import pytest

from adapters.media.fonts import load_chain
from adapters.media.text import Ink, drawings
from adapters.media.typefaces import TYPEFACES
from tests.support.plans import Studio
from timeline import ass
from timeline.captions.effects import EFFECTS
from timeline.captions.effects.base import TimedPage, word_places
from timeline.captions.pages import make_pages
from timeline.media import SpokenWord
from timeline.plan import AssStyle
from timeline.profiles import PROFILES

TEXTS = {
    "en": "Zoë’s naïve façade — 3.8 °C",
    "vi": "Tiếng Việt rất đẹp",
    "el": "Το σύμπαν ήταν σκοτεινό",
    "ru": "Вселенная была тёмной",
    "ar": "كان الكون مظلمًا، في عام ١٩٩٥",
    "fa": "پیش از روشن شدن ستاره‌ها",
    "he": "היקום היה חשוך, כמעט",
    "hi": "ब्रह्मांड अंधेरा था। क्षेत्र ज्ञान",
    "th": "จักรวาลนั้นมืดมิด ผู้ที่น้ำ",
    "zh-CN": "在第一批恒星点亮之前，宇宙是黑暗的。",
    "zh-TW": "在第一批恆星點亮之前，宇宙是黑暗的。",
    "ja": "最初の星が輝くずっと前、ハッブル。",
    "ko": "첫 별이 빛나기 훨씬 전에 뷁",
}
WIDE = PROFILES["longform-16x9"].captions
SIZE = (800, 160)


def spoken(text: str) -> list[SpokenWord]:
    return [SpokenWord(word, k * 9_600, k * 9_600 + 9_000, "v#1") for k, word in enumerate(text.split())]


def drawn(studio: Studio, text: str, role: str = "bold", language: str = "en") -> Ink:
    font = load_chain(role)
    style = ass.style("plain", font, 40, "#ffffff", "#000000", 0, language)
    event = f"{{{ass.at(5, SIZE[0] // 2, SIZE[1] // 2)}}}{ass.spell(text, font)}"
    return _only(studio, style, event)


def _only(studio: Studio, style: AssStyle, event: str) -> Ink:
    with ExitStack() as stack:
        ((_, ink),) = drawings([(style.name, (event,))], [style], SIZE, studio.folder, stack)
    assert ink is not None
    return ink


class TestCoverage:
    @pytest.mark.parametrize("role", TYPEFACES)
    def test_every_promised_script_has_glyphs(self, role: str) -> None:
        font = load_chain(role)
        assert {language: font.missing(text) for language, text in TEXTS.items()} == dict.fromkeys(TEXTS, ())

    def test_what_no_face_has_is_named(self) -> None:
        assert load_chain("bold").missing("ok 🚀 ქ") == ("🚀", "ქ")


class TestShaping:
    @pytest.mark.parametrize("language", ["ar", "he", "hi", "th", "ja"])
    def test_measured_as_wide_as_it_is_drawn(self, studio: Studio, language: str) -> None:
        text = " ".join(TEXTS[language].split()[:3]).rstrip("。")
        measured = float(load_chain("bold").width(text, 40))
        assert drawn(studio, text, language=language).alpha.shape[1] == pytest.approx(measured, rel=0.03, abs=4)

    def test_arabic_letters_join(self, studio: Studio) -> None:
        joined, apart = drawn(studio, "كون", language="ar"), drawn(studio, "ك‌و‌ن", language="ar")
        assert joined.alpha.shape[1] < apart.alpha.shape[1] * 0.9

    def test_national_forms_follow_the_language(self, studio: Studio) -> None:
        chinese, japanese = (drawn(studio, "直骨今", language=tag).alpha for tag in ("zh-CN", "ja"))
        assert chinese.shape != japanese.shape or np.abs(chinese.astype(int) - japanese).mean() > 3

    def test_mixed_lines_share_a_baseline(self, studio: Studio) -> None:
        alone, beside = drawn(studio, "H"), drawn(studio, "Hまด")
        bottom = [ink.at[1] + int(np.flatnonzero(ink.alpha[:, :20].max(axis=1) > 128)[-1]) for ink in (alone, beside)]
        assert bottom[0] == bottom[1]


@pytest.mark.parametrize(("language", "first_is_left"), [("ar", False), ("he", False), ("hi", True)])
def test_words_stand_where_the_whole_line_has_them(language: str, first_is_left: bool) -> None:
    font = load_chain("bold")
    (page,) = make_pages(spoken(" ".join(TEXTS[language].split()[:3])), WIDE, font, language)
    xs = [x for x, _ in word_places(page, WIDE, font)]
    assert xs == sorted(xs, reverse=not first_is_left)
    timed = TimedPage(page, 0, 30, (0, 10, 20))
    assert all(
        "\\fnNoto Sans" in "".join(state.events) for draw in EFFECTS.values() for state in draw(timed, WIDE, font)
    )
