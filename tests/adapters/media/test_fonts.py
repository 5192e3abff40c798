"""Measures of the shipped faces agree with a real text engine."""

from __future__ import annotations

import pytest
from PIL import ImageFont

from adapters.media.fonts import load_metrics
from adapters.media.typefaces import TYPEFACES, Typeface


@pytest.mark.parametrize("face", TYPEFACES.values(), ids=list(TYPEFACES))
def test_widths_are_those_of_a_text_engine(face: Typeface) -> None:
    metrics = load_metrics(face.path)
    drawn = ImageFont.truetype(str(face.path), 1000, layout_engine=ImageFont.Layout.BASIC)
    for text in ("Deep sky", "São 3,8 centímetros — “galáxias”"):
        unkerned = sum(drawn.getlength(char) for char in text)
        assert float(metrics.width(text, 1000)) == pytest.approx(unkerned, abs=len(text))


def test_names_and_glyphs() -> None:
    metrics = load_metrics(TYPEFACES["bold"].path)
    assert (metrics.family, metrics.bold) == ("Inter", True)
    assert metrics.missing("Olá, 星!") == ("星",)
    assert metrics.ass_size(54) == "65.35"
