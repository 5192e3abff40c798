"""What the ear would notice in a decoded film: silence, and speech that comes early or late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.media.pcm import Stereo, decoded, forget
from timeline.plan import RenderPlan

HOP_MS = 10
HEARD = "heard.f32"
RATE = 48_000
HOP = RATE * HOP_MS // 1000
FLOOR_DB = -90.0
SILENT_DB = -50.0
WIDEST_LAG = 50
"""Hops (half a second) by which speech is searched early or late."""
SURE = 0.35
SYLLABLE = 15
"""Hops over which levels are averaged, so that syllables join into words."""
FULL_SCALE = 0.985
CLIPPED_SAMPLES, CLIPPED_HOPS = 8, 3
"""So many samples at full scale in 10 ms, so many times, are no accident."""
_BLOCK = HOP * 1000


@dataclass(frozen=True)
class Lag:
    """How late the speech is in seconds (negative: early), and how surely (correlation 0..1)."""

    seconds: float
    surety: float


def envelope(source: Path, folder: Path) -> NDArray[np.float32]:
    """Level in dB of every 10 ms. Raises NotASound."""
    sound = decoded(source, folder / HEARD, RATE, folder)
    parts = []
    for start in range(0, len(sound), _BLOCK):
        parts.append(_levels(sound[start : start + _BLOCK]))
        forget(sound)
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _levels(block: Stereo) -> NDArray[np.float32]:
    whole = np.asarray(block[: len(block) // HOP * HOP]).reshape(-1, HOP * 2)
    power = (whole.astype(np.float64) ** 2).mean(axis=1)
    return np.asarray(np.maximum(10 * np.log10(power + 1e-12), FLOOR_DB), np.float32)


def silences(levels: NDArray[np.float32], shortest_s: float) -> list[tuple[float, float]]:
    """Stretches under −50 dB in seconds."""
    quiet = np.concatenate([[False], levels < SILENT_DB, [False]])
    edges = np.flatnonzero(np.diff(quiet.astype(np.int8)))
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(a * HOP_MS / 1000, b * HOP_MS / 1000) for a, b in pairs if (b - a) * HOP_MS / 1000 >= shortest_s]


def clipped(sound: Stereo) -> list[tuple[float, float]]:
    """Stretches in seconds in which the wave stands at full scale again and again; short gaps belong to them."""
    hops = []
    for start in range(0, len(sound), _BLOCK):
        block = sound[start : start + _BLOCK]
        whole = np.abs(np.asarray(block[: len(block) // HOP * HOP]).reshape(-1, HOP * 2))
        hops.append((whole >= FULL_SCALE).sum(axis=1) >= CLIPPED_SAMPLES)
    marked = np.flatnonzero(np.concatenate(hops)) if hops else np.zeros(0, int)
    if len(marked) < CLIPPED_HOPS:
        return []
    runs = np.split(marked, np.flatnonzero(np.diff(marked) > 50) + 1)
    return [(int(run[0]) * HOP_MS / 1000, (int(run[-1]) + 1) * HOP_MS / 1000) for run in runs]


def speech_of(plan: RenderPlan) -> list[tuple[int, int]]:
    """When words are spoken, in film samples: from the cues, else from what music steps back for."""
    words = [(word.start, word.end) for cue in plan.cues for word in cue.words]
    return sorted(words or [part for duck in plan.sound.ducks for part in duck.speech])


def speech_lag(levels: NDArray[np.float32], speech: Sequence[tuple[int, int]]) -> Lag | None:
    """Compare the sound's level with when words should be; None when there are no pauses to compare by."""
    said = np.zeros(len(levels), np.float64)
    for start, end in speech:
        said[start // HOP : -(-end // HOP)] = 1.0
    power = 10 ** (np.clip(levels, -60.0, 0.0).astype(np.float64) / 10)
    heard = 10 * np.log10(_averaged(power))
    said = _averaged(said)
    spoken = np.flatnonzero(said)
    if len(said) < 4 * WIDEST_LAG or not len(spoken):
        return None
    first, last = max(spoken[0] - WIDEST_LAG, WIDEST_LAG), min(spoken[-1] + WIDEST_LAG, len(said) - WIDEST_LAG)
    if last - first < 2 * WIDEST_LAG or said[first:last].std() < 0.05 or heard[first:last].std() < 0.5:
        return None
    lags = range(-WIDEST_LAG, WIDEST_LAG + 1)
    scores = [float(np.corrcoef(said[first:last], heard[first + lag : last + lag])[0, 1]) for lag in lags]
    best = int(np.argmax(scores))
    return Lag(lags[best] * HOP_MS / 1000, scores[best])


def _averaged(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.convolve(values, np.full(SYLLABLE, 1 / SYLLABLE), "same"))
