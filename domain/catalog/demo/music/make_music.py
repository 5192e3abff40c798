"""Synthesise the demo's music bed: `python make_music.py` writes slow-light.flac beside this file and prints measures.

Everything is added into a ring of samples and every filter is circular, so the end flows into the beginning: the
loop has no seam to hide. Six chords of eight seconds, each voice moving by the smallest step and holding common
tones; soft pads, a low root, and sparse bells. Dedicated to the public domain under CC0 1.0.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

OUT = Path(__file__).with_name("slow-light.flac")
RATE = 48_000
CHORD_SECONDS = 8
TARGET_LUFS = -20.0
SEED = 1977
FLAC_OPTIONS = {"compression_level": "12", "lpc_type": "cholesky", "lpc_passes": "4", "lpc_coeff_precision": "15"}
Floats = npt.NDArray[np.float64]

# MIDI notes of five voices, chord by chord: D add9, B minor 11, G major 9, E minor 9, A 9 sus, D add9 over F sharp.
VOICES = (
    (38, 35, 31, 40, 33, 42),
    (50, 47, 50, 47, 52, 50),
    (57, 57, 59, 59, 57, 57),
    (62, 62, 62, 62, 62, 62),
    (64, 66, 66, 67, 67, 66),
    (69, 69, 69, 71, 71, 69),
)
PAD_GAINS = (0.9, 0.55, 0.5, 0.42, 0.4, 0.3)
PANS = (0.0, -0.25, 0.3, -0.4, 0.45, -0.1)
# Bells: (seconds from the start of the chord, which voice two octaves up or one, loudness); None leaves a rest.
BELL_STEPS = (0.0, 1.5, 2.0, 3.5, 4.0, 5.0, 6.5)


def frequency(note: float) -> float:
    return float(440.0 * 2 ** ((note - 69) / 12))


def add(ring: Floats, start: int, sound: Floats, pan: float) -> None:
    """Add a mono sound into the ring, wrapping round, panned with equal power (-1 left … 1 right)."""
    angle = (pan + 1) * np.pi / 4
    places = (start + np.arange(sound.size)) % ring.shape[1]
    np.add.at(ring[0], places, sound * np.cos(angle))
    np.add.at(ring[1], places, sound * np.sin(angle))


def swell(length: int, attack: float, release: float) -> Floats:
    """A raised-cosine rise and fall; seconds."""
    rise, fall = int(attack * RATE), int(release * RATE)
    shape = np.ones(length)
    shape[:rise] = 0.5 - 0.5 * np.cos(np.pi * np.arange(rise) / rise)
    shape[-fall:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(fall) / fall)
    return shape


def pad(note: int, seconds: float, rng: np.random.Generator, warmth: float) -> Floats:
    """A warm tone: three slightly detuned sets of partials whose upper ones open and close slowly."""
    time = np.arange(int(seconds * RATE)) / RATE
    tone = np.zeros_like(time)
    opening = 0.5 + 0.5 * np.sin(2 * np.pi * time / seconds - np.pi / 2)
    for cents in (-4.5, 0.0, 5.2):
        base = frequency(note + cents / 100)
        for partial in range(1, 9):
            if base * partial > 3200:
                break
            level = partial**-warmth * (1.0 if partial < 3 else 0.35 + 0.65 * opening)
            drift = 0.0006 * np.sin(2 * np.pi * rng.uniform(0.05, 0.13) * time + rng.uniform(0, 6.28))
            tone += level * np.sin(2 * np.pi * base * partial * (time + drift / 6) + rng.uniform(0, 6.28))
    return tone / 3


def bell(note: int, rng: np.random.Generator) -> Floats:
    """A small glassy bell: a sine with two quickly fading inharmonic partials, and a soft start."""
    time = np.arange(int(4.5 * RATE)) / RATE
    base = frequency(note)
    tone = np.exp(-time / 1.25) * np.sin(2 * np.pi * base * time)
    tone += 0.22 * np.exp(-time / 0.5) * np.sin(2 * np.pi * base * 2.005 * time + rng.uniform(0, 6.28))
    tone += 0.07 * np.exp(-time / 0.18) * np.sin(2 * np.pi * base * 4.17 * time)
    return tone * swell(time.size, 0.012, 0.8)


def held_notes(voice: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Merge equal neighbours of a voice (round the loop too): (first chord, chords, note)."""
    count = len(voice)
    starts = [n for n in range(count) if voice[n] != voice[n - 1]]
    if not starts:
        return [(n, 2, voice[n]) for n in range(0, count, 2)]
    ends = [*starts[1:], starts[0] + count]
    return [(start, end - start, voice[start]) for start, end in zip(starts, ends, strict=True)]


