"""Ways from one picture to the next. Adding one = a file here, a line below, a golden test."""

from __future__ import annotations

from timeline.transitions import crossfade, fade, wipe
from timeline.transitions.base import TransitionKind

TRANSITIONS: dict[str, TransitionKind] = {
    "crossfade": crossfade.KIND,
    "fade": fade.KIND,
    "wipe": wipe.KIND,
}
