"""Setting a text in lines of even width, measured, for titles."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from timeline.metrics import FontMetrics

SMALLEST = 60
"""How far a text is shrunk before it may take more lines, in percent of its size."""
_STEP = 5


def wrap(text: str, font: FontMetrics, size: int, width: int, max_lines: int) -> tuple[list[str], int]:
    """Answer lines no wider than `width` pixels where words allow, and the size (pixels per em) they need."""
    paragraphs = [words for part in text.split("\n") if (words := part.split())]
    for percent in range(100, SMALLEST - 1, -_STEP):
        tried = max(size * percent // 100, 1)
        limit = width * font.units_per_em // tried
        lines = [line for words in paragraphs for line in _even_lines(words, font, limit)]
        if len(lines) <= max_lines and all(font.units(line) <= limit for line in lines):
            return lines, tried
    return lines, tried


def _even_lines(words: Sequence[str], font: FontMetrics, limit: int) -> list[str]:
    """Take as few lines as fit, then make the widest of them as narrow as that number allows."""
    units = [font.units(word) for word in words]
    space = font.units(" ")
    count = len(_fill(units, space, limit))
    low, high = max(units), max(limit, *units)
    while low < high:
        middle = (low + high) // 2
        if len(_fill(units, space, middle)) <= count:
            high = middle
        else:
            low = middle + 1
    edges = [0, *accumulate(_fill(units, space, high))]
    return [" ".join(words[a:b]) for a, b in pairwise(edges)]


def _fill(units: Sequence[int], space: int, limit: int) -> list[int]:
    """Answer how many words go on each line when lines are filled up to `limit` font units."""
    lines: list[int] = []
    used = limit + 1
    for width in units:
        if used + space + width > limit:
            lines.append(1)
            used = width
        else:
            lines[-1] += 1
            used += space + width
    return lines
