"""Exact time: rational seconds, read from the forms people write, snapped once on absolute values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

MAX_SECONDS = 100 * 3600
"""Longest time accepted anywhere: 100 hours. Bounds all integer work on hostile input."""
TICKS_PER_SECOND = 10_000_000
"""Ticks of 100 ns, the unit of some speech services."""
_LONGEST_TEXT = 40

_FORMS = "seconds as 1.5 or 3/2, 00:01:30.250, 45f (frames), 250ms or 15000000ticks"
_RATIO = re.compile(r"(-?\d+)/(\d+)")
_DECIMAL = re.compile(r"(-?(?:\d+(?:\.\d*)?|\.\d+))s?")
_CLOCK = re.compile(r"(-?)(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")
_FRAMES = re.compile(r"(-?\d+)f")
_MILLIS = re.compile(r"(-?\d+(?:\.\d+)?)ms")
_TICKS = re.compile(r"(-?\d+)ticks")


class BadTime(ValueError):
    """Raised when a text is no time; the message names the accepted forms."""


@dataclass(frozen=True)
class Moment:
    """A time as written: exact seconds, plus frames that become seconds once the rate is known."""

    seconds: Fraction = Fraction(0)
    frames: int = 0

    def at(self, fps: Fraction) -> Fraction:
        """Answer exact seconds at `fps` frames per second."""
        return self.seconds + self.frames / fps if self.frames else self.seconds

    def __str__(self) -> str:
        return f"{self.frames}f" if self.frames else format_time(self.seconds)


def parse_moment(value: object) -> Moment:
    """Read a time from text, an integer or a decimal. Raises BadTime; binary floats are refused."""
    if isinstance(value, Moment):
        return value
    if isinstance(value, str):
        return _bounded(_parse_text(value.strip()), value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | Fraction):
        raise BadTime(f"Not a time: {_shown(value)}. Write {_FORMS}.")
    return _bounded(Moment(_exact(value)), value)


def _parse_text(text: str) -> Moment:
    if not text or len(text) > _LONGEST_TEXT:
        raise BadTime(f"Not a time: {_shown(text)}. Write {_FORMS}.")
    if found := _FRAMES.fullmatch(text):
        return Moment(frames=int(found[1]))
    if found := _DECIMAL.fullmatch(text):
        return Moment(Fraction(found[1]))
    if (found := _RATIO.fullmatch(text)) and int(found[2]):
        return Moment(Fraction(int(found[1]), int(found[2])))
    if found := _CLOCK.fullmatch(text):
        return Moment(_clock(found))
    if found := _MILLIS.fullmatch(text):
        return Moment(Fraction(found[1]) / 1000)
    if found := _TICKS.fullmatch(text):
        return Moment(Fraction(int(found[1]), TICKS_PER_SECOND))
    raise BadTime(f"Not a time: {_shown(text)}. Write {_FORMS}.")


def _clock(found: re.Match[str]) -> Fraction:
    minutes, seconds = int(found[3]), Fraction(found[4].replace(",", "."))
    if minutes >= 60 or seconds >= 60:
        raise BadTime(f"Not a time: {found[0]!r} has more than 59 minutes or seconds.")
    total = int(found[2] or 0) * 3600 + minutes * 60 + seconds
    return -total if found[1] else total


def _exact(value: int | Decimal | Fraction) -> Fraction:
    if isinstance(value, Decimal) and not (value.is_finite() and abs(value.adjusted()) <= _LONGEST_TEXT):
        raise BadTime(f"Not a time: {_shown(value)}. Write {_FORMS}.")
    return Fraction(value)


def _bounded(moment: Moment, written: object) -> Moment:
    if abs(moment.seconds) > MAX_SECONDS or abs(moment.frames) > MAX_SECONDS * 1000:
        raise BadTime(f"Too long: {_shown(written)}. Times end at {MAX_SECONDS // 3600} hours.")
    return moment


def _shown(value: object) -> str:
    text = repr(value) if not isinstance(value, int) or value.bit_length() < 200 else "a very large number"
    return text if len(text) <= 60 else text[:57] + "…"


def format_time(value: Fraction) -> str:
    """Write a time canonically: reduced `n` or `n/d` seconds."""
    return str(value)


def format_seconds(value: Fraction, places: int = 3) -> str:
    """Write a time for people: decimal seconds rounded to `places`."""
    return format_decimal(value, places) + " s"


def format_decimal(value: Fraction, places: int = 6) -> str:
    """Write a rational as a decimal with at most `places` places, half up, without trailing zeros."""
    scaled = round_half_up(value * 10**places)
    sign, whole = ("-" if scaled < 0 else ""), abs(scaled)
    digits = f"{whole:0{places + 1}d}"
    head, tail = digits[: len(digits) - places], digits[len(digits) - places :].rstrip("0")
    return sign + head + (f".{tail}" if tail else "")


def round_half_up(value: Fraction) -> int:
    """Answer floor(value + 1/2)."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def snap_frame(seconds: Fraction, fps: Fraction) -> int:
    """Answer the frame whose start lies nearest to an absolute time: floor(t·fps + 1/2)."""
    return round_half_up(seconds * fps)


def snap_sample(seconds: Fraction, rate: int) -> int:
    """Answer the nearest sample to an absolute time."""
    return round_half_up(seconds * rate)


def frames_to_samples(frames: int, fps: Fraction, rate: int) -> int:
    """Answer the nearest sample to the start of a frame."""
    return round_half_up(frames * rate / fps)
