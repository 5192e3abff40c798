"""Lays moving film grain over the picture, the same on every run."""

from timeline.params import Kind, Param, fraction, whole

KIND = Kind(
    "grain",
    "Lays moving film grain over the picture, the same on every run.",
    {
        "amount": Param("0.06", fraction("0", "0.5")),
        "size": Param("1.5", fraction("1", "8")),
        "seed": Param("0", whole(0, 65535)),
    },
)
