"""Measures of font files for the timeline, which lays texts out without touching files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, lru_cache, partial
from pathlib import Path

import uharfbuzz as hb
from fontTools.ttLib import TTFont

from adapters.media.typefaces import TYPEFACES, Typeface, chain
from timeline.metrics import FontMetrics

BOLD_WEIGHT = 700


def load_metrics(path: Path) -> FontMetrics:
    """Read family, vertical metrics and advance widths of an OpenType font. Raises OSError and TTLibError."""
    data = path.read_bytes()
    with TTFont(path, lazy=True) as font:
        names, windows = font["name"], font["OS/2"]
        glyphs = font["hmtx"].metrics
        return FontMetrics(
            family=str(names.getDebugName(1)),
            units_per_em=int(font["head"].unitsPerEm),
            ascent=int(windows.usWinAscent),
            descent=int(windows.usWinDescent),
            line_gap=int(font["hhea"].lineGap),
            advances={code: int(glyphs[name][0]) for code, name in font.getBestCmap().items()},
            default_advance=int(glyphs[".notdef"][0]),
            bold=int(windows.usWeightClass) == BOLD_WEIGHT,
            digest=hashlib.sha256(data).hexdigest(),
        )


def load_chain(role: str) -> FontMetrics:
    """Measure the face of a role; those that stand in for it are named in its digest and measured when needed."""
    main, others = load_metrics(TYPEFACES[role].path), chain(role)
    digest = hashlib.sha256((main.digest + "".join(_file_digest(face) for face in others)).encode()).hexdigest()
    return replace(main, digest=digest, others=partial(_measured, others))


def _measured(faces: Sequence[Typeface]) -> list[FontMetrics]:
    return [_metrics_of(face) for face in faces]


@cache
def _metrics_of(face: Typeface) -> FontMetrics:
    return replace(load_metrics(face.path), shaped=_shaper(face.path))


def _shaper(path: Path) -> Callable[[str], int]:
    """Answer how wide a text is once its letters have taken their forms, in font units."""
    font = hb.Font(hb.Face(hb.Blob.from_file_path(str(path))))

    @lru_cache(maxsize=4096)
    def width(text: str) -> int:
        buffer = hb.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        hb.shape(font, buffer)
        return sum(place.x_advance for place in buffer.glyph_positions or ())

    return width


@cache
def _file_digest(face: Typeface) -> str:
    return hashlib.sha256(face.path.read_bytes()).hexdigest()
