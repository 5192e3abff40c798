"""Make one segment of a plan: compositor in this thread, encoder in another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2

from adapters.media.compositor import Compositor
from adapters.media.encoder import SegmentEncoder
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
    size = (plan.output.width, plan.output.height)
    encoding = plan.output.encoding
    with (
        Compositor(plan, segment, assets, folder) as compositor,
        SegmentEncoder(out, size, plan.output.rate, encoding) as encoder,
    ):
        for number in range(segment.frames):
            pooled = encoder.take()
            compositor.draw(number, pooled.planes)
            encoder.give(pooled)
            report(number + 1, segment.frames)
