"""How things look and move: layout, camera paths, keyframes, fades, effects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from timeline import authoring
from timeline.base import Part
from timeline.easing import EASINGS, Curve
from timeline.effects import EFFECTS
from timeline.faults import nearest
from timeline.presets import CAMERA, ENTRANCES
from timeline.stage import BLEND_MODES
from timeline.time import BadTime, Moment, parse_moment
from timeline.values import Colour, Length, MaybeLength, Number, Text, Time, as_pair

Pair = Annotated[tuple[Number, Number], BeforeValidator(as_pair)]
Rect = tuple[Number, Number, Number, Number]
Easing = Annotated[Curve, BeforeValidator(authoring.read_ease)]
ANIMATED = ("x", "y", "scale", "rotation", "opacity")


class DropShadow(Part):
    """A soft shadow under a layer; `x`, `y`, `blur` as lengths on the canvas."""

    x: Length = authoring.pixels(0)
    y: Length = authoring.pixels(8)
    blur: Length = authoring.pixels(12)
    color: Colour = "#000000"
    opacity: Number = Fraction(1, 2)


class Layout(Part):
    """How a picture lies on the canvas. `fit` has the CSS meaning; `position` is where the anchor point lies.

    `crop`: fractions cut off [left, top, right, bottom]; `rotation` in degrees clockwise; `radius` of the corners.
    """

    fit: Literal["cover", "contain", "fill", "none"] | None = None
    backdrop: Annotated[str, BeforeValidator(authoring.read_backdrop)] = "blur"
    focus: Pair | None = None
    anchor: authoring.Anchor9 | None = None
    position: Annotated[tuple[Length, Length], BeforeValidator(as_pair)] | None = None
    size: Annotated[tuple[MaybeLength, MaybeLength], BeforeValidator(as_pair)] | None = None
    opacity: Number = Fraction(1)
    scale: Number = Fraction(1)
    rotation: Number = Fraction(0)
    crop: Annotated[Rect, BeforeValidator(authoring.lower_crop)] | None = None
    radius: Length | None = None
    shadow: Annotated[DropShadow, BeforeValidator(authoring.lower_shadow)] | None = None
    blend: Annotated[str, BeforeValidator(authoring.known_word("blend mode", BLEND_MODES))] = "normal"

    @model_validator(mode="after")
    def _ranges(self) -> Self:
        if not 0 <= self.opacity <= 1:
            raise ValueError("opacity lies from 0 (invisible) to 1.")
        if self.focus and not all(0 <= part <= 1 for part in self.focus):
            raise ValueError("focus is [x, y], each from 0 to 1.")
        if not Fraction(1, 100) <= self.scale <= 100 or abs(self.rotation) > 36000:
            raise ValueError("scale lies from 0.01 to 100, rotation from -36000 to 36000 degrees.")
        if self.crop:
            left, top, right, bottom = self.crop
            if min(self.crop) < 0 or left + right > Fraction(99, 100) or top + bottom > Fraction(99, 100):
                raise ValueError("crop cuts fractions [left, top, right, bottom] and must leave something.")
        return self


class Motion(Part):
    """A camera path over a picture: windows [x, y, w, h] of the fitted picture (0..1) and the easing between.

    A word stands for a ready path: zoom-in, zoom-out, pan-left, pan-right, pan-up, pan-down, drift.
    """

    from_: Rect = Field(alias="from")
    to: Rect
    ease: Easing = EASINGS["linear"]

    _short = model_validator(mode="before")(authoring.lower_words("camera path", CAMERA))

    @model_validator(mode="after")
    def _inside(self) -> Self:
        for x, y, w, h in (self.from_, self.to):
            if min(x, y) < 0 or min(w, h) < Fraction(1, 20) or max(x + w, y + h) > 1:
                raise ValueError("A window is [x, y, w, h] inside 0..1, not smaller than 0.05.")
        return self


# ── Keyframes ─────────────────────────────────────────────────────────────────────────────────────────────
_FROM_END = re.compile(r"end\s*-\s*(.+)|end", re.ASCII)


@dataclass(frozen=True)
class EdgeTime:
    """A time counted from an item's start, or back from its end."""

    time: Moment
    back: bool = False

    def at(self, length: Fraction, fps: Fraction) -> Fraction:
        """Answer seconds from the item's start."""
        return length - self.time.at(fps) if self.back else self.time.at(fps)

    def __str__(self) -> str:
        if not self.back:
            return str(self.time)
        return "end" if self.time == Moment() else f"end-{self.time}"


