"""Render a timeline document from plain files; no database, no queue."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.settings import Settings
from app.commands.check import describe, report_faults
from app.commands.produce import check_out
from app.console import DONE, FAILED, CommandError, Console, Pace, drawn_bar, size, span

if TYPE_CHECKING:
    from app.documents import Compiled, Opened
    from domain.production.ports import Inspection, Progress, Renderer
    from timeline.plan import RenderPlan, Segment

DRAW_SECONDS = 0.25


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The document, the target, the profile and how much at once."""
    parser.add_argument("document", type=Path, help="timeline document (JSON or YAML); assets are paths beside it")
    parser.add_argument("-o", "--out", type=Path, required=True, help="film to write (.mp4)")
    parser.add_argument("--profile", default="", help="output profile (default: the document's first)")
    parser.add_argument("--from", dest="begin", metavar="TIME", default="", help="render from this moment on")
    parser.add_argument("--to", dest="end", metavar="TIME", default="", help="render up to this moment")
    parser.add_argument("--keep", type=Path, help="folder of finished segments: unchanged ones are not made again")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="segments at once (default: all cores)")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Compile, render, inspect."""
    from adapters.media.renderer import FfmpegRenderer
    from app.documents import open_file
    from domain.production.ports import ProviderError
    from timeline.faults import TimelineError

    check_out(arguments.out)
    os.environ.update(settings.environment())
    begun = time.monotonic()
    try:
        opened = open_file(arguments.document, arguments.profile)
        compiled = opened.compile(part(opened, arguments.begin, arguments.end))
        target = arguments.out / f"{arguments.document.stem}.mp4" if arguments.out.is_dir() else arguments.out
        work = Work(FfmpegRenderer(), compiled, target.absolute(), max(1, arguments.jobs), console, arguments.keep)
        inspection = asyncio.run(work.run())
    except TimelineError as error:
        report_faults(error, console)
        return FAILED
    except ProviderError as error:
        raise CommandError(*filter(None, (error.sentence, error.fix)), code=FAILED) from error
    return report(work, inspection, time.monotonic() - begun)


def part(opened: Opened, begin: str, end: str) -> tuple[int, int] | None:
    """Frames [first, stop) between two moments of the film as written; None for all of it. Raises CommandError."""
    from timeline.time import BadTime, parse_moment, snap_frame

    if not begin and not end:
        return None
    rate, frames = opened.resolved.fps, opened.resolved.frames
    try:
        first = snap_frame(parse_moment(begin).at(rate), rate) if begin else 0
        stop = min(snap_frame(parse_moment(end).at(rate), rate), frames) if end else frames
    except BadTime as error:
        raise CommandError(str(error), "Write seconds (12.5), a clock (00:01:30) or frames (45f).") from error
    if not 0 <= first < stop:
        long = span(float(frames / rate))
        raise CommandError(f"Nothing lies from {begin or '0'} to {end or 'the end'}: the film lasts {long}.")
    return first, stop


@dataclass
class Work:
    """One rendering: all pieces in a folder beside the target, the film moved into place when it is whole."""

    renderer: Renderer
    compiled: Compiled
    target: Path
    jobs: int
    console: Console
    keep: Path | None = None
    """Folder of segments by key and of what was seen of them: found ones are not made again, new ones are put there."""
    reused: int = 0
    stopped: bool = False
    frames: dict[int, int] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)

    async def run(self) -> Inspection:
        """Render; nothing half-made is left, whatever happens."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, signal.raise_signal, signal.SIGINT)
        folder = Path(tempfile.mkdtemp(prefix=f".{self.target.name}.", dir=self.target.parent))
        drawing = asyncio.create_task(self._draw())
        try:
            return await self._make(folder)
        finally:
            self.stopped = True
            drawing.cancel()
            await asyncio.gather(drawing, return_exceptions=True)
            self.console.end_bar()
            shutil.rmtree(folder, ignore_errors=True)

    async def _make(self, folder: Path) -> Inspection:
        plan, room = self.compiled.plan, asyncio.Semaphore(self.jobs)
        film, sound = folder / "film.mp4", folder / "sound.wav"

        async def one(segment: Segment) -> tuple[Path, Path]:
            async with room:
                made = await self._segment(plan, segment, folder)
                return made, await self._seen(plan, segment, made, folder)

        async def mix() -> None:
            async with room:
                await self.renderer.mix_sound(plan, self.compiled.assets, sound, lambda done, total: None, self._stop)

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(mix())
                pieces = [group.create_task(one(segment)) for segment in plan.segments]
        except ExceptionGroup as several:
            raise several.exceptions[0] from several
        paths, seen = zip(*(piece.result() for piece in pieces), strict=True)
        await self.renderer.join(plan, paths, sound, film, lambda done, total: None, self._stop)
        inspection = await self.renderer.inspect(film, plan, self._stop, seen)
        film.replace(self.target)
        return inspection

    async def _segment(self, plan: RenderPlan, segment: Segment, folder: Path) -> Path:
        """A segment's file: kept from before, or made now."""
        out, name = folder / f"{segment.index:04d}.mp4", f"{segment.key}.mp4"
        if (kept := self._kept(name)) is not None:
            self.frames[segment.index], self.reused = segment.frames, self.reused + 1
            return kept
        report = self._reporter(segment.index)
        await self.renderer.render_segment(plan, segment, self.compiled.assets, out, report, self._stop)
        self.frames[segment.index] = segment.frames
        self._put_by(out, name)
        return out

    async def _seen(self, plan: RenderPlan, segment: Segment, made: Path, folder: Path) -> Path:
        """What was seen of a segment: kept from before, or looked at now."""
        out = folder / f"{segment.index:04d}.json"
        name = f"{segment.key}.{self.renderer.watch_key(plan, segment)[:16]}.json"
        if (kept := self._kept(name)) is not None:
            return kept
        await self.renderer.watch(plan, segment, made, out, self._stop)
        self._put_by(out, name)
        return out

    def _kept(self, name: str) -> Path | None:
        kept = self.keep / name if self.keep else None
        return kept if kept is not None and kept.is_file() else None

    def _put_by(self, made: Path, name: str) -> None:
        """Keep a file for the next time; it has its name only when it is whole."""
        if self.keep is not None:
            self.keep.mkdir(parents=True, exist_ok=True)
            part = self.keep / f"{name}.{os.getpid()}.part"
            shutil.copyfile(made, part)
            part.replace(self.keep / name)

    def _stop(self) -> bool:
        return self.stopped

    def _reporter(self, index: int) -> Progress:
        def report(done: int, total: int) -> None:
            self.frames[index] = done

        return report

    async def _draw(self) -> None:
        total = self.compiled.plan.frames
        while True:
            done = sum(self.frames.values())
            now = time.monotonic()
            left = self.pace.left(done / total * 0.95, now)
            rate = done / max(now - self.pace.begun, 0.1)
            about = f"about {span(left)} left" if left is not None else "estimating"
            bar = drawn_bar(self.pace.fraction, plain=not self.console.unicode)
            self.console.bar(
                f"{bar} {self.pace.fraction:>4.0%} · {done}/{total} frames · {rate:.0f} frames/s · {about}"
            )
            await asyncio.sleep(DRAW_SECONDS)


def report(work: Work, inspection: Inspection, seconds: float) -> int:
    """Where the film is, what it measures, what the quality gate says."""
    found = describe(work.compiled) | {
        "film": str(work.target),
        "bytes": work.target.stat().st_size,
        "reused_segments": work.reused,
        "took_seconds": round(seconds, 2),
        "passed": inspection.passed,
        "findings": [vars(finding) for finding in inspection.findings],
        "facts": dict(inspection.facts),
    }
    for finding in inspection.findings:
        colour = "red" if finding.severity == "error" else "yellow"
        work.console.say(work.console.paint(f"{finding.severity}: ", colour) + finding.message)
    work.console.result(
        found,
        f"film      {work.target}",
        f"length    {span(float(str(found['seconds'])))}, {size(work.target.stat().st_size)}",
        f"time      {span(seconds)}",
        "quality   passed" if inspection.passed else "quality   refused: the film is kept, the findings above say why",
    )
    return DONE if inspection.passed else FAILED
