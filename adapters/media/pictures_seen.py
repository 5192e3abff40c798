"""What the eye would notice in a decoded film: black, frozen and repeated pictures.

Frames are looked at as small luma pictures; the limits below are in their levels (16 black … 235 white).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

LONG_SIDE = 192
BLACK_LEVEL = 36
BLACK_SHARE = 0.98
STILL_LEVELS = 1.0
STILL_SHARE = 0.99

Thumb = NDArray[np.uint8]


@dataclass(frozen=True)
class Stretch:
    """A half-open run of frames."""

    first: int
    end: int

    def seconds(self, rate: Fraction) -> tuple[float, float]:
        return float(self.first / rate), float(self.end / rate)


@dataclass
class Seen:
    """Runs of black and of unchanging frames, frames decoded, frames exactly like the one before."""

    frames: int = 0
    repeated: int = 0
    black: list[Stretch] = field(default_factory=list)
    still: list[Stretch] = field(default_factory=list)
    damage: str = ""


def thumb(frame: Any) -> Thumb:
    """The luma of a decoded planar frame, scaled down by area."""
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    factor = LONG_SIDE / max(frame.width, frame.height)
    size = max(2, round(frame.width * factor)), max(2, round(frame.height * factor))
    return np.asarray(cv2.resize(rows, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR))


def is_black(small: Thumb) -> bool:
    return bool(np.count_nonzero(small <= BLACK_LEVEL) >= BLACK_SHARE * small.size)


def is_like(small: Thumb, reference: Thumb) -> bool:
    """Whether hardly any place differs by more than coding noise."""
    changed = np.count_nonzero(cv2.absdiff(small, reference) > STILL_LEVELS)
    return bool(changed <= (1 - STILL_SHARE) * small.size)


def look(thumbs: Iterable[Thumb], shortest: int) -> Seen:
    """Find runs of at least `shortest` frames. Stillness is measured against the run's first frame, so slow
    motion adds up and is not taken for a freeze."""
    seen = Seen()
    black_from: int | None = None
    still_from, reference, last = 0, None, None
    for number, small in enumerate(thumbs):
        seen.frames = number + 1
        if is_black(small):
            black_from = number if black_from is None else black_from
        elif black_from is not None:
            _keep(seen.black, black_from, number, shortest)
            black_from = None
        if last is not None and np.array_equal(last, small):
            seen.repeated += 1
        if reference is None or not is_like(small, reference):
            _keep(seen.still, still_from, number, shortest)
            still_from, reference = number, small
        last = small
    if black_from is not None:
        _keep(seen.black, black_from, seen.frames, shortest)
    _keep(seen.still, still_from, seen.frames, shortest)
    return seen


def _keep(runs: list[Stretch], first: int, end: int, shortest: int) -> None:
    if end - first >= shortest:
        runs.append(Stretch(first, end))


def thumbs_of(box: Any, stream: Any, faults: list[str]) -> Iterator[Thumb]:
    """Small pictures of all frames; a frame that does not decode ends the walk and is noted."""
    import av

    stream.thread_type = "AUTO"
    try:
        for frame in box.decode(stream):
            planar = frame if frame.format.name.startswith(("yuv", "gray", "nv12")) else frame.reformat(format="gray")
            if planar.format.components[0].bits > 8:
                planar = frame.reformat(format="gray")
            yield thumb(planar)
    except (av.FFmpegError, ValueError) as fault:
        faults.append(str(fault))
