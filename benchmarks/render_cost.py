"""What rendering costs beside the encoder: CPU seconds of a film's picture ÷ encode-only of the same frames.

Encode-only is the ffmpeg program with its usual threads, given ready-made frames in a raw file and the same settings.
Told beside it: the program on one thread, and the encoder alone, looping over frames that lie in memory already.

    python -m benchmarks.render_cost                       a one-minute 1080p film of generated pictures
    python -m benchmarks.render_cost PLAN.json ASSETS.json  a stored plan; ASSETS maps content hashes to paths
    python -m benchmarks.render_cost --home HOME            the demo's newest film, while `vfos up` runs there

All are measured in one run on the same machine: the renderer with its processes, the program, and an encoder that is
fed frames made beforehand (a second at a time, so that memory stays small).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av

from adapters.media import codecs, ffmpeg
from adapters.media.compositor import Compositor
from adapters.media.encoder import PooledFrame, SegmentEncoder
from adapters.media.renderer import FfmpegRenderer
from domain.production.ports import Assets
from tests.support.plans import CAPTION_STYLE, Studio, caption, later, zoom
from timeline.plan import Blend, Box, Encoding, Key, Output, Overlay, Rate, RenderPlan, Segment, Shot, SoundMix

AT_ONCE = 30
LIMIT = 1.20


def sample_plan(
    studio: Studio, seconds: int = 60, size: tuple[int, int] = (1920, 1080), photos: Sequence[Path] = ()
) -> RenderPlan:
    """Six pictures that zoom by 15 %, crossfades, a logo, a caption state every 13 frames; drawn without `photos`."""
    w, h = size
    cross, count = 15, 6
    pitch = seconds * 30 // count
    shots = [
        Shot(
            asset=studio.keep(photos[k]) if photos else studio.picture(k, (w * 4 // 3, h * 4 // 3)),
            motion=zoom("1", "0.869565", pitch + cross),
        )
        for k in range(count)
    ]
    logo = studio.logo((h // 8 & ~1, h // 8 & ~1))
    parts: list[Segment] = []
    for k, shot in enumerate(shots):
        start = k * pitch + (cross if k else 0)
        end = (k + 1) * pitch if k < count - 1 else seconds * 30
        parts.append(_body(parts, later(shot, cross if k else 0), start, end - start, logo, size))
        if k < count - 1:
            blend = Blend(transition="crossfade", a=later(shot, pitch), b=shots[k + 1], length=cross)
            parts.append(Segment(index=len(parts), kind="transition", start=end, frames=cross, picture=blend))
    value = CAPTION_STYLE.value.format(size=h // 15, line=max(1, h // 240))
    return RenderPlan(
        title="Cost",
        language="en",
        output=Output(profile="cost", width=w, height=h, rate=Rate(num=30), encoding=Encoding()),
        frames=seconds * 30,
        segments=tuple(parts),
        sound=SoundMix(samples=0, sounds=()),
        styles=(CAPTION_STYLE.model_copy(update={"value": value}),),
    )


def _body(before: list[Segment], shot: Shot, start: int, frames: int, logo: str, size: tuple[int, int]) -> Segment:
    w, h = size
    side = h // 8 & ~1
    words = ["every", "frame", "of", "this", "film", "is", "drawn", "once"]
    states = []
    for first in range(0, frames - 13, 13):
        lit = (start + first) // 13 % len(words)
        text = " ".join(f"{{\\1c&H40C8FF&}}{word}{{\\r}}" if k == lit else word for k, word in enumerate(words))
        text += " " + chr(65 + (start + first) // 13 % 26)
        states.append(caption(text, (w // 2, h * 9 // 10), first, 13))
    mark = Overlay(
        asset=logo,
        box=Box(x=w - side - 40, y=40, w=side, h=side),
        first=0,
        frames=frames,
        opacity=(Key(frame=0, value="0.85"),),
    )
    return Segment(
        index=len(before),
        kind="body",
        start=start,
        frames=frames,
        picture=shot,
        overlays=(mark,),
        captions=tuple(states),
    )


async def render_cost(plan: RenderPlan, assets: Assets, folder: Path) -> tuple[float, float]:
    """CPU and wall seconds of rendering all segments, processes included."""
    renderer = FfmpegRenderer()
    before, wall = _children(), time.perf_counter()
    for segment in plan.segments:
        out = folder / f"{segment.index}.mp4"
        await renderer.render_segment(plan, segment, assets, out, lambda done, total: None, lambda: False)
    wall = time.perf_counter() - wall
    renderer.close()
    return _children() - before, wall


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def encode_cost(plan: RenderPlan, assets: Assets, folder: Path) -> float:
    """CPU seconds of the encoder alone on ready-made frames of all segments with the same settings."""
    return sum(_encode_segment(plan, segment, assets, folder) for segment in plan.segments)


def program_cost(plan: RenderPlan, assets: Assets, folder: Path) -> tuple[float, float]:
    """CPU seconds of the ffmpeg program that encodes ready-made frames of all segments from raw files.

    With its usual threads, and on one.
    """
    costs = [_encode_file(plan, segment, assets, folder) for segment in plan.segments]
    return sum(usual for usual, _ in costs), sum(one for _, one in costs)


def _encode_file(plan: RenderPlan, segment: Segment, assets: Assets, folder: Path) -> tuple[float, float]:
    raw, pooled = folder / "frames.yuv", PooledFrame((plan.output.width, plan.output.height))
    with Compositor(plan, segment, assets, folder) as compositor, raw.open("wb") as out:
        for k in range(segment.frames):
            compositor.draw(k, pooled.planes)
            for plane in pooled.planes.each:
                out.write(plane.tobytes())
    usual, one = (_encode_run(_encode_argv(plan, raw, folder / "plain.mp4", threads)) for threads in (0, 1))
    raw.unlink()
    return usual, one


def _encode_run(argv: Sequence[str]) -> float:
    before = _children()
    subprocess.run([ffmpeg.binary(), *argv], check=True, capture_output=True)
    return _children() - before


def _encode_argv(plan: RenderPlan, raw: Path, out: Path, threads: int) -> list[str]:
    output, size = plan.output, (plan.output.width, plan.output.height)
    rules = codecs.options("libx264", output.encoding, size)
    return [
        *(*ffmpeg.QUIET, "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{size[0]}x{size[1]}"),
        *("-r", f"{output.rate.num}/{output.rate.den}", "-i", str(raw), "-c:v", "libx264", "-preset", rules["preset"]),
        *("-crf", rules["crf"], "-profile:v", rules["profile"], "-x264-params", rules["x264-params"]),
        *("-g", str(output.encoding.gop), "-bf", str(codecs.B_FRAMES), "-threads", str(threads), str(out)),
    ]


def _encode_segment(plan: RenderPlan, segment: Segment, assets: Assets, folder: Path) -> float:
    size, output = (plan.output.width, plan.output.height), plan.output
    frames = [PooledFrame(size) for _ in range(min(AT_ONCE, segment.frames))]
    encoder: Any = SegmentEncoder(folder / "plain.mp4", size, output.rate, output.encoding)
    spent = 0.0
    with Compositor(plan, segment, assets, folder) as compositor:
        for start in range(0, segment.frames, AT_ONCE):
            part = frames[: segment.frames - start]
            for k, pooled in enumerate(part):
                compositor.draw(start + k, pooled.planes)
                pooled.frame.pts = start + k
            began = time.process_time()
            for pooled in part:
                encoder._box.mux(encoder._stream.encode(pooled.frame))
            spent += time.process_time() - began
    began = time.process_time()
    encoder._box.mux(encoder._stream.encode(None))
    encoder._box.close()
    return spent + time.process_time() - began


def measure(plan: RenderPlan, assets: Assets) -> dict[str, Any]:
    """What each costs, and the ratios."""
    with tempfile.TemporaryDirectory(prefix="vfos-cost-") as name:
        folder = Path(name)
        render, wall = asyncio.run(render_cost(plan, assets, folder))
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        usual, one = program_cost(plan, assets, folder)
        encode = encode_cost(plan, assets, folder)
    return {
        "frames": plan.frames,
        "size": f"{plan.output.width}x{plan.output.height}",
        "segments": len(plan.segments),
        "render_cpu_s": round(render, 2),
        "render_wall_s": round(wall, 2),
        "encode_only_cpu_s": round(usual, 2),
        "ratio": round(render / usual, 3),
        "encode_only_on_one_thread_cpu_s": round(one, 2),
        "ratio_to_one_thread": round(render / one, 3),
        "encoder_in_memory_cpu_s": round(encode, 2),
        "ratio_to_encoder_in_memory": round(render / encode, 3),
        "peak_rss_mb": peak,
        "av": av.__version__,
    }


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("plan", nargs="?", type=Path)
    parser.add_argument("assets", nargs="?", type=Path)
    parser.add_argument("--home", type=Path, help="measure the demo's newest film of this VFOS_HOME")
    parser.add_argument("--seconds", type=int, default=60, help="length of the generated film")
    parser.add_argument("--limit", type=float, default=LIMIT, help="largest ratio that passes")
    given = parser.parse_args(argv)
    if given.home is not None:
        # Not above: what this loads would be counted in every film that is measured.
        from benchmarks.newest_film import newest_film

        plan, assets = asyncio.run(newest_film(given.home))
    elif given.plan is not None:
        plan = RenderPlan.model_validate_json(given.plan.read_bytes())
        assets = Assets({key: Path(path) for key, path in json.loads(given.assets.read_text()).items()})
    else:
        return _measured_apart(given.seconds, given.limit)
    found = measure(plan, assets)
    print(json.dumps(found, indent=1))
    return 0 if found["ratio"] <= given.limit else 1


def _measured_apart(seconds: int, limit: float) -> int:
    """Draw pictures here and measure in a new process: a child's peak counts what its parent held when it began."""
    with tempfile.TemporaryDirectory(prefix="vfos-cost-") as name:
        folder = Path(name)
        studio = Studio(folder)
        (folder / "plan.json").write_text(sample_plan(studio, seconds).model_dump_json())
        (folder / "assets.json").write_text(json.dumps({key: str(path) for key, path in studio.paths.items()}))
        argv = [sys.executable, "-m", "benchmarks.render_cost", str(folder / "plan.json"), str(folder / "assets.json")]
        return subprocess.run([*argv, "--limit", str(limit)], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
