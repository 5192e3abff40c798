"""The small parts that render plans are built of: all integers and decimal texts, so that no binary float enters a key.

Fields made with `later` were added after plans had been stored: at their default they are left out of what is
written, so the keys of films that do not use them stay the same.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

Ease = tuple[str, str, str, str]
LINEAR: Ease = ("0", "0", "1", "1")


class PlanPart(BaseModel):
    """Base of all parts: immutable, hashable by content, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def later(default: Any) -> Any:
    """A field that is not written while it has its default."""
    return Field(default=default, exclude_if=lambda value: value == default)


class Rate(PlanPart):
    """Frames per second as a fraction, such as 30000/1001."""

    num: int
    den: int = 1


class Box(PlanPart):
    """A rectangle on the canvas in whole pixels."""

    x: int
    y: int
    w: int
    h: int


class Window(PlanPart):
    """A rectangle of the fitted picture in fractions 0..1 of it (decimal strings), of the box's aspect."""

    x: str
    y: str
    w: str
    h: str


class Motion(PlanPart):
    """A camera path over a still: the window at the first and at the last frame of the whole item.

    `item_frames` is the length of the whole item and `offset` the item frame at which this segment begins, so
    that bodies and transitions cut from one item move as one. `ease`: control points of a cubic Bézier.
    """

    start: Window
    end: Window
    ease: Ease = LINEAR
    item_frames: int
    offset: int


class Key(PlanPart):
    """One key of a curve: `frame` is relative to the segment, `value` a decimal; linear between keys."""

    frame: int
    value: str


class CurveKey(PlanPart):
    """One key of a property: `frame` is an item frame, `ease` leads to the next key; `hold` stays until then."""

    frame: int
    value: str
    ease: Ease = LINEAR
    hold: bool = False


class Curve(PlanPart):
    """How a property changes over the item's frames; constant before the first key and after the last.

    Of layers: `x`, `y` (canvas pixels added to the place), `scale` (factor), `rotation` (degrees clockwise, added),
    `opacity` (factor); several curves of one property add up (x, y, rotation) or multiply (scale, opacity).
    Of effects: the name of a parameter, whose fixed value the curve replaces.
    """

    property: str
    keys: tuple[CurveKey, ...]


class Effect(PlanPart):
    """A change to how something looks: a name of timeline.effects with all its parameters in canonical form.

    A `lut` carries the content hash of its file in the parameter `asset`.
    """

    name: str
    params: dict[str, str] = Field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
