"""Regrades the colours by a table (an asset: a .cube file)."""

from timeline.params import Kind, Param, fraction, word

KIND = Kind(
    "lut",
    "Regrades the colours by a table (an asset: a .cube file).",
    {"asset": Param("", word), "amount": Param("1", fraction("0", "1"))},
)
