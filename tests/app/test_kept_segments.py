"""`vfos render --keep`: an edit makes, and looks at, what it touches; everything else is found."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from adapters.media.renderer import FfmpegRenderer
from app.commands.render import Work
from app.console import Console
from app.documents import Compiled, open_file
from domain.production.ports import Assets, Inspection, Progress
from tests.support.plans import scenery
from timeline.plan import RenderPlan, Segment


class Watched(FfmpegRenderer):
    """A renderer that tells what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, int]] = []

    async def render_segment(
        self,
        plan: RenderPlan,
        segment: Segment,
        assets: Assets,
        out: Path,
        progress: Progress,
        stop: Callable[[], bool],
    ) -> None:
        self.asked.append(("made", segment.index))
        await super().render_segment(plan, segment, assets, out, progress, stop)

    async def watch(self, plan: RenderPlan, segment: Segment, made: Path, out: Path, stop: Callable[[], bool]) -> None:
        self.asked.append(("seen", segment.index))
        await super().watch(plan, segment, made, out, stop)


@pytest.fixture
def renderer() -> Iterator[Watched]:
    renderer = Watched()
    yield renderer
    renderer.close()


def compiled(folder: Path, zoom: str) -> Compiled:
    """Two pictures with a crossfade, each with a camera path."""
    assets = {}
    for seed in (1, 2):
        Image.fromarray(scenery(seed, (640, 360))).save(folder / f"{seed}.png")
        assets[f"p{seed}"] = {"uri": f"{seed}.png"}
    cross = {"transition": "crossfade", "duration": "8f"}
    items: list[dict[str, Any]] = [
        {"asset": "p1", "length": "0.7", "motion": "zoom-in"},
        cross,
        {"asset": "p2", "length": "0.7", "motion": zoom},
    ]
    sequence = {"fps": "30", "tracks": [{"role": "picture", "items": items, "drives_duration": True}]}
    (folder / "film.json").write_text(
        json.dumps({"schema": "timeline/1", "profiles": ["preview"], "assets": assets, "sequence": sequence})
    )
    return open_file(folder / "film.json", "").compile(None)


def test_an_edit_makes_and_looks_at_what_it_touches(tmp_path: Path, renderer: Watched) -> None:
    keep = tmp_path / "keep"

    def render(film: Compiled) -> Inspection:
        work = Work(renderer, film, tmp_path / "film.mp4", 2, Console(), keep)
        return asyncio.run(work.run())

    def kept() -> dict[str, str]:
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in keep.iterdir()}

    render(compiled(tmp_path, "zoom-in"))
    assert sorted(renderer.asked) == [(what, k) for what in ("made", "seen") for k in range(3)]
    before = kept()

    renderer.asked.clear()
    edited = compiled(tmp_path, "zoom-out")
    judged = render(edited)
    assert sorted(renderer.asked) == [("made", 1), ("made", 2), ("seen", 1), ("seen", 2)]
    assert before.items() <= kept().items()
    # The gate says of the film what it says after decoding all of it.
    assert judged == asyncio.run(renderer.inspect(tmp_path / "film.mp4", edited.plan, lambda: False))
