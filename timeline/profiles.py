"""Output profiles: canvas, safe area, encoding, loudness, and how captions look there.

Safe areas and caption sizes follow the common guides of broadcasters and of vertical platforms; all lengths
are pixels of the profile's own canvas.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from timeline.plan import Box, Master


@dataclass(frozen=True)
class CaptionPolicy:
    """How words are grouped into pages and drawn.

    `size` pixels per em; `width` the widest line; (`x`, `y`) the bottom centre of the text block when `anchor` is
    bottom, else its middle. Times in exact seconds: pages closer than `close_gap` are joined without a gap, others
    stay for `linger` after their last word and at least `min_dwell` where there is room.
    """

    face: str
    size: int
    x: int
    y: int
    width: int
    anchor: str = "bottom"
    max_lines: int = 2
    max_chars: int = 42
    max_words: int | None = None
    outline: int = 4
    shadow: int = 10
    colour: str = "#ffffff"
    accent: str = "#ffd23f"
    outline_colour: str = "#0a0d14"
    close_gap: Fraction = Fraction(3, 10)
    linger: Fraction = Fraction(1, 4)
    min_dwell: Fraction = Fraction(5, 6)
    max_dwell: Fraction = Fraction(7)


@dataclass(frozen=True)
class Profile:
    """A kind of output. `fps` is what new documents for it should use; `poster` seconds into the film."""

    id: str
    name: str
    width: int
    height: int
    safe: Box
    captions: CaptionPolicy
    fps: str = "30"
    preset: str = "veryfast"
    crf: int = 20
    codec: Literal["h264", "hevc", "av1"] = "h264"
    audio_bitrate: int = 192_000
    master: Master = field(default_factory=Master)
    poster: Fraction = Fraction(2)
    max_seconds: int | None = None

    @property
    def unit(self) -> Fraction:
        """One pixel of a canvas whose short side is 1080, in pixels of this one."""
        return Fraction(min(self.width, self.height), 1080)


_LONGFORM = Profile(
    id="longform-16x9",
    name="Long form, 16:9",
    width=1920,
    height=1080,
    safe=Box(x=96, y=54, w=1728, h=972),
    captions=CaptionPolicy(face="bold", size=54, x=960, y=1004, width=1440),
)

_SHORTS = Profile(
    id="shorts-9x16",
    name="Shorts, 9:16",
    width=1080,
    height=1920,
    safe=Box(x=65, y=270, w=855, h=980),
    captions=CaptionPolicy(
        face="extrabold",
        size=88,
        x=540,
        y=1130,
        width=760,
        anchor="middle",
        max_chars=20,
        max_words=4,
        outline=8,
        shadow=14,
        linger=Fraction(1, 5),
        min_dwell=Fraction(3, 10),
        max_dwell=Fraction(5, 2),
    ),
    max_seconds=180,
)

_SQUARE = Profile(
    id="square",
    name="Square, 1:1",
    width=1080,
    height=1080,
    safe=Box(x=54, y=54, w=972, h=972),
    captions=CaptionPolicy(face="bold", size=60, x=540, y=990, width=920, max_chars=30, outline=5),
)

_PREVIEW = Profile(
    id="preview",
    name="Quick look, 16:9 at 360 lines",
    width=640,
    height=360,
    safe=Box(x=32, y=18, w=576, h=324),
    captions=replace(_LONGFORM.captions, size=18, x=320, y=335, width=480, outline=1, shadow=3),
    crf=28,
    audio_bitrate=96_000,
)

PROFILES: dict[str, Profile] = {
    "longform-16x9": _LONGFORM,
    "shorts-9x16": _SHORTS,
    "square": _SQUARE,
    "preview": _PREVIEW,
}
