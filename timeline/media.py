"""What is known about the files behind a document's assets, as measured by whoever loads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

WORD_RATE = 48_000
"""Words and speech intervals count samples at this rate, whatever the rate of the file."""

PAUSE = WORD_RATE // 4
"""Silence between words up to this long (0.25 s) counts as speech going on."""


@dataclass(frozen=True)
class MediaWord:
    """A spoken word: half-open samples at 48 kHz from the start of the file, and its sentence, counted from 1."""

    text: str
    start: int
    end: int
    sentence: int
    source: str = "synth"


@dataclass(frozen=True)
class SpokenWord:
    """A word on the sequence's time line: half-open film samples; `sentence` is unique in the film."""

    text: str
    start: int
    end: int
    sentence: str
    source: str = "synth"


@dataclass(frozen=True)
class Media:
    """One asset as measured. `duration` in exact seconds (None for stills); `speech` in 48 kHz samples."""

    sha256: str
    kind: Literal["image", "audio", "video", "captions", "lut"]
    width: int = 0
    height: int = 0
    duration: Fraction | None = None
    sample_rate: int = 0
    words: tuple[MediaWord, ...] = ()
    speech: tuple[tuple[int, int], ...] | None = None
    media_type: str = ""
    fps: Fraction | None = None
    channels: int = 2


def speech_intervals(media: Media) -> tuple[tuple[int, int], ...]:
    """Answer when someone speaks in a file (48 kHz samples): as given, else from its words, else all of it."""
    if media.speech is not None:
        return media.speech
    if media.words:
        return merge((word.start, word.end) for word in media.words)
    return ((0, int((media.duration or 0) * WORD_RATE)),)


def merge(intervals: Iterable[tuple[int, int]], pause: int = PAUSE) -> tuple[tuple[int, int], ...]:
    """Join intervals that lie at most `pause` apart."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(intervals):
        if merged and start - merged[-1][1] <= pause:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
