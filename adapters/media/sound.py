"""The whole film's sound: placed, faded, repeated, stepped back, mastered; to the sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.media import loudness
from adapters.media.ducking import duck_gain
from adapters.media.errors import PlanUnrenderable
from adapters.media.pcm import Stereo, decoded, write_raw, write_wav
from adapters.media.workshop import asset_path
from domain.production.ports import Assets
from timeline.plan import Sound, SoundMix

EDGE = 240
"""Samples of fade (5 ms) where a sound ends before its place does."""
SEAM = 48_000
"""Longest crossfade, in samples, where a sound repeats."""
CODEC_MARGIN_MDB = 500
"""AAC lifts peaks a little; the mix stays this much under the wanted true peak."""


def make_sound(mix: SoundMix, assets: Assets, out: Path, folder: Path, report: Callable[[int, int], None]) -> None:
    """Write the mastered mix as float WAV at `out`. Progress counts samples, mastering included."""
    steps = mix.samples * 2
    sources = _sources(mix, assets, folder)
    raw = folder / "mix.f32"

    def block(start: int, stop: int) -> Stereo:
        report(start, steps)
        return mixed(mix, sources, start, stop)

    write_raw(raw, mix.samples, block)
    report(mix.samples, steps)
    mastered = loudness.master(
        raw,
        folder,
        mix.sample_rate,
        target=mix.master.loudness_mlufs / 1000,
        ceiling=(mix.master.true_peak_mdbtp - CODEC_MARGIN_MDB) / 1000,
    )
    write_wav(out, mastered, mix.sample_rate)
    report(steps, steps)


def _sources(mix: SoundMix, assets: Assets, folder: Path) -> Mapping[str, Stereo]:
    found: dict[str, Stereo] = {}
    for sound in mix.sounds:
        if sound.samples < 1 or sound.source_in < 0:
            raise PlanUnrenderable(f"A sound on bus {sound.bus} has no length or starts before its file.")
        if sound.asset not in found:
            target = folder / f"source-{len(found)}.f32"
            found[sound.asset] = decoded(asset_path(assets, sound.asset), target, mix.sample_rate, folder)
    return found


def mixed(mix: SoundMix, sources: Mapping[str, Stereo], start: int, stop: int) -> Stereo:
    """Film samples [start, stop) before mastering."""
    total = np.zeros((stop - start, 2), np.float32)
    buses: dict[str, Stereo] = {}
    for sound in mix.sounds:
        first, last = max(sound.start, start), min(sound.start + sound.samples, stop)
        if first >= last:
            continue
        bus = buses.setdefault(sound.bus, np.zeros_like(total))
        part = played(sound, sources[sound.asset], first - sound.start, last - sound.start)
        bus[first - start : last - start] += part
    for name, bus in buses.items():
        for duck in mix.ducks:
            if duck.bus == name:
                bus *= duck_gain(duck, start, stop)[:, None]
        total += bus
    return total


def played(sound: Sound, source: Stereo, first: int, last: int) -> Stereo:
    """What a sound gives for its own samples [first, last): source, repeats, gain and fades."""
    usable = source[sound.source_in :]
    out = repeated(usable, first, last) if sound.loop else once(usable, first, last)
    at = np.arange(first, last, dtype=np.float32)
    fade = np.minimum(
        _ramp((at + 0.5) / max(sound.fade_in, 1)), _ramp((sound.samples - at - 0.5) / max(sound.fade_out, 1))
    )
    return np.asarray(out * (fade * np.float32(10 ** (sound.gain_mdb / 20_000)))[:, None], np.float32)


def once(source: Stereo, first: int, last: int) -> Stereo:
    """A part of a source, silent after its end, which is faded over EDGE samples."""
    out = np.zeros((last - first, 2), np.float32)
    have = max(0, min(last, len(source)) - first)
    out[:have] = source[first : first + have]
    if first + have == len(source) or last > len(source) - EDGE:
        at = np.arange(first, first + have, dtype=np.float32)
        out[:have] *= _ramp((len(source) - at - 0.5) / EDGE)[:, None]
    return out


def repeated(source: Stereo, first: int, last: int) -> Stereo:
    """A part of a source that goes on for ever; each seam is an equal-power crossfade."""
    out = np.zeros((last - first, 2), np.float32)
    seam = min(SEAM, len(source) // 4)
    period = len(source) - seam
    if period < 1:
        return out
    for turn in range(max(0, (first - seam) // period), last // period + 1):
        begin = turn * period
        low, high = max(begin, first), min(begin + len(source), last)
        if low >= high:
            continue
        piece = np.array(source[low - begin : high - begin])
        at = np.arange(low - begin, high - begin, dtype=np.float32)
        if turn > 0:
            piece *= _power((at + 0.5) / max(seam, 1))[:, None]
        piece *= _power((len(source) - at - 0.5) / max(seam, 1))[:, None]
        out[low - first : high - first] += piece
    return out


def _ramp(x: NDArray[Any]) -> NDArray[np.float32]:
    """Raised cosine 0 → 1."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(x, 0, 1)), np.float32)


def _power(x: NDArray[Any]) -> NDArray[np.float32]:
    """Quarter sine 0 → 1: two of them crossed keep the power."""
    return np.asarray(np.sin(np.pi / 2 * np.clip(x, 0, 1)), np.float32)
