"""Ready camera paths and entrances, so that nobody has to write numbers for what everybody wants."""

from __future__ import annotations

from typing import Any

_WHOLE = ["0", "0", "1", "1"]
_NEAR = ["0.065", "0.065", "0.87", "0.87"]

CAMERA: dict[str, dict[str, Any]] = {
    "zoom-in": {"from": _WHOLE, "to": _NEAR},
    "zoom-out": {"from": _NEAR, "to": _WHOLE},
    "pan-left": {"from": ["0.13", "0.065", "0.87", "0.87"], "to": ["0", "0.065", "0.87", "0.87"]},
    "pan-right": {"from": ["0", "0.065", "0.87", "0.87"], "to": ["0.13", "0.065", "0.87", "0.87"]},
    "pan-up": {"from": ["0.065", "0.13", "0.87", "0.87"], "to": ["0.065", "0", "0.87", "0.87"]},
    "pan-down": {"from": ["0.065", "0", "0.87", "0.87"], "to": ["0.065", "0.13", "0.87", "0.87"]},
    "drift": {"from": ["0.02", "0.08", "0.9", "0.9"], "to": ["0.08", "0.02", "0.9", "0.9"], "ease": "in-out"},
}
"""Camera paths (the Ken Burns family) as windows of the fitted picture."""

ENTRANCES: dict[str, dict[str, tuple[str, str]]] = {
    "fade": {"opacity": ("0", "1")},
    "rise": {"opacity": ("0", "1"), "y": ("8vmin", "0")},
    "drop": {"opacity": ("0", "1"), "y": ("-8vmin", "0")},
    "from-left": {"x": ("-100vw", "0")},
    "from-right": {"x": ("100vw", "0")},
    "from-top": {"y": ("-100vh", "0")},
    "from-bottom": {"y": ("100vh", "0")},
    "grow": {"opacity": ("0", "1"), "scale": ("0.7", "1")},
    "pop": {"scale": ("0.05", "1")},
    "spin": {"opacity": ("0", "1"), "rotation": ("-90", "0"), "scale": ("0.6", "1")},
}
"""Properties of an entrance, from its first frame to rest; an exit runs the other way."""
