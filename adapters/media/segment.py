"""Make one segment of a plan: compositor in this thread, encoder in another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2

from adapters.media.compositor import Compositor
from adapters.media.encoder import SegmentEncoder
from adapters.media.join import join_copies
from domain.production.ports import Assets
from timeline.plan import RenderPlan, Segment


def make_segment(
    plan: RenderPlan,
    segment: Segment,
    assets: Assets,
    out: Path,
    folder: Path,
    report: Callable[[int, int], None],
) -> None:
    """Write the segment's silent MP4 to `out`; `folder` is for scratch files."""
    cv2.setNumThreads(1)
    with Compositor(plan, segment, assets, folder) as compositor:
        if segment.frames > plan.output.encoding.gop and compositor.still:
            _looped(plan, segment.frames, compositor, out, folder, report)
        else:
            _encoded(plan, range(segment.frames), compositor, out, lambda done: report(done, segment.frames))


def _encoded(plan: RenderPlan, frames: range, compositor: Compositor, out: Path, report: Callable[[int], None]) -> None:
    size = (plan.output.width, plan.output.height)
    with SegmentEncoder(out, size, plan.output.rate, plan.output.encoding) as encoder:
        for done, number in enumerate(frames):
            pooled = encoder.take()
            compositor.draw(number, pooled.planes)
            encoder.give(pooled)
            report(done + 1)


def _looped(
    plan: RenderPlan, frames: int, compositor: Compositor, out: Path, folder: Path, report: Callable[[int, int], None]
) -> None:
    """Where nothing changes, one group of pictures is encoded and repeated by copy, and a shorter one for the rest."""
    gop = plan.output.encoding.gop
    pieces = [(folder / "loop.mp4", gop)] * (frames // gop)
    if frames % gop:
        pieces.append((folder / "rest.mp4", frames % gop))
    for path, length in dict.fromkeys(pieces):
        _encoded(plan, range(length), compositor, path, lambda done: None)
    join_copies(pieces, plan, out, lambda done: report(done, frames))
