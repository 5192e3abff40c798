"""A circle opens on the second picture (or closes over the first)."""

from timeline.transitions.base import Param, TransitionKind, fraction, one_of

KIND = TransitionKind(
    "iris",
    "A circle opens on the second picture (or closes over the first).",
    {
        "mode": Param("open", one_of("open", "close")),
        "softness": Param("0.02", fraction("0.001", "1")),
        "x": Param("0.5", fraction("0", "1")),
        "y": Param("0.5", fraction("0", "1")),
    },
)
