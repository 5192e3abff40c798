"""Stereo float sound on disk: decoding into it, reading parts of it, writing it as WAV.

Sound is kept as raw interleaved 32-bit float beside the work and mapped into memory, so that a long film
needs no more of it than a short one. Arrays are (samples, 2).
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.media import ffmpeg
from adapters.media.errors import NotASound, PlanUnrenderable, ToolFailed
from adapters.media.probe import has_picture, probe_sound

Stereo = NDArray[np.float32]
BLOCK = 1 << 19
"""Samples handled at once (11 s at 48 kHz)."""
_FRAME = 8
_HEADER = 58
_LARGEST = 0xFFFFFFFF - _HEADER


def decoded(source: Path, target: Path, rate: int, folder: Path) -> Stereo:
    """Decode a sound file to raw stereo float at `target` and map it. Raises NotASound, MissingAsset."""
    probe_sound(source)
    argv = ffmpeg.decode_sound_argv(f"file:{source.resolve()}", rate, beside_picture=has_picture(source))
    try:
        with ffmpeg.piped(argv, folder, what="decode a sound") as pipe, target.open("wb") as out:
            while block := pipe.read(1 << 20):
                out.write(block)
    except ToolFailed as error:
        raise NotASound(f"The sound {source.name} does not decode: {error.sentence}") from error
    return mapped(target)


def mapped(path: Path) -> Stereo:
    """A raw file as a read-only array."""
    count = path.stat().st_size // _FRAME
    if count == 0:
        return np.zeros((0, 2), np.float32)
    return np.memmap(path, np.float32, "r", shape=(count, 2))


def forget(sound: Stereo) -> None:
    """Let go of what of a mapped file was read, so that a long film needs no more memory than a short one."""
    part: Any = sound
    while part is not None:
        if isinstance(part, mmap.mmap):
            part.madvise(mmap.MADV_DONTNEED)
            return
        part = getattr(part, "base", None)


def write_raw(path: Path, samples: int, make: Callable[[int, int], Stereo]) -> None:
    """Write `samples` samples block by block; `make(start, stop)` gives each block."""
    with path.open("wb") as out:
        for start in range(0, samples, BLOCK):
            out.write(np.ascontiguousarray(make(start, min(start + BLOCK, samples)), np.float32).data)


def write_wav(path: Path, raw: Path, rate: int) -> None:
    """Wrap a raw file as 32-bit float WAV and force it to disk. Raises PlanUnrenderable beyond 4 GB."""
    size = raw.stat().st_size
    if size > _LARGEST:
        raise PlanUnrenderable("The film's sound is longer than a WAV file can hold (3 hours).")
    with path.open("wb") as out:
        out.write(struct.pack("<4sI4s", b"RIFF", size + _HEADER - 8, b"WAVE"))
        out.write(struct.pack("<4sIHHIIHHH", b"fmt ", 18, 3, 2, rate, rate * _FRAME, _FRAME, 32, 0))
        out.write(struct.pack("<4sII", b"fact", 4, size // _FRAME))
        out.write(struct.pack("<4sI", b"data", size))
        with raw.open("rb") as source:
            while block := source.read(1 << 20):
                out.write(block)
        out.flush()
        os.fsync(out.fileno())


def read_wav(path: Path) -> tuple[Stereo, int]:
    """Map the samples of a WAV written by `write_wav`; returns them with their rate. Raises NotASound."""
    head = path.open("rb").read(_HEADER)
    if len(head) < _HEADER or head[:4] != b"RIFF" or head[50:54] != b"data" or head[20:22] != b"\x03\x00":
        raise NotASound(f"{path.name} is not a sound this renderer wrote.", fix="Mix the sound again.")
    (rate,) = struct.unpack_from("<I", head, 24)
    count = (path.stat().st_size - _HEADER) // _FRAME
    raw = np.memmap(path, np.uint8, "r", offset=_HEADER, shape=(count * _FRAME,)) if count else np.zeros(0, np.uint8)
    return raw.view(np.float32).reshape(-1, 2), rate
