"""One segment, frame by frame: the picture, then overlays, then captions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import cv2

from adapters.media.coverings import Covering, covering
from adapters.media.curves import fade_at, value_at
from adapters.media.errors import PlanUnrenderable
from adapters.media.geometry import closest_zoom, eased, moves, window_at
from adapters.media.ground import PlanesGround
from adapters.media.layer_painter import LayerPainter
from adapters.media.layers import Patch, lay, opacity_at, overlay
from adapters.media.planes import Planes, blank, fitted, flat, scaled_size
from adapters.media.sampling import Sampler
from adapters.media.text import TextLayer, look
from adapters.media.transitions import transition
from adapters.media.workshop import Workshop, asset_path, looks_in
from domain.production.ports import Assets
from timeline.plan import Blend, Colour, Layer, Overlay, RenderPlan, Segment, Shot, Stage, TextState

__all__ = ["Compositor", "asset_path"]


@dataclass(frozen=True)
class Paint:
    """`fill(frame, planes)` draws the picture of a segment frame; frames of equal `state` look the same."""

    fill: Callable[[int, Planes], None]
    state: Callable[[int], Hashable]


class Painter:
    """Turns the picture kinds of a plan into paint for one canvas; each still is decoded once."""

    def __init__(self, shop: Workshop) -> None:
        self._shop, self._canvas = shop, shop.canvas

    def paint(self, picture: Shot | Colour | Blend | Stage) -> Paint:
        """The way to draw a picture. Raises the errors of reading it."""
        if isinstance(picture, Colour):
            return _still(flat(picture.value, self._canvas))
        if isinstance(picture, Shot):
            return self._shot(picture)
        return self._stage(picture) if isinstance(picture, Stage) else self._blend(picture)

    def _shot(self, shot: Shot) -> Paint:
        moving = moves(shot.motion)
        size = scaled_size(self._canvas, closest_zoom(shot.motion), moving=moving)
        focus = float(shot.focus[0]), float(shot.focus[1])
        planes = fitted(self._shop.path(shot.asset), size, shot.fit, shot.backdrop, focus)
        sampler = Sampler(planes, self._canvas)
        if moving:
            return Paint(lambda frame, target: sampler.draw(window_at(shot.motion, frame), target), lambda frame: frame)
        still = blank(self._canvas)
        sampler.draw(window_at(shot.motion, 0), still)
        return _still(still)

    def _stage(self, stage: Stage) -> Paint:
        return StagePainter(stage, self._shop).paint

    def _blend(self, blend: Blend) -> Paint:
        first, second = self.paint(blend.a), self.paint(blend.b)
        mix = transition(blend.transition)
        other = blank(self._canvas)

        def fill(frame: int, target: Planes) -> None:
            # Frame k of n shows (k+1)/(n+1): neither end repeats the frame beside the transition.
            progress = eased(blend.offset + frame + 1, blend.length + 1, blend.ease)
            first.fill(frame, target)
            second.fill(frame, other)
            mix(target, other, progress, blend.params)

        return Paint(fill, lambda frame: frame)


def _still(planes: Planes) -> Paint:
    return Paint(lambda frame, target: planes.copy_to(target), lambda frame: 0)


class StagePainter:
    """Draws layers on a flat ground, bottom to top."""

    def __init__(self, stage: Stage, shop: Workshop) -> None:
        self._base = flat(stage.ground, shop.canvas)
        self._spare = blank(shop.canvas)
        self._ground = PlanesGround(self._base)
        self._layers = [(layer, covering(layer, shop) or shop.painter(layer)) for layer in stage.layers]
        self.paint = Paint(self._fill, self._state)

    def _fill(self, frame: int, target: Planes) -> None:
        self._ground.planes = target
        shown = [(k, layer, way, _opacity(layer, frame)) for k, (layer, way) in enumerate(self._layers)]
        lowest = max((k for k, _, way, share in shown if isinstance(way, Covering) and share >= 1.0), default=-1)
        if lowest < 0:
            self._base.copy_to(target)
        for k, layer, way, share in shown:
            if k < lowest or share <= 0.0:
                continue
            if isinstance(way, Covering):
                self._cover(way, frame - layer.first + layer.offset, target, share)
            else:
                way.draw(frame, self._ground)

    def _cover(self, way: Covering, k: int, target: Planes, share: float) -> None:
        if share >= 1.0:
            way.fill(k, target)
            return
        way.fill(k, self._spare)
        for below, above in zip(target.each, self._spare.each, strict=True):
            cv2.addWeighted(below, 1.0 - share, above, share, 0.0, dst=below)

    def _state(self, frame: int) -> Hashable:
        states: list[Hashable] = []
        for layer, way in self._layers:
            if isinstance(way, Covering):
                share = _opacity(layer, frame)
                states.append((share, way.state(frame - layer.first + layer.offset)) if share > 0.0 else None)
            else:
                states.append(way.state(frame))
        return tuple(states)


def _opacity(layer: Layer, frame: int) -> float:
    """How much of a layer shows at a segment frame, 0..1."""
    if not layer.first <= frame < layer.first + layer.frames:
        return 0.0
    k = frame - layer.first + layer.offset
    share = float(layer.opacity) * fade_at(k, layer.item_frames, layer.fades)
    for curve in layer.curves:
        if curve.property == "opacity" and curve.keys:
            share *= value_at(curve.keys, k)
    return min(max(share, 0.0), 1.0)


class Compositor:
    """Draws the frames of one segment in rising order; used as a context, it ends the text drawing."""

    def __init__(self, plan: RenderPlan, segment: Segment, assets: Assets, folder: Path) -> None:
        self._canvas = (plan.output.width, plan.output.height)
        _check(plan, segment)
        self._stack = ExitStack()
        self._shop = Workshop(
            self._canvas, assets, plan.styles, folder, self._stack, LayerPainter, tuple(looks_in(segment))
        )
        self._frames = segment.frames
        self._paint = Painter(self._shop).paint(segment.picture)
        self._layers: Sequence[Overlay | TextState | Layer] = (*segment.overlays, *segment.captions)
        self._painters = {k: LayerPainter(each, self._shop) for k, each in enumerate(self._layers) if is_layer(each)}
        self._ground = PlanesGround(blank((2, 2)))
        self._pictures: dict[tuple[str, int, int, int, int], Patch | None] = {}
        for layer in segment.overlays:
            if isinstance(layer, Overlay):
                path = asset_path(assets, layer.asset)
                self._pictures.setdefault(_placed(layer), overlay(path, layer.box, self._canvas))
        states = [layer for layer in self._layers if isinstance(layer, TextState)]
        self._text = TextLayer(states, plan.styles, self._canvas, folder, self._stack)

    def __enter__(self) -> Compositor:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def still(self) -> bool:
        """Whether all frames of the segment look the same."""
        first = self.state(0)
        return all(self.state(frame) == first for frame in range(1, self._frames))

    def state(self, frame: int) -> Hashable:
        """Equal for frames that look the same."""
        shown = []
        for k, layer in enumerate(self._layers):
            if isinstance(layer, Layer):
                shown.append(self._painters[k].state(frame))
            elif layer.first <= frame < layer.first + layer.frames:
                what: Hashable = _placed(layer) if isinstance(layer, Overlay) else look(layer)
                shown.append((what, opacity_at(layer.opacity, frame)))
        return self._paint.state(frame), tuple(shown)

    def draw(self, frame: int, target: Planes) -> None:
        """Draw segment frame `frame` into the target."""
        self._paint.fill(frame, target)
        self._ground.planes = target
        for k, layer in enumerate(self._layers):
            if isinstance(layer, Layer):
                self._painters[k].draw(frame, self._ground)
                continue
            for patch, opacity in self._shown(layer, frame):
                lay(patch, target, opacity)

    def _shown(self, layer: Overlay | TextState, frame: int) -> Iterator[tuple[Patch, float]]:
        if not layer.first <= frame < layer.first + layer.frames:
            return
        patch = self._patch(layer, frame)
        opacity = min(max(opacity_at(layer.opacity, frame), 0.0), 1.0)
        if patch is not None and opacity > 0.0:
            yield patch, opacity

    def _patch(self, layer: Overlay | TextState, frame: int) -> Patch | None:
        if isinstance(layer, TextState):
            return self._text.patch(layer, frame)
        return self._pictures[_placed(layer)]


def is_layer(layer: Overlay | TextState | Layer) -> TypeGuard[Layer]:
    return isinstance(layer, Layer)


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
