"""A QR code, its modules whole pixels and square, in the middle of its box."""

from __future__ import annotations

import numpy as np

from adapters.media.contents.base import Source, coloured, still
from adapters.media.errors import PlanUnrenderable
from adapters.media.sheets import over
from adapters.media.workshop import Workshop
from timeline.plan import Layer
from timeline.stage import Code


def make(content: Code, layer: Layer, shop: Workshop) -> Source:
    """Raises PlanUnrenderable when the text is too long or the box too small to be read."""
    import segno

    try:
        code = segno.make_qr(content.text, error=content.level.lower(), boost_error=False)
    except (ValueError, segno.DataOverflowError) as error:
        raise PlanUnrenderable(f"This text does not fit into a QR code: {error}.", fix="Shorten it.") from error
    modules = np.array([list(row) for row in code.matrix_iter(border=content.quiet)], np.uint8)
    side = min(layer.box.w, layer.box.h) // len(modules)
    if side < 1:
        raise PlanUnrenderable(
            f"A QR code of {len(modules)} modules does not fit into {layer.box.w} × {layer.box.h} pixels.",
            fix="Make its box larger or its text shorter.",
        )
    dark = np.kron(modules, np.full((side, side), 255, np.uint8))
    pixels = np.zeros((layer.box.h, layer.box.w, 4), np.uint8)
    y, x = (layer.box.h - len(dark)) // 2, (layer.box.w - len(dark)) // 2
    place = pixels[y : y + len(dark), x : x + len(dark)]
    if content.ground:
        place[:] = coloured(np.full(dark.shape, 255, np.uint8), content.ground)
    over(place, coloured(dark, content.colour))
    return still(pixels)
