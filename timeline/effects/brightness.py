"""Adds light to all of the picture: -1 is black, 0 unchanged, 1 white."""

from timeline.params import Kind, Param, fraction

KIND = Kind(
    "brightness",
    "Adds light to all of the picture: -1 is black, 0 unchanged, 1 white.",
    {"amount": Param("0.1", fraction("-1", "1"))},
)
