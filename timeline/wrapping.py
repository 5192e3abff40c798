"""Setting a text in lines of even width that end where the language allows, measured, for titles."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from timeline.captions.breaks import break_cost
from timeline.captions.joining import pieces_of
from timeline.metrics import FontMetrics

SMALLEST = 60
"""How far a text is shrunk before it may take more lines, in percent of its size."""
_STEP = 5

Best = dict[tuple[int, int], tuple[int, tuple[int, ...]]]
"""(words set, lines used) → least cost and where its lines end."""


def wrap(
    text: str, font: FontMetrics, size: int, width: int, max_lines: int, language: str = "en"
) -> tuple[list[str], int]:
    """Answer lines no wider than `width` pixels where words allow, and the size (pixels per em) they need."""
    paragraphs = [pieces for part in text.split("\n") if (pieces := _pieces(part))]
    for percent in range(100, SMALLEST - 1, -_STEP):
        tried = max(size * percent // 100, 1)
        limit = width * font.units_per_em // tried
        lines = [line for words in paragraphs for line in _set(words, font, limit, language)]
        if len(lines) <= max_lines and all(font.units(line) <= limit for line in lines):
            break
    return lines, tried


def _pieces(text: str) -> list[tuple[str, str]]:
    """Answer the parts of a text between which a line may end, each with what stands before it in a line."""
    return [("" if number else " ", piece) for word in text.split() for number, piece in enumerate(pieces_of(word))]


def _line(pieces: Sequence[tuple[str, str]]) -> str:
    return "".join(before + piece for before, piece in pieces).lstrip(" ")


def _set(pieces: Sequence[tuple[str, str]], font: FontMetrics, limit: int, language: str) -> list[str]:
    """Take as few lines as fit; among the ways to do so, the one whose lines are even and end well."""
    spaces = [font.units(before) for before, _ in pieces]
    units = [font.units(piece) for _, piece in pieces]
    edges = [0, *accumulate(space + width for space, width in zip(spaces, units, strict=True))]
    count = _fewest(units, spaces, limit)
    ideal = (edges[-1] - spaces[0]) // count
    costs = [break_cost(before, after, 0, language) for (_, before), (_, after) in pairwise(pieces)] + [0]
    best: Best = {(0, 0): (0, ())}
    for end in range(1, len(pieces) + 1):
        for begin in range(end - 1, -1, -1):
            width = edges[end] - edges[begin] - spaces[begin]
            if width > limit and end - begin > 1:
                break
            cost = 100 * abs(width - ideal) // max(ideal, 1) + costs[end - 1] // 2
            for lines in range(count):
                _better(best, (begin, lines), (end, lines + 1), cost)
    cuts = [0, *best[len(pieces), count][1]]
    return [_line(pieces[a:b]) for a, b in pairwise(cuts)]


def _better(
    best: dict[tuple[int, int], tuple[int, tuple[int, ...]]],
    source: tuple[int, int],
    target: tuple[int, int],
    cost: int,
) -> None:
    """Reach a state by one more line if that is cheaper than what is known."""
    if source in best:
        total = best[source][0] + cost
        if target not in best or total < best[target][0]:
            best[target] = total, (*best[source][1], target[0])


def _fewest(units: Sequence[int], spaces: Sequence[int], limit: int) -> int:
    """Answer how many lines there are when each is filled up."""
    lines, used = 0, limit
    for width, space in zip(units, spaces, strict=True):
        used += space + width
        if used > limit:
            lines, used = lines + 1, width
    return lines
