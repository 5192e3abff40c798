"""Text drawn by libass: every distinct state once, in one ffmpeg call per segment, as it is needed.

States are drawn in the order in which they first appear, so the compositor reads along and only the states
still to be shown are held in memory.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import cv2
import numpy as np

from adapters.media import ffmpeg
from adapters.media.errors import FontMissing, PlanUnrenderable
from adapters.media.layers import Patch, patch_of
from adapters.media.planes import Plane, Size
from adapters.media.typefaces import OTHERS, TYPEFACES
from timeline.plan import AssStyle, TextState

_STYLE_FORMAT = (
    "Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
    "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, "
    "MarginL, MarginR, MarginV, Encoding"
)
_SIZE, _OUTLINE, _SHADOW, _ALIGNMENT = 1, 15, 16, 17
"""Places of a style's values, its name not counted."""
_PLACE = re.compile(r"(\\pos\([^,()]*,)(-?\d+(?:\.\d+)?)\)")
_ELSEWHERE = re.compile(r"\\(?:p\d|move|fr|org|fs\d|t\(|i?clip)")
"""Tags by which a text may lie elsewhere than its place says."""
_EVENT_FORMAT = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"

Look = tuple[str, tuple[str, ...]]
"""What makes two states the same drawing: style and events."""


def look(state: TextState) -> Look:
    return state.style, state.events


def distinct(states: Iterable[TextState]) -> list[Look]:
    """Looks in order of first appearance."""
    return list(dict.fromkeys(look(state) for state in sorted(states, key=lambda state: state.first)))


def script(looks: Sequence[Look], styles: Sequence[AssStyle], canvas: Size) -> str:
    """An ASS document that shows look k from second k to second k + 1. Raises PlanUnrenderable."""
    known = {style.name for style in styles}
    language = next((style.language for style in styles if re.fullmatch(r"[A-Za-z0-9-]{2,35}", style.language)), "en")
    lines = [
        "[Script Info]",
        "ScriptType: v4.00+",
        f"PlayResX: {canvas[0]}",
        f"PlayResY: {canvas[1]}",
        "WrapStyle: 2",
        "ScaledBorderAndShadow: yes",
        "YCbCr Matrix: None",
        f"Language: {language}",
        "",
        "[V4+ Styles]",
        f"Format: {_STYLE_FORMAT}",
        *(f"Style: {style.name},{style.value}" for style in styles),
        "",
        "[Events]",
        f"Format: {_EVENT_FORMAT}",
    ]
    for second, (style, events) in enumerate(looks):
        if style not in known:
            raise PlanUnrenderable(f"A text names the style {style!r}, which the plan does not have.")
        for layer, event in enumerate(events):
            if re.search(r"[\x00-\x1f\x7f\x85\u2028\u2029]", event):
                raise PlanUnrenderable(f"A text holds a control character: {event[:60]!r}.")
            lines.append(f"Dialogue: {layer},{_clock(second)},{_clock(second + 1)},{style},,0,0,0,,{event}")
    return "\n".join(lines) + "\n"


def _clock(second: int) -> str:
    return f"{second // 3600}:{second // 60 % 60:02d}:{second % 60:02d}.00"


def check_fonts(styles: Sequence[AssStyle], used: Iterable[str]) -> None:
    """Refuse styles naming a face we do not ship: libass would silently take another. Raises FontMissing."""
    families = {face.family for face in TYPEFACES.values()}
    wanted = {style.name: style.value.split(",", 1)[0].strip() for style in styles}
    for name in used:
        if name in wanted and wanted[name] not in families:
            raise FontMissing(
                f"The text style {name!r} asks for the face {wanted[name]!r}.",
                fix=f"Use one of {', '.join(sorted(families))}.",
            )


def band_of(looks: Sequence[Look], styles: Sequence[AssStyle], height: int) -> tuple[int, int]:
    """Rows [top, bottom) of the canvas in which the looks most likely lie; all rows when that cannot be told."""
    values = {style.name: style.value.split(",") for style in styles}
    top, bottom = float(height), 0.0
    for style, events in looks:
        for event in events:
            places = [float(y) for _, y in _PLACE.findall(event)]
            if style not in values or len(places) != 1 or _ELSEWHERE.search(event):
                return 0, height
            above, below = _reach(event, values[style])
            top, bottom = min(top, places[0] - above), max(bottom, places[0] + below)
    return max(0, int(top)), min(height, max(int(bottom), int(top) + 2))


