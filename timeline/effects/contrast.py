"""Spreads light and dark about middle grey: 0 is flat grey, 1 unchanged."""

from timeline.params import Kind, Param, fraction

KIND = Kind(
    "contrast",
    "Spreads light and dark about middle grey: 0 is flat grey, 1 unchanged.",
    {"amount": Param("1.2", fraction("0", "4"))},
)
