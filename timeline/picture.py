"""The picture track cut into bodies and transitions: the pieces that are made once and joined.

A body shows one item, a transition two. Long bodies are split at fixed offsets from their item's start, so a change
at one end leaves the other pieces as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from timeline.document import Clip
from timeline.document import Motion as CameraPath
from timeline.plan import Blend, Colour, Motion, Shot, Window
from timeline.resolved import ResolvedItem, ResolvedTimeline
from timeline.time import format_decimal
from timeline.transitions import TRANSITIONS

BODY_SECONDS = 30
REST_SECONDS = 1
"""A rest shorter than this stays with the piece before it."""


@dataclass(frozen=True)
class Piece:
    """A segment to be: film frames [start, start + frames) and what they show."""

    kind: Literal["body", "transition"]
    start: int
    frames: int
    picture: Shot | Colour | Blend
    items: tuple[str, ...]


@dataclass(frozen=True)
class _Scene:
    """One item as seen: its own frames [first, stop) and, with what transitions reach beyond them, [seen, unseen)."""

    item: ResolvedItem | None
    first: int
    stop: int
    before: ResolvedItem | None
    after: ResolvedItem | None

    @property
    def body(self) -> tuple[int, int]:
        begin = self.first + (self.before.reach[1] if self.before else 0)
        return begin, self.stop - (self.after.reach[0] if self.after else 0)

    @property
    def seen(self) -> tuple[int, int]:
        begin = self.first - (self.before.reach[0] if self.before else 0)
        return begin, self.stop + (self.after.reach[1] if self.after else 0)


def cut_picture(timeline: ResolvedTimeline, items: tuple[ResolvedItem, ...]) -> list[Piece]:
    """Answer the pieces of the picture track in order, from frame 0 to the film's end without a hole."""
    scenes = _scenes(timeline, items)
    pieces: list[Piece] = []
    for number, scene in enumerate(scenes):
        if scene.before is not None:
            previous = scenes[number - 1] if number else _nothing(scene.first)
            pieces.append(_transition(timeline, scene.before, previous, scene))
        pieces += _bodies(timeline, scene)
        if scene.after is not None and number == len(scenes) - 1:
            pieces.append(_transition(timeline, scene.after, scene, _nothing(scene.stop)))
    return pieces


def _nothing(frame: int) -> _Scene:
    return _Scene(None, frame, frame, None, None)


def _scenes(timeline: ResolvedTimeline, items: tuple[ResolvedItem, ...]) -> list[_Scene]:
    """Answer clips and gaps with the transitions at their ends; what is left of the film is a gap."""
    cuts = {item.first + item.reach[0]: item for item in items if item.kind == "transition"}
    scenes = [
        _Scene(item, item.first, item.stop, cuts.get(item.first), cuts.get(item.stop))
        for item in items
        if item.kind != "transition"
    ]
    end = scenes[-1].stop if scenes else 0
    if end < timeline.frames:
        scenes.append(_Scene(None, end, timeline.frames, cuts.get(end), None))
    return scenes


def _transition(timeline: ResolvedTimeline, item: ResolvedItem, a: _Scene, b: _Scene) -> Piece:
    assert item.transition is not None
    picture = Blend(
        transition=item.transition.transition,
        params=_params(item),
        a=_picture(timeline, a, item.first),
        b=_picture(timeline, b, item.first),
        length=item.count,
        ease=item.transition.ease,
    )
    names = tuple(scene.item.id for scene in (a, b) if scene.item)
    return Piece("transition", item.first, item.count, picture, (*names[:1], item.id, *names[1:]))


def _params(item: ResolvedItem) -> dict[str, str]:
    assert item.transition is not None
    return TRANSITIONS[item.transition.transition].read_params(item.transition.params)


def _bodies(timeline: ResolvedTimeline, scene: _Scene) -> Iterator[Piece]:
    begin, stop = scene.body
    names = (scene.item.id,) if scene.item else ()
    edges = [begin, *_splits(scene.first, begin, stop, timeline.fps), stop]
    for start, end in pairwise(edges):
        if end > start:
            yield Piece("body", start, end - start, _picture(timeline, scene, start), names)


def _splits(first: int, begin: int, stop: int, fps: Fraction) -> list[int]:
    """Answer where a body is split: whole multiples of 30 s from the item's start."""
    step, rest = int(BODY_SECONDS * fps), int(REST_SECONDS * fps)
    return [frame for frame in range(first + step, stop - rest + 1, step) if frame >= begin + rest]


# ── Pictures ──────────────────────────────────────────────────────────────────────────────────────────────
def _picture(timeline: ResolvedTimeline, scene: _Scene, start: int) -> Shot | Colour:
    """Answer what a scene shows in a segment that starts at film frame `start`."""
    clip = scene.item.clip if scene.item else None
    if clip is None or not clip.enabled:
        return Colour(value=timeline.background)
    if clip.asset is None:
        return Colour(value=clip.color or timeline.background)
    return Shot(
        asset=timeline.media[clip.asset].sha256,
        fit=clip.layout.fit or "cover",
        backdrop=clip.layout.backdrop,
        focus=focus_of(timeline, clip),
        motion=_motion(clip.motion, scene, start) if clip.motion else None,
    )


def focus_of(timeline: ResolvedTimeline, clip: Clip) -> tuple[str, str]:
    """Answer what a crop keeps: the item's own focus, else its asset's, else the middle."""
    focus = clip.layout.focus or timeline.focus.get(clip.asset or "")
    x, y = focus or (Fraction(1, 2), Fraction(1, 2))
    return format_decimal(x), format_decimal(y)


def _motion(path: CameraPath, scene: _Scene, start: int) -> Motion:
    begin, end = scene.seen
    return Motion(
        start=_window(path.from_),
        end=_window(path.to),
        ease=path.ease,
        item_frames=end - begin,
        offset=start - begin,
    )


def _window(rect: tuple[Fraction, Fraction, Fraction, Fraction]) -> Window:
    """Correct a rectangle to the box's aspect (equal fractions) about its centre, and keep it inside the picture."""
    x, y, w, h = rect
    size = max(w, h)
    left = min(max(x + w / 2 - size / 2, Fraction(0)), 1 - size)
    top = min(max(y + h / 2 - size / 2, Fraction(0)), 1 - size)
    side = format_decimal(size)
    return Window(x=format_decimal(left), y=format_decimal(top), w=side, h=side)
