"""Makes one colour transparent, such as the green behind a presenter."""

from timeline.params import Kind, Param, colour, fraction

KIND = Kind(
    "chroma-key",
    "Makes one colour transparent, such as the green behind a presenter.",
    {
        "colour": Param("#00b140", colour),
        "similarity": Param("0.12", fraction("0", "1")),
        "softness": Param("0.06", fraction("0", "1")),
        "spill": Param("0.5", fraction("0", "1")),
    },
)
