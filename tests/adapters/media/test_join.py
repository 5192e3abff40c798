"""The joined film: exact times, same pictures as its parts, one continuous sound, the right form."""

from __future__ import annotations

import hashlib
import random
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from adapters.media import loudness
from adapters.media.errors import PlanUnrenderable
from adapters.media.inspect import is_faststart
from adapters.media.probe import FilmFacts, probe
from adapters.media.renderer import FfmpegRenderer
from tests.adapters.media.conftest import Made, make, never, quiet
from tests.support.plans import Studio, samples_of, small_mix
from timeline.plan import Colour, Encoding, Output, Rate, RenderPlan, Segment


def decoded_hash(*films: Path) -> str:
    digest = hashlib.sha256()
    for film in films:
        with av.open(str(film)) as box:
            for frame in box.decode(video=0):
                for plane in frame.planes:
                    digest.update(bytes(plane))
    return digest.hexdigest()


def times(film: Path) -> tuple[list[Fraction], list[Fraction]]:
    with av.open(str(film)) as box:
        stream = box.streams.video[0]
        packets = [packet for packet in box.demux(stream) if packet.size]
        base = Fraction(stream.time_base or 1)
        return [(p.dts or 0) * base for p in packets], sorted((p.pts or 0) * base for p in packets)


class TestJoinedFilm:
    async def test_every_gap_is_one_frame_from_zero(self, made: Made) -> None:
        decoding, shown = times(made.film)
        assert len(shown) == made.plan.frames
        assert shown[0] == 0
        assert {b - a for a, b in pairwise(shown)} == {b - a for a, b in pairwise(decoding)} == {Fraction(1, 30)}

    async def test_pictures_are_those_of_the_segments(self, made: Made) -> None:
        assert decoded_hash(made.film) == decoded_hash(*made.segments)

    async def test_form(self, made: Made) -> None:
        facts = probe(made.film)
        assert isinstance(facts, FilmFacts)
        assert (facts.width, facts.height, facts.rate, facts.pix_fmt) == (320, 180, Fraction(30), "yuv420p")
        assert (facts.colour, facts.limited, facts.codec) == ((1, 1, 1), True, "h264")
        assert facts.duration == Fraction(made.plan.frames, 30)
        assert facts.start == 0
        assert is_faststart(made.film)

    async def test_sound_is_as_long_as_the_picture_to_the_sample(self, made: Made) -> None:
        facts = probe(made.film)
        assert isinstance(facts, FilmFacts)
        assert facts.sound is not None
        assert (facts.sound.codec, facts.sound.rate, facts.sound.channels) == ("aac", 48_000, 2)
        assert facts.sound.duration == Fraction(made.plan.sound.samples, 48_000) == facts.duration
        assert facts.sound.start == 0

    async def test_loudness_of_the_encoded_film(self, made: Made, tmp_path: Path) -> None:
        heard = loudness.measure(f"file:{made.film}", tmp_path)
        assert heard.integrated == pytest.approx(-14, abs=0.5)
        assert heard.true_peak <= -1.0


@pytest.mark.parametrize("rate", [Rate(num=30), Rate(num=30_000, den=1001), Rate(num=25)], ids=str)
async def test_random_cuts_join_without_a_seam(renderer: FfmpegRenderer, studio: Studio, rate: Rate) -> None:
    cuts = random.Random(rate.num)
    lengths = [1, 2, 3, *(cuts.randint(1, 40) for _ in range(4))]
    parts, start = [], 0
    for index, length in enumerate(lengths):
        colour = Colour(value=f"#{cuts.randrange(1 << 24):06x}")
        parts.append(Segment(index=index, kind="body", start=start, frames=length, picture=colour))
        start += length
    output = Output(profile="p", width=64, height=48, rate=rate, encoding=Encoding(gop=12))
    plan = RenderPlan(
        title="Cuts",
        language="en",
        output=output,
        frames=start,
        segments=tuple(parts),
        sound=small_mix(studio, start, rate),
    )
    made = await make(renderer, plan, studio, studio.folder)
    decoding, shown = times(made.film)
    assert shown == [Fraction(k * rate.den, rate.num) for k in range(start)]
    assert {b - a for a, b in pairwise(decoding)} == {Fraction(rate.den, rate.num)}
    assert decoded_hash(made.film) == decoded_hash(*made.segments)
    facts = probe(made.film)
    assert isinstance(facts, FilmFacts)
    assert facts.sound is not None
    assert facts.sound.duration == Fraction(samples_of(start, rate), 48_000)


class TestRefusals:
    async def test_a_segment_too_few(self, renderer: FfmpegRenderer, made: Made, tmp_path: Path) -> None:
        with pytest.raises(PlanUnrenderable, match="4 segments; 3 files"):
            await renderer.join(made.plan, made.segments[:3], made.sound, tmp_path / "f.mp4", quiet, never)
        assert list(tmp_path.iterdir()) == []

    async def test_a_segment_of_other_length(self, renderer: FfmpegRenderer, made: Made, tmp_path: Path) -> None:
        order = [made.segments[0], made.segments[0], *made.segments[2:]]
        with pytest.raises(PlanUnrenderable, match="Segment 1 has 96 frames instead of 9"):
            await renderer.join(made.plan, order, made.sound, tmp_path / "f.mp4", quiet, never)
        assert list(tmp_path.iterdir()) == []
