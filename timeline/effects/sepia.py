"""Turns the picture brown like an old print."""

from timeline.params import Kind, Param, fraction

KIND = Kind(
    "sepia",
    "Turns the picture brown like an old print.",
    {"amount": Param("1", fraction("0", "1"))},
)
