"""The shape of a sound: all of it with what has been played, or only the moment."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
from numpy.typing import NDArray

from adapters.media.contents.base import Source, coloured
from adapters.media.pcm import Stereo
from adapters.media.planes import Plane
from adapters.media.sheets import over
from adapters.media.workshop import Workshop
from timeline.plan import Layer
from timeline.stage import Wave

FINER = 4
LEAST = 0.02
"""Height of silence, as a share of the box, so that a bar never vanishes."""


def make(content: Wave, layer: Layer, shop: Workshop) -> Source:
    sound = shop.sound(content.asset)
    return _whole(content, layer, sound) if content.mode == "whole" else _live(content, layer, sound)


def levels(sound: Stereo, start: int, samples: int, count: int) -> NDArray[np.float64]:
    """Loudness 0..1 of `count` equal parts of a stretch; beyond the sound's ends it is silent."""
    edges = np.linspace(start, start + samples, count + 1).round().astype(int)
    parts = [sound[max(a, 0) : max(b, 0)] for a, b in itertools.pairwise(edges)]
    return np.array([_power(part) if len(part) else 0.0 for part in parts])


def _power(part: Stereo) -> float:
    return float(np.sqrt(np.mean(np.square(part, dtype=np.float64))))


def _whole(content: Wave, layer: Layer, sound: Stereo) -> Source:
    heights = levels(sound, content.start, content.samples, content.bars)
    mask = _drawn(heights / max(float(heights.max()), 1e-6), content.style, layer.box.w, layer.box.h)
    played, rest = coloured(mask, content.colour), coloured(mask, content.ground or content.colour)

    def edge(k: int) -> int:
        return round(layer.box.w * min(max((k + 1) / max(layer.item_frames, 1), 0.0), 1.0))

    def draw(k: int, frame: int) -> Plane:
        pixels = rest.copy()
        pixels[:, : edge(k)] = played[:, : edge(k)]
        return pixels

    return Source(draw, lambda k, frame: edge(k) if content.ground else 0)


def _live(content: Wave, layer: Layer, sound: Stereo) -> Source:
    w, h = layer.box.w, layer.box.h
    per_frame = content.samples / max(layer.item_frames, 1)

    @cache
    def loudest() -> float:
        whole = levels(sound, content.start, content.samples, max(1, content.samples // max(content.window, 1)))
        return max(float(whole.max()) * 1.6, 1e-6)

    def draw(k: int, frame: int) -> Plane:
        middle = content.start + round((k + 0.5) * per_frame)
        begin = middle - content.window // 2
        if content.style == "line":
            mask = _line(sound, begin, content.window, w, h)
        else:
            mask = _drawn(np.minimum(levels(sound, begin, content.window, content.bars) / loudest(), 1), "bars", w, h)
        pixels = np.zeros((h, w, 4), np.uint8)
        if content.ground:
            pixels = coloured(np.full((h, w), 255, np.uint8), content.ground)
        over(pixels, coloured(mask, content.colour))
        return pixels

    return Source(draw, lambda k, frame: k)


def _drawn(heights: NDArray[np.float64], style: str, w: int, h: int) -> Plane:
    """Heights 0..1 as columns with gaps, or as one joined outline, symmetrical about the middle."""
    x = (np.arange(w * FINER) + 0.5) / FINER
    if style == "line":
        at = (np.arange(len(heights)) + 0.5) * w / len(heights)
        tall = np.interp(x, at, heights)
        shown = np.ones_like(x)
    else:
        pitch = w / len(heights)
        tall = heights[np.minimum((x / pitch).astype(int), len(heights) - 1)]
        shown = (np.abs(x / pitch % 1 - 0.5) <= 0.34).astype(float)
    reach = np.maximum(tall, LEAST) * h / 2
    y = np.abs(np.arange(h) + 0.5 - h / 2)[:, None]
    fine = np.clip(reach[None, :] - y + 0.5, 0, 1) * shown[None, :]
    return np.asarray(fine.reshape(h, w, FINER).mean(axis=2) * 255 + 0.5, np.uint8)


def _line(sound: Stereo, begin: int, window: int, w: int, h: int) -> Plane:
    """The wave itself: for each column the span between its lowest and highest sample, joined to the next."""
    at = np.linspace(begin, begin + window, w + 1).round().astype(int)
    mono = np.zeros(window + 2)
    low, high = max(begin, 0), min(begin + window + 2, len(sound))
    if high > low:
        mono[low - begin : high - begin] = np.asarray(sound[low:high]).mean(axis=1)
    tops = np.array([mono[a - begin : max(b - begin, a - begin) + 1].max() for a, b in itertools.pairwise(at)])
    lows = np.array([mono[a - begin : max(b - begin, a - begin) + 1].min() for a, b in itertools.pairwise(at)])
    thick = max(1.0, h / 60)
    y = np.arange(h)[:, None] + 0.5
    upper, lower = h / 2 * (1 - tops.clip(-1, 1)), h / 2 * (1 - lows.clip(-1, 1))
    inside = np.clip(np.minimum(y - upper[None, :], lower[None, :] - y) + thick / 2 + 0.5, 0, 1)
    return np.asarray(inside * 255 + 0.5, np.uint8)
