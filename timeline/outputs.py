"""Output profiles as a document uses them: a built-in one as it stands, or with changes of its own."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from timeline import authoring
from timeline.base import Part
from timeline.plan import Box
from timeline.profiles import PROFILES, CaptionPolicy, Profile
from timeline.time import Moment, round_half_up
from timeline.values import Colour, FrameRate, Number, Time, as_pair

Even = Annotated[int, BeforeValidator(authoring.read_whole), Field(ge=16, le=8192, multiple_of=2)]
Count = Annotated[int, BeforeValidator(authoring.read_whole), Field(ge=1, le=1000)]


class CaptionChange(Part):
    """What is different about captions in a profile; `size` in pixels of its canvas, times in seconds."""

    effect: Annotated[str, BeforeValidator(authoring.read_effect)] | None = None
    face: Literal["regular", "medium", "bold", "extrabold", "black"] | None = None
    size: Count | None = None
    max_lines: Annotated[int, BeforeValidator(authoring.read_whole), Field(ge=1, le=2)] | None = None
    max_chars: Count | None = None
    max_words: Count | None = None
    color: Colour | None = None
    accent: Colour | None = None
    outline_color: Colour | None = None
    min_dwell: Number | None = None
    max_dwell: Number | None = None


class TrackChange(Part):
    """What is different about a track in a profile."""

    enabled: bool


class Range(Part):
    """A part of the film: half-open, from `start` to `end`."""

    start: Time = Moment()
    end: Time | None = None


class ProfileUse(Part):
    """One output of a document. Fields that are given change the built-in profile `base`."""

    id: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    base: Annotated[str, BeforeValidator(authoring.read_profile)] = "longform-16x9"
    name: Annotated[str, Field(max_length=120)] | None = None
    canvas: Annotated[tuple[Even, Even], BeforeValidator(as_pair)] | None = None
    fps: FrameRate | None = None
    codec: Literal["h264", "hevc", "av1"] | None = None
    quality: Literal["draft", "standard", "high"] | None = None
    crf: Annotated[int, BeforeValidator(authoring.read_whole), Field(ge=0, le=51)] | None = None
    loudness_lufs: Number | None = None
    true_peak_dbtp: Number | None = None
    max_seconds: Annotated[int, BeforeValidator(authoring.read_whole), Field(ge=1)] | None = None
    captions: CaptionChange | Literal["none"] | None = None
    tracks: dict[str, TrackChange] = Field(default_factory=dict)
    range: Range | None = None
    fit: Literal["cover", "contain"] | None = None

    _short = model_validator(mode="before")(authoring.lower_profile)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.loudness_lufs is not None and not -40 <= self.loudness_lufs <= -5:
            raise ValueError("loudness_lufs lies from -40 to -5.")
        if self.true_peak_dbtp is not None and not -20 <= self.true_peak_dbtp <= 0:
            raise ValueError("true_peak_dbtp lies from -20 to 0.")
        return self


QUALITIES = {"draft": "superfast", "standard": "veryfast", "high": "medium"}


def profile_of(use: ProfileUse) -> Profile:
    """Answer the profile that a document's use of one means."""
    base = PROFILES[use.base]
    if use.canvas:
        base = resized(base, use.canvas)
    given: dict[str, Any] = {
        "id": use.id,
        "name": use.name,
        "preset": QUALITIES[use.quality] if use.quality else None,
        "crf": use.crf,
        "codec": use.codec,
        "max_seconds": use.max_seconds,
        "fps": str(use.fps) if use.fps else None,
    }
    master = base.master.model_copy(update=_master(use))
    captions = _captions(base.captions, use.captions) if isinstance(use.captions, CaptionChange) else base.captions
    changes = {name: value for name, value in given.items() if value is not None}
    return replace(base, master=master, captions=captions, **changes)


def with_captions(profile: Profile, use: ProfileUse) -> Profile:
    """Answer a profile with what a document's use of one changes about its captions."""
    if not isinstance(use.captions, CaptionChange):
        return profile
    return replace(profile, captions=_captions(profile.captions, use.captions))


def _master(use: ProfileUse) -> dict[str, int]:
    given = {"loudness_mlufs": use.loudness_lufs, "true_peak_mdbtp": use.true_peak_dbtp}
    return {name: round_half_up(value * 1000) for name, value in given.items() if value is not None}


def _captions(policy: CaptionPolicy, change: CaptionChange) -> CaptionPolicy:
    given = change.model_dump(exclude_none=True, exclude={"effect"})
    values = {name: getattr(change, name) for name in given}
    for written, own in (("color", "colour"), ("outline_color", "outline_colour")):
        if written in values:
            values[own] = values.pop(written)
    return replace(policy, **values)


def resized(base: Profile, canvas: tuple[int, int]) -> Profile:
    """Scale safe box and captions to another canvas; sizes follow its shorter side."""
    across, down = Fraction(canvas[0], base.width), Fraction(canvas[1], base.height)
    unit = Fraction(min(canvas), min(base.width, base.height))

    def scaled(value: int, by: Fraction) -> int:
        return round_half_up(value * by)

    safe, words = base.safe, base.captions
    return replace(
        base,
        width=canvas[0],
        height=canvas[1],
        safe=Box(x=scaled(safe.x, across), y=scaled(safe.y, down), w=scaled(safe.w, across), h=scaled(safe.h, down)),
        captions=replace(
            words,
            size=max(scaled(words.size, unit), 8),
            x=scaled(words.x, across),
            y=scaled(words.y, down),
            width=max(scaled(words.width, across), 16),
            outline=scaled(words.outline, unit),
            shadow=scaled(words.shadow, unit),
        ),
    )
