"""Things drawn or sounded without a file: gradients, figures, progress bars, sound waves, QR codes, tones."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from timeline import authoring
from timeline.base import Part
from timeline.stage import SHAPES
from timeline.values import Colour, Number, Text, as_pair

Pair = Annotated[tuple[Number, Number], BeforeValidator(as_pair)]


def short(name: str) -> Any:
    """A bare value stands for the one field that matters."""

    def lower(value: Any) -> Any:
        return value if isinstance(value, dict) or hasattr(value, "model_fields") else {name: value}

    return model_validator(mode="before")(lower)


class GradientStop(Part):
    """A colour at a place 0..1 of a gradient's way."""

    at: Number
    color: Colour
    opacity: Number = Fraction(1)


class GradientFill(Part):
    """Colours running into each other: `colors` spread evenly, or `stops`. `angle`: degrees clockwise from →."""

    shape: Literal["linear", "radial"] = "linear"
    angle: Number = Fraction(0)
    colors: tuple[Colour, ...] = ()
    stops: tuple[GradientStop, ...] = ()

    _short = short("colors")

    @model_validator(mode="after")
    def _two(self) -> Self:
        if bool(self.colors) == bool(self.stops) or len(self.colors or self.stops) < 2:
            raise ValueError('A gradient has either "colors" or "stops", two at least.')
        places = [stop.at for stop in self.stops]
        if places != sorted(places) or any(not 0 <= place <= 1 for place in places):
            raise ValueError("Stops lie in order, each from 0 to 1.")
        return self


class Figure(Part):
    """A drawn figure that fills its box; without `fill` and `stroke` it is white."""

    shape: Annotated[str, BeforeValidator(authoring.known_word("shape", SHAPES))]
    fill: Colour | None = None
    stroke: Colour | None = None
    stroke_width: Number = Fraction(6)
    points: Annotated[tuple[Pair, ...], Field(max_length=200)] = ()

    _short = short("shape")

    @model_validator(mode="after")
    def _corners(self) -> Self:
        if (self.shape == "polygon") != (len(self.points) >= 3):
            raise ValueError('A polygon, and only it, has "points": three or more [x, y] in fractions of its box.')
        if not 0 <= self.stroke_width <= 500:
            raise ValueError("stroke_width lies from 0 to 500 pixels.")
        return self


class Progress(Part):
    """A bar that fills while its item lasts."""

    color: Colour = "#ffffff"
    ground: Colour | None = None
    direction: Literal["right", "left", "up", "down"] = "right"

    _short = short("color")


class Waveform(Part):
    """The shape of a sound that is played elsewhere: all of it with what has passed coloured, or the moment."""

    asset: Annotated[str, Field(max_length=120)]
    style: Literal["bars", "line"] = "bars"
    mode: Literal["whole", "live"] = "whole"
    color: Colour = "#ffffff"
    ground: Colour | None = None
    bars: Annotated[int, BeforeValidator(authoring.read_whole), Field(ge=4, le=512)] = 64

    _short = short("asset")


class QrCode(Part):
    """A QR code of a text; `level` L, M, Q or H says how much of it may be lost."""

    text: Annotated[Text, Field(min_length=1, max_length=1200)]
    color: Colour = "#000000"
    ground: Colour | None = "#ffffff"
    level: Literal["L", "M", "Q", "H"] = "M"
    quiet: Annotated[int, BeforeValidator(authoring.read_whole), Field(ge=0, le=16)] = 4

    _short = short("text")


class Tone(Part):
    """A sine of so many hertz; 0 is silence."""

    hertz: Number = Fraction(1000)

    _short = short("hertz")

    @model_validator(mode="after")
    def _audible(self) -> Self:
        if not (self.hertz == 0 or 10 <= self.hertz <= 20000):
            raise ValueError("A tone has 10 to 20000 hertz (0 is silence).")
        return self
