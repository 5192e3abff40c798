"""The whole film's sound: placed, faded, repeated, stepped back, mastered; to the sample."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.media import loudness
from adapters.media.ducking import duck_gain
from adapters.media.errors import PlanUnrenderable
from adapters.media.pcm import BLOCK, Stereo, decoded, forget, write_raw, write_wav
from adapters.media.stretch import part_key, prepared
from adapters.media.workshop import asset_path
from domain.production.ports import Assets
from timeline.plan import Duck, Sound, SoundMix

EDGE = 240
"""Samples of fade (5 ms) where a sound ends before its place does."""
SEAM = 48_000
"""Longest crossfade, in samples, where a sound repeats."""
TONE_PEAK = 0.5
"""Height of a tone before its gain (−6 dBFS)."""
STEERING_DB = -45.0
"""Above this level, in 10 ms, a bus that steers a sidechain counts as sounding."""
CODEC_MARGIN_MDB = 500
"""AAC lifts peaks a little; the mix stays this much under the wanted true peak."""


def make_sound(mix: SoundMix, assets: Assets, out: Path, folder: Path, report: Callable[[int, int], None]) -> None:
    """Write the mastered mix as float WAV at `out`. Progress counts samples, mastering included."""
    steps = mix.samples * 2
    raw = folder / "mix.f32"
    mixer = Mixer(mix, assets, folder)

    def block(start: int, stop: int) -> Stereo:
        report(start, steps)
        mixer.forget()
        return mixer.mixed(start, stop)

    write_raw(raw, mix.samples, block)
    report(mix.samples, steps)
    mastered = loudness.master(
        raw,
        folder,
        mix.sample_rate,
        target=mix.master.loudness_mlufs / 1000,
        ceiling=(mix.master.true_peak_mdbtp - CODEC_MARGIN_MDB) / 1000,
        widest=mix.master.range_max_mlu / 1000,
    )
    write_wav(out, mastered, mix.sample_rate)
    report(steps, steps)


class Mixer:
    """Gives any stretch of the film's sound before mastering."""

    def __init__(self, mix: SoundMix, assets: Assets, folder: Path) -> None:
        self._mix = mix
        self._parts: dict[Hashable, Stereo] = {}
        self._sources: dict[str, Stereo] = {}
        for sound in mix.sounds:
            self._open(sound, assets, folder)
        self._ducks = [self._steered(duck) for duck in mix.ducks]
        self._gains: dict[str, np.float32] = {bus.name: np.float32(10 ** (bus.gain_mdb / 20_000)) for bus in mix.buses}

    def _open(self, sound: Sound, assets: Assets, folder: Path) -> None:
        if sound.samples < 1 or sound.source_in < 0:
            raise PlanUnrenderable(f"A sound on bus {sound.bus} has no length or starts before its file.")
        if sound.tone_mhz:
            return
        rate = self._mix.sample_rate
        if sound.asset not in self._sources:
            target = folder / f"source-{len(self._sources)}.f32"
            self._sources[sound.asset] = decoded(asset_path(assets, sound.asset), target, rate, folder)
        key = part_key(sound)
        if key != sound.asset and key not in self._parts:
            name = f"part-{len(self._parts)}"
            self._parts[key] = prepared(sound, self._sources[sound.asset], rate, folder, name)

    def _part(self, sound: Sound) -> Stereo:
        """What a sound plays from its first sample on."""
        key = part_key(sound)
        if key in self._parts:
            return self._parts[key]
        source = self._sources[sound.asset][sound.source_in :]
        return source[: sound.loop_samples] if sound.loop and sound.loop_samples else source

    def forget(self) -> None:
        """Let go of what was read of all files."""
        for sound in (*self._sources.values(), *self._parts.values()):
            forget(sound)

    def mixed(self, start: int, stop: int) -> Stereo:
        """Film samples [start, stop)."""
        total = np.zeros((stop - start, 2), np.float32)
        for name, bus in self._buses(start, stop).items():
            for duck in self._ducks:
                if duck.bus == name:
                    bus *= duck_gain(duck, start, stop)[:, None]
            total += bus * self._gains.get(name, np.float32(1))
        return total

    def _buses(self, start: int, stop: int) -> dict[str, Stereo]:
        """Film samples [start, stop) of each bus that sounds there."""
        buses: dict[str, Stereo] = {}
        for sound in self._mix.sounds:
            first, last = max(sound.start, start), min(sound.start + sound.samples, stop)
            if first >= last:
                continue
            bus = buses.setdefault(sound.bus, np.zeros((stop - start, 2), np.float32))
            source = None if sound.tone_mhz else self._part(sound)
            part = played(sound, source, first - sound.start, last - sound.start, self._mix.sample_rate)
            bus[first - start : last - start] += part
        return buses

    def _steered(self, duck: Duck) -> Duck:
        """With `sidechain`, when the steering bus is loud takes the place of when words are known to be said."""
        if duck.mode != "sidechain":
            return duck
        hop, levels = self._mix.sample_rate // 100, []
        for start in range(0, self._mix.samples, BLOCK // hop * hop):
            stop = min(start + BLOCK // hop * hop, self._mix.samples)
            bus = self._buses(start, stop).get(duck.by)
            whole = np.zeros(((stop - start) // hop * hop, 2)) if bus is None else bus[: (stop - start) // hop * hop]
            levels.append(np.sqrt(np.square(whole.reshape(-1, hop * 2), dtype=np.float64).mean(axis=1)))
        loud = np.concatenate(([False], *(level > 10 ** (STEERING_DB / 20) for level in levels), [False]))
        edges = np.flatnonzero(np.diff(loud.astype(np.int8))) * hop
        speech = tuple((int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True))
        return duck.model_copy(update={"speech": speech})


def played(sound: Sound, source: Stereo | None, first: int, last: int, rate: int) -> Stereo:
    """What a sound gives for its own samples [first, last): source or tone, repeats, gain, curve, pan and fades."""
    at = np.arange(first, last, dtype=np.float64)
    if source is None:
        wave = TONE_PEAK * np.sin(2 * np.pi * sound.tone_mhz / 1000 / rate * at)
        out = np.stack([wave, wave], axis=1).astype(np.float32)
    else:
        out = repeated(source, first, last) if sound.loop else once(source, first, last)
    rise = FADES[sound.fade_in_curve](np.clip((at + 0.5) / max(sound.fade_in, 1), 0, 1))
    fall = FADES[sound.fade_out_curve](np.clip((sound.samples - at - 0.5) / max(sound.fade_out, 1), 0, 1))
    gain = np.full(len(at), sound.gain_mdb / 20_000)
    if sound.gain:
        gain += np.interp(at, [key.sample for key in sound.gain], [key.mdb / 20_000 for key in sound.gain])
    level = np.minimum(rise, fall) * 10.0**gain
    return np.asarray(out * level[:, None] * sides(float(sound.pan)), np.float32)


def sides(pan: float) -> NDArray[np.float64]:
    """Gain of left and right: the side turned away from falls along a cosine."""
    pan = min(max(pan, -1.0), 1.0)
    return np.cos(np.array([max(pan, 0.0), max(-pan, 0.0)]) * np.pi / 2)


FADES: Mapping[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "linear": lambda u: u,
    "equal-power": lambda u: np.sin(u * np.pi / 2),
    "smooth": lambda u: u * u * (3 - 2 * u),
}


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
