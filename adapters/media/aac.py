"""The film's sound as AAC, made once for the whole film and measured as it will be heard."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import av
import numpy as np

from adapters.media import loudness
from adapters.media.encoder import file_fault
from adapters.media.errors import MediaError
from adapters.media.loudness import Loudness
from adapters.media.pcm import BLOCK, Stereo, forget, mapped, read_wav, write_raw
from timeline.plan import Master

FRAME = 1024
ROUNDS = 4
STEP_DB = 0.3
LIMIT_LU = 0.3
"""Loudness further off than this is corrected (a film passes within 0.5)."""


def encode_within(wav: Path, master: Master, bitrate: int, folder: Path) -> Path:
    """Encode a mastered WAV; where the codec lifted peaks or moved loudness, correct and encode again."""
    sound, rate = read_wav(wav)
    out = folder / "sound.m4a"
    raw = folder / "sound.f32"
    target, top = master.loudness_mlufs / 1000, master.true_peak_mdbtp / 1000
    gain, ceiling = 0.0, top
    for attempt in range(ROUNDS):
        encode(sound if attempt == 0 else mapped(raw), rate, bitrate, out)
        heard = loudness.measure(out.name, folder)
        change, lower = correction(heard, target, top)
        if change == 0.0 and lower == 0.0:
            break
        gain, ceiling = gain + change, min(ceiling, top - STEP_DB) - lower
        write_raw(folder / "plain.f32", len(sound), lambda start, stop: _read(sound, start, stop))
        loudness.limit_file(folder / "plain.f32", raw, gain, ceiling)
    return out


def correction(heard: Loudness, target: float, top: float) -> tuple[float, float]:
    """How much louder (dB) and how much lower the limiter (dB) the next try must be; (0, 0) when it fits."""
    if heard.silent or not math.isfinite(heard.true_peak):
        return 0.0, 0.0
    missed = target - heard.integrated
    return (missed if abs(missed) > LIMIT_LU else 0.0), max(0.0, heard.true_peak - top)


def encode(sound: Stereo, rate: int, bitrate: int, out: Path) -> None:
    """Encode stereo float to AAC-LC in an MP4. Raises DiskFull, ToolFailed."""
    try:
        with av.open(str(out), "w", format="mp4", options={"fflags": "+bitexact"}) as box:
            stream: Any = box.add_stream("aac", rate=rate, options={"flags": "+bitexact"})
            stream.codec_context.layout = "stereo"
            stream.codec_context.format = "fltp"
            stream.codec_context.bit_rate = bitrate
            for start in range(0, len(sound), FRAME):
                box.mux(stream.encode(_frame(sound[start : start + FRAME], start, rate)))
                if start % (BLOCK // FRAME * FRAME) == 0:
                    forget(sound)
            box.mux(stream.encode(None))
    except MediaError:
        raise
    except (av.FFmpegError, OSError) as fault:
        raise file_fault(fault, "write the sound") from fault


def _read(sound: Stereo, start: int, stop: int) -> Stereo:
    forget(sound)
    return sound[start:stop]


def _frame(block: Stereo, at: int, rate: int) -> Any:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block.T), format="fltp", layout="stereo")
    frame.sample_rate = rate
    frame.pts = at
    return frame
