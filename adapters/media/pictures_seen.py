"""What the eye would notice in a decoded film: black, frozen and repeated pictures.

Frames are looked at as small luma pictures; the limits below are in their levels (16 black … 235 white). A film can be
looked at piece by piece, and the pieces put together as if it had been seen in one go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
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

    def later(self, frames: int) -> Stretch:
        return Stretch(self.first + frames, self.end + frames)


@dataclass
class Seen:
    """What was seen of a whole film: runs of black and of unchanging frames, frames decoded, frames like the last."""

    frames: int = 0
    repeated: int = 0
    black: list[Stretch] = field(default_factory=list)
    still: list[Stretch] = field(default_factory=list)
    damage: str = ""


@dataclass
class Glimpse:
    """What was seen of a piece of film, with all that is needed to put pieces together.

    `black` and `still` hold every run that is long, and those at both ends however short. `opening` is the first
    frame, `reference` the one that the last still run began with, `closing` a digest of the last frame.
    """

    frames: int = 0
    repeated: int = 0
    black: list[Stretch] = field(default_factory=list)
    still: list[Stretch] = field(default_factory=list)
    opening: Thumb | None = None
    reference: Thumb | None = None
    closing: str = ""


def thumb(frame: Any) -> Thumb:
    """The luma of a decoded frame, scaled down by area."""
    frame = luma(frame)
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


def look(thumbs: Iterable[Thumb], shortest: int) -> Glimpse:
    """Find runs of at least `shortest` frames. Stillness is measured against the run's first frame, so slow
    motion adds up and is not taken for a freeze."""
    seen = Glimpse()
    black_from: int | None = None
    still_from, last = 0, None
    for number, small in enumerate(thumbs):
        seen.frames = number + 1
        if is_black(small):
            black_from = number if black_from is None else black_from
        elif black_from is not None:
            _keep(seen.black, Stretch(black_from, number), shortest)
            black_from = None
        seen.repeated += last is not None and np.array_equal(last, small)
        if seen.reference is None or not is_like(small, seen.reference):
            _keep(seen.still, Stretch(still_from, number), shortest)
            still_from, seen.reference = number, small
        seen.opening = small if seen.opening is None else seen.opening
        last = small
    if last is not None:
        seen.closing = digest(last)
        seen.still.append(Stretch(still_from, seen.frames))
        if black_from is not None:
            seen.black.append(Stretch(black_from, seen.frames))
    return seen


def digest(small: Thumb) -> str:
    return hashlib.sha256(small.tobytes()).hexdigest()


def _keep(runs: list[Stretch], run: Stretch, shortest: int) -> None:
    if run.end - run.first >= (1 if run.first == 0 else shortest):
        runs.append(run)


def joined(pieces: Iterable[Glimpse], shortest: int) -> Seen:
    """One film from its pieces in order: runs that meet at a seam are one, a still run if its pictures are alike."""
    seen, reference, closing = Seen(), None, ""
    for piece in pieces:
        if piece.opening is None or piece.reference is None:
            continue
        alike = reference is not None and is_like(piece.opening, reference)
        seen.repeated += piece.repeated + (closing == digest(piece.opening))
        _append(seen.black, piece.black, seen.frames, meet=True)
        _append(seen.still, piece.still, seen.frames, meet=alike)
        # A run that goes through a whole piece is still measured against what it began with.
        through = alike and piece.still[0].end == piece.frames
        reference = reference if through else piece.reference
        closing, seen.frames = piece.closing, seen.frames + piece.frames
    seen.black = [run for run in seen.black if run.end - run.first >= shortest]
    seen.still = [run for run in seen.still if run.end - run.first >= shortest]
    return seen


def _append(runs: list[Stretch], more: Sequence[Stretch], at: int, *, meet: bool) -> None:
    for run in (each.later(at) for each in more):
        if meet and run.first == at and runs and runs[-1].end == at:
            runs[-1] = Stretch(runs[-1].first, run.end)
        else:
            runs.append(run)


def frames_of(box: Any, stream: Any, faults: list[str]) -> Iterator[Any]:
    """All frames of a film; one that does not decode ends the walk and is noted."""
    import av

    stream.thread_type = "AUTO"
    try:
        yield from box.decode(stream)
    except (av.FFmpegError, ValueError) as fault:
        faults.append(str(fault))


def luma(frame: Any) -> Any:
    """A frame whose first plane is 8-bit luma."""
    planar = frame if frame.format.name.startswith(("yuv", "gray", "nv12")) else frame.reformat(format="gray")
    return frame.reformat(format="gray") if planar.format.components[0].bits > 8 else planar
