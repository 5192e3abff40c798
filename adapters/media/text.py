"""Text drawn by libass: every distinct state once, in one ffmpeg call per segment, as it is needed.

States are drawn in the order in which they first appear, so the compositor reads along and only the states
still to be shown are held in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from adapters.media import ffmpeg
from adapters.media.errors import FontMissing, PlanUnrenderable
from adapters.media.layers import Patch, patch_of
from adapters.media.planes import Plane, Size
from adapters.media.typefaces import FONT_DIR, TYPEFACES
from timeline.plan import AssStyle, TextState

_STYLE_FORMAT = (
    "Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
    "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, "
    "MarginL, MarginR, MarginV, Encoding"
)
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
    lines = [
        "[Script Info]",
        "ScriptType: v4.00+",
        f"PlayResX: {canvas[0]}",
        f"PlayResY: {canvas[1]}",
        "WrapStyle: 2",
        "ScaledBorderAndShadow: yes",
        "YCbCr Matrix: None",
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
        self._states = sorted(states, key=lambda state: state.first)
        self._canvas = canvas
        self._held: dict[Look, _Drawn] = {}
        self._until: dict[Look, int] = {}
        for state in self._states:
            self._until[look(state)] = max(self._until.get(look(state), 0), state.first + state.frames)
        looks = distinct(self._states)
        self._pending: Iterator[tuple[Look, Patch | None]] = iter(())
        if looks:
            check_fonts(styles, {style for style, _ in looks})
            self._pending = self._drawings(looks, styles, folder, stack)

    def patch(self, state: TextState, frame: int) -> Patch | None:
        """The drawing of a state that shows at this frame."""
        for gone in [key for key, drawn in self._held.items() if drawn.until <= frame]:
            del self._held[gone]
        while look(state) not in self._held:
            key, patch = next(self._pending)
            self._held[key] = _Drawn(patch, self._until[key])
        return self._held[look(state)].patch

    def _drawings(
        self, looks: list[Look], styles: Sequence[AssStyle], folder: Path, stack: ExitStack
    ) -> Iterator[tuple[Look, Patch | None]]:
        (folder / "text.ass").write_text(script(looks, styles, self._canvas), encoding="utf-8")
        if not (folder / "fonts").exists():
            (folder / "fonts").symlink_to(FONT_DIR, target_is_directory=True)
        w, h = self._canvas
        argv = ffmpeg.text_states_argv("text.ass", "fonts", w, h, len(looks))
        pipe = stack.enter_context(ffmpeg.piped(argv, folder, what="draw the texts"))
        for key in looks:
            raw = pipe.read(2 * w * h * 3)
            if len(raw) < 2 * w * h * 3:
                raise ffmpeg.ended_early(folder, "draw the texts")
            pair = np.frombuffer(raw, np.uint8).reshape(2, h, w, 3)
            yield key, _patch_from(pair[0], pair[1], self._canvas)


def _patch_from(on_black: Plane, on_white: Plane, canvas: Size) -> Patch | None:
    """Colour times coverage is what shows on black; coverage is what white loses."""
    changed = cv2.bitwise_not(on_white)
    x, y, w, h = cv2.boundingRect(cv2.max(changed[..., 1], on_black[..., 1]))
    part = np.s_[y : y + h, x : x + w]
    colour = np.ascontiguousarray(on_black[part])
    green = on_white[part][..., 1].astype(np.int16) - colour[..., 1]
    alpha = (255 - green).clip(0, 255).astype(np.uint8)
    return patch_of(colour, alpha, (x, y), canvas) if w and h else None
