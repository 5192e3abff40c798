"""The resolved timeline: for every item what was meant beside what it became. Self-contained and storable."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema

from timeline.document import Clip, TextStyle, Track, Transition
from timeline.faults import Fault
from timeline.media import Media, SpokenWord
from timeline.outputs import ProfileUse
from timeline.time import format_time

Seconds = Annotated[
    Fraction, PlainValidator(Fraction), PlainSerializer(format_time), WithJsonSchema({"type": "string"})
]


class Resolved(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ResolvedItem(Resolved):
    """One stretch of a track. `place` and `length` say what was meant; the rest is the result.

    `first` and `count` are frames on video tracks and samples on audio tracks; `start` and `end` exact seconds.
    A transition's stretch is the time it is seen; `reach` are the frames before and after its cut.
    """

    id: str
    kind: Literal["clip", "gap", "transition"]
    path: str
    start: Seconds
    end: Seconds
    first: int
    count: int
    place: str = ""
    length: str = ""
    text: str = ""
    clip: Clip | None = None
    transition: Transition | None = None
    reach: tuple[int, int] = (0, 0)
    short: tuple[int, int] = (0, 0)
    """Of a transition: what the files beside it cannot give before and after the cut."""
    head: Seconds = Fraction(0)
    """Seconds of the item's own time that an overlapping transition cut off its start."""

    @property
    def stop(self) -> int:
        """The first frame or sample after the item."""
        return self.first + self.count

    def source_in(self, fps: Fraction) -> Fraction:
        """Answer the media time at the item's start."""
        assert self.clip is not None
        return self.clip.source.in_.at(fps) + self.head * self.clip.speed

    def on_film(self, media_time: Fraction, fps: Fraction) -> Fraction:
        """Answer when a moment of its file is heard or seen, in seconds of the sequence."""
        assert self.clip is not None
        return self.start + (media_time - self.source_in(fps)) / self.clip.speed


class ResolvedTrack(Resolved):
    """One track with gaps made explicit; caption tracks have `words` instead of items."""

    id: str
    role: str
    kind: Literal["video", "audio", "caption"]
    enabled: bool
    items: tuple[ResolvedItem, ...] = ()
    words: tuple[SpokenWord, ...] = ()
    track: Track


class ResolvedTimeline(Resolved):
    """Everything compilation needs. `frames` and `samples` are the whole film's, `duration` exact seconds."""

    schema_version: Literal["resolved/1"] = "resolved/1"
    title: str
    language: str
    profiles: tuple[ProfileUse, ...]
    fps: Seconds
    canvas: tuple[int, int]
    sample_rate: int
    background: str
    duration: Seconds
    frames: int
    samples: int
    tracks: tuple[ResolvedTrack, ...]
    styles: dict[str, TextStyle]
    focus: dict[str, tuple[Seconds, Seconds]]
    media: dict[str, Media]
    nests: dict[str, ResolvedTimeline] = Field(default_factory=dict)
    """The other sequences that this one plays, by name."""
    warnings: tuple[Fault, ...] = ()
