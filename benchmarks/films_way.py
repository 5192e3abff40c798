"""Our way for `films`: `python -m benchmarks.films_way PLAN.json ASSETS.json SLOTS` makes every segment of a plan once.

A plan that has sound becomes a whole film, mixed, mastered and joined.

A program of its own that loads what a worker loads, so that what is measured is what a worker needs.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from adapters.media.renderer import FfmpegRenderer
from domain.production.ports import Assets
from timeline.plan import RenderPlan, Segment


async def render(plan: RenderPlan, assets: Assets, folder: Path, slots: int) -> dict[str, float]:
    """Make every segment once; answers the CPU share of one scene with its two transitions."""
    renderer, wanted, parts = FfmpegRenderer(), dict[str, Segment](), list[Path]()
    for segment in plan.segments:
        alike = segment.model_copy(update={"index": 0, "start": 0}).model_dump_json()
        parts.append(folder / f"{wanted.setdefault(alike, segment).index}.mp4")
    spent: dict[int, float] = {}
    room = asyncio.Semaphore(slots)

    async def one(segment: Segment) -> None:
        async with room:
            out, began = folder / f"{segment.index}.mp4", time.perf_counter()
            await renderer.render_segment(plan, segment, assets, out, lambda done, total: None, lambda: False)
            spent[segment.index] = time.perf_counter() - began

    await asyncio.gather(*(one(segment) for segment in wanted.values()))
    if plan.sound.samples:
        mix, film = folder / "mix.wav", folder / "film.mp4"
        await renderer.mix_sound(plan, assets, mix, lambda done, total: None, lambda: False)
        await renderer.join(plan, parts, mix, film, lambda done, total: None, lambda: False)
    renderer.close()
    scene = sum(spent.get(k, 0.0) for k in (1, 2, 3))
    return {"one_scene": round(scene / sum(spent.values()), 3), "made": len(spent)}


def main() -> None:
    """Print what came out as JSON."""
    plan = RenderPlan.model_validate_json(Path(sys.argv[1]).read_bytes())
    assets = Assets({key: Path(path) for key, path in json.loads(Path(sys.argv[2]).read_text()).items()})
    with tempfile.TemporaryDirectory(prefix="vfos-way-") as folder:
        print(json.dumps(asyncio.run(render(plan, assets, Path(folder), int(sys.argv[3])))))


if __name__ == "__main__":
    main()
