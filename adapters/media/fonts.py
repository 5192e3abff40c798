"""Measures of font files for the timeline, which lays texts out without touching files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fontTools.ttLib import TTFont

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
