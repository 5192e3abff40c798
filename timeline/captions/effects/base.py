"""What effects share: a page with its frames, and how its lines are placed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from timeline import ass
from timeline.captions.joining import glue, joined
from timeline.captions.pages import Page
from timeline.direction import marked, visual_order
from timeline.metrics import FontMetrics
from timeline.profiles import CaptionPolicy


@dataclass(frozen=True)
class TimedPage:
    """A page on the film: shown for frames [first, stop); `starts` holds each word's first frame."""

    page: Page
    first: int
    stop: int
    starts: tuple[int, ...]

    def turns(self) -> Iterator[tuple[int, int, int]]:
        """Answer (word, first, stop) for each word's turn: gapless, words without a frame of their own left out."""
        edges = [self.first, *(min(max(start, self.first), self.stop) for start in self.starts[1:]), self.stop]
        for word, (first, stop) in enumerate(pairwise(edges)):
            if stop > first:
                yield word, first, stop


@dataclass(frozen=True)
class State:
    """Events that stand still for film frames [first, stop)."""

    first: int
    stop: int
    events: tuple[str, ...]


Effect = Callable[[TimedPage, CaptionPolicy, FontMetrics], list[State]]


def line_middles(page: Page, policy: CaptionPolicy, font: FontMetrics) -> list[Fraction]:
    """Answer the vertical middle of each line."""
    pitch, count = font.line_height(page.size), len(page.lines)
    lowest = policy.y - pitch / 2 if policy.anchor == "bottom" else policy.y + pitch * Fraction(count - 1, 2)
    return [lowest - pitch * (count - 1 - line) for line in range(count)]


def size_tag(page: Page, policy: CaptionPolicy, font: FontMetrics) -> str:
    return "" if page.size == policy.size else f"\\fs{font.ass_size(page.size)}"


def line_events(
    page: Page, policy: CaptionPolicy, font: FontMetrics, texts: Sequence[str], tags: str = ""
) -> list[str]:
    """Answer one event per line, centred; `texts` are already safe."""
    size = size_tag(page, policy, font)
    return [
        f"{{{ass.at(5, policy.x, middle)}{size}{tags}}}{marked(plain, text, page.rtl)}"
        for middle, text, plain in zip(line_middles(page, policy, font), texts, page.texts, strict=True)
    ]


def shadow_events(page: Page, policy: CaptionPolicy, font: FontMetrics) -> list[str]:
    """Answer the soft shadow under a page: the same for each of its states."""
    if not policy.shadow:
        return []
    texts = [ass.spell(text, font) for text in page.texts]
    return line_events(page, policy, font, texts, ass.soft_shadow(policy.shadow))


def word_event(page: Page, word: int, font: FontMetrics, tags: str) -> str:
    """Answer the event of one word that is drawn by itself."""
    text = page.words[word].text
    return f"{{{tags}}}{marked(text, ass.spell(text, font), page.rtl)}"


def word_places(page: Page, policy: CaptionPolicy, font: FontMetrics) -> list[tuple[Fraction, Fraction]]:
    """Answer the middle of each word on the canvas."""
    places: dict[int, tuple[Fraction, Fraction]] = {}
    for (begin, end), middle in zip(page.lines, line_middles(page, policy, font), strict=True):
        texts = [word.text for word in page.words[begin:end]]
        left = policy.x - font.width(joined(texts), page.size) / 2
        order = visual_order(texts, page.rtl)
        for word, following in zip(order, [*order[1:], None], strict=True):
            width = font.width(texts[word], page.size)
            places[begin + word] = (left + width / 2, middle)
            gap = "" if following is None else glue(texts[word], texts[following])
            left += width + font.width(gap, page.size)
    return [places[word] for word in range(len(page.words))]
