"""Softens the picture; the radius is a fraction of the canvas height."""

from timeline.params import Kind, Param, fraction

KIND = Kind(
    "blur",
    "Softens the picture; the radius is a fraction of the canvas height.",
    {"radius": Param("0.01", fraction("0", "0.2"))},
)
