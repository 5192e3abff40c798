"""Texts of a timeline set for one profile: looks found, faces chosen, missing characters told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from timeline.document import Clip, TextStyle
from timeline.faults import Findings, closest, replaced
from timeline.metrics import Fonts
from timeline.plan import AssStyle
from timeline.profiles import Profile
from timeline.resolved import ResolvedItem, ResolvedTimeline
from timeline.titles import LOOKS, SetText, TitleSetter, look_of

DEFAULT_LOOK = "title"
SCRIPTS = "Latin, Greek, Cyrillic, Arabic, Hebrew, Devanagari, Thai, Chinese, Japanese and Korean"


@dataclass
class TextMaker:
    """Sets texts; collects the styles they need. `px` is the size of one authored pixel."""

    timeline: ResolvedTimeline
    profile: Profile
    fonts: Fonts
    findings: Findings
    styles: dict[str, AssStyle] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.px = Fraction(min(self.profile.width, self.profile.height), min(self.timeline.canvas))
        self._setter = TitleSetter(self.profile, self.px, self.timeline.styles, self.timeline.language)

    def set(self, item: ResolvedItem, clip: Clip) -> SetText | None:
        """Answer a text ready to be drawn; None when it is empty or cannot be shown, which is then reported."""
        if not item.text.strip():
            return None
        name = clip.style or DEFAULT_LOOK
        look = look_of(name, self.timeline.styles)
        if look is None:
            report_unknown_style(self.findings, name, self.timeline.styles, item.path, item.id)
            return None
        font = self.fonts.get(look.face)
        if font is None:
            self.findings.add("E_FONT", f"The face {look.face!r} is not available.", path=item.path, item_id=item.id)
            return None
        done = self._setter.set(name, item.text, font, self._place(clip))
        if done.missing:
            report_missing(self.findings, done.missing, font.family, item.path + "/text", item.id)
            return None
        self.styles[done.style.name] = done.style
        return done

    def _place(self, clip: Clip) -> tuple[Fraction, Fraction] | None:
        if clip.layout.position is None:
            return None
        canvas = (self.profile.width, self.profile.height)
        x, y = clip.layout.position
        return x.pixels(canvas[0], canvas, self.px), y.pixels(canvas[1], canvas, self.px)


def report_unknown_style(
    findings: Findings, name: str, styles: Mapping[str, TextStyle], path: str, item_id: str
) -> None:
    """Report a text style that is neither built in nor the document's own."""
    known = [*LOOKS, *styles]
    message, near = f"There is no text style {name[:60]!r}; there are {', '.join(known)}.", closest(name, known)
    place, patch = path + "/style", replaced(path + "/style", near) if near else ()
    fix = f"Did you mean {near!r}?" if near else ""
    findings.add("E_UNKNOWN_STYLE", message, path=place, item_id=item_id, fix=fix, nearest=near, patch=patch)


def report_missing(findings: Findings, missing: tuple[str, ...], family: str, path: str, item_id: str = "") -> None:
    """Report characters that a face cannot show."""
    names = ", ".join(f"{char} (U+{ord(char):04X})" if char.isprintable() else f"U+{ord(char):04X}" for char in missing)
    message = f"Neither the face {family} nor one that stands in for it has a glyph for {names}."
    fix = f"Leave them out or write them in another way; there are letters of {SCRIPTS}."
    findings.add("E_GLYPH", message, path=path, item_id=item_id, fix=fix, allowed=())
