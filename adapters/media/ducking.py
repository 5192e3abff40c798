"""How far a bus steps back while someone speaks: a curve from the known times of speech."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from timeline.plan import Duck


def merged(speech: tuple[tuple[int, int], ...], reach: int) -> list[tuple[int, int]]:
    """Intervals in order, joined where the gap is at most `reach`."""
    out: list[tuple[int, int]] = []
    for start, end in sorted(speech):
        if out and start - out[-1][1] <= reach:
            out[-1] = out[-1][0], max(out[-1][1], end)
        elif end > start:
            out.append((start, end))
    return out


def duck_gain(duck: Duck, start: int, stop: int) -> NDArray[np.float32]:
    """Linear gain for film samples [start, stop).

    The depth follows a raised cosine in decibels: down over `attack` from `lookahead` before the first word,
    held `hold` after the last, up over `release`; overlapping curves take the deeper.
    """
    depth = np.zeros(stop - start, np.float32)
    for begin, end in merged(duck.speech, duck.hold):
        down, up = begin - duck.lookahead, end + duck.hold
        first, last = max(down, start), min(up + duck.release, stop)
        if first >= last:
            continue
        at = np.arange(first, last, dtype=np.float32)
        falling = np.clip((at - down) / max(duck.attack, 1), 0, 1)
        rising = np.clip((up + duck.release - at) / max(duck.release, 1), 0, 1)
        curve = 0.5 - 0.5 * np.cos(np.pi * np.minimum(falling, rising))
        part = depth[first - start : last - start]
        np.maximum(part, curve, out=part)
    return np.asarray(10.0 ** (depth * (-abs(duck.amount_mdb) / 20_000.0)), np.float32)