def compose(rng: np.random.Generator) -> Floats:
    ring = np.zeros((2, len(VOICES[0]) * CHORD_SECONDS * RATE))
    for number, voice in enumerate(VOICES):
        for first, chords, note in held_notes(voice):
            seconds = chords * CHORD_SECONDS + 3.2
            tone = pad(note, seconds, rng, 2.1 if number else 2.6)
            early = int((first * CHORD_SECONDS - 1.4) * RATE)
            add(ring, early, PAD_GAINS[number] * tone * swell(tone.size, 2.8, 3.2), PANS[number])
    for chord in range(len(VOICES[0])):
        for step, moment in enumerate(BELL_STEPS):
            if rng.random() < 0.62 and not (chord % 2 and step == 0):
                voice = VOICES[int(rng.integers(2, 6))]
                start = int((chord * CHORD_SECONDS + moment + rng.uniform(0, 0.03)) * RATE)
                loudness = 0.16 * rng.uniform(0.55, 1.0)
                add(ring, start, loudness * bell(voice[chord] + 12, rng), float(rng.uniform(-0.6, 0.6)))
    return ring


def shape_spectrum(ring: Floats, response: Floats) -> Floats:
    answer: Floats = np.fft.irfft(np.fft.rfft(ring, axis=1) * response, n=ring.shape[1], axis=1)
    return answer


def reverberate(ring: Floats, rng: np.random.Generator, wet: float) -> Floats:
    """Convolve round the ring with four seconds of decaying, darkening noise, different left and right."""
    length = int(4.0 * RATE)
    time = np.arange(length) / RATE
    room = rng.standard_normal((2, length)) * np.exp(-6.2 * time / 3.4) * (1 - np.exp(-time / 0.03))
    spectrum = np.fft.rfft(room, axis=1) / (1 + (np.fft.rfftfreq(length, 1 / RATE) / 2600) ** 2)
    room = np.fft.irfft(spectrum, n=length, axis=1)
    room /= np.sqrt((room**2).sum(axis=1, keepdims=True))
    late = np.zeros_like(ring)
    late[:, :length] = room
    hall = np.fft.irfft(np.fft.rfft(ring, axis=1) * np.fft.rfft(late, axis=1), n=ring.shape[1], axis=1)
    answer: Floats = ring * (1 - wet / 2) + wet * hall
    return answer


def loudness(ring: Floats) -> float:
    """Integrated loudness in LUFS after ITU-R BS.1770, without gating (the bed is even)."""
    bins = np.exp(2j * np.pi * np.fft.rfftfreq(ring.shape[1]))
    delay = 1 / bins
    shelf = (1.53512485958697 - 2.69169618940638 * delay + 1.19839281085285 * delay**2) / (
        1 - 1.69065929318241 * delay + 0.73248077421585 * delay**2
    )
    high = (1 - 2 * delay + delay**2) / (1 - 1.99004745483398 * delay + 0.99007225036621 * delay**2)
    weighted = np.fft.irfft(np.fft.rfft(ring, axis=1) * shelf * high, n=ring.shape[1], axis=1)
    return float(-0.691 + 10 * np.log10((weighted**2).mean(axis=1).sum()))


def encode(ring: Floats) -> None:
    """Write FLAC: lossless, because a lossy coder's start and end would put a click into the loop."""
    whole = np.round(ring * 32767).astype(np.int16)
    with av.open(str(OUT), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE, layout="stereo", options=FLAC_OPTIONS)
        stream.format = "s16"
        for start in range(0, whole.shape[1], 4608):
            part = np.ascontiguousarray(whole[:, start : start + 4608].T.reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout="stereo")
            frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main() -> None:
    rng = np.random.default_rng(SEED)
    ring = reverberate(compose(rng), rng, 0.55)
    pitch = np.fft.rfftfreq(ring.shape[1], 1 / RATE)
    low_pass = 1 / np.sqrt(1 + (pitch / 3400) ** 4)
    high_pass = pitch**2 / (pitch**2 + 32.0**2)
    ring = shape_spectrum(ring, low_pass * high_pass)
    ring *= 10 ** ((TARGET_LUFS - loudness(ring)) / 20)
    encode(ring)
    peak = 20 * np.log10(np.abs(ring).max())
    sys.stdout.write(f"{ring.shape[1] / RATE:.3f} s, {loudness(ring):.2f} LUFS, peak {peak:.2f} dBFS\n")


if __name__ == "__main__":
    main()
