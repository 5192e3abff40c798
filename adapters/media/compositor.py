"""One segment, frame by frame: the picture, then overlays, then captions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from adapters.media.errors import MissingAsset, PlanUnrenderable
from adapters.media.geometry import closest_zoom, eased, moves, window_at
from adapters.media.layers import Patch, lay, opacity_at, overlay
from adapters.media.planes import Planes, Size, blank, fitted, flat, scaled_size
from adapters.media.sampling import Sampler
from adapters.media.text import TextLayer
from adapters.media.transitions import transition
from domain.production.ports import Assets
from timeline.plan import Blend, Colour, Layer, Overlay, RenderPlan, Segment, Shot, Stage, TextState

Paint = Callable[[int, Planes], None]
"""Fill a frame's planes with the picture of segment frame i."""


def asset_path(assets: Assets, key: str) -> Path:
    """Where an asset lies. Raises MissingAsset."""
    path = assets.paths.get(key)
    if path is None or not path.is_file():
        raise MissingAsset(f"The plan needs the file {key[:12]}…, which is not here.", fix="Run the step again.")
    return path


class Painter:
    """Turns the picture kinds of a plan into paint functions for one canvas; each still is decoded once."""

    def __init__(self, canvas: Size, assets: Assets, frames: int) -> None:
        self._canvas, self._assets, self._frames = canvas, assets, frames

    def paint(self, picture: Shot | Colour | Blend | Stage) -> Paint:
        """The way to draw a picture. Raises the errors of reading it."""
        if isinstance(picture, Colour):
            return partial(_paint_still, flat(picture.value, self._canvas))
        if isinstance(picture, Shot):
            return self._shot(picture)
        if isinstance(picture, Stage):
            raise _not_drawn("stages of layers")
        return self._blend(picture)

    def _shot(self, shot: Shot) -> Paint:
        size = scaled_size(self._canvas, closest_zoom(shot.motion))
        focus = float(shot.focus[0]), float(shot.focus[1])
        planes = fitted(asset_path(self._assets, shot.asset), size, shot.fit, shot.backdrop, focus)
        sampler = Sampler(planes, self._canvas)
        if moves(shot.motion):
            return lambda frame, target: sampler.draw(window_at(shot.motion, frame), target)
        still = blank(self._canvas)
        sampler.draw(window_at(shot.motion, 0), still)
        return partial(_paint_still, still)

    def _blend(self, blend: Blend) -> Paint:
        first, second = self.paint(blend.a), self.paint(blend.b)
        mix = transition(blend.transition)
        other = blank(self._canvas)

        def paint(frame: int, target: Planes) -> None:
            # Frame k of n shows (k+1)/(n+1): neither end repeats the frame beside the transition.
            progress = eased(blend.offset + frame + 1, blend.length + 1, blend.ease)
            first(frame, target)
            second(frame, other)
            mix(target, other, progress, blend.params)

        return paint


def _paint_still(still: Planes, frame: int, target: Planes) -> None:
    still.copy_to(target)


class Compositor:
    """Draws the frames of one segment in rising order; used as a context, it ends the text drawing."""

    def __init__(self, plan: RenderPlan, segment: Segment, assets: Assets, folder: Path) -> None:
        self._canvas = (plan.output.width, plan.output.height)
        _check(plan, segment)
        self._paint = Painter(self._canvas, assets, segment.frames).paint(segment.picture)
        if any(isinstance(layer, Layer) for layer in segment.overlays):
            raise _not_drawn("layers")
        above = tuple(layer for layer in segment.overlays if not isinstance(layer, Layer))
        self._layers: Sequence[Overlay | TextState] = (*above, *segment.captions)
        self._pictures: dict[tuple[str, int, int, int, int], Patch | None] = {}
        for layer in segment.overlays:
            if isinstance(layer, Overlay):
                path = asset_path(assets, layer.asset)
                self._pictures.setdefault(_placed(layer), overlay(path, layer.box, self._canvas))
        self._stack = ExitStack()
        states = [layer for layer in self._layers if isinstance(layer, TextState)]
        self._text = TextLayer(states, plan.styles, self._canvas, folder, self._stack)

    def __enter__(self) -> Compositor:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def draw(self, frame: int, target: Planes) -> None:
        """Draw segment frame `frame` into the target."""
        self._paint(frame, target)
        for patch, opacity in self._shown(frame):
            lay(patch, target, opacity)

    def _shown(self, frame: int) -> Iterator[tuple[Patch, float]]:
        for layer in self._layers:
            if not layer.first <= frame < layer.first + layer.frames:
                continue
            patch = self._patch(layer, frame)
            opacity = min(max(opacity_at(layer.opacity, frame), 0.0), 1.0)
            if patch is not None and opacity > 0.0:
                yield patch, opacity

    def _patch(self, layer: Overlay | TextState, frame: int) -> Patch | None:
        if isinstance(layer, TextState):
            return self._text.patch(layer, frame)
        return self._pictures[_placed(layer)]


def _placed(layer: Overlay) -> tuple[str, int, int, int, int]:
    return layer.asset, layer.box.x, layer.box.y, layer.box.w, layer.box.h


def _not_drawn(what: str) -> PlanUnrenderable:
    return PlanUnrenderable(f"This plan has {what}, which are not drawn yet.", fix="Use plain pictures and overlays.")


def _check(plan: RenderPlan, segment: Segment) -> None:
    width, height = plan.output.width, plan.output.height
    if width % 2 or height % 2 or not 16 <= width <= 8192 or not 16 <= height <= 8192:
        raise PlanUnrenderable(f"A film of {width} × {height} cannot be written; sides are even, 16 to 8192.")
    if segment.frames < 1:
        raise PlanUnrenderable(f"Segment {segment.index} has {segment.frames} frames; it needs at least one.")
