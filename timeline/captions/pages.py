"""From words to pages: which words are read together, and how they are set in lines.

Within each sentence the division with the least total cost wins (dynamic programming over word boundaries), so
that pages end where the language does, lines are even, and no word stands alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise

from timeline.captions.breaks import break_cost
from timeline.captions.joining import breakable, columns, glue, joined
from timeline.direction import from_right
from timeline.media import SpokenWord
from timeline.metrics import FontMetrics
from timeline.profiles import CaptionPolicy

LONE_WORD = 400
PER_PAGE = 60
TOO_LONG = 250
HELD_PAUSE = 120
_WINDOW = 24
"""Most words a page is tried with."""


@dataclass(frozen=True)
class Page:
    """Words read together, in one or two lines. `size` pixels per em (smaller only for a word too wide)."""

    words: tuple[SpokenWord, ...]
    lines: tuple[tuple[int, int], ...]
    """Half-open ranges of word indices."""
    size: int
    rtl: bool = False
    """Whether its lines run from right to left."""

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(joined([word.text for word in self.words[a:b]]) for a, b in self.lines)


def make_pages(words: Sequence[SpokenWord], policy: CaptionPolicy, font: FontMetrics, language: str) -> list[Page]:
    """Answer the pages of all words; no page spans two sentences."""
    pages: list[Page] = []
    for _, group in groupby(words, key=lambda word: word.sentence):
        pages += _Sentence(tuple(breakable(group)), policy, font, language).pages()
    return pages


class _Sentence:
    """The search over one sentence. Widths are font units, times samples at 48 kHz."""

    def __init__(self, words: tuple[SpokenWord, ...], policy: CaptionPolicy, font: FontMetrics, language: str) -> None:
        self.words, self.policy, self.font = words, policy, font
        self._units = [0, *accumulate(font.units(word.text) for word in words)]
        self._chars = [0, *accumulate(columns(word.text) for word in words)]
        glued = [glue(a.text, b.text) for a, b in pairwise(words)]
        self._spaces = [0, *accumulate(len(each) for each in glued)]
        self._space = font.units(" ")
        self._rtl = from_right(" ".join(word.text for word in words), language)
        self._widest = (policy.width - 2 * policy.outline) * font.units_per_em // policy.size
        self._pauses = [max(0, b.start - a.end) for a, b in pairwise(words)]
        self._costs = [
            break_cost(a.text, b.text, pause * 1000 // 48_000, language)
            for (a, b), pause in zip(pairwise(words), self._pauses, strict=True)
        ] + [0]

    def pages(self) -> list[Page]:
        """Cheapest division: best[j] is the least cost of setting the first j words."""
        count = len(self.words)
        best: list[int] = [0] + [1 << 60] * count
        cut: list[tuple[int, tuple[tuple[int, int], ...]]] = [(0, ())] * (count + 1)
        for end in range(1, count + 1):
            for begin in range(end - 1, max(-1, end - 1 - self._most_words()), -1):
                found = self._lines(begin, end)
                if found is None:
                    break
                cost = best[begin] + found[0] + self._page_cost(begin, end)
                if cost < best[end]:
                    best[end], cut[end] = cost, (begin, found[1])
        return self._collect(cut)

    def _most_words(self) -> int:
        # Divided ideographic text has far more pieces than words.
        dense = len(self.words) > 1 and not self._spaces[-1]
        return _WINDOW * 2 if dense else self.policy.max_words or _WINDOW

    def _collect(self, cut: Sequence[tuple[int, tuple[tuple[int, int], ...]]]) -> list[Page]:
        pages: list[Page] = []
        end = len(self.words)
        while end > 0:
            begin, lines = cut[end]
            relative = tuple((a - begin, b - begin) for a, b in lines)
            widest = max(self._width(a, b) for a, b in lines)
            size = self.policy.size if widest <= self._widest else self.policy.size * self._widest // widest
            pages.append(Page(self.words[begin:end], relative, max(size, 8), self._rtl))
            end = begin
        return pages[::-1]

    def _width(self, begin: int, end: int) -> int:
        return self._units[end] - self._units[begin] + self._space * self._gaps(begin, end)

    def _gaps(self, begin: int, end: int) -> int:
        """Answer how many spaces stand between words [begin, end)."""
        return self._spaces[end - 1] - self._spaces[begin]

    def _fits(self, begin: int, end: int) -> bool:
        if end - begin == 1:
            return True
        chars = self._chars[end] - self._chars[begin] + self._gaps(begin, end)
        return chars <= self.policy.max_chars and self._width(begin, end) <= self._widest

    def _lines(self, begin: int, end: int) -> tuple[int, tuple[tuple[int, int], ...]] | None:
        """Answer cost and lines of the cheapest setting of a page; None if the words do not fit."""
        if self._fits(begin, end):
            return 0, ((begin, end),)
        if self.policy.max_lines < 2:
            return None
        best: tuple[int, tuple[tuple[int, int], ...]] | None = None
        for middle in range(end - 1, begin, -1):
            if not self._fits(middle, end):
                break
            if self._fits(begin, middle):
                cost = self._line_cost(begin, middle, end)
                if best is None or cost < best[0]:
                    best = cost, ((begin, middle), (middle, end))
        return best

    def _line_cost(self, begin: int, middle: int, end: int) -> int:
        upper, lower = self._width(begin, middle), self._width(middle, end)
        uneven = 100 * abs(upper - lower) // max(upper, lower, 1)
        lone = 100 if 1 in (middle - begin, end - middle) and end - begin > 2 else 0
        return self._costs[middle - 1] // 2 + uneven + lone + 20

    def _page_cost(self, begin: int, end: int) -> int:
        spoken = self.words[end - 1].end - self.words[begin].start
        cost = PER_PAGE + self._costs[end - 1]
        if end - begin == 1 and len(self.words) > 1:
            cost += LONE_WORD if self.policy.max_words is None else PER_PAGE
        if spoken > self.policy.max_dwell * 48_000:
            cost += TOO_LONG
        return cost + HELD_PAUSE * sum(pause > 28_800 for pause in self._pauses[begin : end - 1])
