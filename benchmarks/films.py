"""Three films from the demo's free photographs, by our renderer and by others, as ratios of CPU time in one run.

    python -m benchmarks films                        60 s, 600 s and 30 s at 1080p
    python -m benchmarks films --rounds 3             the middle of three rounds, for a noisy machine
    python -m benchmarks films --seconds 12           everything a fifth as long
    python -m benchmarks films --moviepy .mv/bin/python   with MoviePy, installed there

W1: six photographs with a camera zoom of 15 %, half-second crossfades, a logo, a caption state every 13 frames; also
as a whole film with speech over music that steps back, mastered and joined. W2: ten minutes over one still. W3: a
16:9 clip over its own blur, upright, with captions. Encode-only is the ffmpeg program with its usual threads, given the
same frames ready-made in a raw file; told beside it are the program on one thread and the encoder alone, looping over
frames in memory.
Each way runs in a process of its own; CPU seconds are user and system time of it and all it starts. Only the ratios
mean anything on a machine that others use too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from adapters.media import ffmpeg
from benchmarks.render_cost import _body, encode_cost, program_cost, sample_plan
from domain.production.ports import Assets
from tests.support.plans import CAPTION_STYLE, Studio, small_mix
from timeline.plan import Box, Encoding, Layer, Output, Rate, RenderPlan, Segment, Shot, SoundMix, Stage
from timeline.stage import Video

PHOTOGRAPHS = Path(__file__).resolve().parents[1] / "domain/catalog/demo/pictures"
SIZE, UPRIGHT, RATE = (1920, 1080), (1080, 1920), 30
TARGETS = {
    "W1 video": 1.20,
    "W1 with sound": 1.30,
    "W1 two at once, wall": 1.2,
    "W1 one scene": 0.20,
    "W2": 0.05,
    "W3": 1.4,
}
PEAK_MB = 450


@dataclass(frozen=True)
class Cost:
    """CPU and wall seconds, and the largest process in MB."""

    cpu: float
    wall: float
    peak: float
    more: Mapping[str, Any]


def run(argv: Sequence[str]) -> Cost:
    """Run a program and measure it with all its children; its last line may hold more values as JSON."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+b") as said:
        child = subprocess.Popen(argv, stdout=said, stderr=subprocess.PIPE)
        assert child.stderr is not None
        words = child.stderr.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
        if child.returncode:
            raise RuntimeError(f"{argv[0]} failed: {words.decode('utf-8', 'replace')[-2000:]}")
        said.seek(0)
        last = (said.read().decode().strip().splitlines() or [""])[-1]
    more = json.loads(last) if last.startswith("{") else {}
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024, more)


