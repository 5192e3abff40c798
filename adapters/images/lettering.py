"""Words on boards: glyph check, fitting into a box with even lines, spaced small capitals."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import cache

from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

from adapters.media.typefaces import TYPEFACES
from domain.production.ports import ProviderRefused

NAME = "artboard"
LEADING = 1.13
TIGHT = 0.94
"""Line distance as a share of the size: text, and large display text."""
FEWER_LINES = 0.85
"""A text is set this much smaller at most if that saves a line."""


@dataclass(frozen=True)
class Block:
    """Lines of text set in one size; `left`, `top`, `width`, `height` is the box they occupy, in pixels."""

    lines: tuple[str, ...]
    face: str
    size: int
    left: int
    top: int
    width: int
    height: int
    align: str = "left"
    leading: float = LEADING

    @property
    def box(self) -> tuple[int, int, int, int]:
        return self.left, self.top, self.left + self.width, self.top + self.height

    def moved(self, left: int, top: int) -> Block:
        return replace(self, left=left, top=top)


def clean_text(text: str) -> str:
    """Compose accents, drop control characters and join all white space."""
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in composed)
    return re.sub(r"\s+", " ", kept).strip()


@cache
def _glyphs(face: str) -> frozenset[int]:
    with TTFont(TYPEFACES[face].path, lazy=True) as font:
        return frozenset(font.getBestCmap())


def check_glyphs(text: str, face: str) -> None:
    """Raise ProviderRefused naming the characters that the typeface cannot show."""
    missing = sorted({letter for letter in text if ord(letter) not in _glyphs(face) and not letter.isspace()})
    if missing:
        shown = ", ".join(f"“{letter}” (U+{ord(letter):04X})" for letter in missing[:6])
        more = f" and {len(missing) - 6} more" if len(missing) > 6 else ""
        raise ProviderRefused(
            NAME,
            f"The typeface {TYPEFACES[face].file} has no glyph for {shown}{more}.",
            fix="Reword the scene's headline, figure or kicker, or choose a picture for the scene.",
        )


@cache
def _font(face: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(TYPEFACES[face].path), size, layout_engine=ImageFont.Layout.RAQM)


def text_width(text: str, face: str, size: int) -> float:
    """Advance width at a size, measured once at 200 and scaled, so that fitting costs nothing."""
    return _advance(text, face) * size / 200


@cache
def _advance(text: str, face: str) -> float:
    return _font(face, 200).getlength(text)


def wrap_evenly(words: list[str], face: str, size: int, width: float) -> list[str] | None:
    """Break into the fewest lines that fit, then even their lengths; None when a word is wider than the box."""
    space = text_width(" ", face, size)
    sizes = [text_width(word, face, size) for word in words]
    if max(sizes) > width:
        return None
    fewest = len(_greedy(sizes, space, width))
    low, high = max(sizes), width
    for _ in range(18):
        middle = (low + high) / 2
        if len(_greedy(sizes, space, middle)) <= fewest:
            high = middle
        else:
            low = middle
    lines, start = [], 0
    for count in _greedy(sizes, space, high):
        lines.append(" ".join(words[start : start + count]))
        start += count
    return lines


def _greedy(sizes: list[float], space: float, width: float) -> list[int]:
    counts, used = [0], 0.0
    for size in sizes:
        needed = used + space + size if counts[-1] else size
        if counts[-1] and needed > width + 1e-6:
            counts.append(0)
            needed = size
        counts[-1] += 1
        used = needed
    return counts


def fit_text(
    text: str, face: str, box: tuple[float, float], sizes: tuple[float, float], lines: int = 4, leading: float = LEADING
) -> Block | None:
    """Set a text as large as it fits: `box` (width, height), `sizes` (largest, smallest); None when it does not fit.

    The answered block lies at 0, 0.
    """
    check_glyphs(text, face)
    words = text.split(" ")
    if not text:
        return None
    largest, smallest = round(sizes[0]), max(8, round(sizes[1]))
    best: Block | None = None
    least = 0.0
    for size in range(largest, smallest - 1, -max(1, largest // 60)):
        if size < least:
            break
        broken = wrap_evenly(words, face, size, box[0])
        if broken is None or len(broken) > (len(best.lines) - 1 if best else lines):
            continue
        height = size * leading * (len(broken) - 1) + size
        if height <= box[1]:
            width = max(text_width(line, face, size) for line in broken)
            least = least or size * FEWER_LINES
            best = Block(tuple(broken), face, size, 0, 0, round(width), round(height), leading=leading)
    return best


def shorten_to_fit(
    text: str, face: str, box: tuple[float, float], sizes: tuple[float, float], lines: int = 4, leading: float = LEADING
) -> Block:
    """Like fit_text, but end a text that is too long with an ellipsis at a word; a single huge word is set smaller."""
    block = fit_text(text, face, box, sizes, lines, leading)
    words = text.split()
    while block is None and len(words) > 1:
        words.pop()
        block = fit_text(" ".join(words).rstrip(",;:–—-") + "…", face, box, sizes, lines, leading)
    while block is None:
        sizes = (sizes[1], sizes[1] * 0.6)
        block = fit_text(words[0], face, box, sizes, lines, leading)
        if block is None and sizes[1] < 9:
            words = [words[0][: max(1, len(words[0]) * 3 // 4)]]
    return block


def draw_block(mask: Image.Image, block: Block) -> None:
    """Draw a block's lines in full into a mask (mode L)."""
    draw = ImageDraw.Draw(mask)
    font = _font(block.face, block.size)
    ascent = block.size * 0.727
    for number, line in enumerate(block.lines):
        baseline = block.top + block.size * 0.135 + ascent + number * block.size * block.leading
        spare = block.width - text_width(line, block.face, block.size)
        left = block.left + (spare / 2 if block.align == "center" else 0)
        draw.text((left, baseline), line, font=font, fill=255, anchor="ls")


def spaced_width(text: str, face: str, size: int, tracking: float) -> float:
    return sum(text_width(letter, face, size) + size * tracking for letter in text) - size * tracking


def draw_spaced(
    mask: Image.Image, text: str, face: str, size: int, place: tuple[float, float], tracking: float
) -> None:
    """Draw letters with extra distance (`tracking` as a share of the size); `place` is left and baseline."""
    draw, left = ImageDraw.Draw(mask), place[0]
    for letter in text:
        draw.text((left, place[1]), letter, font=_font(face, size), fill=255, anchor="ls")
        left += text_width(letter, face, size) + size * tracking
