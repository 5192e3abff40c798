"""The way a synthesised sentence is made presentable, with all times kept: filter, level, resample to 48 kHz.

Filters are second-order sections (Audio EQ Cookbook formulas) applied as frequency responses of the whole
sentence, so the result does not depend on block sizes: the same samples in give the same samples out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Sound = np.ndarray[Any, np.dtype[np.float64]]

TARGET_RATE = 48_000
CEILING = 10 ** (-1.5 / 20)
_TAIL_SECONDS = 0.25


def present(pcm: bytes, rate: int, gain: float) -> bytes:
    """Shape 16-bit mono PCM of `rate` into 16-bit mono 48 kHz; `gain` in decibels sets the voice's level."""
    dry = np.frombuffer(pcm, dtype="<i2").astype(np.float64) / 32768
    if not len(dry):
        return b""
    shaped = compressed(equalised(dry, rate), rate) * 10 ** (gain / 20)
    wet = limited(resampled(shaped, rate))
    return np.rint(wet * 32767).astype("<i2").tobytes()


def equalised(sound: Sound, rate: int) -> Sound:
    """High-pass 80 Hz, warmth at 220 Hz, less of the metallic 3.2 kHz, a soft roof at 9 kHz."""
    size = fast_size(len(sound) + int(_TAIL_SECONDS * rate))
    delay = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    response = np.ones(len(delay), dtype=np.complex128)
    for section in (
        highpass(80, 0.707, rate),
        peak(220, 0.8, 1.5, rate),
        peak(3200, 1.0, -3.5, rate),
        peak(6500, 1.2, -2.0, rate),
        lowpass(9000, 0.707, rate),
    ):
        response *= section_response(section, delay)
    return np.fft.irfft(np.fft.rfft(sound, size) * response, size)[: len(sound)]


Section = tuple[Sequence[float], Sequence[float]]


def _turn(frequency: float, rate: int) -> tuple[float, float]:
    angle = 2 * np.pi * frequency / rate
    return float(np.cos(angle)), float(np.sin(angle))


def highpass(frequency: float, q: float, rate: int) -> Section:
    cos, sin = _turn(frequency, rate)
    alpha = sin / (2 * q)
    return ((1 + cos) / 2, -(1 + cos), (1 + cos) / 2), (1 + alpha, -2 * cos, 1 - alpha)


def lowpass(frequency: float, q: float, rate: int) -> Section:
    cos, sin = _turn(frequency, rate)
    alpha = sin / (2 * q)
    return ((1 - cos) / 2, 1 - cos, (1 - cos) / 2), (1 + alpha, -2 * cos, 1 - alpha)


def peak(frequency: float, q: float, decibels: float, rate: int) -> Section:
    cos, sin = _turn(frequency, rate)
    alpha, root = sin / (2 * q), 10 ** (decibels / 40)
    return (1 + alpha * root, -2 * cos, 1 - alpha * root), (1 + alpha / root, -2 * cos, 1 - alpha / root)


def section_response(section: Section, delay: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Frequency response of one section; `delay` is that of one sample at each frequency."""
    (b0, b1, b2), (a0, a1, a2) = section
    response: np.ndarray[Any, Any] = ((b2 * delay + b1) * delay + b0) / ((a2 * delay + a1) * delay + a0)
    return response


def compressed(sound: Sound, rate: int) -> Sound:
    """Even out loud and soft syllables: 3:1 above −20 dBFS, 5 ms attack, 80 ms release, levels read every 1 ms."""
    step = rate // 1000
    blocks = -(-len(sound) // step)
    padded = np.zeros(blocks * step)
    padded[: len(sound)] = np.abs(sound)
    levels = padded.reshape(blocks, step).max(axis=1)
    attack, release = np.exp(-1 / 5), np.exp(-1 / 80)
    held, envelope = 0.0, np.empty(blocks)
    for index, level in enumerate(levels.tolist()):
        slope = attack if level > held else release
        held = slope * held + (1 - slope) * level
        envelope[index] = held
    over = 20 * np.log10(np.maximum(envelope, 1e-6)) + 20
    gains = 10 ** (-np.maximum(over, 0) * (2 / 3) / 20)
    curve = np.interp(np.arange(len(sound)), (np.arange(blocks) + 0.5) * step, gains)
    return np.asarray(sound * curve, dtype=np.float64)


def resampled(sound: Sound, rate: int) -> Sound:
    """Band-limited resampling to 48 kHz through the spectrum; lengths scale exactly, ends are padded first."""
    common = int(np.gcd(rate, TARGET_RATE))
    unit, target_unit = rate // common, TARGET_RATE // common
    size = unit * fast_size(-(-(len(sound) + rate // 20) // unit))
    wanted = size // unit * target_unit
    spectrum = np.fft.rfft(sound, size)
    wide = np.zeros(wanted // 2 + 1, dtype=np.complex128)
    keep = min(len(spectrum), len(wide))
    wide[:keep] = spectrum[:keep]
    length = -(-len(sound) * target_unit // unit)
    return np.asarray(np.fft.irfft(wide, wanted)[:length] * (wanted / size), dtype=np.float64)


def limited(sound: Sound) -> Sound:
    """Round off what exceeds 0.6 of the ceiling (−1.5 dBFS); everything below stays untouched."""
    knee = CEILING * 0.6
    loud = np.flatnonzero(np.abs(sound) > knee)
    over = (np.abs(sound[loud]) - knee) / (CEILING - knee)
    calm = sound.copy()
    calm[loud] = np.sign(sound[loud]) * (knee + (CEILING - knee) * np.tanh(over))
    return calm


def fast_size(at_least: int) -> int:
    """A length the transform is quick at: 2^a·3·… not below `at_least`."""
    best = 1 << max(1, at_least - 1).bit_length()
    for odd in (3, 5, 9, 15, 45):
        size = odd << max(0, (-(-at_least // odd) - 1).bit_length())
        best = min(best, size)
    return best


def voiced_bounds(pcm: bytes, rate: int, floor: float = 0.003) -> tuple[int, int]:
    """First and one past the last sample that is louder than the floor (of full scale), with 8 ms of air."""
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, dtype="<i2").astype(np.int32)) > floor * 32768)
    if not len(loud):
        return 0, 0
    air = rate * 8 // 1000
    return max(0, int(loud[0]) - air), min(len(pcm) // 2, int(loud[-1]) + 1 + air)


def word_ends(pcm: bytes, starts: Sequence[int], rate: int) -> list[int]:
    """Where each word's sound ends: the last 5 ms frame before the next start that is not near silence."""
    sound = np.abs(np.frombuffer(pcm, dtype="<i2").astype(np.int32))
    frame, quiet = rate // 200, 0.012 * max(1, int(sound.max(initial=1)))
    ends = []
    for start, limit in zip(starts, [*starts[1:], len(sound)], strict=True):
        loud = np.flatnonzero(sound[start:limit] > quiet)
        end = start + int(loud[-1]) + 1 + 2 * frame if len(loud) else limit
        ends.append(min(limit, max(end, start + rate // 25)))
    return ends
