"""What a reader would notice in burnt-in captions: cut off, outside the safe area, unreadable, missing, or in boxes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from fontTools.ttLib import TTFont
from numpy.typing import NDArray

from adapters.media.errors import MediaError
from adapters.media.footage import rgb_of
from adapters.media.planes import Plane
from adapters.media.text import Ink, Look, drawings, look
from adapters.media.typefaces import OTHERS, TYPEFACES
from domain.production.ports import Finding
from timeline.plan import Box, RenderPlan, TextState

APART_S = 1
"""Captions whose middles lie nearer together are not all looked at in the film."""
MOST = 200
"""Captions looked at in one go at most, spread evenly."""
LEAST_CONTRAST = 2.0
"""Below this ratio letters are hard to read; large text should have 3 (WCAG 2.2), of which coding takes some away."""
SHOWS = 0.35
"""Share of contrast that must be left of what was drawn, or the caption is not there."""
INVISIBLE = " \t\u00a0\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"


@dataclass(frozen=True)
class Shown:
    """A caption state with its first film frame and the middle of its time."""

    state: TextState
    first: int
    middle: int


def captions_of(plan: RenderPlan) -> list[Shown]:
    """All caption states of a film in order."""
    return [
        Shown(state, part.start + state.first, part.start + state.first + state.frames // 2)
        for part in plan.segments
        for state in part.captions
    ]


@dataclass(frozen=True)
class Mark:
    """A fault of a caption: `amount` is pixels beyond an edge, or the contrast it has; `frame` its first one."""

    code: str
    amount: float
    frame: int


class Reader:
    """Looks at the captions of a plan as the frames of its film come along; `marks` is what it found.

    Every caption is drawn once to see where it reaches; some are kept to be compared with the film.
    """

    def __init__(self, plan: RenderPlan, folder: Path) -> None:
        self.marks: list[Mark] = []
        self._size = (plan.output.width, plan.output.height)
        self._awaited: dict[int, tuple[Shown, Ink]] = {}
        shown = captions_of(plan) if plan.output.burn_captions else []
        by_look: dict[Look, list[Shown]] = {}
        for each in shown:
            by_look.setdefault(look(each.state), []).append(each)
        chosen = {each.middle for each in spread(shown, plan)}
        with ExitStack() as stack, suppress(MediaError):
            for key, ink in drawings(list(by_look), plan.styles, self._size, folder, stack):
                if ink is not None:
                    self.marks += places(by_look[key], ink, plan)
                    self._awaited |= {each.middle: (each, ink) for each in by_look[key] if each.middle in chosen}

    def read(self, number: int, frame: Any) -> None:
        """Compare a decoded frame with the caption that was chosen for it, if one was."""
        each, ink = self._awaited.pop(number, (None, None))
        if each is None or ink is None or (frame.width, frame.height) != self._size:
            return
        seen, drawn = contrast(rgb_of(frame), ink)
        if seen < 1 + (drawn - 1) * SHOWS and drawn > 2:
            self.marks.append(Mark("caption_missing", seen, each.first))
        elif seen < LEAST_CONTRAST:
            self.marks.append(Mark("caption_faint", seen, each.first))


def spread(shown: Sequence[Shown], plan: RenderPlan) -> list[Shown]:
    """Captions to be looked at: not two within a second, none that fades, and not too many."""
    apart = APART_S * plan.output.rate.num / plan.output.rate.den
    chosen: list[Shown] = []
    for each in shown:
        if not each.state.opacity and (not chosen or each.middle - chosen[-1].middle >= apart):
            chosen.append(each)
    return chosen[:: -(-len(chosen) // MOST)] if chosen else []


def found(marks: Sequence[Mark], plan: RenderPlan) -> Iterator[Finding]:
    """Findings about the captions of a film: the worst of each kind. Frames of marks are those of the film."""
    if plan.output.burn_captions:
        yield from missing_glyphs(captions_of(plan), plan)
    for code, (severity, sentence, measured, wanted, more) in KINDS.items():
        own = [mark for mark in marks if mark.code == code]
        if own:
            worst = max(own, key=lambda mark: mark.amount * more)
            what, at = sentence.format(worst.amount), _seconds(worst.frame, plan)
            yield Finding(code, severity, what, at, measured=measured.format(worst.amount), wanted=wanted)


FAINT = f"≥ {LEAST_CONTRAST:.0f} to 1"
KINDS: Mapping[str, tuple[str, str, str, str, int]] = {
    "caption_cut": ("error", "A caption runs off the picture.", "{:.0f} px", "0 px", 1),
    "caption_unsafe": ("warning", "A caption leaves the safe area by {:.0f} pixels.", "{:.0f} px", "0 px", 1),
    "caption_missing": ("error", "A caption does not show.", "{:.1f}", FAINT, -1),
    "caption_faint": ("warning", "A caption has a contrast of only {:.1f} to 1.", "{:.1f}", FAINT, -1),
}
"""Severity, sentence, measured, wanted, and whether more (1) or less (-1) is worse."""


# ── Letters ───────────────────────────────────────────────────────────────────────────────────────────────
@cache
def letters_of(family: str) -> frozenset[int]:
    """Code points for which a shipped face has a glyph."""
    known: set[int] = set()
    for face in (*TYPEFACES.values(), *OTHERS):
        if face.family == family:
            with TTFont(face.path, lazy=True) as font:
                known |= set(font.getBestCmap())
    return frozenset(known)


def plain(event: str) -> Iterator[tuple[str, str]]:
    """The parts of an ASS event that are read, each with the face it names (empty: the style's); drawings are none."""
    face, drawing = "", False
    for part in re.split(r"(\{[^}]*\})", event.replace("\\{", "\ue000").replace("\\}", "\ue001")):
        if part.startswith("{"):
            for name in re.findall(r"\\fn([^\\}]*)", part):
                face = name
            for scale in re.findall(r"\\p(\d)", part):
                drawing = scale != "0"
        elif not drawing:
            text = part.replace("\\N", " ").replace("\\n", " ").replace("\\h", " ")
            yield text.replace("\ue000", "{").replace("\ue001", "}"), face


def missing_glyphs(shown: Sequence[Shown], plan: RenderPlan) -> Iterator[Finding]:
    """One finding per caption style, naming the characters and the first moment."""
    families = {style.name: style.value.split(",", 1)[0].strip() for style in plan.styles}
    lost: dict[str, tuple[int, set[str]]] = {}
    for each in shown:
        own = families.get(each.state.style, "")
        for event in each.state.events:
            for text, face in plain(event):
                known = letters_of(face or own)
                bad = {letter for letter in text if letter not in INVISIBLE and ord(letter) not in known}
                if bad:
                    lost.setdefault(each.state.style, (each.first, set()))[1].update(bad)
    for style, (frame, letters) in lost.items():
        names = " ".join(sorted(letters)[:12])
        message = f"The face of the style {style!r} has no glyph for {names}; boxes are shown instead."
        yield Finding("missing_glyph", "error", message, _seconds(frame, plan))


# ── Places ────────────────────────────────────────────────────────────────────────────────────────────────
def places(shown: Sequence[Shown], ink: Ink, plan: RenderPlan) -> list[Mark]:
    """Whether a drawn caption touches the canvas's edge or leaves the safe area."""
    edge = beyond(ink, Box(x=1, y=1, w=plan.output.width - 2, h=plan.output.height - 2))
    out = beyond(core(ink), plan.output.safe_area) if plan.output.safe_area else 0
    if not (edge or out):
        return []
    return [Mark("caption_cut" if edge else "caption_unsafe", edge or out, each.first) for each in shown]


def core(ink: Ink) -> Ink:
    """An ink without its soft shadow: only what is at least half opaque."""
    x, y, w, h = cv2.boundingRect((ink.alpha >= 128).astype(np.uint8))
    if not (w and h):
        return ink
    part = np.s_[y : y + h, x : x + w]
    return Ink(ink.rgb[part], ink.alpha[part], (ink.at[0] + x, ink.at[1] + y))


def beyond(ink: Ink, box: Box) -> int:
    """By how many pixels an ink reaches out of a box."""
    (x, y), h, w = ink.at, int(ink.alpha.shape[0]), int(ink.alpha.shape[1])
    return max(0, box.x - x, box.y - y, x + w - box.x - box.w, y + h - box.y - box.h)


# ── Readability ───────────────────────────────────────────────────────────────────────────────────────────
def contrast(image: Plane, ink: Ink) -> tuple[float, float]:
    """Contrast ratio of letters against what touches them: in the film, and as they were drawn on its ground."""
    room = 4
    (x, y), (h, w) = ink.at, ink.alpha.shape
    rgb = cv2.copyMakeBorder(ink.rgb, room, room, room, room, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    alpha = cv2.copyMakeBorder(ink.alpha, room, room, room, room, cv2.BORDER_CONSTANT, value=0)
    framed = cv2.copyMakeBorder(image, room, room, room, room, cv2.BORDER_REPLICATE)
    place = np.asarray(framed, np.uint8)[y : y + h + 2 * room, x : x + w + 2 * room]
    light = luminance(np.asarray(rgb, np.uint8))
    opaque = np.asarray(alpha) > 240
    if not opaque.any():
        return 21.0, 0.0
    bright = opaque & (light >= np.percentile(light[opaque], 75) * 0.8)
    letters = cv2.erode(bright.astype(np.uint8), np.ones((2, 2), np.uint8)).astype(bool)
    letters = letters if letters.any() else bright
    around = cv2.dilate(bright.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool)
    near = around & ~cv2.dilate(bright.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    if not near.any():
        return 21.0, 0.0
    shown = luminance(place)
    over = np.where(opaque, light, shown)
    return _ratio(shown, letters, near), _ratio(over, letters, near)


def luminance(rgb: Plane) -> NDArray[np.float64]:
    """Relative luminance 0..1 of sRGB (WCAG 2.2)."""
    unit = rgb[..., :3].astype(np.float64) / 255
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


def _ratio(light: NDArray[Any], letters: NDArray[Any], near: NDArray[Any]) -> float:
    high, low = float(light[letters].mean()), float(light[near].mean())
    return (max(high, low) + 0.05) / (min(high, low) + 0.05)


def _seconds(frame: int, plan: RenderPlan) -> float:
    return frame * plan.output.rate.den / plan.output.rate.num
