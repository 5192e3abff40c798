"""A soft edge travels across the canvas and uncovers the second picture."""

from timeline.transitions.base import Param, TransitionKind, fraction, one_of

KIND = TransitionKind(
    "wipe",
    "A soft edge travels across the canvas and uncovers the second picture.",
    {
        "direction": Param("right", one_of("right", "left", "down", "up")),
        "softness": Param("0.08", fraction("0.001", "1")),
    },
)
