"""Sounds at another speed, backwards, or cut to a part: made once as raw files before mixing."""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction
from pathlib import Path

import numpy as np

from adapters.media import ffmpeg
from adapters.media.errors import PlanUnrenderable
from adapters.media.pcm import Stereo, mapped, write_raw
from timeline.plan import Sound

SLOWEST, FASTEST = Fraction(1, 16), Fraction(16)
MARGIN = 4_800
"""Source samples read beyond the end, so that stretching has something to join to."""
_STEP_LOW, _STEP_HIGH = Fraction(1, 2), Fraction(2)


def speed_of(sound: Sound) -> Fraction:
    """Source seconds per film second. Raises PlanUnrenderable."""
    if sound.speed_num < 1 or sound.speed_den < 1:
        raise PlanUnrenderable(f"A sound on bus {sound.bus} has the speed {sound.speed_num}/{sound.speed_den}.")
    speed = Fraction(sound.speed_num, sound.speed_den)
    if not SLOWEST <= speed <= FASTEST:
        raise PlanUnrenderable(
            f"A sound on bus {sound.bus} plays {float(speed):g} times as fast; from 1/16 to 16 times can be made."
        )
    return speed


def part_key(sound: Sound) -> Hashable:
    """Sounds of equal keys are cut from the same prepared file; plain ones from the source itself."""
    if speed_of(sound) == 1 and not sound.reverse:
        return sound.asset
    length = sound.loop_samples if sound.loop else sound.samples
    return sound.asset, sound.source_in, length, sound.loop, speed_of(sound), sound.keep_pitch, sound.reverse


def prepared(sound: Sound, source: Stereo, rate: int, folder: Path, name: str) -> Stereo:
    """The part of a source that a sound plays, backwards if it says so, at its speed."""
    speed = speed_of(sound)
    if sound.loop:
        wanted = sound.loop_samples or len(source) - sound.source_in
        length = round(wanted / speed)
    else:
        wanted, length = round(sound.samples * speed), sound.samples
    part = source[sound.source_in : sound.source_in + wanted + (0 if sound.reverse else MARGIN)]
    part = np.asarray(part[:wanted][::-1] if sound.reverse else part, np.float32)
    plain, out = folder / f"{name}-plain.f32", folder / f"{name}.f32"
    write_raw(plain, len(part), lambda start, stop: part[start:stop])
    if speed == 1:
        return mapped(plain)
    argv = stretch_argv(plain.name, out.name, rate, speed, keep_pitch=sound.keep_pitch)
    ffmpeg.run(argv, folder, what="change the speed of a sound")
    return mapped(out)[: min(length, round(len(part) / speed))]


def stretch_argv(source: str, target: str, rate: int, speed: Fraction, *, keep_pitch: bool) -> list[str]:
    """Raw stereo float to raw stereo float at a speed."""
    raw = ("-f", "f32le", "-ar", str(rate), "-ac", "2")
    if keep_pitch:
        graph = ",".join(f"atempo={float(step):.9f}" for step in tempo_steps(speed))
    else:
        graph = f"asetrate={round(rate * speed)},aresample={rate}:resampler=swr"
    return [*ffmpeg.QUIET, *ffmpeg.LOCAL_ONLY, *raw, "-i", source, "-af", graph, *raw, "-y", target]


def tempo_steps(speed: Fraction) -> list[Fraction]:
    """A speed as a product of steps between a half and two, which stretch best."""
    steps: list[Fraction] = []
    while speed < _STEP_LOW or speed > _STEP_HIGH:
        step = _STEP_LOW if speed < _STEP_LOW else _STEP_HIGH
        steps.append(step)
        speed /= step
    return [*steps, speed]
