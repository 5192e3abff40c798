"""The first picture swells and dissolves while the second grows out of its middle."""

from timeline.transitions.base import Param, TransitionKind, fraction

KIND = TransitionKind(
    "zoom",
    "The first picture swells and dissolves while the second grows out of its middle.",
    {"amount": Param("0.5", fraction("0.05", "3"))},
)
