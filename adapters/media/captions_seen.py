"""What a reader would notice in burnt-in captions: cut off, outside the safe area, unreadable, missing, or in boxes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from fontTools.ttLib import TTFont
from numpy.typing import NDArray

from adapters.media.errors import MediaError
from adapters.media.footage import Footage
from adapters.media.planes import Plane
from adapters.media.text import Ink, Look, drawings, look
from adapters.media.typefaces import OTHERS, TYPEFACES
from domain.production.ports import Finding
from timeline.plan import Box, RenderPlan, TextState

SAMPLES = 24
"""Captions looked at in the film, spread evenly over it."""
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


def looked_at(film: Path, plan: RenderPlan, folder: Path) -> list[Finding]:
    """Every finding about captions that a plan wants burnt in. Raises the errors of reading the film."""
    shown = captions_of(plan) if plan.output.burn_captions else []
    if not shown:
        return []
    found = [*missing_glyphs(shown, plan)]
    looks = list(dict.fromkeys(look(each.state) for each in shown))
    with ExitStack() as stack:
        size = (plan.output.width, plan.output.height)
        inks = dict(drawings(looks, plan.styles, size, folder, stack))
        found += places(shown, inks, plan)
        footage = Footage(film)
        stack.callback(footage.close)
        found += readable(shown, inks, footage, plan)
    return found


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
def places(shown: Sequence[Shown], inks: Mapping[Look, Ink | None], plan: RenderPlan) -> Iterator[Finding]:
    """Captions that touch the canvas's edge or leave the safe area: the worst of each."""
    canvas = Box(x=0, y=0, w=plan.output.width, h=plan.output.height)
    worst: dict[str, tuple[int, int]] = {}
    for each in shown:
        ink = inks[look(each.state)]
        if ink is None:
            continue
        edge = beyond(ink, Box(x=1, y=1, w=canvas.w - 2, h=canvas.h - 2))
        out = beyond(core(ink), plan.output.safe_area) if plan.output.safe_area else 0
        for code, by in (("caption_cut", edge), ("caption_unsafe", out if not edge else 0)):
            if by > worst.get(code, (0, 0))[0]:
                worst[code] = by, each.first
    for code, (by, frame) in worst.items():
        what = "runs off the picture" if code == "caption_cut" else f"leaves the safe area by {by} pixels"
        severity = "error" if code == "caption_cut" else "warning"
        yield Finding(code, severity, f"A caption {what}.", _seconds(frame, plan), measured=f"{by} px", wanted="0 px")


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
def readable(
    shown: Sequence[Shown], inks: Mapping[Look, Ink | None], footage: Footage, plan: RenderPlan
) -> Iterator[Finding]:
    """Captions that do not show in the film, or hardly stand out from what is around them: the first of each."""
    step = max(1, len(shown) // SAMPLES)
    told: set[str] = set()
    for each in shown[::step]:
        ink = inks[look(each.state)]
        if ink is None or each.state.opacity or each.middle >= footage.frames:
            continue
        image = footage.picture(each.middle)
        if image.shape[:2] != (plan.output.height, plan.output.width):
            return
        seen, drawn = contrast(image, ink)
        code = "caption_missing" if seen < 1 + (drawn - 1) * SHOWS and drawn > 2 else "caption_faint"
        if (code == "caption_missing" or seen < LEAST_CONTRAST) and code not in told:
            told.add(code)
            what = "does not show" if code == "caption_missing" else f"has a contrast of only {seen:.1f} to 1"
            severity = "error" if code == "caption_missing" else "warning"
            wanted = f"≥ {LEAST_CONTRAST:.0f} to 1"
            at = _seconds(each.first, plan)
            yield Finding(code, severity, f"A caption {what}.", at, measured=f"{seen:.1f}", wanted=wanted)


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


def safely(film: Path, plan: RenderPlan | None, folder: Path) -> list[Finding]:
    """As `looked_at`; a film whose pictures cannot be read is judged by others."""
    if plan is None:
        return []
    try:
        return looked_at(film, plan, folder)
    except MediaError:
        return []
