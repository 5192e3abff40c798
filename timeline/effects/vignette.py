"""Darkens towards the corners; size is where it begins, from the middle to the corner."""

from timeline.params import Kind, Param, fraction

KIND = Kind(
    "vignette",
    "Darkens towards the corners; size is where it begins, from the middle to the corner.",
    {"amount": Param("0.5", fraction("0", "1")), "size": Param("0.5", fraction("0", "1"))},
)
