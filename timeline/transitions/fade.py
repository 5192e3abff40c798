"""The first picture fades to a colour, then the second comes out of it."""

from timeline.transitions.base import Param, TransitionKind, colour

KIND = TransitionKind(
    "fade",
    "The first picture fades to a colour, then the second comes out of it.",
    {"colour": Param("#000000", colour)},
)
