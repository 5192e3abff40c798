"""How words stand on a board: figure, share, bars, quote and headline, each set inside the zone that stays readable.

The zone keeps clear of the picture's edges (the camera moves up to 12 % into the board), of the logo at the top and
of the captions: the lower 22 % of wide films, everything below 1,050 of 1,920 lines in vertical ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image, ImageDraw

from adapters.images.lettering import (
    TIGHT,
    Block,
    check_glyphs,
    draw_block,
    draw_spaced,
    fit_text,
    shorten_to_fit,
    spaced_width,
)
from adapters.images.palette import Colour, Palette, mix

Box = tuple[int, int, int, int]
TRACKING = 0.14
ZONES: Mapping[str, tuple[float, float, float, float]] = {
    "wide": (0.14, 0.17, 0.86, 0.675),
    "tall": (0.145, 0.19, 0.855, 0.485),
    "square": (0.14, 0.17, 0.86, 0.66),
}
"""Left, top, right, bottom as shares of the board."""


@dataclass(frozen=True)
class Words:
    """What a board says; every part may be empty."""

    kicker: str = ""
    headline: str = ""
    figure: str = ""

    def __bool__(self) -> bool:
        return bool(self.headline or self.figure)


@dataclass(frozen=True)
class Element:
    """One thing drawn in one colour (or a run of two, left to right); `is_text` asks for contrast."""

    box: Box
    colours: tuple[Colour, ...]
    draw: Callable[[Image.Image], None]
    is_text: bool = True


@dataclass
class Page:
    """The zone being filled, from the top down."""

    left: int
    top: int
    right: int
    bottom: int
    unit: float
    palette: Palette
    align: str = "left"
    elements: list[Element] = field(default_factory=list)

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def room(self) -> int:
        return self.bottom - self.top

    def _left_of(self, width: float) -> int:
        return self.left + round((self.width - width) / 2) if self.align == "center" else self.left

    def text(self, block: Block, *colours: Colour) -> None:
        placed = block.moved(self._left_of(block.width), self.top)
        if self.align == "center":
            placed = replace(placed, align="center")
        self.elements.append(Element(placed.box, colours, lambda mask: draw_block(mask, placed)))
        self.top += block.height

    def kicker(self, text: str) -> None:
        """Small spaced capitals, cut to the width."""
        shown, size = text.upper(), round(self.unit * 27)
        check_glyphs(shown, "bold")
        while spaced_width(shown, "bold", size, TRACKING) > self.width and len(shown) > 2:
            shown = shown[:-2].rstrip() + "…"
        width = round(spaced_width(shown, "bold", size, TRACKING))
        left, baseline = self._left_of(width), self.top + size
        box = (left, self.top, left + width, self.top + round(size * 1.25))
        self.elements.append(
            Element(
                box,
                (self.palette.accent,),
                lambda mask: draw_spaced(mask, shown, "bold", size, (left, baseline), TRACKING),
            )
        )
        self.top += round(size * 1.25)

    def bar(self, width: float, height: float, colour: Colour, *, round_ends: bool = True) -> None:
        left = self._left_of(width)
        box = (left, self.top, left + max(round(width), 1), self.top + max(round(height), 1))
        radius = (box[3] - box[1]) / 2 if round_ends else 0
        self.elements.append(
            Element(box, (colour,), lambda mask: ImageDraw.Draw(mask).rounded_rectangle(box, radius, 255), False)
        )

    def skip(self, units: float) -> None:
        self.top += round(units * self.unit)


def zone_of(width: int, height: int) -> str:
    return "wide" if width > height * 1.2 else "tall" if height > width * 1.2 else "square"


def lay_out(words: Words, size: tuple[int, int], palette: Palette, rng: np.random.Generator) -> list[Element]:
    """Set the words in the layout that suits them and centre the result in the zone; raises ProviderRefused."""
    width, height = size
    kind = zone_of(width, height)
    left, top, right, bottom = ZONES[kind]
    layout = choose_layout(words, kind, rng)
    if kind == "wide" and layout not in ("centred", "quote"):
        right = 0.62 if layout == "headline" else 0.66
    unit = min(width, height) / 1000 * (1.06 if kind == "tall" else 1.0)
    spare = 0
    for _ in range(2):
        page = Page(
            left=round(left * width),
            top=round(top * height) + spare // 2,
            right=round(right * width),
            bottom=round(bottom * height) + spare // 2,
            unit=unit,
            palette=palette,
        )
        LAYOUTS[layout](page, words)
        spare = max(0, page.bottom - max(element.box[3] for element in page.elements))
    return page.elements


# ── Choice ────────────────────────────────────────────────────────────────────────────────────────────────
_NUMBER = r"\d+(?:[.,\u00a0\u202f ]\d+)*"
_SPLIT = re.compile(r"\s*(?:·|/|→|–|—|;|\bvs\.?\b|\bx\b|\|)\s*")
_AMOUNT = re.compile(rf"^\D{{0,3}}({_NUMBER})\s*(.*)$")
_PERCENT = re.compile(rf"^({_NUMBER})\s*(?:%|percent|per cent|por cento)$", re.IGNORECASE)


def read_number(text: str) -> float:
    """Read 1,234.5 and 1.234,5 alike: the last mark is decimal unless exactly three digits follow it."""
    bare = re.sub(r"[\u00a0\u202f ]", "", text)
    head, mark, tail = max((bare.rpartition(mark) for mark in ".,"), key=lambda parts: len(parts[0]))
    if mark and len(tail) != 3:
        return float(re.sub(r"[.,]", "", head) + "." + tail)
    return float(re.sub(r"[.,]", "", bare))


def bars_of(figure: str) -> list[tuple[str, float]]:
    """Answer two to four comparable amounts in a figure such as "5 % · 27 % · 68 %"; empty when there are none."""
    parts = [part for part in _SPLIT.split(figure) if part]
    amounts = [_AMOUNT.match(part) for part in parts]
    if not 2 <= len(parts) <= 4 or not all(amounts):
        return []
    units = {amount.group(2).strip().casefold() for amount in amounts if amount} - {""}
    values = [read_number(amount.group(1)) for amount in amounts if amount]
    return list(zip(parts, values, strict=True)) if len(units) <= 1 and max(values) > 0 else []


def choose_layout(words: Words, kind: str, rng: np.random.Generator) -> str:
    if bars_of(words.figure):
        return "bars"
    share = _PERCENT.match(words.figure)
    if share and 0 < read_number(share.group(1)) <= 100:
        return "share"
    if words.figure:
        return "figure"
    if words.headline[:1] in '“"«„':
        return "quote"
    return "centred" if kind != "wide" and rng.random() < 0.35 else "headline"


# ── Layouts ───────────────────────────────────────────────────────────────────────────────────────────────
def _opening(page: Page, words: Words, gap: float) -> None:
    if words.kicker:
        page.kicker(words.kicker)
        page.skip(gap)
    else:
        page.bar(page.unit * 92, page.unit * 8, page.palette.accent)
        page.skip(gap + 22)


def headline(page: Page, words: Words) -> None:
    """A large headline, left, under a kicker or a short bar."""
    _opening(page, words, 26)
    box = (page.width, page.room)
    block = shorten_to_fit(words.headline, "extrabold", box, (page.unit * 118, page.unit * 50), 4, 1.06)
    page.text(block, page.palette.ink)


def centred(page: Page, words: Words) -> None:
    """A headline in the middle, for few words."""
    page.align = "center"
    _opening(page, words, 28)
    box = (page.width * 0.94, page.room)
    block = shorten_to_fit(words.headline, "extrabold", box, (page.unit * 124, page.unit * 50), 3, 1.06)
    page.text(block, page.palette.ink)


def quote(page: Page, words: Words) -> None:
    """A saying under a large opening mark."""
    mark = fit_text("“", "black", (page.width, page.unit * 300), (page.unit * 260, page.unit * 90), 1)
    if mark:
        page.text(mark, page.palette.accent)
        drawn = page.elements[-1]
        page.top -= round(mark.height * 0.5)
        page.elements[-1] = replace(drawn, box=(*drawn.box[:3], page.top))
    text = words.headline.strip('“”"«»„ ')
    box = (page.width * 0.96, page.room - page.unit * (60 if words.kicker else 0))
    page.text(shorten_to_fit(text, "medium", box, (page.unit * 86, page.unit * 44), 5, 1.18), page.palette.ink)
    if words.kicker:
        page.skip(26)
        page.kicker(words.kicker)


def figure(page: Page, words: Words) -> None:
    """A number set as large as it fits, its unit beneath, then what it means."""
    if words.kicker:
        _opening(page, words, 10)
    found = _AMOUNT.match(words.figure)
    unit = found.group(2).strip() if found else ""
    unit = unit if len(unit) > 3 else ""
    number = words.figure[: len(words.figure) - len(unit)].strip() if unit else words.figure
    if found and not unit:
        number = number.replace(" ", "\u00a0")
    below = page.unit * ((170 if words.headline else 0) + (110 if unit else 0))
    largest = page.unit * (330 if len(number) <= 6 else 240)
    block = shorten_to_fit(
        number, "black", (page.width, max(page.room - below, page.unit * 110)), (largest, page.unit * 70), 2, TIGHT
    )
    page.text(block, page.palette.ink, page.palette.accent)
    if unit:
        page.skip(16)
        box = (page.width, page.room * 0.5)
        page.text(shorten_to_fit(unit, "bold", box, (page.unit * 84, page.unit * 40), 2, 1.05), page.palette.accent)
    _caption(page, words, 34)


def _caption(page: Page, words: Words, gap: float) -> None:
    if words.headline and page.room > page.unit * (gap + 44):
        page.skip(gap)
        box = (page.width, page.room)
        page.text(
            shorten_to_fit(words.headline, "medium", box, (page.unit * 58, page.unit * 34), 3, 1.2), page.palette.ink
        )


def share(page: Page, words: Words) -> None:
    """A percentage: the number, and a bar filled as far as it says."""
    found = _PERCENT.match(words.figure)
    value = read_number(found.group(1)) if found else 0.0
    shown = f"{found.group(1)}%" if found else words.figure
    if words.kicker:
        _opening(page, words, 10)
    block = shorten_to_fit(
        shown, "black", (page.width, page.room - page.unit * 190), (page.unit * 300, page.unit * 90), 1, TIGHT
    )
    page.text(block, page.palette.ink, page.palette.accent)
    page.skip(26)
    thick = page.unit * 22
    page.bar(page.width, thick, mix(page.palette.deep, page.palette.mid, 0.6))
    page.bar(max(page.width * value / 100, thick), thick, page.palette.accent)
    page.skip(22)
    _caption(page, words, 30)


def bars(page: Page, words: Words) -> None:
    """Two to four amounts as bars to one scale, each with its figure."""
    amounts = bars_of(words.figure)
    _opening(page, words, 20)
    if words.headline:
        box = (page.width, page.room * 0.3)
        page.text(
            shorten_to_fit(words.headline, "bold", box, (page.unit * 60, page.unit * 34), 2, 1.12), page.palette.ink
        )
        page.skip(26)
    greatest = max(value for _, value in amounts)
    step = min(page.room / (len(amounts) - 0.22), page.unit * 150)
    for place, (label, value) in enumerate(amounts):
        top, size = page.top, min(step * 0.44, page.unit * 52)
        block = shorten_to_fit(label, "extrabold", (page.width, size * 1.1), (size, page.unit * 22), 1, 1.0)
        page.text(block, page.palette.ink)
        page.top += round(step * 0.06)
        colour = page.palette.accent if place % 2 == 0 else page.palette.second
        page.bar(max(page.width * value / greatest, page.unit * 18), step * 0.17, colour)
        page.top = top + round(step)


LAYOUTS: Mapping[str, Callable[[Page, Words], None]] = {
    "bars": bars,
    "centred": centred,
    "figure": figure,
    "headline": headline,
    "quote": quote,
    "share": share,
}
