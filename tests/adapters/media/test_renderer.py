"""The renderer as a whole: same bytes twice, whole outputs only, stopping, dying, and clear refusals."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from PIL import Image

from adapters.media.errors import (
    DiskFull,
    FontMissing,
    MissingAsset,
    NotAPicture,
    PictureTooLarge,
    PlanUnrenderable,
    ToolFailed,
    ToolTimedOut,
)
from adapters.media.renderer import FfmpegRenderer
from domain.production.ports import Assets, Stopped
from tests.adapters.media.conftest import Made, never, quiet
from tests.support.plans import Studio, small_plan
from timeline.plan import RenderPlan, Segment


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def endless(studio: Studio) -> tuple[RenderPlan, Segment]:
    """A segment that takes minutes, with text, so that ffmpeg runs beside the node."""
    plan = small_plan(studio, size=(640, 360), body=90)
    segment = plan.segments[0]
    states = tuple(
        state.model_copy(update={"first": k * 60, "frames": 60, "events": (f"{{\\pos(300,300)}}{k}",)})
        for k, state in enumerate(segment.captions * 100)
    )
    return plan, segment.model_copy(update={"frames": 18_000, "captions": states})


class TestBytes:
    async def test_same_plan_same_bytes(self, renderer: FfmpegRenderer, made: Made, tmp_path: Path) -> None:
        for number in (0, 1):
            out = tmp_path / f"{number}.mp4"
            part = made.plan.segments[number]
            await renderer.render_segment(made.plan, part, made.studio.assets, out, quiet, never)
            assert sha256(out) == sha256(made.segments[number])
        await renderer.mix_sound(made.plan, made.studio.assets, tmp_path / "s.wav", quiet, never)
        assert sha256(tmp_path / "s.wav") == sha256(made.sound)
        await renderer.join(made.plan, made.segments, made.sound, tmp_path / "f.mp4", quiet, never)
        assert sha256(tmp_path / "f.mp4") == sha256(made.film)

    async def test_how_many_are_made_at_once_does_not_matter(
        self, renderer: FfmpegRenderer, made: Made, tmp_path: Path
    ) -> None:
        outs = [tmp_path / f"{part.index}.mp4" for part in made.plan.segments]
        await asyncio.gather(
            *(
                renderer.render_segment(made.plan, part, made.studio.assets, out, quiet, never)
                for part, out in zip(made.plan.segments, outs, strict=True)
            )
        )
        assert [sha256(out) for out in outs] == [sha256(segment) for segment in made.segments]

    async def test_place_in_the_film_does_not_matter(
        self, renderer: FfmpegRenderer, made: Made, tmp_path: Path
    ) -> None:
        moved = made.plan.segments[0].model_copy(update={"index": 7, "start": 900, "items": ("x",), "key": "k"})
        await renderer.render_segment(made.plan, moved, made.studio.assets, tmp_path / "m.mp4", quiet, never)
        assert sha256(tmp_path / "m.mp4") == sha256(made.segments[0])

    def test_build_names_the_tools(self) -> None:
        build = FfmpegRenderer().build
        assert build == FfmpegRenderer().build
        for tool in ("renderer=", "ffmpeg=", "av=", "opencv-python-headless=", "numpy=", "fonts="):
            assert tool in build


class TestProgress:
    async def test_counts_frames_to_the_end(self, renderer: FfmpegRenderer, made: Made, tmp_path: Path) -> None:
        seen: list[tuple[int, int]] = []
        await renderer.render_segment(
            made.plan,
            made.plan.segments[0],
            made.studio.assets,
            tmp_path / "p.mp4",
            lambda done, total: seen.append((done, total)),
            never,
        )
        assert seen[-1] == (96, 96)
        assert seen == sorted(seen)

    async def test_only_the_output_remains(self, made: Made) -> None:
        names = {path.name for path in made.film.parent.iterdir()}
        assert names == {"0.mp4", "1.mp4", "2.mp4", "3.mp4", "sound.wav", "film.mp4"}


class TestStopping:
    async def test_stop_ends_everything_within_five_seconds(self, renderer: FfmpegRenderer, studio: Studio) -> None:
        plan, segment = endless(studio)
        (folder := studio.folder / "out").mkdir()
        begun = asyncio.Event()
        clock = asyncio.get_running_loop().time
        asked: list[float] = []

        def stop() -> bool:
            if begun.is_set() and not asked:
                asked.append(clock())
            return bool(asked)

        with pytest.raises(Stopped):
            await renderer.render_segment(
                plan, segment, studio.assets, folder / "s.mp4", lambda done, total: begun.set(), stop
            )
        assert list(folder.iterdir()) == []
        # A process that has been killed may take a moment to be gone.
        assert psutil.wait_procs(_working_in(folder), timeout=5)[1] == []
        assert clock() - asked[0] < 5

    async def test_cancelling_ends_everything(self, renderer: FfmpegRenderer, studio: Studio) -> None:
        plan, segment = endless(studio)
        (folder := studio.folder / "out").mkdir()
        begun = asyncio.Event()
        task = asyncio.create_task(
            renderer.render_segment(
                plan, segment, studio.assets, folder / "s.mp4", lambda done, total: begun.set(), never
            )
        )
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert list(folder.iterdir()) == []
        assert not _working_in(folder)

    async def test_a_killed_worker_leaves_nothing(self, studio: Studio) -> None:
        plan, segment = endless(studio)
        (folder := studio.folder / "out").mkdir()
        (studio.folder / "plan.json").write_text(plan.model_copy(update={"segments": (segment,)}).model_dump_json())
        worker = subprocess.Popen(  # noqa: ASYNC220 (killed and waited for below)
            [sys.executable, "-m", "tests.adapters.media.doomed_worker", str(studio.folder)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        )
        assert worker.stdout is not None
        assert await asyncio.to_thread(worker.stdout.readline) == b"begun\n"
        left = psutil.Process(worker.pid).children(recursive=True)
        assert any("ffmpeg" in process.name() for process in left)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
        _, alive = await asyncio.to_thread(psutil.wait_procs, left, 5)
        assert not alive
        assert list(folder.iterdir()) == []

    async def test_a_killed_node_is_a_clear_error(self, renderer: FfmpegRenderer, studio: Studio) -> None:
        plan, segment = endless(studio)
        (folder := studio.folder / "out").mkdir()
        struck: list[psutil.Process] = []

        def strike(done: int, total: int) -> None:
            if not struck:
                struck.extend(_working_in(folder))
                for process in struck:
                    process.kill()

        with pytest.raises(ToolFailed, match="segment"):
            await renderer.render_segment(plan, segment, studio.assets, folder / "s.mp4", strike, never)
        assert struck
        assert list(folder.iterdir()) == []

    async def test_a_cap_ends_it(
        self, renderer: FfmpegRenderer, studio: Studio, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plan, segment = endless(studio)
        monkeypatch.setattr("adapters.media.renderer.BASE_CAP_S", 0.2)
        monkeypatch.setattr("adapters.media.renderer.SECONDS_PER_MEGAPIXEL_FRAME", 0.0)
        with pytest.raises(ToolTimedOut):
            await renderer.render_segment(plan, segment, studio.assets, studio.folder / "s.mp4", quiet, never)


def _working_in(folder: Path) -> list[psutil.Process]:
    """Processes other than this one whose working directory lies in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and Path(process.cwd()).is_relative_to(folder):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


