"""The mix: exact length, no clicks, ducking by the plan, repeats without a seam, loudness under a ceiling."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.media import loudness
from adapters.media.aac import correction
from adapters.media.ducking import duck_gain
from adapters.media.errors import NotASound, PlanUnrenderable
from adapters.media.loudness import Loudness, limited, master, measure, true_peaks
from adapters.media.pcm import forget, mapped, read_wav
from adapters.media.sound import Mixer, make_sound, once, played, repeated
from adapters.media.stretch import tempo_steps
from tests.adapters.media.conftest import quiet
from tests.support.plans import Studio, music
from timeline.plan import Bus, Duck, GainKey, Sound, SoundMix

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
        out = played(sound, np.ones((9600, 2), np.float32), 0, 4800, 48_000)
        assert out[2400, 0] == pytest.approx(0.5, abs=0.001)
        assert abs(out[0, 0]) < 0.002
        assert abs(out[-1, 0]) < 0.002

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

    def test_blocks_of_a_mix_fit_together(self, studio: Studio) -> None:
        asset = studio.sound("tone", tone(40_000))
        mix = SoundMix(
            samples=150_000,
            sounds=(
                Sound(asset=asset, bus="music", start=1000, samples=140_000, loop=True),
                Sound(asset=asset, bus="narration", start=50_000, samples=30_000, source_in=500),
            ),
            ducks=(DUCK,),
        )
        mixer = Mixer(mix, studio.assets, studio.folder)
        whole = mixer.mixed(0, 150_000)
        parts = np.concatenate([mixer.mixed(k, k + 25_000) for k in range(0, 150_000, 25_000)])
        assert np.allclose(whole, parts, atol=1e-5)


def heard(studio: Studio, *sounds: Sound, samples: int = 48_000, **more: Any) -> np.ndarray:
    """A mix before mastering."""
    mix = SoundMix(samples=samples, sounds=sounds, **more)
    return Mixer(mix, studio.assets, studio.folder).mixed(0, samples)


def pitch(sound: np.ndarray) -> float:
    """The strongest frequency in Hz."""
    spectrum = np.abs(np.fft.rfft(sound[:, 0] * np.hanning(len(sound))))
    return float(spectrum.argmax() * 48_000 / len(sound))


class TestSpeed:
    def clicks(self, studio: Studio) -> str:
        wave = np.zeros(96_000)
        for at in (9_600, 48_000, 76_800):
            wave[at : at + 240] = 0.9 * np.hanning(240)
        return studio.sound("clicks", wave)

    def places(self, sound: np.ndarray) -> list[int]:
        loud = np.flatnonzero(np.abs(sound[:, 0]) > 0.3)
        return [int(part.mean()) for part in np.split(loud, np.flatnonzero(np.diff(loud) > 2_000) + 1)]

    @pytest.mark.parametrize("keep_pitch", [True, False])
    @pytest.mark.parametrize(("num", "den"), [(2, 1), (2, 3), (5, 4)])
    def test_moments_come_when_they_should(self, studio: Studio, num: int, den: int, keep_pitch: bool) -> None:
        length = 96_000 * den // num
        sound = Sound(
            asset=self.clicks(studio),
            bus="sfx",
            start=0,
            samples=length,
            speed_num=num,
            speed_den=den,
            keep_pitch=keep_pitch,
        )
        got = self.places(heard(studio, sound, samples=length))
        wanted = [(at + 120) * den // num for at in (9_600, 48_000, 76_800)]
        assert np.abs(np.array(got) - wanted).max() < 48_000 * 0.025

    @pytest.mark.parametrize(("keep_pitch", "wanted"), [(True, 440.0), (False, 880.0)])
    def test_pitch(self, studio: Studio, keep_pitch: bool, wanted: float) -> None:
        asset = studio.sound("a4", np.sin(2 * np.pi * 440 * np.arange(96_000) / 48_000) * 0.5)
        sound = Sound(asset=asset, bus="sfx", start=0, samples=48_000, speed_num=2, keep_pitch=keep_pitch)
        assert pitch(heard(studio, sound)[4_000:44_000]) == pytest.approx(wanted, rel=0.01)

    def test_backwards(self, studio: Studio) -> None:
        sound = Sound(asset=self.clicks(studio), bus="sfx", start=0, samples=96_000, reverse=True)
        assert self.places(heard(studio, sound, samples=96_000)) == pytest.approx([19_080, 47_880, 86_280], abs=30)

    def test_a_speed_that_cannot_be_made(self, studio: Studio) -> None:
        sound = Sound(asset=self.clicks(studio), bus="sfx", start=0, samples=9_600, speed_num=40)
        with pytest.raises(PlanUnrenderable, match="40 times"):
            heard(studio, sound)

    def test_steps_of_a_tempo(self) -> None:
        for speed in (Fraction(1, 16), Fraction(2, 5), Fraction(1), Fraction(3), Fraction(16)):
            steps = tempo_steps(speed)
            assert math.prod(steps) == speed
            assert all(Fraction(1, 2) <= step <= 2 for step in steps)


class TestShape:
    def one(self, studio: Studio) -> str:
        return studio.sound("one", np.full((60_000, 2), 0.5))

    def test_a_part_repeats(self, studio: Studio) -> None:
        wave = np.concatenate([np.full((4_800, 2), 0.5), np.full((40_000, 2), -0.5)])
        sound = Sound(
            asset=studio.sound("part", wave), bus="music", start=0, samples=48_000, loop=True, loop_samples=4_800
        )
        assert float(heard(studio, sound)[300:-300].min()) > 0.4

    def test_gain_curve_is_linear_in_decibels(self, studio: Studio) -> None:
        keys = (GainKey(sample=10_000, mdb=0), GainKey(sample=20_000, mdb=-12_000))
        sound = Sound(asset=self.one(studio), bus="music", start=0, samples=48_000, gain=keys)
        got = 20 * np.log10(heard(studio, sound)[[5_000, 15_000, 30_000], 0] / 0.5)
        assert np.allclose(got, [0, -6, -12], atol=0.05)

    def test_pan(self, studio: Studio) -> None:
        for pan, sides in (("-1", (0.5, 0)), ("0", (0.5, 0.5)), ("1", (0, 0.5)), ("0.5", (0.3536, 0.5))):
            sound = Sound(asset=self.one(studio), bus="sfx", start=0, samples=48_000, pan=pan)
            assert np.allclose(heard(studio, sound)[20_000], sides, atol=0.001)

    @pytest.mark.parametrize(("curve", "half"), [("linear", 0.5), ("equal-power", 0.7071), ("smooth", 0.5)])
    def test_fade_curves(self, studio: Studio, curve: Any, half: float) -> None:
        sound = Sound(asset=self.one(studio), bus="sfx", start=0, samples=48_000, fade_in=9_600, fade_in_curve=curve)
        assert float(heard(studio, sound)[4_800, 0]) == pytest.approx(half / 2, abs=0.002)

    def test_bus_gain(self, studio: Studio) -> None:
        sound = Sound(asset=self.one(studio), bus="sfx", start=0, samples=48_000)
        quiet_bus = heard(studio, sound, buses=(Bus(name="sfx", gain_mdb=-6_020), Bus(name="music", gain_mdb=9_000)))
        assert float(quiet_bus[20_000, 0]) == pytest.approx(0.25, abs=0.001)

    def test_a_tone(self, studio: Studio) -> None:
        sound = Sound(asset="", bus="sfx", start=1_000, samples=40_000, tone_mhz=1_000_500)
        got = heard(studio, sound)
        assert pitch(got[2_000:40_000]) == pytest.approx(1000.5, abs=1.3)
        assert float(np.abs(got).max()) == pytest.approx(0.5, abs=0.01)
        assert not got[:1_000].any()

    def test_a_sidechain_hears_the_other_bus(self, studio: Studio) -> None:
        talk = Sound(asset="", bus="narration", start=96_000, samples=48_000, tone_mhz=300_000, gain_mdb=-12_000)
        bed = Sound(asset="", bus="music", start=0, samples=288_000, tone_mhz=1_000_000)
        duck = DUCK.model_copy(update={"speech": (), "mode": "sidechain", "by": "narration"})
        alone = heard(studio, bed, samples=288_000)
        both = heard(studio, talk, bed, samples=288_000, ducks=(duck,)) - heard(studio, talk, samples=288_000)

        def level(a: int) -> float:
            part = slice(a, a + 9_600)
            return 20 * math.log10(float(both[part].std()) / float(alone[part].std()))

        assert level(30_000) == pytest.approx(0, abs=0.1)
        assert level(110_000) == pytest.approx(-12, abs=0.2)
        assert level(250_000) == pytest.approx(0, abs=0.1)

    @pytest.mark.parametrize("more", [{}, {"loop": True}, {"reverse": True}, {"speed_num": 3, "speed_den": 2}])
    def test_no_click_at_any_edge(self, studio: Studio, more: dict[str, Any]) -> None:
        """A loud low tone cut anywhere: no step is larger than the wave's own steepest (with its fades)."""
        asset = studio.sound("low", np.cos(2 * np.pi * 50 * np.arange(30_000) / 48_000) * 0.9)
        sound = Sound(asset=asset, bus="sfx", start=3_333, samples=25_000, source_in=777, **more)
        steps = np.abs(np.diff(heard(studio, sound)[:, 0]))
        assert float(steps.max()) < 0.9 * (2 * np.pi * 75 / 48_000 + 1 / 200)


