"""Word times for a recording that comes without: the draft voice says the same sentence, and time is warped between.

Mel cepstra of both (25 ms windows every 10 ms, 13 coefficients, mean and variance normalised) are compared by dynamic
time warping within a band around the straight line; the known word starts of the draft voice are carried over.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from domain.production.ports import SAMPLE_RATE, SpokenWord

WINDOW, HOP, SIZE = SAMPLE_RATE * 25 // 1000, SAMPLE_RATE * 10 // 1000, 2048
BANDS, KEPT = 26, 13
LOWEST, HIGHEST = 60.0, 8000.0
BAND_PART, BAND_LEAST = 0.2, 60
"""Half width of the band: a part of the recording, and frames at least."""

Matrix = np.ndarray[Any, np.dtype[np.float32]]


def aligned_words(pcm: bytes, reference: bytes, words: Sequence[SpokenWord]) -> tuple[SpokenWord, ...]:
    """The reference's words placed in `pcm` (both 16-bit mono 48 kHz without silence at their ends)."""
    length = len(pcm) // 2
    path = warped(cepstra(reference), cepstra(pcm))
    starts = [carried(word.start, path, length) for word in words]
    ends = [*starts[1:], length]
    lasts = [carried(word.end, path, length) for word in words]
    return tuple(
        SpokenWord(word.text, start, max(start, min(last, end)), "aligned" if word.source == "synth" else word.source)
        for word, start, last, end in zip(words, starts, lasts, ends, strict=True)
    )


def carried(sample: int, path: Sequence[int], length: int) -> int:
    """A time of the reference in the recording; `path` has the recording's frame for each of the reference's."""
    frame, rest = divmod(sample, HOP)
    here = path[min(frame, len(path) - 1)]
    following = path[min(frame + 1, len(path) - 1)]
    return min(length, here * HOP + (following - here) * rest)


def cepstra(pcm: bytes) -> Matrix:
    """Mel cepstra, one row for each 10 ms."""
    sound = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32768
    sound = np.append(sound[:1], sound[1:] - 0.97 * sound[:-1])
    frames = max(1, -(-len(sound) // HOP))
    padded = np.zeros(frames * HOP + WINDOW, dtype=np.float32)
    padded[: len(sound)] = sound
    at = np.arange(frames)[:, None] * HOP + np.arange(WINDOW)
    power = np.abs(np.fft.rfft(padded[at] * np.hanning(WINDOW).astype(np.float32), SIZE)) ** 2
    energies = np.log(power @ _mel_bands().T + 1e-8)
    found = energies @ _cosines().T
    spread = found.std(axis=0)
    return np.asarray((found - found.mean(axis=0)) / np.where(spread > 1e-6, spread, 1), dtype=np.float32)


def warped(reference: Matrix, recording: Matrix) -> list[int]:
    """For each frame of the reference its frame in the recording, never running back."""
    rows, columns = len(reference), len(recording)
    half = max(BAND_LEAST, round(columns * BAND_PART))
    width = min(columns, 2 * half + 1)
    firsts = [min(max(row * columns // rows - half, 0), columns - width) for row in range(rows)]
    totals = np.empty((rows, width), dtype=np.float32)
    for row, first in enumerate(firsts):
        costs = np.linalg.norm(recording[first : first + width] - reference[row], axis=1).astype(np.float64)
        totals[row] = _next_row(totals[row - 1] if row else None, first - firsts[row - 1] if row else 0, costs)
    return _walked_back(totals, firsts)


def _next_row(above: Any, shift: int, costs: Any) -> Any:
    """Least costs up to each cell of a row: from above, from above left, or from the left."""
    sums = np.cumsum(costs)
    if above is None:
        return sums
    width = len(costs)
    wide = np.full(width + shift + 1, np.inf)
    wide[1 : width + 1] = above
    best = np.minimum(wide[shift + 1 : shift + 1 + width], wide[shift : shift + width])
    # A run to the right costs the difference of two sums, so that the best start of a run is a running minimum.
    return sums + np.minimum.accumulate(best + costs - sums)


def _walked_back(totals: Matrix, firsts: Sequence[int]) -> list[int]:
    """The cheapest path from the last cell to the first; the earliest column of each row."""
    row, column = len(firsts) - 1, totals.shape[1] - 1
    path = [0] * len(firsts)
    while True:
        path[row] = firsts[row] + column
        options = [(float(totals[row, column - 1]), 0, column - 1)] if column else []
        if row:
            over = firsts[row] + column - firsts[row - 1]
            options += [
                (float(totals[row - 1, there]), 1, there) for there in (over - 1, over) if 0 <= there < totals.shape[1]
            ]
        if not options:
            return path
        _, up, column = min(options)
        row -= up


@lru_cache(maxsize=1)
def _mel_bands() -> Matrix:
    """Triangular filters, equally wide by ear."""
    low, high = (2595 * np.log10(1 + edge / 700) for edge in (LOWEST, HIGHEST))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    places = np.arange(SIZE // 2 + 1) * SAMPLE_RATE / SIZE
    rising = (places - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - places) / (edges[2:] - edges[1:-1])[:, None]
    return np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)


@lru_cache(maxsize=1)
def _cosines() -> Matrix:
    """The cosine transform that turns band energies into cepstra."""
    return np.cos(np.pi * np.arange(KEPT)[:, None] * (np.arange(BANDS) + 0.5) / BANDS).astype(np.float32)
