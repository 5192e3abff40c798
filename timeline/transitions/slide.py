"""The second picture slides over the first, in the direction given."""

from timeline.transitions.base import Param, TransitionKind, one_of

KIND = TransitionKind(
    "slide",
    "The second picture slides over the first, in the direction given.",
    {"direction": Param("left", one_of("right", "left", "down", "up"))},
)
