"""Overlay tracks: pictures with transparency and texts, as layers on the film."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from timeline.boxes import box_of
from timeline.document import Clip
from timeline.faults import Findings, nearest
from timeline.layers import Keys, Layer, Make
from timeline.metrics import Fonts
from timeline.plan import AssStyle, Box, Overlay, TextState
from timeline.profiles import Profile
from timeline.resolved import ResolvedItem, ResolvedTimeline
from timeline.time import round_half_up
from timeline.titles import LOOKS, SetText, TitleSetter, look_of

DEFAULT_LOOK = "title"


@dataclass
class OverlayMaker:
    """Makes layers of overlay items for one profile; collects the styles that texts need."""

    timeline: ResolvedTimeline
    profile: Profile
    fonts: Fonts
    findings: Findings
    styles: dict[str, AssStyle] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._px = Fraction(min(self.profile.width, self.profile.height), min(self.timeline.canvas))
        self._setter = TitleSetter(self.profile, self._px, self.timeline.styles, self.timeline.language)

    def layers(self) -> list[Layer]:
        """Answer all layers, bottom to top."""
        return [
            layer
            for track in self.timeline.tracks
            if track.role == "overlay" and track.enabled
            for item in track.items
            if item.clip and item.clip.enabled and (layer := self._layer(item, item.clip))
        ]

    def _layer(self, item: ResolvedItem, clip: Clip) -> Layer | None:
        if clip.motion or clip.color is not None:
            what = "camera paths" if clip.motion else "flat colours"
            message = f"Overlays take no {what}."
            self.findings.add("E_UNSUPPORTED", message, path=item.path, item_id=item.id)
            return None
        if clip.text is not None:
            return self._text(item, clip)
        return self._picture(item, clip)

    def _picture(self, item: ResolvedItem, clip: Clip) -> Layer:
        assert clip.asset is not None
        media = self.timeline.media[clip.asset]
        box = box_of(clip.layout, (media.width, media.height), self.profile, self._px)
        self._check_inside(item, box)

        def make(first: int, frames: int, opacity: Keys) -> Overlay:
            return Overlay(asset=media.sha256, box=box, first=first, frames=frames, opacity=opacity)

        return self._faded(item, clip, make)

    def _check_inside(self, item: ResolvedItem, box: Box) -> None:
        if box.x < 0 or box.y < 0 or box.x + box.w > self.profile.width or box.y + box.h > self.profile.height:
            message = f"{item.id!r} reaches beyond the canvas of {self.profile.id} and is cut off there."
            self.findings.warn("W_OUTSIDE_CANVAS", message, path=item.path, item_id=item.id)

    def _text(self, item: ResolvedItem, clip: Clip) -> Layer | None:
        if not item.text.strip():
            return None
        name = clip.style or DEFAULT_LOOK
        look = look_of(name, self.timeline.styles)
        if look is None:
            known = [*LOOKS, *self.timeline.styles]
            message = f"There is no text style {name[:60]!r}; there are {', '.join(known)}."
            fix = nearest(name, known)
            self.findings.add("E_UNKNOWN_STYLE", message, path=item.path + "/style", item_id=item.id, fix=fix)
            return None
        font = self.fonts.get(look.face)
        if font is None:
            self.findings.add("E_FONT", f"The face {look.face!r} is not available.", path=item.path, item_id=item.id)
            return None
        done = self._setter.set(name, item.text, font, self._place(clip))
        if done.missing:
            report_missing(self.findings, done.missing, font.family, item.path + "/text", item.id)
            return None
        return self._faded(item, clip, self._drawn(done))

    def _place(self, clip: Clip) -> tuple[Fraction, Fraction] | None:
        if clip.layout.position is None:
            return None
        canvas = (self.profile.width, self.profile.height)
        x, y = clip.layout.position
        return x.pixels(canvas[0], canvas, self._px), y.pixels(canvas[1], canvas, self._px)

    def _drawn(self, done: SetText) -> Make:
        self.styles[done.style.name] = done.style

        def make(first: int, frames: int, opacity: Keys) -> TextState:
            return TextState(style=done.style.name, events=done.events, first=first, frames=frames, opacity=opacity)

        return make

    def _faded(self, item: ResolvedItem, clip: Clip, make: Make) -> Layer:
        fps = self.timeline.fps
        fades = [round_half_up(fade.at(fps) * fps) if fade else 0 for fade in (clip.fades.in_, clip.fades.out)]
        if min(fades) < 0 or sum(fades) > item.count:
            message = f"The fades of {item.id!r} take {sum(fades)} frames, but it lasts {item.count}."
            self.findings.add("E_FADE_TOO_LONG", message, path=item.path, item_id=item.id)
            fades = [0, 0]
        return Layer(item.first, item.stop, make, clip.layout.opacity, *fades)


def report_missing(findings: Findings, missing: tuple[str, ...], family: str, path: str, item_id: str = "") -> None:
    """Report characters that a face cannot show."""
    names = ", ".join(f"{char} (U+{ord(char):04X})" if char.isprintable() else f"U+{ord(char):04X}" for char in missing)
    message = f"The face {family} has no glyph for {names}."
    fix = "Leave them out or write them in another way."
    findings.add("E_GLYPH", message, path=path, item_id=item_id, fix=fix, allowed=())
