"""An hour at 30000/1001 with a flash, a caption and a beep at every full minute: how far apart they are at the end.

    python -m benchmarks drift                 an hour
    python -m benchmarks drift --minutes 5

Measured from the finished file: picture times from its packets, the beep from the decoded sound. Memory is that of
the largest process while the film is made.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

from adapters.media.pcm import decoded
from adapters.media.renderer import FfmpegRenderer
from domain.production.ports import Assets
from tests.support.plans import CAPTION_STYLE
from timeline.plan import Box, Encoding, Layer, Output, Rate, RenderPlan, Segment, Sound, SoundMix, Stage, TextState
from timeline.stage import Fill

FPS = Fraction(30000, 1001)
W, H = 128, 72
SHOWN = 6
"""Frames for which flash and caption last."""


def frame_of(second: int) -> int:
    return int(second * FPS + Fraction(1, 2))


def plan_of(minutes: int) -> RenderPlan:
    """One segment a minute; the marks of minute k come at k·60 + 30 s."""
    edges = [frame_of(60 * k) for k in range(minutes + 1)]
    parts = []
    for k in range(minutes):
        start, first = edges[k], frame_of(60 * k + 30) - edges[k]
        flash = Layer(
            content=Fill(colour="#ffffff"),
            first=first,
            frames=SHOWN,
            item_frames=SHOWN,
            box=Box(x=0, y=0, w=W, h=H // 2),
        )
        text = TextState(
            style="caption", events=(rf"{{\an5\pos({W // 2},{H * 3 // 4})}}MMM",), first=first, frames=SHOWN
        )
        stage = Stage(ground="#000000", layers=(flash,))
        frames = edges[k + 1] - start
        parts.append(Segment(index=k, kind="body", start=start, frames=frames, picture=stage, captions=(text,)))
    samples = round(edges[-1] / FPS * 48_000)
    beeps = tuple(
        Sound(asset="", bus="sfx", start=(60 * k + 30) * 48_000, samples=9_600, tone_mhz=1_000_000)
        for k in range(minutes)
    )
    style = CAPTION_STYLE.model_copy(update={"value": CAPTION_STYLE.value.format(size=24, line=0)})
    return RenderPlan(
        title="Drift",
        language="en",
        output=Output(profile="drift", width=W, height=H, rate=Rate(num=30000, den=1001), encoding=Encoding()),
        frames=edges[-1],
        segments=tuple(parts),
        sound=SoundMix(samples=samples, sounds=beeps),
        styles=(style,),
    )


async def make(plan: RenderPlan, folder: Path) -> Path:
    """Render and join; answers the film."""
    renderer, paths = FfmpegRenderer(), []
    for segment in plan.segments:
        paths.append(folder / f"{segment.index}.mp4")
        await renderer.render_segment(plan, segment, Assets({}), paths[-1], lambda done, total: None, lambda: False)
    await renderer.mix_sound(plan, Assets({}), folder / "s.wav", lambda done, total: None, lambda: False)
    film = folder / "film.mp4"
    await renderer.join(plan, paths, folder / "s.wav", film, lambda done, total: None, lambda: False)
    renderer.close()
    return film


def marks(film: Path, folder: Path) -> tuple[list[float], list[float], list[float]]:
    """Seconds at which flashes, captions and beeps begin, as the file says."""
    rows: list[tuple[float, bool, bool]] = []
    with av.open(str(film)) as box:
        stream = box.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in box.decode(stream):
            luma = np.frombuffer(frame.planes[0], np.uint8).reshape(-1, frame.planes[0].line_size)[:H, :W]
            rows.append((float(frame.pts * stream.time_base), luma[:30].mean() > 120, int(luma[40:].max()) > 120))
    sound = decoded(film, folder / "heard.f32", 48_000, folder)
    loud = np.concatenate(([False], np.abs(np.asarray(sound[:, 0])) > 0.05))
    starts = np.flatnonzero(loud[1:] & ~loud[:-1])
    beeps = [int(at) for at, before in zip(starts, [-48_000, *starts[:-1]], strict=True) if at - before > 24_000]
    flashes = [now[0] for before, now in pairwise(rows) if now[1] and not before[1]]
    captions = [now[0] for before, now in pairwise(rows) if now[2] and not before[2]]
    return flashes, captions, [at / 48_000 for at in beeps]


def main(argv: Sequence[str]) -> int:
    """Answers 1 when anything is further than a frame from where it belongs, or marks are missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=int, default=60)
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="vfos-drift-") as name:
        folder = Path(name)
        film = asyncio.run(make(plan_of(given.minutes), folder))
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        found = marks(film, folder)
    wanted, worst = [60 * k + 30 for k in range(given.minutes)], 0.0
    for what, times in zip(("flash", "caption", "beep"), found, strict=True):
        if len(times) != given.minutes:
            print(f"{what}: {len(times)} found instead of {given.minutes}")
            return 1
        off = [time - at for time, at in zip(times, wanted, strict=True)]
        worst = max(worst, *(abs(part) for part in off))
        first, last, most = (1000 * part for part in (off[0], off[-1], max(off, key=abs)))
        print(f"{what}: first {first:+.2f} ms, last {last:+.2f} ms, most {most:+.2f} ms")
    apart = max(abs(a - b) for a, b in zip(found[0], found[2], strict=True))
    frame = 1000 / float(FPS)
    print(f"flash against beep: at most {apart * 1000:.2f} ms of {frame:.2f}; largest process {peak:.0f} MB")
    return int(worst > 1 / FPS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