class TestRefusals:
    async def refused(
        self, renderer: FfmpegRenderer, studio: Studio, plan: RenderPlan, assets: Assets | None = None
    ) -> None:
        out = studio.folder / "refused" / "s.mp4"
        out.parent.mkdir()
        try:
            await renderer.render_segment(plan, plan.segments[0], assets or studio.assets, out, quiet, never)
        finally:
            assert list(out.parent.iterdir()) == []

    async def test_missing_asset(self, renderer: FfmpegRenderer, studio: Studio) -> None:
        with pytest.raises(MissingAsset, match="which is not here"):
            await self.refused(renderer, studio, small_plan(studio), Assets({}))

    @pytest.mark.parametrize(
        "content", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"#EXTM3U\n", b"ffconcat version 1.0\n"]
    )
    async def test_not_a_picture(self, renderer: FfmpegRenderer, studio: Studio, content: bytes) -> None:
        plan = small_plan(studio)
        for path in studio.paths.values():
            path.write_bytes(content)
        with pytest.raises(NotAPicture, match="is not a picture we can read"):
            await self.refused(renderer, studio, plan)

    async def test_thirty_thousand_pixels(self, renderer: FfmpegRenderer, studio: Studio) -> None:
        plan = small_plan(studio)
        huge = studio.folder / "huge.png"
        Image.new("1", (30_000, 30_000)).save(huge)
        with pytest.raises(PictureTooLarge, match="30000 × 30000"):
            await self.refused(renderer, studio, plan, Assets(dict.fromkeys(studio.paths, huge)))

    async def test_unknown_face(self, renderer: FfmpegRenderer, studio: Studio) -> None:
        plan = small_plan(studio)
        style = plan.styles[0].model_copy(update={"value": plan.styles[0].value.replace("Inter", "Comic")})
        with pytest.raises(FontMissing, match="Comic Extra Bold"):
            await self.refused(renderer, studio, plan.model_copy(update={"styles": (style,)}))

    async def test_unknown_style_and_odd_size(self, renderer: FfmpegRenderer, studio: Studio) -> None:
        plan = small_plan(studio)
        with pytest.raises(PlanUnrenderable, match="style 'caption'"):
            await self.refused(renderer, studio, plan.model_copy(update={"styles": ()}))
        (studio.folder / "refused").rmdir()
        output = plan.output.model_copy(update={"width": 321})
        with pytest.raises(PlanUnrenderable, match="321 × 180"):
            await self.refused(renderer, studio, plan.model_copy(update={"output": output}))

    async def test_a_full_disk(self, renderer: FfmpegRenderer, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
        # A cap on file size reaches every writer as the same kind of fault as a full disk.
        monkeypatch.setattr("adapters.media.nodes.LARGEST_FILE", 20_000)
        plan = small_plan(studio)
        with pytest.raises(DiskFull, match="no room on the disk"):
            await renderer.mix_sound(plan, studio.assets, studio.folder / "s.wav", quiet, never)


class TestStill:
    async def test_the_frame_asked_for(self, renderer: FfmpegRenderer, made: Made, tmp_path: Path) -> None:
        await renderer.still(made.film, 50, tmp_path / "a.jpg", 320, 180)
        await renderer.still(made.film, 100_000, tmp_path / "b.jpg", 160, 160)
        with Image.open(tmp_path / "a.jpg") as image:
            assert (image.format, image.size) == ("JPEG", (320, 180))
        with Image.open(tmp_path / "b.jpg") as image:
            assert image.size == (160, 160)
