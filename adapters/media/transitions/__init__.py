"""Ways from one picture to the next. Adding one = a file here, a line below, a golden test."""

from __future__ import annotations

from collections.abc import Callable

from adapters.media.errors import PlanUnrenderable
from adapters.media.transitions import blur, crossfade, dip, fade, iris, push, slide, wipe, zoom
from adapters.media.transitions.tools import Params, Picture

Mix = Callable[[Picture, Picture, float, Params], None]
"""(a, b, progress 0..1, params): leave the mixture in `a`; `b` may be spoiled."""

TRANSITIONS: dict[str, Mix] = {
    "crossfade": crossfade.mix,
    "fade": fade.mix,
    "wipe": wipe.mix,
    "slide": slide.mix,
    "push": push.mix,
    "zoom": zoom.mix,
    "blur": blur.mix,
    "iris": iris.mix,
    "dip": dip.mix,
}


def transition(name: str) -> Mix:
    """The transition of that name. Raises PlanUnrenderable."""
    try:
        return TRANSITIONS[name]
    except KeyError:
        raise PlanUnrenderable(
            f"There is no transition {name!r}.", fix=f"Use one of {', '.join(sorted(TRANSITIONS))}."
        ) from None
