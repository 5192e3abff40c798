"""Video files: any frame in any order, moments, turned and stretched pixels, and files that are none."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.media import ffmpeg
from adapters.media.contents.video import frame_number
from adapters.media.errors import NotAVideo
from adapters.media.footage import Footage
from tests.support.clips import counting, write_clip
from timeline.stage import Video


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "count.mp4", counting(24))


def level(footage: Footage, number: int) -> int:
    return round((int(footage.picture(number)[30, 60, 1]) - 10) / 8)


def test_frames_forward_backward_and_by_jumps(clip: Path) -> None:
    footage = Footage(clip)
    assert footage.frames == 24
    assert footage.size == (64, 36)
    order = [*range(24), *range(23, -1, -1), 5, 20, 5, 6, 19, 0]
    assert [level(footage, k) for k in order] == order
    footage.close()


def test_little_room_still_gives_every_frame(clip: Path) -> None:
    footage = Footage(clip)
    footage._kept_room = 2
    assert [level(footage, k) for k in range(23, -1, -3)] == list(range(23, -1, -3))


def test_planes_are_those_of_the_file(clip: Path) -> None:
    planes = Footage(clip).planes(10)
    assert abs(int(planes.y[30, 60]) - round(16 + 90 * 219 / 255)) <= 2
    assert abs(int(planes.v[2, 2]) - 240) <= 4


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 23 * 40), st.integers(-3, 3), st.integers(0, 30))
def test_moments(clip_start: int, step: int, k: int) -> None:
    """A file frame lasts 40 ms: the one shown is the one that covers the moment, held at both ends."""
    content = Video(asset="x", start=clip_start, step=step * 20, scale=1000, low=0, high=960)
    moment = clip_start + k * step * 20
    wanted = min(max(moment // 40, 0), 23)
    assert frame_number(content, _Regular(), k) == wanted


class _Regular:
    """24 frames of 40 ms."""

    frames = 24

    def number_at(self, seconds: Fraction) -> int:
        return min(max(int(seconds * 25), 0), 23)

    def begins_at(self, number: int) -> Fraction:
        return Fraction(number, 25)


def test_repeated_and_cut() -> None:
    looped = Video(asset="x", start=200, step=40, scale=1000, low=200, high=400, loop=True)
    assert [frame_number(looped, _Regular(), k) for k in range(8)] == [5, 6, 7, 8, 9, 5, 6, 7]
    cut = Video(asset="x", start=200, step=40, scale=1000, low=200, high=400)
    assert [frame_number(cut, _Regular(), k) for k in range(8)] == [5, 6, 7, 8, 9, 9, 9, 9]


def test_pixels_that_are_not_square(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "wide.mp4", counting(2), aspect=Fraction(4, 3))
    assert Footage(path).size == (85, 36)


@pytest.mark.parametrize(("turn", "corner"), [(90, "bottom left"), (-90, "top right"), (180, "bottom right")])
def test_a_turned_file_stands_upright(tmp_path: Path, clip: Path, turn: int, corner: str) -> None:
    """`turn` counterclockwise, as the container says it."""
    out = tmp_path / "turned.mp4"
    argv = [*ffmpeg.QUIET, "-display_rotation:v:0", str(turn), "-i", str(clip), "-c", "copy", str(out)]
    subprocess.run([ffmpeg.binary(), *argv], check=True, capture_output=True, timeout=30)
    footage = Footage(out)
    image = footage.picture(0)
    assert footage.size == ((36, 64) if turn in (90, -90) else (64, 36)) == (image.shape[1], image.shape[0])
    rows = image[-4:] if "bottom" in corner else image[:4]
    place = rows[:, :4] if "left" in corner else rows[:, -4:]
    assert int(place[..., 0].min()) > 230
    planes = footage.planes(0)
    assert planes.size == footage.size


def test_a_stream_whose_jumps_land_late_still_gives_every_frame(tmp_path: Path, clip: Path) -> None:
    out = tmp_path / "clip.ts"
    argv = [*ffmpeg.QUIET, "-i", str(clip), "-c", "copy", str(out)]
    subprocess.run([ffmpeg.binary(), *argv], check=True, capture_output=True, timeout=30)
    footage = Footage(out)
    order = [0, 20, 9, 23, 1, 16, 8, 17]
    assert [level(footage, k) for k in order] == order


@pytest.mark.parametrize(
    "text", ["#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", "ffconcat version 1.0\nfile /etc/passwd\n", ""]
)
def test_a_playlist_in_disguise_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "film.mp4"
    path.write_text(text)
    with pytest.raises(NotAVideo, match=r"film\.mp4"):
        Footage(path)


def test_a_file_cut_off_in_the_middle(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / "cut.mp4"
    data = clip.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(NotAVideo):
        Footage(path)
