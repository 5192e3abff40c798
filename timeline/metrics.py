"""Measured typefaces: how wide a text is, and which characters it can show. Pure; adapters read the font files."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from timeline.time import format_decimal


@dataclass(frozen=True)
class FontMetrics:
    """One face. Lengths in font units; `advances` maps code points to advance widths.

    `ascent` and `descent` (both positive) are the ones the text renderer fits into its font size, which for libass
    are the Windows metrics of the OS/2 table. `digest` names the font file's content and enters keys.
    """

    family: str
    units_per_em: int
    ascent: int
    descent: int
    line_gap: int
    advances: Mapping[int, int] = field(repr=False)
    default_advance: int
    bold: bool = False
    digest: str = ""

    def units(self, text: str) -> int:
        """Answer the advance width of a text in font units, without kerning."""
        advances, default = self.advances, self.default_advance
        return sum(advances.get(ord(char), default) for char in text)

    def width(self, text: str, size: int) -> Fraction:
        """Answer the width in pixels at `size` pixels per em."""
        return Fraction(self.units(text) * size, self.units_per_em)

    def missing(self, text: str) -> tuple[str, ...]:
        """Answer the characters that this face cannot show, each once; invisible format characters are let through."""
        return tuple(
            char
            for char in dict.fromkeys(text)
            if ord(char) not in self.advances and not char.isspace() and unicodedata.category(char) != "Cf"
        )

    def ass_size(self, size: int) -> str:
        """Answer the ASS font size (ascent plus descent in pixels) that gives `size` pixels per em."""
        return format_decimal(Fraction(size * (self.ascent + self.descent), self.units_per_em), 2)

    def line_height(self, size: int) -> Fraction:
        """Answer the distance of lines as libass sets them, in pixels."""
        return Fraction(size * (self.ascent + self.descent), self.units_per_em)


Fonts = Mapping[str, FontMetrics]
"""Faces by role: regular, medium, bold, extrabold, black."""
