"""Looking at a film or a piece of it once, and keeping what was seen.

What was seen of a segment holds wherever its coded pictures are the same, so a film whose segments have been looked at
need not be decoded again: its packets are compared instead. Everything here counts frames from the piece's own start.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from adapters.media.captions_seen import Mark, Reader
from adapters.media.errors import NotAVideo
from adapters.media.pictures_seen import Glimpse, Stretch, Thumb, frames_of, look, thumb
from adapters.media.probe import open_media
from adapters.media.verdict import LONGEST_BLACK_S, LONGEST_FROZEN_S
from timeline.plan import RenderPlan


@dataclass(frozen=True)
class Watched:
    """What was seen of a piece: pictures, captions, a digest of its coded pictures, and what did not decode."""

    glimpse: Glimpse
    marks: Sequence[Mark]
    packets: str
    damage: str = ""


def watch(path: Path, plan: RenderPlan | None, folder: Path, report: Callable[[int, int], None]) -> Watched:
    """Decode a film, or a piece of one with the plan of this piece, once. Raises NotAVideo, MissingAsset."""
    faults: list[str] = []
    reader = Reader(plan, folder) if plan else None
    with open_media(path, NotAVideo) as box:
        stream = box.streams.video[0]
        total = plan.frames if plan else stream.frames

        def counted() -> Iterator[Thumb]:
            for number, frame in enumerate(frames_of(box, stream, faults)):
                if reader is not None:
                    reader.read(number, frame)
                report(min(number + 1, total), total)
                yield thumb(frame)

        glimpse = look(counted(), shortest(Fraction(stream.average_rate or 30)))
    return Watched(glimpse, reader.marks if reader else [], packets_of(path), faults[0] if faults else "")


def shortest(rate: Fraction) -> int:
    """Frames from which on black and still pictures are worth a word."""
    return math.ceil(min(LONGEST_BLACK_S, LONGEST_FROZEN_S) * rate)


def packets_of(path: Path) -> str:
    """A digest of all coded pictures of a file."""
    with open_media(path, NotAVideo) as box:
        coded = Coded(box.streams.video[0])
        for packet in box.demux(box.streams.video[0]):
            coded.add(packet)
        return coded.digest()


class Coded:
    """Digests runs of coded pictures; what the decoder must know beforehand is part of them."""

    def __init__(self, stream: Any) -> None:
        self._known = bytes(stream.codec_context.extradata or b"")
        self._hash = hashlib.sha256(self._known)

    def add(self, packet: Any) -> None:
        if packet.size:
            self._hash.update(packet)

    def digest(self) -> str:
        """The digest of the run that ends here; the next one begins."""
        found, self._hash = self._hash.hexdigest(), hashlib.sha256(self._known)
        return found


# ── Kept as a file ────────────────────────────────────────────────────────────────────────────────────────
def written(watched: Watched, key: str) -> bytes:
    """What was seen, to be kept beside the segment."""
    glimpse = watched.glimpse
    kept = {
        "key": key,
        "packets": watched.packets,
        "damage": watched.damage,
        "marks": [asdict(mark) for mark in watched.marks],
        "frames": glimpse.frames,
        "repeated": glimpse.repeated,
        "black": [[run.first, run.end] for run in glimpse.black],
        "still": [[run.first, run.end] for run in glimpse.still],
        "opening": _packed(glimpse.opening),
        "reference": _packed(glimpse.reference),
        "closing": glimpse.closing,
    }
    return json.dumps(kept).encode()


def read(path: Path, key: str) -> Watched | None:
    """What `written` kept under the same key; None when there is no such thing."""
    try:
        kept = json.loads(path.read_bytes())
        if kept["key"] != key:
            return None
        glimpse = Glimpse(
            frames=kept["frames"],
            repeated=kept["repeated"],
            black=[Stretch(*run) for run in kept["black"]],
            still=[Stretch(*run) for run in kept["still"]],
            opening=_unpacked(kept["opening"]),
            reference=_unpacked(kept["reference"]),
            closing=kept["closing"],
        )
        return Watched(glimpse, [Mark(**mark) for mark in kept["marks"]], kept["packets"], kept["damage"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _packed(small: Thumb | None) -> str:
    return "" if small is None else base64.b64encode(cv2.imencode(".png", small)[1].tobytes()).decode()


def _unpacked(text: str) -> Thumb | None:
    if not text:
        return None
    coded = np.frombuffer(base64.b64decode(text), np.uint8)
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
