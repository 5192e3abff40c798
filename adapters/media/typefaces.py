"""The typefaces burnt into pictures: which files we ship and how ASS styles name them.

Rendering uses only these files, never the machine's fonts, so equal plans give equal pixels everywhere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FONT_DIR = Path(__file__).with_name("fonts")


@dataclass(frozen=True)
class Typeface:
    """A shipped font file; `family` and `bold` are what an ASS style must say to get exactly this face."""

    file: str
    family: str
    bold: bool = False

    @property
    def path(self) -> Path:
        return FONT_DIR / self.file


TYPEFACES: dict[str, Typeface] = {
    "regular": Typeface("Inter-Regular.otf", "Inter"),
    "medium": Typeface("Inter-Medium.otf", "Inter Medium"),
    "bold": Typeface("Inter-Bold.otf", "Inter", bold=True),
    "extrabold": Typeface("Inter-ExtraBold.otf", "Inter Extra Bold"),
    "black": Typeface("Inter-Black.otf", "Inter Black"),
}
"""Faces by role; they hold Latin, Greek and Cyrillic."""

OTHERS: tuple[Typeface, ...] = (
    *(
        Typeface(f"NotoSans{script}-{weight}.ttf", f"Noto Sans {script}", bold=weight == "Bold")
        for script in ("Arabic", "Hebrew", "Devanagari", "Thai")
        for weight in ("Regular", "Bold")
    ),
    Typeface("NotoSansCJK-Bold.otf", "Noto Sans CJK SC", bold=True),
)
"""Faces of further scripts, which stand in where a face by role has no glyph. Ideographs come in one weight."""
LIGHT = ("regular", "medium")
"""Roles whose stand-ins are the regular ones."""


def chain(role: str) -> tuple[Typeface, ...]:
    """The faces that stand in for a role, in the order in which they are asked."""
    alone = {face.family for face in OTHERS if face.bold} - {face.family for face in OTHERS if not face.bold}
    return tuple(face for face in OTHERS if face.family in alone or face.bold == (role not in LIGHT))


@cache
def fonts_digest() -> str:
    """Hash of all shipped faces (16 hex digits); part of every node key that draws text."""
    digest = hashlib.sha256()
    for face in sorted({*TYPEFACES.values(), *OTHERS}, key=lambda face: face.file):
        digest.update(face.file.encode())
        digest.update(hashlib.sha256(face.path.read_bytes()).digest())
    return digest.hexdigest()[:16]
