"""Values of the document language: numbers, lengths on the canvas, and their field types for models.

Numbers are read as exact decimals or ratios, never as binary floats, and are bounded so that hostile input stays cheap.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from timeline.colours import parse_colour
from timeline.time import Moment, format_decimal, format_time, parse_moment

MAX_NUMBER = 10**9
_NUMBER = re.compile(r"[+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})", re.ASCII)
_RATIO = re.compile(r"\d{1,9}/\d{1,9}", re.ASCII)
_LENGTH = re.compile(r"([+-]?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}))\s*(vw|vh|vmin|px|%|)", re.ASCII)


def read_number(value: object) -> Fraction:
    """Read an exact number from an integer, a decimal, or the text of one or of a ratio. Raises ValueError."""
    if isinstance(value, Fraction):
        return value
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError(f'Not a number: {_shown(value)}. Write it as 0.5 or "0.5".')
    if isinstance(value, str) and _RATIO.fullmatch(value.strip()):
        above, below = (int(part) for part in value.split("/"))
        if not below:
            raise ValueError(f"Not a number: {_shown(value)} divides by zero.")
        return Fraction(above, below)
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value.strip()):
            raise ValueError(f'Not a number: {_shown(value)}. Write it as 0.5 or "0.5".')
        value = Decimal(value.strip())
    if isinstance(value, Decimal) and not (value.is_finite() and -40 < value.adjusted() < 10):
        raise ValueError(f"Out of range: {_shown(value)}.")
    number = Fraction(value)
    if abs(number) > MAX_NUMBER:
        raise ValueError("Out of range: numbers end at a thousand million.")
    return number


def write_number(value: Fraction) -> str:
    """Write a number so that it reads the same again: as a decimal, or as a ratio where no decimal is exact."""
    text = format_decimal(value, 18)
    return text if Fraction(text) == value else f"{value.numerator}/{value.denominator}"


def read_rate(value: object) -> Fraction:
    """Read frames per second such as 30 or 30000/1001, from 1 to 240. Raises ValueError."""
    if isinstance(value, str) and _RATIO.fullmatch(value.strip()) and not value.strip().endswith("/0"):
        above, below = value.split("/")
        rate = Fraction(int(above), int(below) or 1)
    else:
        rate = read_number(value)
    if not 1 <= rate <= 240 or rate.denominator > 100_000:
        raise ValueError(f"Frames per second must lie from 1 to 240, as 30 or 30000/1001; got {_shown(value)}.")
    return rate


@dataclass(frozen=True)
class CanvasLength:
    """A length on the canvas: `unit` is vw, vh, vmin, px, or empty for a fraction of the axis it lies on."""

    value: Fraction
    unit: str = ""

    def pixels(self, axis: int, canvas: tuple[int, int], px: Fraction) -> Fraction:
        """Answer pixels on an axis `axis` pixels long; `px` is the size of one authored pixel here."""
        scale = {
            "vw": Fraction(canvas[0], 100),
            "vh": Fraction(canvas[1], 100),
            "vmin": Fraction(min(canvas), 100),
            "px": px,
            "": Fraction(axis),
        }
        return self.value * scale[self.unit]

    def __str__(self) -> str:
        return format_decimal(self.value) + self.unit


def read_length(value: object) -> CanvasLength:
    """Read a length: a fraction of the canvas (0.25, 25%), or vw, vh, vmin, px. Raises ValueError."""
    if isinstance(value, CanvasLength):
        return value
    if not isinstance(value, str):
        return CanvasLength(read_number(value))
    found = _LENGTH.fullmatch(value.strip())
    if not found:
        raise ValueError(f"Not a length: {_shown(value)}. Write 0.25, 25%, 12vw, 8vh, 5vmin or 40px.")
    number = Fraction(found[1])
    return CanvasLength(number / 100) if found[2] == "%" else CanvasLength(number, found[2])


def read_maybe_length(value: object) -> CanvasLength | None:
    """Read a length or nothing; YAML, where every scalar is text, writes nothing as null or ~."""
    return None if value is None or value in ("", "null", "~") else read_length(value)


def _shown(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > 200:
        return "a very large number"
    if isinstance(value, float):
        return f"the binary float {value!r}"
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "an object"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def read_text(value: object) -> str:
    """Read text; numbers are taken as they are written. Raises ValueError."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return format_decimal(read_number(value))
    raise ValueError(f"Not a text: {_shown(value)}.")


_TIME_SCHEMA = {"type": ["string", "number"], "description": "1.5, 3/2, 00:01:30.250, 45f, 250ms or 15000000ticks"}
_NUMBER_SCHEMA = {"type": ["number", "string"]}
_LENGTH_SCHEMA = {"type": ["number", "string"], "description": "0.25, 25%, 12vw, 8vh, 5vmin or 40px"}

Time = Annotated[Moment, PlainValidator(parse_moment), PlainSerializer(str), WithJsonSchema(_TIME_SCHEMA)]
Number = Annotated[Fraction, PlainValidator(read_number), PlainSerializer(write_number), WithJsonSchema(_NUMBER_SCHEMA)]
FrameRate = Annotated[Fraction, PlainValidator(read_rate), PlainSerializer(format_time), WithJsonSchema(_NUMBER_SCHEMA)]
Colour = Annotated[
    str, PlainValidator(parse_colour), WithJsonSchema({"type": "string", "pattern": "^#([0-9a-fA-F]{3}){1,2}$"})
]
Text = Annotated[str, PlainValidator(read_text), WithJsonSchema({"type": "string"})]
Length = Annotated[CanvasLength, PlainValidator(read_length), PlainSerializer(str), WithJsonSchema(_LENGTH_SCHEMA)]
MaybeLength = Annotated[
    CanvasLength | None,
    PlainValidator(read_maybe_length),
    PlainSerializer(lambda value: None if value is None else str(value)),
    WithJsonSchema({**_LENGTH_SCHEMA, "type": ["number", "string", "null"]}),
]


def as_pair(value: Any) -> Any:
    """Accept {x, y} or {w, h} where a pair is meant."""
    if isinstance(value, dict):
        for names in (("x", "y"), ("w", "h")):
            if set(value) <= set(names) and value:
                return [value.get(name) for name in names]
    return value
