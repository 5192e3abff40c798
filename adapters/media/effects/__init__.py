"""Changes to how a layer looks. Adding one = a file here, a line below, a golden test."""

from __future__ import annotations

from collections.abc import Callable

from adapters.media.effects import (
    blur,
    brightness,
    chroma_key,
    contrast,
    grain,
    lut,
    saturation,
    sepia,
    sharpen,
    vignette,
)
from adapters.media.effects.tools import Moment, Params
from adapters.media.errors import PlanUnrenderable
from adapters.media.planes import Plane

Apply = Callable[[Plane, Params, Moment], Plane]
"""(premultiplied RGBA, parameters, moment): a new picture of the same size."""

EFFECTS: dict[str, Apply] = {
    "blur": blur.apply,
    "brightness": brightness.apply,
    "contrast": contrast.apply,
    "saturation": saturation.apply,
    "lut": lut.apply,
    "vignette": vignette.apply,
    "grain": grain.apply,
    "sepia": sepia.apply,
    "sharpen": sharpen.apply,
    "chroma-key": chroma_key.apply,
}

MOVING = ("grain",)
"""Effects that look different on every frame by themselves."""


def effect(name: str) -> Apply:
    """The effect of that name. Raises PlanUnrenderable."""
    try:
        return EFFECTS[name]
    except KeyError:
        raise PlanUnrenderable(
            f"There is no effect {name!r}.", fix=f"Use one of {', '.join(sorted(EFFECTS))}."
        ) from None
