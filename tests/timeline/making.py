"""Small documents, media and fonts for trials of the timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from timeline.faults import Fault, TimelineError
from timeline.loading import parse
from timeline.media import Media, MediaWord
from timeline.metrics import FontMetrics
from timeline.resolve import ResolvedTimeline, resolve

GOLDEN = Path(__file__).with_name("golden")
FRAME = 1600
"""Samples of a frame at 30 fps."""

_LETTERS = [chr(code) for code in (*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2010, 0x2030))]
FONT = FontMetrics("Trial", 1000, 950, 250, 0, {ord(char): 500 for char in _LETTERS}, 500, digest="f")
FONTS = dict.fromkeys(("regular", "medium", "bold", "extrabold", "black"), FONT)


def spoken(sentences: Sequence[str], *, word: int = 12_000, pause: int = 24_000, start: int = 4_800) -> list[MediaWord]:
    """Words of sentences, each `word` samples long, 2,000 samples apart, with a pause after each sentence."""
    words: list[MediaWord] = []
    at = start
    for number, sentence in enumerate(sentences, start=1):
        for text in sentence.split():
            words.append(MediaWord(text, at, at + word, number))
            at += word + 2_000
        at += pause
    return words


def voice(words: Sequence[MediaWord], frames: int | None = None) -> Media:
    """A narration of whole frames that holds the words."""
    frames = frames or -(-(words[-1].end + 8_000) // FRAME)
    return Media("a" * 64, "audio", duration=Fraction(frames * FRAME, 48_000), sample_rate=48_000, words=tuple(words))


def picture(letter: str = "b", size: tuple[int, int] = (2560, 1440)) -> Media:
    return Media(letter * 64, "image", *size, media_type="image/jpeg")


DEEP_SKY_SENTENCES = (
    "Long before the first stars were lit, the universe was dark and almost perfectly smooth.",
    "In 1995, the Hubble Space Telescope stared at an empty patch of sky for ten days, and found galaxies.",
    "The Moon is our nearest neighbour.",
    "It moves away from us by 3.8 centimetres every year.",
)


def deep_sky_media() -> dict[str, Media]:
    return {
        "voice": voice(spoken(DEEP_SKY_SENTENCES)),
        "hubble": picture("b"),
        "moon": picture("c", (800, 800)),
        "logo": picture("d", (400, 200)),
        "bed": Media("e" * 64, "audio", duration=Fraction(20), sample_rate=44_100),
    }


def document(*tracks: Mapping[str, Any], **sequence: Any) -> dict[str, Any]:
    """A document of these tracks whose assets are voice, bed, p1 … p9 and logo."""
    names = ["voice", "bed", "logo", *(f"p{number}" for number in range(1, 10))]
    return {
        "schema": "timeline/1",
        "assets": {name: {"uri": name} for name in names},
        "sequence": {"fps": "30", **sequence, "tracks": list(tracks)},
    }


def media(**changes: Media) -> dict[str, Media]:
    known = {
        "voice": voice(spoken(["One two three.", "Four five six.", "Seven eight nine."])),
        "bed": Media("e" * 64, "audio", duration=Fraction(20), sample_rate=48_000),
        "logo": picture("d", (400, 200)),
        **{f"p{number}": picture(str(number)) for number in range(1, 10)},
    }
    return {**known, **changes}


def pictures(*items: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": "picture", "items": list(items)}


def settle(*tracks: Mapping[str, Any], **sequence: Any) -> ResolvedTimeline:
    """Parse and resolve a document of these tracks."""
    return resolve(parse(document(*tracks, **sequence)), media())


def faults_of(*tracks: Mapping[str, Any], **sequence: Any) -> list[Fault]:
    """The faults of a document of these tracks, which must have some."""
    with pytest.raises(TimelineError) as caught:
        settle(*tracks, **sequence)
    return list(caught.value.faults)
