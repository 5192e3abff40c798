"""Both pictures sink towards a colour and rise from it, never quite reaching it."""

from timeline.transitions.base import Param, TransitionKind, colour, fraction

KIND = TransitionKind(
    "dip",
    "Both pictures sink towards a colour and rise from it, never quite reaching it.",
    {"colour": Param("#ffffff", colour), "depth": Param("0.8", fraction("0.1", "1"))},
)
