"""Sharpens edges; the radius is a fraction of the canvas height."""

from timeline.params import Kind, Param, fraction

KIND = Kind(
    "sharpen",
    "Sharpens edges; the radius is a fraction of the canvas height.",
    {"amount": Param("0.6", fraction("0", "3")), "radius": Param("0.0015", fraction("0.0003", "0.02"))},
)
