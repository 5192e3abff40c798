"""Every detector of the quality gate against a film with exactly that defect, and none against a clean one."""

from __future__ import annotations

import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from adapters.media import ffmpeg
from adapters.media.aac import encode
from adapters.media.pcm import mapped
from adapters.media.renderer import FfmpegRenderer
from domain.production.ports import Inspection
from tests.adapters.media.conftest import Made, never
from timeline.plan import RenderPlan


def remade(film: Path, out: Path, *arguments: str) -> Path:
    """The film passed through ffmpeg with some arguments."""
    argv = [ffmpeg.binary(), "-v", "error", "-y", "-i", str(film), *arguments, str(out)]
    subprocess.run(argv, check=True, capture_output=True)
    return out


PICTURE = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-pix_fmt", "yuv420p")
TAGGED = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
FAST = ("-movflags", "+faststart")


def codes(found: Inspection, severity: str = "error") -> set[str]:
    return {finding.code for finding in found.findings if finding.severity == severity}


Inspect = Callable[[Path, RenderPlan | None], Awaitable[Inspection]]


@pytest.fixture
def inspected(renderer: FfmpegRenderer) -> Inspect:
    return lambda film, plan: renderer.inspect(film, plan, never)


class TestCleanFilm:
    async def test_no_finding_at_all(self, inspected: Inspect, made: Made) -> None:
        found = await inspected(made.film, made.plan)
        assert list(found.findings) == []
        assert found.passed
        assert found.facts["frames"] == made.plan.frames
        assert found.facts["loudness_lufs"] == pytest.approx(-14, abs=0.5)
        assert found.facts["bt709"] is True

    async def test_speech_is_found_in_its_place(self, inspected: Inspect, made: Made) -> None:
        found = await inspected(made.film, made.plan)
        assert found.facts["speech_lag_s"] == pytest.approx(0, abs=0.05)

    async def test_no_finding_without_a_plan(self, inspected: Inspect, made: Made) -> None:
        assert list((await inspected(made.film, None)).findings) == []


class TestPicture:
    async def test_black(self, inspected: Inspect, made: Made, tmp_path: Path) -> None:
        black = f"drawbox=enable='between(t,3,5.6)':color=black:t=fill,{TAGGED}"
        film = remade(made.film, tmp_path / "f.mp4", "-vf", black, *PICTURE, *FAST, "-c:a", "copy")
        found = await inspected(film, made.plan)
        assert codes(found) == {"black", "caption_missing"}
        (finding,) = (each for each in found.findings if each.code == "black")
        assert finding.start == pytest.approx(3, abs=0.1)
        assert finding.end == pytest.approx(5.6, abs=0.1)

    async def test_frozen(self, inspected: Inspect, made: Made, tmp_path: Path) -> None:
        frozen = f"loop=loop=75:size=1:start=20,trim=end_frame={made.plan.frames},setpts=N/30/TB,{TAGGED}"
        film = remade(made.film, tmp_path / "f.mp4", "-vf", frozen, *PICTURE, *FAST, "-c:a", "copy")
        found = await inspected(film, made.plan)
        assert codes(found) == {"frozen"}
        start, end = found.findings[0].start, found.findings[0].end
        assert start is not None
        assert end is not None
        assert 20 / 30 <= start <= 1.1  # coding noise may last until the next key frame
        assert end == pytest.approx(96 / 30, abs=0.1)

    async def test_a_meant_still_is_no_freeze(self, inspected: Inspect, made: Made, tmp_path: Path) -> None:
        frozen = f"loop=loop=75:size=1:start=0,trim=end_frame={made.plan.frames},setpts=N/30/TB,{TAGGED}"
        film = remade(made.film, tmp_path / "f.mp4", "-vf", frozen, *PICTURE, *FAST, "-c:a", "copy")
        first = made.plan.segments[0]
        still = first.picture.model_copy(update={"motion": None})
        segments = (first.model_copy(update={"picture": still}), *made.plan.segments[1:])
        found = await inspected(film, made.plan.model_copy(update={"segments": segments}))
        assert list(found.findings) == []

    async def test_wrong_size_rate_and_colour(self, inspected: Inspect, made: Made, tmp_path: Path) -> None:
        wrong = "scale=160:90,fps=25,setparams=colorspace=smpte170m"
        film = remade(made.film, tmp_path / "f.mp4", "-vf", wrong, *PICTURE, *FAST, "-c:a", "copy")
        found = await inspected(film, made.plan)
        assert {"wrong_size", "wrong_rate", "wrong_colour"} <= codes(found)

    async def test_wrong_pixels(self, inspected: Inspect, made: Made, tmp_path: Path) -> None:
        film = remade(made.film, tmp_path / "f.mp4", "-vf", TAGGED, *PICTURE[:-1], "yuv444p", *FAST, "-c:a", "copy")
        assert codes(await inspected(film, made.plan)) == {"wrong_pixels"}


class TestLength:
    async def test_too_short(self, inspected: Inspect, made: Made, tmp_path: Path) -> None:
        film = remade(made.film, tmp_path / "f.mp4", "-t", "5", "-vf", TAGGED, *PICTURE, *FAST)
        assert "too_short" in codes(await inspected(film, made.plan))

    async def test_too_long(self, inspected: Inspect, made: Made, tmp_path: Path) -> None:
        longer = f"tpad=stop_mode=clone:stop=12,{TAGGED}"
        film = remade(made.film, tmp_path / "f.mp4", "-vf", longer, *PICTURE, *FAST, "-c:a", "copy")
        assert "too_long" in codes(await inspected(film, made.plan))


