"""The base picture cut into bodies and transitions: the pieces that are made once and joined.

A body shows one item, a transition two. Long bodies are split at fixed offsets from their item's start, so a change
at one end leaves the other pieces as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from timeline.curves import motion_of
from timeline.document import Clip, Layout
from timeline.drawing import Drawer, Span, focus_of
from timeline.plan import Blend, Colour, Shot, Stage
from timeline.resolved import ResolvedItem, ResolvedTimeline
from timeline.scenes import Scene, nothing, parameters, scenes_of

BODY_SECONDS = 30
REST_SECONDS = 1
"""A rest shorter than this stays with the piece before it."""


@dataclass(frozen=True)
class Piece:
    """A segment to be: film frames [start, start + frames) and what they show."""

    kind: Literal["body", "transition"]
    start: int
    frames: int
    picture: Shot | Colour | Blend | Stage
    items: tuple[str, ...]


def cut_picture(drawer: Drawer, items: tuple[ResolvedItem, ...], span: tuple[int, int] | None = None) -> list[Piece]:
    """Answer the pieces of the base picture in order, without a hole: of the whole film, or of frames in `span`."""
    cutter = _Cutter(drawer, span or (0, drawer.timeline.frames))
    scenes = _whole(drawer.timeline, items)
    pieces: list[Piece] = []
    for number, scene in enumerate(scenes):
        if scene.before is not None:
            previous = scenes[number - 1] if number else nothing(scene.first)
            pieces += cutter.transition(scene.before, previous, scene)
        pieces += cutter.bodies(scene)
        if scene.after is not None and number == len(scenes) - 1:
            pieces += cutter.transition(scene.after, scene, nothing(scene.stop))
    return pieces


def _whole(timeline: ResolvedTimeline, items: tuple[ResolvedItem, ...]) -> list[Scene]:
    """Answer the scenes of a track; what is left of the film is a gap."""
    scenes = scenes_of(items)
    end = scenes[-1].stop if scenes else 0
    if end < timeline.frames:
        last = scenes[-1].after if scenes else None
        scenes.append(Scene(None, end, timeline.frames, last, None))
    return scenes


@dataclass(frozen=True)
class _Cutter:
    drawer: Drawer
    span: tuple[int, int]

    @property
    def timeline(self) -> ResolvedTimeline:
        return self.drawer.timeline

    def transition(self, item: ResolvedItem, a: Scene, b: Scene) -> Iterator[Piece]:
        assert item.transition is not None
        start, stop = max(item.first, self.span[0]), min(item.stop, self.span[1])
        if stop <= start:
            return
        picture = Blend(
            transition=item.transition.transition,
            params=parameters(item),
            a=self.picture(a, start, stop - start),
            b=self.picture(b, start, stop - start),
            length=item.count,
            offset=start - item.first,
            ease=item.transition.ease,
        )
        names = tuple(scene.item.id for scene in (a, b) if scene.item)
        yield Piece("transition", start, stop - start, picture, (*names[:1], item.id, *names[1:]))

    def bodies(self, scene: Scene) -> Iterator[Piece]:
        begin, stop = scene.body
        names = (scene.item.id,) if scene.item else ()
        edges = [begin, *splits(scene.first, begin, stop, self.timeline.fps), stop]
        for start, end in pairwise(edges):
            first, last = max(start, self.span[0]), min(end, self.span[1])
            if last > first:
                yield Piece("body", first, last - first, self.picture(scene, first, last - first), names)

    def picture(self, scene: Scene, start: int, frames: int) -> Shot | Colour | Stage:
        """Answer what a scene shows in a segment of `frames` frames that starts at film frame `start`."""
        clip = self.drawer.shown(scene.item)
        if scene.item is None or clip is None:
            return Colour(value=self.timeline.background)
        if _plain(clip):
            if clip.color is not None:
                return Colour(value=clip.color)
            media = self.timeline.media[clip.asset or ""]
            if media.kind == "image":
                return self._shot(scene, scene.item, clip, start)
        draw = self.drawer.draw(scene.item, clip, *scene.seen, picture=True, slow=scene.slow)
        layers = (draw(0, frames, start - scene.seen[0]),) if draw else ()
        return Stage(ground=self.timeline.background, layers=layers)

    def _shot(self, scene: Scene, item: ResolvedItem, clip: Clip, start: int) -> Shot:
        assert clip.asset is not None
        self.drawer.check_size(item, clip)
        begin, end = scene.seen
        span = Span(begin, end, item.first - begin)
        backdrop = clip.layout.backdrop
        return Shot(
            asset=self.timeline.media[clip.asset].sha256,
            fit="contain" if clip.layout.fit == "contain" else "cover",
            backdrop=self.timeline.background if backdrop == "none" else backdrop,
            focus=focus_of(self.timeline, clip),
            motion=motion_of(clip.motion, span, start - begin) if clip.motion else None,
        )


def _plain(clip: Clip) -> bool:
    """Whether a still or a colour fills the canvas and needs no layer."""
    layout = clip.layout
    fits = layout.fit in (None, "cover", "contain")
    same = layout == Layout(fit=layout.fit, backdrop=layout.backdrop, focus=layout.focus)
    quiet = clip.fades.in_ is None and clip.fades.out is None
    held = clip.asset is not None or (clip.color is not None and clip.motion is None)
    return fits and same and quiet and held and not clip.animations and not clip.effects


def splits(first: int, begin: int, stop: int, fps: Fraction) -> list[int]:
    """Answer where a body is split: whole multiples of 30 s from the item's start."""
    step, rest = int(BODY_SECONDS * fps), int(REST_SECONDS * fps)
    return [frame for frame in range(first + step, stop - rest + 1, step) if frame >= begin + rest]
