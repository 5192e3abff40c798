"""The mix: exact length, no clicks, ducking by the plan, repeats without a seam, loudness under a ceiling."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from adapters.media import loudness
from adapters.media.aac import correction
from adapters.media.ducking import duck_gain
from adapters.media.errors import NotASound
from adapters.media.loudness import Loudness, limited, true_peaks
from adapters.media.pcm import read_wav
from adapters.media.sound import make_sound, mixed, once, played, repeated
from tests.adapters.media.conftest import quiet
from tests.support.plans import Studio, music
from timeline.plan import Duck, Sound, SoundMix

DUCK = Duck(
    bus="music",
    amount_mdb=-12_000,
    attack=3840,
    hold=9600,
    release=16_800,
    lookahead=2880,
    speech=((48_000, 96_000), (100_000, 144_000)),
)


def tone(samples: int, level: float = 0.5, pitch: float = 440.0) -> np.ndarray:
    wave = level * np.sin(2 * np.pi * pitch * np.arange(samples) / 48_000)
    return np.stack([wave, wave], axis=1).astype(np.float32)


class TestDucking:
    def test_depth_before_during_and_after(self) -> None:
        gain = duck_gain(DUCK, 0, 200_000)
        assert gain[48_000 - 2880 - 1] == 1.0
        assert 20 * math.log10(gain[49_000]) == pytest.approx(-12, abs=0.1)
        assert 20 * math.log10(gain[98_000]) == pytest.approx(-12, abs=0.1)  # a breath is no reason to come back
        assert gain[144_000 + 9600 + 16_800] == 1.0

    def test_moves_without_steps(self) -> None:
        assert np.abs(np.diff(duck_gain(DUCK, 0, 200_000))).max() < 0.001

    def test_blocks_fit_together(self) -> None:
        whole = duck_gain(DUCK, 0, 200_000)
        parts = np.concatenate([duck_gain(DUCK, k, k + 10_000) for k in range(0, 200_000, 10_000)])
        assert np.allclose(whole, parts, atol=1e-5)


class TestPlaying:
    def test_fades_and_gain(self) -> None:
        sound = Sound(asset="a", bus="sfx", start=0, samples=4800, gain_mdb=-6020, fade_in=480, fade_out=480)
        out = played(sound, np.ones((9600, 2), np.float32), 0, 4800)
        assert out[2400, 0] == pytest.approx(0.5, abs=0.001)
        assert abs(out[0, 0]) < 0.001
        assert abs(out[-1, 0]) < 0.001

    def test_a_source_that_ends_early_is_faded(self) -> None:
        out = once(np.ones((1000, 2), np.float32), 0, 2000)
        assert out[500, 0] == 1.0
        assert np.abs(np.diff(out[:, 0])).max() < 0.02
        assert (out[1000:] == 0).all()

    def test_repeats_keep_their_level_over_the_seam(self) -> None:
        noise = np.random.default_rng(1).normal(0, 0.1, (48_000, 2)).astype(np.float32)
        out = repeated(noise, 0, 200_000)
        power = [float((out[k : k + 4000] ** 2).mean()) for k in range(0, 196_000, 4000)]
        assert max(power) / min(power) < 1.5

    def test_any_part_of_a_repeat_is_the_same_sound(self) -> None:
        source = tone(30_000)
        whole = repeated(source, 0, 150_000)
        assert np.allclose(whole[70_000:110_000], repeated(source, 70_000, 110_000), atol=1e-6)

    def test_blocks_of_a_mix_fit_together(self) -> None:
        mix = SoundMix(
            samples=150_000,
            sounds=(
                Sound(asset="a", bus="music", start=1000, samples=140_000, loop=True),
                Sound(asset="a", bus="narration", start=50_000, samples=30_000, source_in=500),
            ),
            ducks=(DUCK,),
        )
        sources = {"a": tone(40_000)}
        whole = mixed(mix, sources, 0, 150_000)
        parts = np.concatenate([mixed(mix, sources, k, k + 25_000) for k in range(0, 150_000, 25_000)])
        assert np.allclose(whole, parts, atol=1e-5)


class TestLimiter:
    def test_peaks_between_samples_are_seen(self) -> None:
        wave = np.sin(2 * np.pi * 12_000 * np.arange(4800) / 48_000 + np.pi / 4).astype(np.float32)
        sound = np.stack([wave, wave], axis=1)
        assert np.abs(sound).max() == pytest.approx(0.7071, abs=0.001)
        assert true_peaks(sound)[100:-100].max() == pytest.approx(1.0, abs=0.03)

    def test_holds_the_ceiling_and_leaves_the_rest_alone(self) -> None:
        sound = tone(96_000, 0.3)
        sound[40_000:40_400] *= 4
        out = limited(sound, 0.5)
        assert true_peaks(out).max() <= 0.5 * 1.01
        assert np.array_equal(out[:39_000], sound[:39_000])
        assert np.array_equal(out[42_000:], sound[42_000:])

    def test_quiet_sound_passes_untouched(self) -> None:
        sound = tone(4800, 0.2)
        assert limited(sound, 0.5) is sound


class TestCorrection:
    def test_fits(self) -> None:
        assert correction(Loudness(-14.1, 3, -1.2), -14, -1) == (0.0, 0.0)

    def test_too_quiet_and_too_high(self) -> None:
        assert correction(Loudness(-14.6, 3, -0.7), -14, -1) == pytest.approx((0.6, 0.3))

    def test_silence(self) -> None:
        assert correction(Loudness(-math.inf, 0, -math.inf), -14, -1) == (0.0, 0.0)


class TestMakeSound:
    def mix(self, studio: Studio, wave: np.ndarray, samples: int = 200_001) -> SoundMix:
        asset = studio.sound("a", wave)
        return SoundMix(samples=samples, sounds=(Sound(asset=asset, bus="music", start=0, samples=samples, loop=True),))

    def test_exact_length_and_loudness(self, studio: Studio) -> None:
        make_sound(self.mix(studio, music(2)), studio.assets, studio.folder / "s.wav", studio.folder, quiet)
        sound, rate = read_wav(studio.folder / "s.wav")
        assert (sound.shape, rate) == ((200_001, 2), 48_000)
        heard = loudness.measure("s.wav", studio.folder)
        assert heard.integrated == pytest.approx(-14, abs=0.3)
        assert heard.true_peak <= -1.4

    def test_silence_stays_silence(self, studio: Studio) -> None:
        make_sound(self.mix(studio, np.zeros(48_000)), studio.assets, studio.folder / "s.wav", studio.folder, quiet)
        sound, _ = read_wav(studio.folder / "s.wav")
        assert not sound.any()

    def test_a_text_is_no_sound(self, studio: Studio) -> None:
        mix = self.mix(studio, music(1))
        path: Path = next(iter(studio.paths.values()))
        path.write_text("ffconcat version 1.0\nfile /etc/hostname\n")
        with pytest.raises(NotASound):
            make_sound(mix, studio.assets, studio.folder / "s.wav", studio.folder, quiet)
