"""Single pictures of films and of documents, without a database."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.documents import Opened
    from domain.production.ports import Renderer

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".m4v", ".avi")


def is_document(path: Path) -> bool:
    return path.suffix.lower() in (".json", ".yaml", ".yml")


def film_rate(path: Path) -> tuple[Fraction, int, tuple[int, int]]:
    """Frames per second, number of frames and size of a film. Raises the errors of probing."""
    from adapters.media.probe import probe_film

    facts = probe_film(path)
    frames = facts.frames or int(facts.duration * facts.rate)
    return facts.rate or Fraction(30), max(frames, 1), (facts.width, facts.height)


async def film_stills(
    renderer: Renderer, film: Path, frames: Sequence[int], folder: Path, size: tuple[int, int], done: Callable[[], None]
) -> list[Path]:
    """Write frames of a film as JPEG files into a folder."""
    paths = []
    for frame in frames:
        out = folder / f"{frame:08d}.jpg"
        await renderer.still(film.absolute(), frame, out, *size)
        paths.append(out)
        done()
    return paths


async def document_stills(
    renderer: Renderer,
    opened: Opened,
    frames: Sequence[int],
    folder: Path,
    size: tuple[int, int],
    done: Callable[[], None],
) -> list[Path]:
    """Draw frames of a document, each alone, and write them as JPEG files into a folder."""
    paths = []
    for frame in frames:
        compiled = opened.compile(span=(frame, frame + 1))
        piece = folder / f"{frame:08d}.mp4"
        segment = compiled.plan.segments[0]
        await renderer.render_segment(compiled.plan, segment, compiled.assets, piece, lambda a, b: None, lambda: False)
        out = folder / f"{frame:08d}.jpg"
        await renderer.still(piece, 0, out, *size)
        piece.unlink()
        paths.append(out)
        done()
    return paths


def stills(
    source: Path, profile: str, choose: Callable[[Fraction, int], Sequence[int]], width: int, done: Callable[[], None]
) -> tuple[Path, list[tuple[int, Path]], tuple[int, int]]:
    """Make pictures of a film or a document; answers their folder (to be removed), (frame, file) and size.

    `choose` answers frames from the rate and the number of frames.
    """
    from adapters.media.renderer import FfmpegRenderer
    from app.documents import open_file

    renderer = FfmpegRenderer()
    folder = Path(tempfile.mkdtemp(prefix="vfos-stills-"))
    try:
        if is_document(source):
            opened = open_file(source, profile)
            size = fitted((opened.profile.width, opened.profile.height), width)
            frames = choose(opened.resolved.fps, opened.resolved.frames)
            paths = asyncio.run(document_stills(renderer, opened, frames, folder, size, done))
        else:
            rate, count, natural = film_rate(source)
            size = fitted(natural, width)
            frames = choose(rate, count)
            paths = asyncio.run(film_stills(renderer, source, frames, folder, size, done))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        renderer.close()
    return folder, list(zip(frames, paths, strict=True)), size


def fitted(natural: tuple[int, int], width: int) -> tuple[int, int]:
    """A size of the same shape, `width` wide (0: as it is)."""
    if not width:
        return natural
    return width, max(round(natural[1] * width / natural[0]), 16)
