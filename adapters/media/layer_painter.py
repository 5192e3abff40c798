"""One layer, frame by frame: content, crop, fit, effects, radius, opacity, shadow, turn, and onto its ground.

Each stage is kept as long as nothing before it changes, so a layer that stands still costs one laying per frame.
"""

from __future__ import annotations

from collections.abc import Hashable

from adapters.media.contents import source_of
from adapters.media.curves import by_property, fade_at, moves, value_at
from adapters.media.effects import MOVING, effect
from adapters.media.effects.tools import Moment
from adapters.media.geometry import moves as camera_moves
from adapters.media.ground import Ground
from adapters.media.placing import cropped, fitted, fitted_size, shadowed, through, turned, with_radius
from adapters.media.planes import Plane, Size
from adapters.media.sheets import Sheet
from adapters.media.workshop import Workshop
from timeline.plan import Layer

PLACING = ("x", "y", "scale", "rotation")


class LayerPainter:
    """Draws one layer of a segment. Raises the errors of reading its content."""

    def __init__(self, layer: Layer, shop: Workshop) -> None:
        self._layer, self._shop = layer, shop
        self._source = source_of(layer, shop)
        self._curves = by_property(layer.curves)
        self._camera = camera_moves(layer.motion)
        self._placed = any(moves(self._curves[name]) for name in PLACING if name in self._curves)
        self._restless = any(
            item.name in MOVING or any(moves(curve.keys) for curve in item.curves if curve.keys)
            for item in layer.effects
        )
        self._kept: dict[str, tuple[Hashable, Plane | Sheet | None]] = {}

    def state(self, frame: int) -> Hashable:
        """Equal for frames on which this layer looks the same; None when it does not show."""
        k = self._item_frame(frame)
        opacity = self._opacity(k) if k is not None else 0.0
        if k is None or opacity <= 0.0:
            return None
        return opacity, self._look(k, frame), k if self._placed else 0

    def draw(self, frame: int, ground: Ground) -> None:
        """Lay the layer on a ground at a segment frame."""
        k = self._item_frame(frame)
        opacity = self._opacity(k) if k is not None else 0.0
        if k is None or opacity <= 0.0:
            return
        sheet = self._place(k, frame, ground.size)
        if sheet is not None:
            ground.lay(sheet, opacity, self._layer.blend)

    def _item_frame(self, frame: int) -> int | None:
        inside = 0 <= frame - self._layer.first < self._layer.frames
        return frame - self._layer.first + self._layer.offset if inside else None

    def _value(self, name: str, k: int, default: float) -> float:
        keys = self._curves.get(name)
        return value_at(keys, k) if keys else default

    def _opacity(self, k: int) -> float:
        layer = self._layer
        fade = fade_at(k, layer.item_frames, layer.fades)
        return min(max(float(layer.opacity) * self._value("opacity", k, 1.0) * fade, 0.0), 1.0)

    def _look(self, k: int, frame: int) -> Hashable:
        """What decides how the layer looks before it is placed."""
        moving = k if self._camera or self._restless else 0
        return self._source.state(k, frame), moving

    def _fitted(self, k: int, frame: int) -> Plane:
        key = self._source.state(k, frame)
        kept = self._kept.get("fitted")
        if kept is None or kept[0] != key:
            pixels = self._source.draw(k, frame)
            if self._source.size is not None:
                pixels, own = cropped(pixels, self._source.size, self._layer.crop)
                pixels = fitted(pixels, own, fitted_size(self._layer), self._layer)
            kept = self._kept["fitted"] = key, pixels
        assert not isinstance(kept[1], Sheet)
        assert kept[1] is not None
        return kept[1]

    def _dressed(self, k: int, frame: int) -> Sheet:
        """Fitted, seen through the camera, with effects, round corners and shadow."""
        key = self._look(k, frame)
        kept = self._kept.get("dressed")
        if kept is None or kept[0] != key:
            kept = self._kept["dressed"] = key, self._dress(self._fitted(k, frame), k)
        assert isinstance(kept[1], Sheet)
        return kept[1]

    def _dress(self, pixels: Plane, k: int) -> Sheet:
        layer = self._layer
        if self._source.size is not None:
            pixels = through(pixels, layer, k)
        moment = Moment(k, self._shop.canvas[1], self._shop.path)
        for item in layer.effects:
            curves = {name: repr(value_at(keys, k)) for name, keys in by_property(item.curves).items()}
            pixels = effect(item.name)(pixels, {**item.params, **curves}, moment)
        pixels = with_radius(pixels, layer.radius)
        sheet = Sheet(pixels, self._source.at or (layer.box.x, layer.box.y))
        return shadowed(sheet, layer.shadow) if layer.shadow else sheet

    def _place(self, k: int, frame: int, canvas: Size) -> Sheet | None:
        key = self._look(k, frame), k if self._placed else 0
        kept = self._kept.get("placed")
        if kept is None or kept[0] != key:
            layer = self._layer
            sheet = turned(
                self._dressed(k, frame),
                float(layer.scale) * self._value("scale", k, 1.0),
                float(layer.rotation) + self._value("rotation", k, 0.0),
                (float(layer.pivot[0]), float(layer.pivot[1])),
                (self._value("x", k, 0.0), self._value("y", k, 0.0)),
                canvas,
            )
            kept = self._kept["placed"] = key, sheet
        assert kept[1] is None or isinstance(kept[1], Sheet)
        return kept[1]