def read_edge_time(value: object) -> EdgeTime:
    """Read `0.5`, `end` or `end-0.5`. Raises BadTime."""
    if isinstance(value, EdgeTime):
        return value
    if isinstance(value, str) and (found := _FROM_END.fullmatch(value.strip())):
        return EdgeTime(time=parse_moment(found[1]) if found[1] else Moment(), back=True)
    try:
        return EdgeTime(time=parse_moment(value))
    except BadTime as error:
        raise ValueError(f'{error} Or count back from the end: "end-0.5".') from None


ItemTime = Annotated[
    EdgeTime,
    PlainValidator(read_edge_time),
    PlainSerializer(str),
    WithJsonSchema({"type": ["string", "number"], "description": "from the item's start, or end-0.5"}),
]


class Keyframe(Part):
    """A value at a time; `ease` leads from here to the next key, `hold` keeps the value until then."""

    t: ItemTime
    v: Number
    ease: Annotated[Curve | Literal["hold"], PlainValidator(authoring.read_ease_or_hold)] = EASINGS["linear"]


class Animation(Part):
    """Keys of one property, or a ready entrance or exit (`preset`) of `duration` at one `edge` of the item.

    Properties: x, y (pixels added), scale and opacity (factors), rotation (degrees added), or `effect.parameter`.
    """

    property: str | None = None
    keys: Annotated[tuple[Keyframe, ...], Field(max_length=2000)] = ()
    preset: Annotated[str, BeforeValidator(authoring.known_word("animation", ENTRANCES))] | None = None
    edge: Literal["in", "out"] = "in"
    duration: Time = Moment(Fraction(1, 2))
    ease: Easing = EASINGS["out"]

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.property is None) == (self.preset is None) or (self.property is None) != (not self.keys):
            raise ValueError('An animation has either "property" with "keys", or a "preset".')
        if self.property and self.property not in ANIMATED:
            _check_parameter(self.property)
        return self


def _check_parameter(name: str) -> None:
    effect, _, parameter = name.partition(".")
    if effect not in EFFECTS or parameter not in EFFECTS[effect].params:
        known = [*ANIMATED, *(f"{each}.{param}" for each, kind in EFFECTS.items() for param in kind.params)]
        hint = nearest(name, known) or f"Use {', '.join(ANIMATED)}, or effect.parameter such as blur.radius."
        raise ValueError(f"Nothing called {name[:60]!r} can be animated. {hint}")


class Fades(Part):
    """Fade in from nothing and out to nothing: opacity of pictures and texts, loudness of sounds."""

    in_: Time | None = Field(default=None, alias="in")
    out: Time | None = None
    curve: Literal["linear", "equal-power", "smooth"] = "linear"


# ── Effects ───────────────────────────────────────────────────────────────────────────────────────────────
TIME_EFFECTS = ("reverse", "freeze")


class EffectUse(Part):
    """An effect and its parameters: a word, or {"effect": word, parameter: value …}.

    `reverse` plays a clip backwards, `freeze` shows the picture `at` one time of its source; both change time alone.
    """

    effect: Annotated[str, BeforeValidator(authoring.known_word("effect", (*EFFECTS, *TIME_EFFECTS)))]
    enabled: bool = True
    params: dict[str, Text] = Field(default_factory=dict)

    _short = model_validator(mode="before")(authoring.lower_effect)

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.effect in EFFECTS:
            EFFECTS[self.effect].read_params(self.params)
        elif self.effect == "freeze":
            parse_moment(self.params.get("at", "0"))
        unknown = set(self.params) - ({"at"} if self.effect == "freeze" else set())
        if self.effect in TIME_EFFECTS and unknown:
            raise ValueError(f"{self.effect} has no parameter {min(unknown)[:60]!r}.")
        return self