def _reach(event: str, value: Sequence[str]) -> tuple[float, float]:
    """How far a text reaches above and below its place: its lines, and room for marks, outline and shadow."""
    size, anchor = float(value[_SIZE]), int(value[_ALIGNMENT])
    for named in re.findall(r"\\an([1-9])", event):
        anchor = int(named)
    block = 1.1 * size * (event.count("\\N") + 1)
    room = 0.3 * size + float(value[_OUTLINE]) + float(value[_SHADOW])
    above = (0.0, 0.5, 1.0)[2 - (anchor - 1) // 3] * block
    return above + room, block - above + room


@dataclass(frozen=True)
class Ink:
    """A drawn text: colour times coverage and coverage, cropped, at (x, y) of the canvas."""

    rgb: Plane
    alpha: Plane
    at: tuple[int, int]


def drawings(
    looks: Sequence[Look], styles: Sequence[AssStyle], canvas: Size, folder: Path, stack: ExitStack
) -> Iterator[tuple[Look, Ink | None]]:
    """Draw looks one after another; a look whose ink leaves the expected rows is drawn again on all rows."""
    check_fonts(styles, {style for style, _ in looks})
    place = Path(tempfile.mkdtemp(prefix="text-", dir=folder))
    link_fonts(looks, styles, place / "fonts")
    done, band = 0, band_of(looks, styles, canvas[1])
    while done < len(looks):
        for key, ink in _band_drawings(looks[done:], styles, canvas, band, place, stack):
            if ink is not None and _leaves(ink, band, canvas[1]):
                band = 0, canvas[1]
                break
            done += 1
            yield key, ink


def _leaves(ink: Ink, band: tuple[int, int], height: int) -> bool:
    top, bottom = ink.at[1], ink.at[1] + ink.alpha.shape[0]
    return (top <= band[0] and band[0] > 0) or (bottom >= band[1] and band[1] < height)


def _band_drawings(
    looks: Sequence[Look],
    styles: Sequence[AssStyle],
    canvas: Size,
    band: tuple[int, int],
    place: Path,
    stack: ExitStack,
) -> Iterator[tuple[Look, Ink | None]]:
    w, h = canvas[0], band[1] - band[0]
    doubled = h < canvas[1]
    written = script(_doubled(looks, band), styles, (w, 2 * h)) if doubled else script(looks, styles, canvas)
    (place / "text.ass").write_text(written, encoding="utf-8")
    argv = ffmpeg.text_states_argv("text.ass", "fonts", w, h, len(looks), doubled=doubled)
    pipe = stack.enter_context(ffmpeg.piped(argv, place, what="draw the texts"))
    for key in looks:
        raw = pipe.read(2 * w * h * 3)
        if len(raw) < 2 * w * h * 3:
            raise ffmpeg.ended_early(place, "draw the texts")
        pair = np.frombuffer(raw, np.uint8).reshape(2, h, w, 3)
        yield key, _ink(pair[0], pair[1], band[0])


def _doubled(looks: Sequence[Look], band: tuple[int, int]) -> list[Look]:
    """The looks as they lie in a band, and once more just below it: libass draws the second from what it knows."""
    top, height = band[0], band[1] - band[0]
    return [
        (style, tuple(_lowered(event, by) for by in (-top, height - top) for event in events))
        for style, events in looks
    ]


def _lowered(event: str, rows: int) -> str:
    return _PLACE.sub(lambda found: f"{found[1]}{Decimal(found[2]) + rows})", event)


def link_fonts(looks: Sequence[Look], styles: Sequence[AssStyle], target: Path) -> None:
    """Lay out only the faces that these looks use: libass reads every file it finds."""
    used = {style for style, _ in looks}
    families = {style.value.split(",", 1)[0].strip() for style in styles if style.name in used}
    for _, events in looks:
        families.update(*(re.findall(r"\\fn([^\\}]+)", event) for event in events))
    target.mkdir(exist_ok=True)
    for face in (*TYPEFACES.values(), *OTHERS):
        if face.family in families:
            (target / face.file).symlink_to(face.path)


@dataclass
class _Drawn:
    patch: Patch | None
    until: int


class TextLayer:
    """Patches of all text states of a segment; `at(frame)` must be asked with rising frames."""

    def __init__(
        self,
        states: Sequence[TextState],
        styles: Sequence[AssStyle],
        canvas: Size,
        folder: Path,
        stack: ExitStack,
    ) -> None:
        self._canvas = canvas
        self._held: dict[Look, _Drawn] = {}
        self._until: dict[Look, int] = {}
        for state in states:
            self._until[look(state)] = max(self._until.get(look(state), 0), state.first + state.frames)
        looks = distinct(states)
        self._pending = drawings(looks, styles, canvas, folder, stack) if looks else iter(())
        if looks:
            check_fonts(styles, {style for style, _ in looks})

    def patch(self, state: TextState, frame: int) -> Patch | None:
        """The drawing of a state that shows at this frame."""
        for gone in [key for key, drawn in self._held.items() if drawn.until <= frame]:
            del self._held[gone]
        while look(state) not in self._held:
            key, ink = next(self._pending)
            patch = patch_of(ink.rgb, ink.alpha, ink.at, self._canvas) if ink else None
            self._held[key] = _Drawn(patch, self._until[key])
        return self._held[look(state)].patch


def _ink(on_black: Plane, on_white: Plane, top: int) -> Ink | None:
    """Colour times coverage is what shows on black; coverage is what white loses."""
    changed = cv2.bitwise_not(on_white)
    x, y, w, h = cv2.boundingRect(cv2.max(changed[..., 1], on_black[..., 1]))
    if not (w and h):
        return None
    part = np.s_[y : y + h, x : x + w]
    colour = np.ascontiguousarray(on_black[part])
    green = on_white[part][..., 1].astype(np.int16) - colour[..., 1]
    return Ink(colour, (255 - green).clip(0, 255).astype(np.uint8), (x, y + top))
