"""Loudness and true peak: measuring (EBU R 128 / ITU-R BS.1770 by ffmpeg), gain, and a true-peak limiter."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.media import ffmpeg
from adapters.media.pcm import BLOCK, Stereo, forget, mapped, write_raw

WITHIN_LU = 0.3
ROUNDS = 5
RANGE_ROUNDS = 3
MAX_GAIN_DB = 30.0
SILENCE_LUFS = -69.0
OVERSAMPLING = 4
LOOK = 240
"""Samples the limiter sees ahead and behind (5 ms)."""
_TAPS = 12
_FLOOR = -120.0


@dataclass(frozen=True)
class Loudness:
    """Integrated loudness in LUFS (−inf when silent), range in LU, true peak in dBTP."""

    integrated: float
    range: float
    true_peak: float

    @property
    def silent(self) -> bool:
        return self.integrated < SILENCE_LUFS


def measure(source: str, folder: Path, raw_rate: int | None = None) -> Loudness:
    """Measure a file (raw stereo float when `raw_rate` is given) over its whole length. Raises ToolFailed."""
    return parsed(ffmpeg.run(ffmpeg.measure_argv(source, raw_rate), folder, what="measure the loudness"))


def parsed(lines: bytes) -> Loudness:
    """The last values of ffmpeg's running measurement, and the highest peak of any moment."""
    peaks = [_number(value) for value in re.findall(rb"r128\.true_peaks_ch\d+=(\S+)", lines)]
    return Loudness(_last(lines, b"r128.I="), _last(lines, b"r128.LRA="), _decibels(max(peaks, default=0.0)))


def _last(lines: bytes, name: bytes) -> float:
    at = lines.rfind(name)
    if at < 0:
        return -math.inf
    return _number(lines[at + len(name) : lines.find(b"\n", at)])


def _number(text: bytes) -> float:
    value = float(text)
    return -math.inf if math.isnan(value) else value


def _decibels(level: float) -> float:
    return 20 * math.log10(level) if level > 0 else -math.inf


def master(raw: Path, folder: Path, rate: int, *, target: float, ceiling: float, widest: float = 0.0) -> Path:
    """Bring a raw mix to a loudness (LUFS) under a true peak (dBTP); returns the raw file to use.

    Linear gain first, limiter last; measured again and corrected until within 0.3 LU. Silence is left alone.
    A loudness range above `widest` LU (0: any) is narrowed first.
    """
    found = measure(raw.name, folder, rate)
    if found.silent:
        return raw
    for turn in range(RANGE_ROUNDS if widest > 0 else 0):
        if found.range <= widest:
            break
        raw = narrowed(raw, folder / f"narrow-{turn}.f32", rate, found, widest)
        found = measure(raw.name, folder, rate)
    out = folder / "mastered.f32"
    gain = min(target - found.integrated, MAX_GAIN_DB)
    for _ in range(ROUNDS):
        limit_file(raw, out, gain, ceiling)
        missed = target - measure(out.name, folder, rate).integrated
        if abs(missed) <= WITHIN_LU / 3 or gain + missed > MAX_GAIN_DB:
            break
        gain += missed
    return out


def narrowed(raw: Path, out: Path, rate: int, found: Loudness, widest: float) -> Path:
    """Pull slow levels (3 s) towards the whole film's by as much as the range is too wide; pauses are not lifted."""
    sound, hop = mapped(raw), rate // 10
    powers = [
        np.square(np.asarray(sound[start : start + hop]), dtype=np.float64).mean()
        for start in range(0, len(sound), hop)
    ]
    weights = np.ones(30) / 30
    power = np.convolve(np.pad(powers, 15, mode="edge"), weights, "same")[15:-15]
    levels = 10 * np.log10(np.maximum(power, 1e-12))
    heard = levels[levels > levels.max() - 30]
    middle = float(np.median(heard)) if len(heard) else 0.0
    share = 1.0 - 0.9 * widest / max(found.range, widest)
    gains = np.clip((middle - levels) * share, -12.0, 12.0)
    gains = np.where(levels < levels.max() - 30, np.minimum(gains, 0.0), gains)
    places = (np.arange(len(gains)) + 0.5) * hop

    def block(start: int, stop: int) -> Stereo:
        curve = 10 ** (np.interp(np.arange(start, stop), places, gains) / 20)
        return np.asarray(sound[start:stop] * curve[:, None], np.float32)

    write_raw(out, len(sound), block)
    return out


def limit_file(raw: Path, out: Path, gain_db: float, ceiling_db: float) -> None:
    """Apply gain and limiter to a raw file block by block; blocks overlap by what the limiter sees."""
    source = mapped(raw)
    gain, ceiling = np.float32(10 ** (gain_db / 20)), 10 ** (ceiling_db / 20)
    margin = 2 * LOOK + 2 * _TAPS

    def block(start: int, stop: int) -> Stereo:
        low, high = max(0, start - margin), min(len(source), stop + margin)
        loud = np.asarray(source[low:high] * gain, np.float32)
        forget(source)
        return limited(loud, ceiling)[start - low : stop - low]

    write_raw(out, len(source), block)


def limited(sound: Stereo, ceiling: float) -> Stereo:
    """Hold the oversampled peak at or under `ceiling` (linear) without clipping the wave.

    The needed gain is taken as the lowest within ±LOOK samples and smoothed over the same width, so it is
    already down when the peak arrives and moves without a click.
    """
    peak = true_peaks(sound)
    if not len(sound) or float(peak.max()) <= ceiling:
        return sound
    need = np.minimum(1.0, ceiling / np.maximum(peak, 1e-9))
    return np.asarray(sound * smoothed(lowest(need, LOOK), LOOK)[:, None], np.float32)


def true_peaks(sound: Stereo) -> NDArray[np.float64]:
    """Highest absolute value of either channel around each sample, between samples included."""
    peak = np.abs(sound).max(axis=1, initial=0).astype(np.float64)
    for phase in range(1, OVERSAMPLING):
        kernel = _kernel(phase / OVERSAMPLING)
        for channel in range(sound.shape[1]):
            between = np.abs(np.convolve(sound[:, channel], kernel)[_TAPS : _TAPS + len(sound)])
            np.maximum(peak, between, out=peak)
            np.maximum(peak[1:], between[:-1], out=peak[1:])
    return np.asarray(peak, np.float64)


def _kernel(d: float) -> NDArray[np.float64]:
    """Windowed sinc for the value at n + d from samples n − TAPS + 1 … n + TAPS (reversed to convolve)."""
    at = np.arange(-_TAPS + 1, _TAPS + 1) - d
    weights = np.sinc(at) * np.cos(np.pi * at / (2 * (_TAPS + 1))) ** 2
    return np.asarray((weights / weights.sum())[::-1])


def lowest(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Minimum within ±reach, by doubling windows."""
    width, span = 2 * reach + 1, 1
    out = np.pad(values, reach, constant_values=1.0)
    while span < width:
        step = min(span, width - span)
        out = np.minimum(out[:-step], out[step:])
        span += step
    return out


def smoothed(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Two running means whose joint reach is ±reach."""
    half = reach // 2
    for _ in range(2):
        padded = np.pad(values, (half + 1, half), mode="edge")
        sums = np.cumsum(padded)
        values = (sums[2 * half + 1 :] - sums[: -2 * half - 1]) / (2 * half + 1)
    return np.asarray(values, np.float64)


assert BLOCK > 8 * LOOK
