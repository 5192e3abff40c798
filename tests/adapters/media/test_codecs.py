"""Encoders: chosen by trial, segments of each codec join by copy, the same bytes every time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import av
import pytest

from adapters.media import codecs
from adapters.media.errors import PlanUnrenderable
from adapters.media.join import join_copies
from adapters.media.segment import make_segment
from tests.support.plans import Studio, zoom
from timeline.plan import Colour, Encoding, Output, Rate, RenderPlan, Segment, Shot, SoundMix


def plan_of(studio: Studio, codec: str, size: tuple[int, int] = (96, 64)) -> RenderPlan:
    """Two moving bodies of 20 frames and a still one of 50, more than one group of pictures long."""
    w, h = size
    shots = [Shot(asset=studio.picture(k, (2 * w, 2 * h)), motion=zoom("1", "0.8", 20)) for k in (1, 2)]
    pictures = [*((shot, 20) for shot in shots), (Colour(value="#336699"), 50)]
    parts, start = [], 0
    for index, (picture, frames) in enumerate(pictures):
        parts.append(Segment(index=index, kind="body", start=start, frames=frames, picture=picture))
        start += frames
    encoding = Encoding.model_validate({"codec": codec, "gop": 16, "crf": 30})
    return RenderPlan(
        title="t",
        language="en",
        output=Output(profile="p", width=w, height=h, rate=Rate(num=30), encoding=encoding),
        frames=start,
        segments=tuple(parts),
        sound=SoundMix(samples=0, sounds=()),
    )


def made(studio: Studio, plan: RenderPlan, folder: Path, name: str) -> list[Path]:
    out = []
    for segment in plan.segments:
        out.append(folder / f"{name}-{segment.index}.mp4")
        make_segment(plan, segment, studio.assets, out[-1], folder, lambda done, total: None)
    return out


@pytest.mark.parametrize(("codec", "size"), [("h264", (96, 64)), ("hevc", (96, 64)), ("av1", (128, 72))])
def test_segments_join_by_copy_and_repeat(studio: Studio, tmp_path: Path, codec: str, size: tuple[int, int]) -> None:
    plan = plan_of(studio, codec, size)
    first, again = made(studio, plan, tmp_path, "a"), made(studio, plan, tmp_path, "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    film = tmp_path / "film.mp4"
    join_copies([(path, part.frames) for path, part in zip(first, plan.segments, strict=True)], plan, film, _quiet)
    with av.open(str(film)) as box:
        stream = box.streams.video[0]
        assert stream.codec_context.name in (codec, "libdav1d")
        assert (int(stream.codec_context.colorspace), int(stream.codec_context.color_range)) == (1, 1)
        frames = [frame.pts * stream.time_base for frame in box.decode(stream)]
    assert [round(time * 30) for time in frames] == list(range(90))


ALONE = """
import hashlib, pathlib, sys
from tests.adapters.media.test_codecs import made, plan_of
from tests.support.plans import Studio
folder = pathlib.Path(sys.argv[1])
studio = Studio(folder)
print([hashlib.sha256(path.read_bytes()).hexdigest() for path in made(studio, plan_of(studio, "h264"), folder, "a")])
"""


def test_bytes_do_not_hang_on_what_memory_held_before(tmp_path: Path) -> None:
    told = set()
    for fill in ("1", "170", "255"):
        folder = tmp_path / fill
        folder.mkdir()
        # The C library hands out memory filled with this byte: what is never written shows.
        surroundings = {**os.environ, "MALLOC_PERTURB_": fill}
        told.add(subprocess.check_output([sys.executable, "-c", ALONE, str(folder)], env=surroundings))
    assert len(told) == 1


def _quiet(done: int) -> None:
    """Progress that nobody watches."""


def test_software_is_the_default() -> None:
    assert {codec: codecs.chosen(codec).encoder for codec in codecs.SOFTWARE} == codecs.SOFTWARE
    assert codecs.chosen("h264").report == ""


def test_a_card_that_is_not_there_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(codecs.SETTING, "hardware")
    monkeypatch.setitem(codecs.HARDWARE, "h264", ("h264_nowhere",))
    codecs._chosen.cache_clear()
    choice = codecs.chosen("h264")
    codecs._chosen.cache_clear()
    assert choice.encoder == "libx264"
    assert "h264_nowhere" in choice.report


def test_no_encoder_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(codecs.SOFTWARE, "av1", "none_1")
    monkeypatch.setitem(codecs.HARDWARE, "av1", ())
    codecs._chosen.cache_clear()
    with pytest.raises(PlanUnrenderable, match="none_1"):
        codecs.chosen("av1")
    codecs._chosen.cache_clear()


def test_options_keep_groups_closed_and_alike() -> None:
    encoding = Encoding(gop=48, crf=23)
    assert "stitchable=1:keyint=48:open-gop=0" in codecs.options("libx264", encoding, (1920, 1080))["x264-params"]
    assert "open-gop=0" in codecs.options("libx265", encoding, (1920, 1080))["x265-params"]
    assert "keyint=48" in codecs.options("libsvtav1", encoding, (1920, 1080))["svtav1-params"]
