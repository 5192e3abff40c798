"""Measured typefaces: how wide a text is, and which characters it can show. Pure; adapters read the font files."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from timeline.time import format_decimal

_JOINING = frozenset({"Zs", "Mn", "Mc", "Me", "Cf"})


def _nothing() -> Sequence[FontMetrics]:
    return ()


def _hidden(char: str) -> bool:
    return unicodedata.category(char) == "Cf"


@dataclass(frozen=True)
class FontMetrics:
    """One face, and those that stand in where it has no glyph.

    Lengths in font units; `advances` maps code points to advance widths.
    `ascent` and `descent` (both positive) are the ones the text renderer fits into its font size, which for libass
    are the Windows metrics of the OS/2 table. `digest` names the font file's content and enters keys. `others` answers
    the faces that are asked next, in their order; they are measured when a text first needs them, and set lines as
    high as this one. `shaped` measures a text in a script whose letters change beside each other.
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
    others: Callable[[], Sequence[FontMetrics]] = field(default=_nothing, repr=False, compare=False)
    shaped: Callable[[str], int] | None = field(default=None, repr=False, compare=False)

    def units(self, text: str) -> int:
        """Answer the advance width of a text in font units, without kerning."""
        advances = self.advances
        if all(ord(char) in advances for char in text):
            return sum(advances[ord(char)] for char in text)
        return sum(face._run_units(run) * self.units_per_em // face.units_per_em for face, run in self.runs(text))

    def _run_units(self, run: str) -> int:
        """Answer the advance width of a run of this face."""
        if self.shaped is not None:
            return self.shaped(run)
        return sum(self.advances.get(ord(char), 0 if _hidden(char) else self.default_advance) for char in run)

    def face_of(self, char: str) -> FontMetrics | None:
        """Answer the first face of the chain that can show a character."""
        if ord(char) in self.advances:
            return self
        return next((face for face in self.others() if ord(char) in face.advances), None)

    def runs(self, text: str) -> list[tuple[FontMetrics, str]]:
        """Divide a text by the faces that show it; spaces, marks and joiners stay with what is before them."""
        runs: list[tuple[FontMetrics, str]] = []
        for char in text:
            before = runs[-1][0] if runs else self
            joins = unicodedata.category(char) in _JOINING and (ord(char) in before.advances or not char.isprintable())
            face = before if joins else self.face_of(char) or before
            if runs and face is before:
                runs[-1] = before, runs[-1][1] + char
            else:
                runs.append((face, char))
        return runs

    def width(self, text: str, size: int) -> Fraction:
        """Answer the width in pixels at `size` pixels per em."""
        return Fraction(self.units(text) * size, self.units_per_em)

    def missing(self, text: str) -> tuple[str, ...]:
        """Answer the characters that no face of the chain shows, each once; invisible format characters pass."""
        return tuple(
            char
            for char in dict.fromkeys(text)
            if not char.isspace() and not _hidden(char) and self.face_of(char) is None
        )

    def ass_size(self, size: int) -> str:
        """Answer the ASS font size (ascent plus descent in pixels) that gives `size` pixels per em."""
        return format_decimal(Fraction(size * (self.ascent + self.descent), self.units_per_em), 2)

    def line_height(self, size: int) -> Fraction:
        """Answer the distance of lines as libass sets them, in pixels."""
        return Fraction(size * (self.ascent + self.descent), self.units_per_em)


Fonts = Mapping[str, FontMetrics]
"""Faces by role: regular, medium, bold, extrabold, black."""
