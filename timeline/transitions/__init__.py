"""Ways from one picture to the next. Adding one = a file here, a line below, a golden test."""

from __future__ import annotations

from timeline.transitions import blur, crossfade, dip, fade, iris, push, slide, wipe, zoom
from timeline.transitions.base import TransitionKind

TRANSITIONS: dict[str, TransitionKind] = {
    "crossfade": crossfade.KIND,
    "fade": fade.KIND,
    "wipe": wipe.KIND,
    "slide": slide.KIND,
    "push": push.KIND,
    "zoom": zoom.KIND,
    "blur": blur.KIND,
    "iris": iris.KIND,
    "dip": dip.KIND,
}