def test_a_wide_range_is_narrowed(tmp_path: Path) -> None:
    t = np.arange(48_000 * 24) / 48_000
    wave = np.sin(2 * np.pi * 300 * t) * np.where(t % 12 < 6, 0.5, 0.04)
    raw = tmp_path / "mix.f32"
    raw.write_bytes(np.stack([wave, wave], axis=1).astype("<f4").tobytes())
    before = measure(raw.name, tmp_path, 48_000)
    after = measure(master(raw, tmp_path, 48_000, target=-14, ceiling=-1, widest=8).name, tmp_path, 48_000)
    assert before.range > 15
    assert after.range <= 8.5
    assert after.integrated == pytest.approx(-14, abs=0.5)


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


def test_what_was_read_of_a_mapped_file_is_let_go(tmp_path: Path) -> None:
    """Resident memory of the mapping, as the kernel counts it, falls to nothing; the samples can be read again."""
    path = tmp_path / "long.f32"
    path.write_bytes(np.ones(1 << 21, "<f4").tobytes())
    sound = mapped(path)

    def resident() -> int:
        lines = Path("/proc/self/smaps").read_text().split(str(path))[1].splitlines()
        return int(next(line for line in lines if line.startswith("Rss:")).split()[1])

    assert float(sound.sum()) == 1 << 21
    assert resident() > 4_000
    forget(sound[1_000:])
    assert resident() == 0
    assert float(sound[-1, 0]) == 1.0
