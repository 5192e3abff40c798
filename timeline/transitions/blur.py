"""The first picture blurs away, the second comes out of the blur."""

from timeline.transitions.base import Param, TransitionKind, fraction

KIND = TransitionKind(
    "blur",
    "The first picture blurs away, the second comes out of the blur.",
    {"amount": Param("0.06", fraction("0.005", "0.3"))},
)