class TestSound:
    async def test_silent(self, inspected: Inspect, made: Made, tmp_path: Path) -> None:
        film = remade(made.film, tmp_path / "f.mp4", "-af", "volume=0", "-c:v", "copy", *FAST)
        assert codes(await inspected(film, made.plan)) == {"silent"}

    async def test_no_sound(self, inspected: Inspect, made: Made, tmp_path: Path) -> None:
        film = remade(made.film, tmp_path / "f.mp4", "-an", "-c:v", "copy", *FAST)
        assert codes(await inspected(film, made.plan)) == {"no_sound"}
        assert codes(await inspected(film, None), "warning") == {"no_sound"}

    @pytest.mark.parametrize(("gain", "code"), [("4dB", "too_loud"), ("-4dB", "too_quiet")])
    async def test_level(self, inspected: Inspect, made: Made, tmp_path: Path, gain: str, code: str) -> None:
        film = remade(made.film, tmp_path / "f.mp4", "-af", f"volume={gain}", "-c:v", "copy", *FAST)
        found = await inspected(film, made.plan)
        assert code in codes(found)
        assert ("peaks" in codes(found)) == (code == "too_loud")

    async def test_missing_speech(self, inspected: Inspect, made: Made, tmp_path: Path) -> None:
        gone = "volume=enable='between(t,3,6)':volume=0"
        film = remade(made.film, tmp_path / "f.mp4", "-af", gone, "-c:v", "copy", *FAST)
        found = await inspected(film, made.plan)
        assert "dead_air" in codes(found)

    async def test_silence_where_nobody_speaks_is_a_warning(
        self, inspected: Inspect, made: Made, tmp_path: Path
    ) -> None:
        film = remade(
            made.film, tmp_path / "f.mp4", "-af", "volume=enable='between(t,3,6)':volume=0", "-c:v", "copy", *FAST
        )
        assert "dead_air" in codes(await inspected(film, None), "warning")

    @pytest.mark.parametrize("late", [0.3, -0.3])
    async def test_speech_out_of_place(self, inspected: Inspect, made: Made, tmp_path: Path, late: float) -> None:
        (raw := tmp_path / "raw.f32").write_bytes(
            ffmpeg.run(ffmpeg.decode_sound_argv(f"file:{made.film}", 48_000), tmp_path, what="decode")
        )
        moved = np.roll(mapped(raw)[: made.plan.sound.samples], round(late * 48_000), axis=0)
        encode(moved, 48_000, 192_000, tmp_path / "moved.m4a")
        film = _with_sound(made.film, tmp_path / "moved.m4a", tmp_path / "f.mp4")
        found = await inspected(film, made.plan)
        assert codes(found) == {"out_of_sync"}
        assert found.facts["speech_lag_s"] == pytest.approx(late, abs=0.05)

    async def test_streams_that_start_apart(self, inspected: Inspect, made: Made, tmp_path: Path) -> None:
        film = _with_sound(made.film, made.film, tmp_path / "f.mp4", "-itsoffset", "0.2")
        assert "out_of_sync" in codes(await inspected(film, made.plan))


def _with_sound(film: Path, sound: Path, out: Path, *shift: str) -> Path:
    argv = [ffmpeg.binary(), "-v", "error", "-y", "-i", str(film), *shift, "-i", str(sound)]
    argv += ["-map", "0:v", "-map", "1:a", "-c", "copy", *FAST, str(out)]
    subprocess.run(argv, check=True, capture_output=True)
    return out


class TestForm:
    async def test_index_at_the_end(self, inspected: Inspect, made: Made, tmp_path: Path) -> None:
        film = remade(made.film, tmp_path / "f.mp4", "-c", "copy")
        assert codes(await inspected(film, made.plan)) == {"not_faststart"}

    async def test_uneven_times(self, inspected: Inspect, made: Made, tmp_path: Path) -> None:
        uneven = f"setpts='if(gte(N,50),PTS+3/30/TB,PTS)',{TAGGED}"
        film = remade(
            made.film, tmp_path / "f.mp4", "-vf", uneven, "-fps_mode", "passthrough", *PICTURE, *FAST, "-c:a", "copy"
        )
        assert "uneven_times" in codes(await inspected(film, made.plan))

    async def test_damaged(self, inspected: Inspect, made: Made, tmp_path: Path) -> None:
        data = bytearray(made.film.read_bytes())
        middle = len(data) // 2
        data[middle : middle + 20_000] = bytes(20_000)
        (film := tmp_path / "f.mp4").write_bytes(data)
        found = await inspected(film, made.plan)
        assert not found.passed

    async def test_cut_off(self, inspected: Inspect, made: Made, tmp_path: Path) -> None:
        data = made.film.read_bytes()
        (film := tmp_path / "f.mp4").write_bytes(data[: len(data) * 2 // 3])
        found = await inspected(film, made.plan)
        assert not found.passed

    @pytest.mark.parametrize(
        "content",
        [b"", b"not a film at all", b"ffconcat version 1.0\nfile /etc/hostname\n", b"#EXTM3U\nfile:///etc/hostname\n"],
        ids=["empty", "text", "ffconcat", "playlist"],
    )
    async def test_not_a_video(self, inspected: Inspect, made: Made, tmp_path: Path, content: bytes) -> None:
        (film := tmp_path / "f.mp4").write_bytes(content)
        assert codes(await inspected(film, made.plan)) == {"not_a_video"}

    async def test_sound_alone_is_not_a_video(self, inspected: Inspect, made: Made) -> None:
        assert codes(await inspected(made.sound, made.plan)) == {"not_a_video"}
