"""Deepens or drains the colours: 0 is grey, 1 unchanged."""

from timeline.params import Kind, Param, fraction

KIND = Kind(
    "saturation",
    "Deepens or drains the colours: 0 is grey, 1 unchanged.",
    {"amount": Param("1.3", fraction("0", "4"))},
)
