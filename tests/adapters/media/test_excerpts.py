"""Parts of a film straight from its plan: a frame, a sheet, a stretch with sound."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from adapters.media.errors import PlanUnrenderable
from adapters.media.excerpts import (
    drawn,
    excerpt_of,
    make_contact_sheet,
    make_frame,
    make_preview,
    segment_at,
    sheet_frames,
)
from adapters.media.renderer import FfmpegRenderer
from tests.adapters.media.conftest import never, quiet
from tests.support.plans import Studio, small_plan


def test_frames_are_found_in_their_segments(studio: Studio) -> None:
    plan = small_plan(studio, (160, 90))
    assert [segment_at(plan, frame).index for frame in (0, 29, 30, 37, 38, 97)] == [0, 0, 1, 1, 2, 3]
    for frame in (-1, 98):
        with pytest.raises(PlanUnrenderable, match="0 to 97"):
            segment_at(plan, frame)


def test_frames_alone_are_those_of_a_full_run(studio: Studio) -> None:
    plan = small_plan(studio, (160, 90))
    wanted = {k: planes.y.copy() for k, planes in enumerate(drawn(plan, studio.assets, range(45), studio.folder))}
    for picked in ([7], [15, 33, 44]):
        got = [planes.y.copy() for planes in drawn(plan, studio.assets, picked, studio.folder)]
        for frame, luma in zip(picked, got, strict=True):
            assert np.array_equal(luma, wanted[frame])


def test_a_frame_as_jpeg(studio: Studio, tmp_path: Path) -> None:
    make_frame(small_plan(studio, (160, 90)), studio.assets, 33, tmp_path / "f.jpg", studio.folder, 80)
    with Image.open(tmp_path / "f.jpg") as image:
        assert image.size == (80, 45)


def test_a_sheet(studio: Studio, tmp_path: Path) -> None:
    plan = small_plan(studio, (160, 90))
    assert sheet_frames(plan, 0) == [15, 53, 83]
    assert sheet_frames(plan, 4) == [12, 36, 61, 85]
    how = {"count": 5, "columns": 3, "width": 80}
    make_contact_sheet(plan, studio.assets, tmp_path / "s.jpg", studio.folder, quiet, **how)
    with Image.open(tmp_path / "s.jpg") as image:
        assert image.size == (3 * 88 + 8, 2 * 53 + 8)
        assert np.asarray(image)[70:100, 190:250].mean() < 40


def test_a_stretch_keeps_its_sounds_in_place(studio: Studio) -> None:
    plan = small_plan(studio, (160, 90))
    part = excerpt_of(plan, 10, 30)
    assert part.sound.samples == 48_000
    assert {sound.start for sound in part.sound.sounds} <= {sound.start - 16_000 for sound in plan.sound.sounds}
    assert part.sound.ducks[0].speech[0][0] == plan.sound.ducks[0].speech[0][0] - 16_000


def test_a_preview_plays(studio: Studio, tmp_path: Path) -> None:
    out = tmp_path / "p.mp4"
    make_preview(small_plan(studio, (160, 90)), studio.assets, 20, 45, out, studio.folder, quiet)
    with av.open(str(out)) as box:
        assert sum(1 for _ in box.decode(video=0)) == 25
        assert float(box.streams.audio[0].duration * box.streams.audio[0].time_base) == pytest.approx(
            25 / 30, abs=0.001
        )


async def test_through_the_renderer(studio: Studio, tmp_path: Path) -> None:
    plan, renderer = small_plan(studio, (160, 90)), FfmpegRenderer()
    try:
        await renderer.frame(plan, studio.assets, 5, tmp_path / "f.jpg")
        await renderer.contact_sheet(plan, studio.assets, tmp_path / "s.jpg", quiet, never, width=80)
        with pytest.raises(PlanUnrenderable, match="no frame 500"):
            await renderer.frame(plan, studio.assets, 500, tmp_path / "g.jpg")
    finally:
        renderer.close()
    assert sorted(path.name for path in tmp_path.glob("*.jpg")) == ["f.jpg", "s.jpg"]
