"""Texts on the picture: built-in looks, a document's changes to them, and how they become ASS events.

Sizes are given for a canvas whose short side is 1080 pixels; places are fractions of the profile's safe box.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from timeline import ass
from timeline.direction import from_right, marked
from timeline.document import TextStyle
from timeline.metrics import FontMetrics
from timeline.plan import AssStyle
from timeline.profiles import Profile
from timeline.time import round_half_up
from timeline.wrapping import wrap

F = Fraction


@dataclass(frozen=True)
class Look:
    """How a text looks. `at`: where its anchor lies in the safe box; `width` of it; `ornament`: none|rule|bar|card."""

    face: str
    size: int
    anchor: str
    at: tuple[Fraction, Fraction]
    width: Fraction
    max_lines: int = 3
    colour: str = "#ffffff"
    accent: str = "#ffd23f"
    outline_colour: str = "#0a0d14"
    outline: int = 2
    shadow: int = 16
    ornament: str = "none"
    uppercase: bool = False


LOOKS: dict[str, Look] = {
    "title": Look("extrabold", 92, "center", (F(1, 2), F(45, 100)), F(84, 100), ornament="rule"),
    "lower-third": Look("bold", 48, "bottom-left", (F(0), F(82, 100)), F(60, 100), 2, ornament="bar"),
    "caption-card": Look(
        "medium", 56, "center", (F(1, 2), F(1, 2)), F(72, 100), 5, outline=0, shadow=0, ornament="card"
    ),
}

_COLUMN = {"left": 0, "center": 1, "right": 2}


@dataclass(frozen=True)
class SetText:
    """A text ready to be drawn: its style line and its events."""

    style: AssStyle
    events: tuple[str, ...]
    missing: tuple[str, ...]
    middle: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))
    """The middle of the set lines on the canvas."""


@dataclass(frozen=True)
class _Block:
    """The rectangle of set lines on the canvas, in pixels."""

    left: Fraction
    top: Fraction
    width: Fraction
    height: Fraction


def look_of(name: str, styles: Mapping[str, TextStyle]) -> Look | None:
    """Answer a built-in look, or one a document makes of it; None when there is no such name."""
    own = styles.get(name)
    if own is None:
        return LOOKS.get(name)
    base = LOOKS.get(own.base)
    if base is None:
        return None
    changes = {
        "face": own.face,
        "colour": own.color,
        "outline_colour": own.outline_color,
        "anchor": own.anchor,
        "uppercase": own.uppercase,
    }
    return replace(base, **{field: value for field, value in changes.items() if value is not None})  # type: ignore[arg-type]


def style_name(name: str) -> str:
    """Answer the ASS name of a look: names that people chose may hold anything, so only plain ones are kept."""
    plain = re.fullmatch(r"[a-z0-9-]{1,40}", name)
    return f"text-{name if plain else hashlib.sha256(name.encode()).hexdigest()[:12]}"


class TitleSetter:
    """Sets texts on one profile's canvas. `px` is the size of one authored pixel there."""

    def __init__(self, profile: Profile, px: Fraction, styles: Mapping[str, TextStyle], language: str = "en") -> None:
        self._profile, self._px, self._styles, self._language = profile, px, styles, language
        self._canvas = (profile.width, profile.height)

    def set(self, name: str, text: str, font: FontMetrics, place: tuple[Fraction, Fraction] | None) -> SetText:
        """Set a text in the look `name` (which exists); `place` overrides where its anchor lies."""
        look = look_of(name, self._styles)
        assert look is not None
        own = self._styles.get(name)
        shown = text.upper() if look.uppercase else text
        size = self._size(look, own)
        lines, fitting = wrap(shown, font, size, self._width(look, own), look.max_lines, self._language)
        x, y = place or self._place(look, own)
        block = _block(lines, font, fitting, look, (x, y))
        style = ass.style(
            f"text-{name}",
            font,
            size,
            look.colour,
            look.outline_colour,
            round_half_up(look.outline * self._profile.unit),
            self._language,
        )
        events = self._events(lines, font, size, fitting, look, block)
        middle = (block.left + block.width / 2, block.top + block.height / 2)
        return SetText(style, tuple(events), font.missing(shown), middle)

    def _size(self, look: Look, own: TextStyle | None) -> int:
        if own and own.size:
            return max(round_half_up(own.size.pixels(self._profile.height, self._canvas, self._px)), 8)
        return max(round_half_up(look.size * self._profile.unit), 8)

    def _width(self, look: Look, own: TextStyle | None) -> int:
        if own and own.width:
            return max(round_half_up(own.width.pixels(self._profile.width, self._canvas, self._px)), 16)
        return round_half_up(look.width * self._safe(look)[1])

    def _place(self, look: Look, own: TextStyle | None) -> tuple[Fraction, Fraction]:
        if own and own.position:
            x, y = own.position
            return x.pixels(self._canvas[0], self._canvas, self._px), y.pixels(self._canvas[1], self._canvas, self._px)
        left, wide = self._safe(look)
        return left + look.at[0] * wide, self._profile.safe.y + look.at[1] * self._profile.safe.h

    def _safe(self, look: Look) -> tuple[Fraction, Fraction]:
        """Answer left edge and width of where a text may lie: centred texts stay centred on the canvas."""
        safe, middle = self._profile.safe, Fraction(self._profile.width, 2)
        if (ass.ALIGNMENTS[look.anchor] - 1) % 3 != 1:
            return Fraction(safe.x), Fraction(safe.w)
        half = min(middle - safe.x, safe.x + safe.w - middle)
        return middle - half, 2 * half

    def _events(
        self, lines: list[str], font: FontMetrics, size: int, fitting: int, look: Look, block: _Block
    ) -> list[str]:
        scale = "" if fitting == size else f"\\fs{font.ass_size(fitting)}"
        rtl = from_right(" ".join(lines), self._language)
        text = "\\N".join(marked(line, ass.spell(line, font), rtl) for line in lines)
        column = (ass.ALIGNMENTS[look.anchor] - 1) % 3
        x = block.left + block.width * column / 2
        tags = ass.at(7 + column, x, block.top) + scale
        events = self._ornament(look, block)
        if look.shadow:
            spread = round_half_up(look.shadow * self._profile.unit)
            events.append(f"{{{tags}{ass.soft_shadow(max(spread, 1), 0x48)}}}{text}")
        return [*events, f"{{{tags}}}{text}"]

    def _ornament(self, look: Look, block: _Block) -> list[str]:
        unit = self._profile.unit
        if look.ornament == "rule":
            width, column = 120 * unit, (ass.ALIGNMENTS[look.anchor] - 1) % 3
            left = block.left + (block.width - width) * column / 2
            return [ass.rectangle(left, block.top + block.height + 18 * unit, width, 7 * unit, look.accent)]
        if look.ornament == "bar":
            return [ass.rectangle(block.left - 24 * unit, block.top, 8 * unit, block.height, look.accent)]
        if look.ornament == "card":
            pad, edge = 48 * unit, 30 * unit
            box = (block.left - pad, block.top - edge, block.width + 2 * pad, block.height + 2 * edge)
            return [ass.rectangle(*box, "#0a0d14", 0x38)]
        return []


def _block(lines: list[str], font: FontMetrics, size: int, look: Look, place: tuple[Fraction, Fraction]) -> _Block:
    """Answer where the lines lie, given where their anchor lies."""
    width = max((font.width(line, size) for line in lines), default=Fraction(0))
    height = font.line_height(size) * len(lines)
    column, row = (ass.ALIGNMENTS[look.anchor] - 1) % 3, (ass.ALIGNMENTS[look.anchor] - 1) // 3
    inset = 24 if look.ornament == "bar" else 0
    left = place[0] - width * column / 2 + (inset if column == 0 else 0)
    return _Block(left, place[1] - height * (2 - row) / 2, width, height)
