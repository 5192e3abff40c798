"""The first picture fades to a colour (`colour`, black if not given), then the second comes out of it."""

from __future__ import annotations

from collections.abc import Mapping

import cv2

from adapters.media.planes import Planes, flat


def mix(a: Planes, b: Planes, progress: float, params: Mapping[str, str]) -> None:
    """Linear to the colour until the middle, linear from it afterwards."""
    shown = a if progress < 0.5 else b
    weight = abs(1.0 - 2.0 * progress)
    tint = flat(params.get("colour", "#000000"), (2, 2))
    for source, target, colour in zip(shown.each, a.each, tint.each, strict=True):
        cv2.convertScaleAbs(source, dst=target, alpha=weight, beta=(1.0 - weight) * float(colour[0, 0]))
