"""The second picture pushes the first off the canvas, in the direction given."""

from timeline.transitions.base import Param, TransitionKind, one_of

KIND = TransitionKind(
    "push",
    "The second picture pushes the first off the canvas, in the direction given.",
    {"direction": Param("left", one_of("right", "left", "down", "up"))},
)