# ── The films ─────────────────────────────────────────────────────────────────────────────────────────────
def photographs(folder: Path, count: int = 6) -> list[Path]:
    """Photographs at 2560 × 1440, as people upload them."""
    out = []
    for number, source in enumerate(sorted(PHOTOGRAPHS.glob("*.jpg"))[:count]):
        out.append(folder / f"photo-{number}.jpg")
        with Image.open(source) as image:
            w, h = image.size
            wide, high = min(w, h * 16 // 9), min(h, w * 9 // 16)
            box = ((w - wide) // 2, (h - high) // 2, (w + wide) // 2, (h + high) // 2)
            image.convert("RGB").resize((2560, 1440), Image.Resampling.LANCZOS, box).save(out[-1], quality=92)
    return out


def w2(studio: Studio, photo: Path, seconds: int) -> RenderPlan:
    """One still in bodies of 30 s, as the timeline cuts it."""
    shot, frames = Shot(asset=studio.keep(photo)), seconds * RATE
    starts = range(0, frames, 30 * RATE)
    parts = tuple(
        Segment(index=k, kind="body", start=at, frames=min(30 * RATE, frames - at), picture=shot)
        for k, at in enumerate(starts)
    )
    return _plan(SIZE, frames, parts)


def w3(studio: Studio, clip: Path, seconds: int) -> RenderPlan:
    """A clip contained over its own blur, with captions."""
    frames, (w, h) = seconds * RATE, UPRIGHT
    content = Video(asset=studio.keep(clip), start=0, step=1, scale=RATE, low=0, high=frames)
    layer = Layer(
        content=content,
        first=0,
        frames=frames,
        item_frames=frames,
        box=Box(x=0, y=0, w=w, h=h),
        fit="contain",
        backdrop="blur",
    )
    texts = _body([], Shot(asset=""), 0, frames, studio.logo((64, 64)), UPRIGHT)
    part = texts.model_copy(update={"picture": Stage(ground="#000000", layers=(layer,)), "overlays": ()})
    return _plan(UPRIGHT, frames, (part,))


def _plan(size: tuple[int, int], frames: int, parts: tuple[Segment, ...]) -> RenderPlan:
    value = CAPTION_STYLE.value.format(size=size[0] // 18, line=max(1, size[1] // 240))
    return RenderPlan(
        title="Cost",
        language="en",
        output=Output(profile="cost", width=size[0], height=size[1], rate=Rate(num=RATE), encoding=Encoding()),
        frames=frames,
        segments=parts,
        sound=SoundMix(samples=0, sounds=()),
        styles=(CAPTION_STYLE.model_copy(update={"value": value}),),
    )


# ── Our way, in a process of its own ──────────────────────────────────────────────────────────────────────
def ours(plan: Path, assets: Path, slots: int = 1) -> Cost:
    return run([sys.executable, "-m", "benchmarks.films_way", str(plan), str(assets), str(slots)])


@dataclass(frozen=True)
class Limit:
    """CPU seconds of encoding ready-made frames, drawing them not counted.

    By the program with its usual threads, by the program on one thread, and by the encoder alone.
    """

    program: float
    thread: float
    memory: float

    def row(self, what: str, made: Cost) -> tuple[str, float, str, float | None]:
        """One way's row of the table."""
        note = f"{made.cpu:.1f} ÷ {self.program:.1f} CPU s; {made.cpu / self.thread:.2f} of it on one thread"
        more = f"{made.cpu / self.memory:.2f} of the encoder in memory; peak {made.peak:.0f} MB"
        return what, made.cpu / self.program, f"{note}; {more}", TARGETS[what]


def paired(plan: Path, assets: Path, rounds: int) -> tuple[Limit, Cost]:
    """Encode-only and our way by turns; answers the pair whose ratio is the middle one."""
    pairs = [(limit(plan, assets), ours(plan, assets)) for _ in range(rounds)]
    return sorted(pairs, key=lambda pair: pair[1].cpu / pair[0].program)[rounds // 2]


def limit(plan: Path, assets: Path) -> Limit:
    cost = run([sys.executable, "-m", "benchmarks.films", "--limit", str(plan), str(assets)])
    return Limit(**cost.more)


def _limit(plan_file: Path, assets_file: Path) -> dict[str, float]:
    plan = RenderPlan.model_validate_json(plan_file.read_bytes())
    assets = Assets({key: Path(path) for key, path in json.loads(assets_file.read_text()).items()})
    with tempfile.TemporaryDirectory(prefix="vfos-way-") as folder:
        usual, one = program_cost(plan, assets, Path(folder))
        return {"program": usual, "thread": one, "memory": encode_cost(plan, assets, Path(folder))}


# ── Others ────────────────────────────────────────────────────────────────────────────────────────────────
def zoompan_argv(photos: Sequence[Path], seconds: int, wide: int, out: Path) -> list[str]:
    """One ffmpeg graph as many people write it: enlarge, zoompan, crossfade."""
    cross, pitch = 15, seconds * RATE // len(photos)
    argv, chains, label = [ffmpeg.binary(), *ffmpeg.QUIET, "-y"], [], "v0"
    for number, photo in enumerate(photos):
        frames = pitch + (cross if number < len(photos) - 1 else 0)
        argv += ["-i", str(photo)]
        zoom = f"zoompan=z='1+0.15*on/{frames}':x='iw/2-(iw/zoom/2)':y='ih/2-(ih/zoom/2)':d={frames}"
        chains.append(f"[{number}:v]scale={wide}:-2,{zoom}:s={SIZE[0]}x{SIZE[1]}:fps={RATE},format=yuv420p[v{number}]")
        if number:
            offset = (number * pitch) / RATE
            chains.append(f"[{label}][v{number}]xfade=transition=fade:duration=0.5:offset={offset}[x{number}]")
            label = f"x{number}"
    return [
        *argv,
        *("-filter_complex", ";".join(chains), "-map", f"[{label}]", "-c:v", "libx264", "-preset", "veryfast"),
        *("-crf", "20", "-g", "60", "-threads", "1", str(out)),
    ]


def clip_argv(photo: Path, seconds: int, out: Path) -> list[str]:
    """A moving 16:9 clip as cameras write it: 1920 × 1080, BT.709, limited range."""
    pan = f"crop=1920:1080:x='(iw-1920)*n/{seconds * RATE}':y='(ih-1080)*n/{seconds * RATE}'"
    tags = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
    tagged = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    return [
        *(ffmpeg.binary(), *ffmpeg.QUIET, "-y", "-loop", "1", "-framerate", str(RATE), "-i", str(photo)),
        *("-t", str(seconds), "-vf", f"{pan},{tags},{tagged}", "-c:v", "libx264", "-preset", "veryfast"),
        *("-crf", "20", "-g", "60", "-threads", "1", str(out)),
    ]


MOVIEPY = """
import sys
from moviepy import ImageClip, CompositeVideoClip, vfx
photos, seconds, out = sys.argv[3:], int(sys.argv[1]), sys.argv[2]
pitch, cross, clips = seconds / len(photos), 0.5, []
for k, photo in enumerate(photos):
    length = pitch + (cross if k < len(photos) - 1 else 0)
    clip = ImageClip(photo).with_duration(length).resized((1920, 1080))
    clip = clip.resized(lambda t, length=length: 1 + 0.15 * t / length).with_position("center").with_start(k * pitch)
    clips.append(clip.with_effects([vfx.CrossFadeIn(cross)]) if k else clip)
film = CompositeVideoClip(clips, size=(1920, 1080)).with_duration(seconds)
film.write_videofile(out, fps=30, codec="libx264", preset="veryfast", threads=1, audio=False, logger=None,
                     ffmpeg_params=["-crf", "20", "-g", "60"])
"""


# ── The table ─────────────────────────────────────────────────────────────────────────────────────────────
def measure(folder: Path, seconds: int, moviepy: str, rounds: int) -> list[tuple[str, float, str, float | None]]:
    """Rows of (what, ratio, how it came about, target)."""
    studio, photos = Studio(folder), photographs(folder)
    rows = _first(folder, studio, photos, seconds, moviepy, rounds)
    long = 10 * seconds
    naive, _ = _stored(folder, studio, "w2n", w2(studio, photos[0], seconds))
    whole, assets = _stored(folder, studio, "w2", w2(studio, photos[0], long))
    naive_cpu, made = 10 * limit(naive, assets).program, ours(whole, assets)
    note = f"{made.cpu:.1f} ÷ {naive_cpu:.1f} CPU s over {long} s (every frame encoded: {seconds} s, times ten)"
    rows.append(("W2", made.cpu / naive_cpu, note, TARGETS["W2"]))
    clip = folder / "clip.mp4"
    subprocess.run(clip_argv(photos[0], seconds // 2, clip), check=True, capture_output=True)
    plan, assets = _stored(folder, studio, "w3", w3(studio, clip, seconds // 2))
    base, one = paired(plan, assets, rounds)
    rows.append(base.row("W3", one))
    return rows


def _first(
    folder: Path, studio: Studio, photos: list[Path], seconds: int, moviepy: str, rounds: int
) -> list[tuple[str, float, str, float | None]]:
    first = sample_plan(studio, seconds, SIZE, photos)
    plan, assets = _stored(folder, studio, "w1", first)
    base, one = paired(plan, assets, rounds)
    two = ours(plan, assets, 2)
    beside = f"{two.cpu:.1f} CPU s; {two.wall:.1f} s of wall time ÷ encode-only; one at a time {one.wall:.1f} s"
    mix = small_mix(studio, first.frames, first.output.rate)
    heard = _stored(folder, studio, "w1s", first.model_copy(update={"sound": mix}))
    rows: list[tuple[str, float, str, float | None]] = [
        base.row("W1 video", one),
        base.row("W1 with sound", ours(*heard)),
        ("W1 two at once, wall", two.wall / base.thread, beside, TARGETS["W1 two at once, wall"]),
        ("W1 one scene", one.more["one_scene"], "of the time of all segments", TARGETS["W1 one scene"]),
    ]
    ways: dict[str, Callable[[], Cost]] = {
        "zoompan on 3840": lambda: run(zoompan_argv(photos, seconds, 3840, folder / "z.mp4")),
        "zoompan on 8000": lambda: run(zoompan_argv(photos, seconds, 8000, folder / "z.mp4")),
    }
    if moviepy:
        argv = [moviepy, "-c", MOVIEPY, str(seconds), str(folder / "m.mp4"), *map(str, photos)]
        ways["MoviePy"] = lambda: run(argv)
    for name, way in ways.items():
        cost = way()
        note = f"{cost.cpu:.1f} CPU s; ours takes {one.cpu / cost.cpu:.2f} of it; peak {cost.peak:.0f} MB"
        rows.append((f"W1 by {name} (no captions, no logo)", cost.cpu / base.program, note, None))
    return rows


def _stored(folder: Path, studio: Studio, name: str, plan: RenderPlan) -> tuple[Path, Path]:
    plan_file, assets_file = folder / f"{name}.json", folder / f"{name}-assets.json"
    plan_file.write_text(plan.model_dump_json())
    assets_file.write_text(json.dumps({key: str(path) for key, path in studio.paths.items()}))
    return plan_file, assets_file


def main(argv: Sequence[str]) -> int:
    """Print the table; answers 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60, help="length of W1; W2 is ten times, W3 half as long")
    parser.add_argument("--rounds", type=int, default=1, help="W1 and W3 so often; the middle ratio counts")
    parser.add_argument("--moviepy", default="", help="a Python that has MoviePy")
    parser.add_argument("--limit", nargs=2, metavar=("PLAN", "ASSETS"), help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    if given.limit:
        print(json.dumps(_limit(*map(Path, given.limit))))
        return 0
    with tempfile.TemporaryDirectory(prefix="vfos-films-") as folder:
        rows = measure(Path(folder), given.seconds, given.moviepy, given.rounds)
    print("| what | ÷ encode-only | target | how |\n| --- | --- | --- | --- |")
    for what, ratio, how, target in rows:
        print(f"| {what} | {ratio:.2f} | {'' if target is None else f'≤ {target:.2f}'} | {how} |")
    return int(any(target is not None and ratio > target for _, ratio, _, target in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
