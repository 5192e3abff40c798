"""One picture dissolves into the other."""

from __future__ import annotations

from collections.abc import Mapping

import cv2

from adapters.media.planes import Planes


def mix(a: Planes, b: Planes, progress: float, params: Mapping[str, str]) -> None:
    """Weighted sum of the planes; at 0 only `a`, at 1 only `b`."""
    for under, upper in zip(a.each, b.each, strict=True):
        cv2.addWeighted(under, 1.0 - progress, upper, progress, 0.0, dst=under)
