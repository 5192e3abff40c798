"""What the drawing of a film on its tracks is made of: flat records that templates only write down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from app.views.wave import FINE
from domain.production.ports import Finding

WAVE = str(3 * FINE)
"""Width of a whole wave."""


@dataclass(frozen=True)
class Bar:
    """Something on a track. `x`, `width` in units; `first`, `count` in frames; `kind`: what it is drawn as.

    `thumb` is a picture's address; `wave` the path of its loudness with the window [from, width] of it that is heard.
    """

    id: str
    kind: str
    label: str
    said: str
    first: int
    count: int
    x: str
    width: str
    href: str = ""
    selected: bool = False
    thumb: str = ""
    wave: str = ""
    window: tuple[str, str] = ("0", WAVE)
    lang: str = ""


@dataclass(frozen=True)
class Lane:
    """One track with its bars; `y`, `height` in units. `base`: pictures that fill the frame."""

    id: str
    kind: str
    name: str
    y: int
    height: int
    bars: tuple[Bar, ...]
    base: bool = False

    @property
    def middle(self) -> int:
        return self.height // 2


@dataclass(frozen=True)
class Tick:
    x: str
    label: str


@dataclass(frozen=True)
class Mark:
    """A finding of the quality gate at its time."""

    x: str
    at: str
    severity: str
    text: str
    href: str


@dataclass(frozen=True)
class Zoom:
    label: str
    href: str
    current: bool


@dataclass(frozen=True)
class Strip:
    """The whole drawing. `playhead` is the frame looked at, `scale` units of a frame."""

    width: int
    height: int
    frames: int
    scale: str
    seconds: str
    length: str
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    zooms: tuple[Zoom, ...]
    playhead: int
    at: str
    playhead_x: str

    def bar(self, item_id: str) -> Bar | None:
        return next((bar for lane in self.lanes for bar in lane.bars if bar.id == item_id), None)


@dataclass(frozen=True)
class Sight:
    """What a person looks at, from the address: an item, a zoom, a frame."""

    base: str
    item: str = ""
    zoom: int = 1
    frame: int = 0

    def href(self, **changes: object) -> str:
        """The address of the same page with something else looked at."""
        told = {"item": self.item, "zoom": self.zoom if self.zoom > 1 else "", "at": self.frame, **changes}
        parts = [f"{name}={_quoted(str(value))}" for name, value in told.items() if value not in ("", 0)]
        return f"{self.base}?{'&'.join(parts)}" if parts else self.base


def _quoted(text: str) -> str:
    return quote(text, safe="~>")


@dataclass(frozen=True)
class Shown:
    """What is known beside the draft: names of items, addresses of pictures by content, waves by content, findings."""

    names: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)
    waves: Mapping[str, str] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
