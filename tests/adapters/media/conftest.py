"""A finished small film, made once for all tests of the media adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.media.renderer import FfmpegRenderer
from tests.support.plans import Studio, small_plan
from timeline.plan import RenderPlan


@dataclass(frozen=True)
class Made:
    """A plan with everything that was made from it."""

    plan: RenderPlan
    studio: Studio
    segments: list[Path]
    sound: Path
    film: Path


def quiet(done: int, total: int) -> None:
    """Progress that nobody watches."""


def never() -> bool:
    """A stop that never comes."""
    return False


async def make(renderer: FfmpegRenderer, plan: RenderPlan, studio: Studio, folder: Path) -> Made:
    """Render a whole plan into a folder."""
    folder = folder / "made"
    folder.mkdir(exist_ok=True)
    segments = [folder / f"{part.index}.mp4" for part in plan.segments]
    for part, out in zip(plan.segments, segments, strict=True):
        await renderer.render_segment(plan, part, studio.assets, out, quiet, never)
    sound, film = folder / "sound.wav", folder / "film.mp4"
    await renderer.mix_sound(plan, studio.assets, sound, quiet, never)
    await renderer.join(plan, segments, sound, film, quiet, never)
    return Made(plan, studio, segments, sound, film)


@pytest.fixture(scope="session")
def renderer() -> Iterator[FfmpegRenderer]:
    """One renderer for all tests, as a worker has one for all its steps."""
    renderer = FfmpegRenderer()
    yield renderer
    renderer.close()


@pytest.fixture(scope="session")
async def made(renderer: FfmpegRenderer, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("a film's folder")
    studio = Studio(folder)
    return await make(renderer, small_plan(studio, body=96, cross=9), studio, folder)


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


@pytest.fixture
def counted() -> tuple[list[tuple[int, int]], Callable[[int, int], None]]:
    """A list of (done, total) and the progress that fills it."""
    seen: list[tuple[int, int]] = []
    return seen, lambda done, total: seen.append((done, total))
