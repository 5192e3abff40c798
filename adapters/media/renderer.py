"""The renderer behind production's port: each call a child process, each output whole or not there at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from adapters.media import codecs, ffmpeg
from adapters.media.child import publish, run_node, scratch
from adapters.media.errors import MissingAsset
from adapters.media.node_process import OUT, PLAN
from adapters.media.nodes import Nodes
from adapters.media.typefaces import fonts_digest
from adapters.media.watch_key import watch_key
from domain.production.ports import Assets, Finding, Inspection, Progress
from timeline.plan import RenderPlan, Segment, SoundMix, assets_in

REVISION = 6
"""Raised by hand whenever the same plan gives other bytes."""
LIBRARIES = ("av", "numpy", "opencv-python-headless", "pillow")
"""What draws and encodes. Only node processes load it: a worker that waits for them needs 40 MB less."""
BASE_CAP_S = 180.0
SECONDS_PER_MEGAPIXEL_FRAME = 0.75
SECONDS_PER_SECOND = 3.0
_SILENT = SoundMix(samples=0, sounds=())


def _no_progress(done: int, total: int) -> None:
    return None


class FfmpegRenderer:
    """Renders plans with OpenCV, libx264 through PyAV, libass and loudness meters of the ffmpeg program.

    Raises the errors of adapters.media.errors, and Stopped.
    """

    def __init__(self) -> None:
        self._nodes = Nodes()

    def close(self) -> None:
        """End the process that renders are forked from; it also ends by itself when idle or when this one ends."""
        self._nodes.close()

    @cached_property
    def build(self) -> str:
        """Versions of everything that shapes the bytes."""
        parts = {
            "renderer": str(REVISION),
            "ffmpeg": ffmpeg.version(),
            **{library: version(library) for library in LIBRARIES},
            "fonts": fonts_digest(),
        }
        encoders = {codec: codecs.chosen(codec) for codec in codecs.SOFTWARE} if codecs.unusual() else {}
        parts.update({codec: choice.encoder for codec, choice in encoders.items()})
        return " ".join(f"{name}={value}" for name, value in parts.items())

    def encoder(self, codec: str) -> codecs.Choice:
        """Which encoder writes a codec here, and which were tried in vain. Raises PlanUnrenderable."""
        return codecs.chosen(codec)

    async def render_segment(
        self,
        plan: RenderPlan,
        segment: Segment,
        assets: Assets,
        out: Path,
        progress: Progress,
        stop: Callable[[], bool],
    ) -> None:
        """Write one silent segment. The child is given this segment and nothing else of the film."""
        request = {"assets": _paths(assets, assets_in(segment))}
        await self._make("segment", _alone(plan, segment), request, out, progress, stop, _segment_cap(plan, segment))

    def watch_key(self, plan: RenderPlan, segment: Segment) -> str:
        """Name everything but the segment's bytes that shapes what `watch` writes."""
        return watch_key(plan, segment)

    async def watch(self, plan: RenderPlan, segment: Segment, made: Path, out: Path, stop: Callable[[], bool]) -> None:
        """Look at a finished segment and write what was seen, for `inspect`."""
        request = {"film": str(made.resolve())}
        cap = _segment_cap(plan, segment)
        await self._make("watch", _alone(plan, segment), request, out, _no_progress, stop, cap)

    async def mix_sound(
        self, plan: RenderPlan, assets: Assets, out: Path, progress: Progress, stop: Callable[[], bool]
    ) -> None:
        """Write the whole film's sound as 32-bit float WAV."""
        request = {"assets": _paths(assets, {sound.asset for sound in plan.sound.sounds})}
        await self._make("sound", plan, request, out, progress, stop, _film_cap(plan))

    async def join(
        self,
        plan: RenderPlan,
        segments: Sequence[Path],
        sound: Path,
        out: Path,
        progress: Progress,
        stop: Callable[[], bool],
    ) -> None:
        """Write the finished film."""
        request = {"segments": [str(path.resolve()) for path in segments], "sound": str(sound.resolve())}
        await self._make("join", plan, request, out, progress, stop, _film_cap(plan))

    async def inspect(
        self, film: Path, plan: RenderPlan | None, stop: Callable[[], bool], seen: Sequence[Path] = ()
    ) -> Inspection:
        """Measure and judge a film; a file that is none gives a finding. Raises MissingAsset.

        `seen`: what `watch` wrote of each segment; pictures that are still the same are not decoded again.
        """
        if not film.is_file():
            raise MissingAsset(f"The film {film.name} is not there.")
        cap = _film_cap(plan) if plan else 4 * 3600.0
        async with scratch(film) as folder:
            if plan is not None:
                (folder / PLAN).write_text(plan.model_dump_json())
            request = {"film": str(film.resolve()), "seen": [str(path.resolve()) for path in seen]}
            found = await run_node(self._nodes, "inspect", folder, request, _no_progress, stop, cap)
        return Inspection(found["facts"], [Finding(**finding) for finding in found["findings"]])

    async def still(self, film: Path, frame: int, out: Path, width: int, height: int) -> None:
        """Write one frame as JPEG, cropped to the size."""
        request = {"film": str(film.resolve()), "frame": frame, "width": width, "height": height}
        await self._make("still", None, request, out, _no_progress, lambda: False, BASE_CAP_S)

    async def frame(self, plan: RenderPlan, assets: Assets, frame: int, out: Path, width: int = 0) -> None:
        """Write one frame of a film that need not be rendered, as JPEG, `width` pixels wide (0: as the film)."""
        request = {"assets": _paths(assets, set(plan.assets)), "frame": frame, "width": width}
        await self._make("frame", plan, request, out, _no_progress, lambda: False, BASE_CAP_S)

    async def contact_sheet(
        self,
        plan: RenderPlan,
        assets: Assets,
        out: Path,
        progress: Progress,
        stop: Callable[[], bool],
        *,
        count: int = 0,
        columns: int = 4,
        width: int = 480,
    ) -> None:
        """Write small frames of a film that need not be rendered as one JPEG: `count` of them, or one per scene."""
        request = {"assets": _paths(assets, set(plan.assets)), "count": count, "columns": columns, "width": width}
        await self._make("contact", plan, request, out, progress, stop, _film_cap(plan))

    async def preview(
        self,
        plan: RenderPlan,
        assets: Assets,
        first: int,
        stop_frame: int,
        out: Path,
        progress: Progress,
        stop: Callable[[], bool],
    ) -> None:
        """Write film frames [first, stop_frame) with sound; compile with the `preview` profile to have it quickly."""
        request = {"assets": _paths(assets, set(plan.assets)), "first": first, "stop": stop_frame}
        await self._make("preview", plan, request, out, progress, stop, _film_cap(plan))

    async def _make(
        self,
        kind: str,
        plan: RenderPlan | None,
        request: Mapping[str, Any],
        out: Path,
        progress: Progress,
        stop: Callable[[], bool],
        cap_s: float,
    ) -> None:
        async with scratch(out) as folder:
            if plan is not None:
                (folder / PLAN).write_text(plan.model_dump_json())
            await run_node(self._nodes, kind, folder, request, progress, stop, cap_s)
            publish(folder / OUT, out)


def _paths(assets: Assets, wanted: set[str]) -> dict[str, str]:
    return {key: str(assets.paths[key].resolve()) for key in sorted(wanted) if key in assets.paths}


def _alone(plan: RenderPlan, segment: Segment) -> RenderPlan:
    """The plan of a film that is this segment and nothing else."""
    only = segment.model_copy(update={"start": 0})
    return plan.model_copy(
        update={"segments": (only,), "frames": segment.frames, "sound": _SILENT, "cues": (), "assets": {}}
    )


def _segment_cap(plan: RenderPlan, segment: Segment) -> float:
    megapixels = plan.output.width * plan.output.height / 1e6
    return BASE_CAP_S + segment.frames * megapixels * SECONDS_PER_MEGAPIXEL_FRAME


def _film_cap(plan: RenderPlan) -> float:
    seconds = plan.frames * plan.output.rate.den / plan.output.rate.num
    return BASE_CAP_S + seconds * SECONDS_PER_SECOND
