"""A worker that renders an endless segment and waits to be killed; prints `begun` once frames are made."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from adapters.media.renderer import FfmpegRenderer
from domain.production.ports import Assets
from timeline.plan import RenderPlan


async def main(folder: Path) -> None:
    plan = RenderPlan.model_validate_json((folder / "plan.json").read_text())
    paths = {key: next(path for path in folder.glob("*.png") if _hash(path) == key) for key in _pictures(plan)}
    begun = False

    def report(done: int, total: int) -> None:
        nonlocal begun
        if not begun:
            begun = True
            sys.stdout.write("begun\n")
            sys.stdout.flush()

    out = folder / "out" / "s.mp4"
    await FfmpegRenderer().render_segment(plan, plan.segments[0], Assets(paths), out, report, lambda: False)


def _pictures(plan: RenderPlan) -> set[str]:
    from timeline.plan import assets_in

    return assets_in(plan.segments[0])


def _hash(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
