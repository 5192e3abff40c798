"""The first picture swells and dissolves into the second, which settles from larger."""

from timeline.transitions.base import Param, TransitionKind, fraction

KIND = TransitionKind(
    "zoom",
    "The first picture swells and dissolves into the second, which settles from larger.",
    {"amount": Param("0.5", fraction("0.05", "3"))},
)
