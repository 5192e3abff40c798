"""Items as layers of the plan: what they show, where, and how they change over their frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from timeline.boxes import box_of
from timeline.contents import content_of, natural_size
from timeline.curves import curves_of, effects_of, motion_of
from timeline.document import Clip
from timeline.faults import Findings
from timeline.layers import Draw, Sheet, clipped
from timeline.looks import DropShadow
from timeline.outputs import resized
from timeline.plan import Box
from timeline.profiles import Profile
from timeline.resolved import ResolvedItem, ResolvedTimeline
from timeline.scenes import Scene
from timeline.stage import Content, Group, Layer, Shadow, Text
from timeline.texts import TextMaker
from timeline.time import format_decimal, round_half_up

_Make = Callable[[int, int, int], Content]
Fit = Literal["cover", "contain", "fill", "none"]

UPSCALE = Fraction(3, 2)
"""A picture enlarged by more than this looks soft."""


@dataclass(frozen=True)
class Span:
    """An item's frames with what transitions reach beyond them; `lead`: how many come before its own first."""

    begin: int
    end: int
    lead: int
    slow: bool = False

    @property
    def frames(self) -> int:
        return self.end - self.begin


@dataclass
class Drawer:
    """Draws the items of one sequence for one profile."""

    timeline: ResolvedTimeline
    profile: Profile
    texts: TextMaker
    findings: Findings

    @property
    def width(self) -> int:
        return self.profile.width

    @property
    def height(self) -> int:
        return self.profile.height

    def shown(self, item: ResolvedItem | None) -> Clip | None:
        """Answer an item's clip as it is in this profile; None for gaps and disabled ones."""
        if item is None or item.clip is None:
            return None
        clip = item.clip.in_profile(self.profile.id)
        return clip if clip.enabled else None

    def side(self, scene: Scene | None, picture: bool) -> tuple[Draw | None, int]:
        """Answer how one side of a transition is drawn, and the film frame of its item frame 0."""
        clip = self.shown(scene.item) if scene else None
        if scene is None or scene.item is None or clip is None:
            return None, 0
        return self.draw(scene.item, clip, *scene.seen, picture=picture, slow=scene.slow), scene.seen[0]

    def draw(
        self, item: ResolvedItem, clip: Clip, begin: int, end: int, *, picture: bool, slow: bool = False
    ) -> Draw | None:
        """Answer how an item is drawn that is seen for film frames [begin, end); None is nothing, with faults told."""
        span = Span(begin, end, item.first - begin, slow)
        if clip.text is not None:
            done = self.texts.set(item, clip)
            if done is None:
                return None
            whole = Box(x=0, y=0, w=self.width, h=self.height)
            words = Text(style=done.style.name, events=done.events)
            return self._layer(item, clip, span, lambda *_: words, whole, done.middle)
        box = self._box(item, clip, picture)
        middle = (box.x + Fraction(box.w, 2), box.y + Fraction(box.h, 2))
        if clip.sequence is not None:
            make = self._nest(item, clip, span)
            return self._layer(item, clip, span, make, box, middle) if make else None
        content = content_of(self.timeline, item, clip, span)
        return self._layer(item, clip, span, lambda *_: content, box, middle)

    # ── Places ────────────────────────────────────────────────────────────────────────────────────────────
    def _box(self, item: ResolvedItem, clip: Clip, picture: bool) -> Box:
        layout, px = clip.layout, self.texts.px
        natural = natural_size(self.timeline, clip, px)
        fills = picture or clip.content in ("color", "gradient", "sequence")
        if fills and layout.size is None and layout.position is None and layout.anchor is None and layout.fit != "none":
            box = Box(x=0, y=0, w=self.width, h=self.height)
        else:
            box = box_of(layout, natural, self.profile, px if clip.asset or clip.sequence else Fraction(1))
            self.check_inside(item, box)
        self._check_enlarged(item, clip, natural, box)
        return box

    def check_inside(self, item: ResolvedItem, box: Box) -> None:
        if box.x < 0 or box.y < 0 or box.x + box.w > self.width or box.y + box.h > self.height:
            message = f"{item.id!r} reaches beyond the canvas of {self.profile.id} and is cut off there."
            self.findings.warn("W_OUTSIDE_CANVAS", message, path=item.path, item_id=item.id)

    def _check_enlarged(self, item: ResolvedItem, clip: Clip, natural: tuple[int, int], box: Box) -> None:
        if clip.asset is None:
            return
        across, down = Fraction(box.w, natural[0]), Fraction(box.h, natural[1])
        by = min(across, down) if clip.layout.fit == "contain" else max(across, down)
        if clip.motion:
            by /= min(*clip.motion.from_[2:], *clip.motion.to[2:])
        if by > UPSCALE:
            needed = f"{round_half_up(natural[0] * by)}×{round_half_up(natural[1] * by)}"
            message = (
                f"{item.id!r} is enlarged {format_decimal(by, 1)} times in {self.profile.id} "
                f"({natural[0]}×{natural[1]}; {needed} would be sharp)."
            )
            self.findings.warn("W_UPSCALED", message, path=item.path, item_id=item.id)

    def check_size(self, item: ResolvedItem, clip: Clip) -> None:
        """Warn when a picture that fills the canvas is enlarged too far."""
        whole = Box(x=0, y=0, w=self.width, h=self.height)
        self._check_enlarged(item, clip, natural_size(self.timeline, clip, self.texts.px), whole)

    def fades_fit(self, item: ResolvedItem, fades: list[int]) -> bool:
        if min(fades) >= 0 and sum(fades) <= item.count:
            return True
        message = f"The fades of {item.id!r} take {sum(fades)} frames, but it lasts {item.count}."
        self.findings.add("E_FADE_TOO_LONG", message, path=item.path, item_id=item.id, frame=item.first)
        return False

    # ── Layers ────────────────────────────────────────────────────────────────────────────────────────────
    def _layer(
        self,
        item: ResolvedItem,
        clip: Clip,
        span: Span,
        content: _Make,
        box: Box,
        middle: tuple[Fraction, Fraction],
    ) -> Draw:
        layout, fps = clip.layout, self.timeline.fps
        fades = [round_half_up(fade.at(fps) * fps) if fade else 0 for fade in (clip.fades.in_, clip.fades.out)]
        if not self.fades_fit(item, fades):
            fades = [0, 0]
        fit = self._fit(clip)
        still = Layer(
            content=content(0, 1, 0),
            first=0,
            frames=1,
            item_frames=span.frames,
            box=box,
            fit=fit,
            backdrop=layout.backdrop if fit == "contain" else "none",
            focus=focus_of(self.timeline, clip),
            crop=_quad(layout.crop),
            motion=motion_of(clip.motion, span, 0) if clip.motion else None,
            radius=self._radius(clip, box),
            shadow=self._shadow(layout.shadow) if layout.shadow else None,
            opacity=format_decimal(layout.opacity),
            rotation=format_decimal(layout.rotation),
            scale=format_decimal(layout.scale),
            pivot=(format_decimal(middle[0], 2), format_decimal(middle[1], 2)),
            fades=(fades[0], fades[1]),
            blend=layout.blend,
            effects=effects_of(self.timeline, clip, item, span, self.texts.px),
            curves=curves_of(clip, item, span, self.timeline.fps, self._canvas(), self.texts.px),
        )

        def draw(first: int, frames: int, offset: int) -> Layer:
            moved = {"first": first, "frames": frames, "offset": offset, "content": content(first, frames, offset)}
            motion = still.motion and still.motion.model_copy(update={"offset": offset})
            return still.model_copy(update={**moved, "motion": motion})

        return draw

    def _fit(self, clip: Clip) -> Fit:
        fit = clip.layout.fit
        if clip.content in ("asset", "sequence"):
            # A size with one side open has the picture's own ratio, so filling it changes nothing.
            free = clip.layout.size is not None and None in clip.layout.size
            return "fill" if fit == "none" or (free and fit is None) else fit or "cover"
        return "fill"

    def _canvas(self) -> tuple[int, int]:
        return self.width, self.height

    def _radius(self, clip: Clip, box: Box) -> int:
        if clip.layout.radius is None:
            return 0
        side = min(box.w, box.h)
        return max(0, min(round_half_up(clip.layout.radius.pixels(side, self._canvas(), self.texts.px)), side // 2))

    def _shadow(self, shadow: DropShadow) -> Shadow:
        canvas = self._canvas()
        x, y, blur = (
            round_half_up(length.pixels(axis, canvas, self.texts.px))
            for length, axis in ((shadow.x, canvas[0]), (shadow.y, canvas[1]), (shadow.blur, min(canvas)))
        )
        return Shadow(x=x, y=y, blur=max(blur, 0), colour=shadow.color, opacity=format_decimal(shadow.opacity))

    # ── Nests ─────────────────────────────────────────────────────────────────────────────────────────────
    def _nest(self, item: ResolvedItem, clip: Clip, span: Span) -> _Make | None:
        """Answer how another sequence is drawn: its own layers on its own canvas, cut to what is seen of it."""
        from timeline.staging import stack

        assert clip.sequence is not None
        if clip.speed != 1:
            message = f"{item.id!r}: a nested sequence plays at its own speed."
            self.findings.add("E_UNSUPPORTED", message, path=item.path + "/speed", item_id=item.id)
            return None
        inner = self.timeline.nests[clip.sequence]
        inner = inner.model_copy(update={"nests": self.timeline.nests})
        size = natural_size(self.timeline, clip, self.texts.px)
        profile = self.profile if inner.canvas == self.timeline.canvas else resized(self.profile, _even(size))
        texts = replace(self.texts, timeline=inner, profile=profile)
        texts.styles = self.texts.styles
        sheets: list[Sheet] = stack(inner, profile, texts, self.findings)
        start = round_half_up(item.source_in(self.timeline.fps) * self.timeline.fps) - span.lead

        def make(first: int, frames: int, offset: int) -> Group:
            seen = clipped(sheets, start + offset, min(start + offset + frames, inner.frames), first)
            layers = tuple(piece for piece in seen if isinstance(piece, Layer))
            return Group(width=profile.width, height=profile.height, ground=inner.background, layers=layers)

        return make


def _even(size: tuple[int, int]) -> tuple[int, int]:
    return max(size[0] & ~1, 16), max(size[1] & ~1, 16)


def _quad(parts: tuple[Fraction, ...] | None) -> tuple[str, str, str, str]:
    left, top, right, bottom = parts or (Fraction(0),) * 4
    return format_decimal(left), format_decimal(top), format_decimal(right), format_decimal(bottom)


def focus_of(timeline: ResolvedTimeline, clip: Clip) -> tuple[str, str]:
    """Answer what a crop keeps: the item's own focus, else its asset's, else the middle."""
    focus = clip.layout.focus or timeline.focus.get(clip.asset or "")
    x, y = focus or (Fraction(1, 2), Fraction(1, 2))
    return format_decimal(x), format_decimal(y)
