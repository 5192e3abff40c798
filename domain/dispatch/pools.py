"""Names of pools: `class[.capability][@region]`, such as `io`, `cpu`, `gpu.nvenc`, `cpu@eu`. Pure."""

from __future__ import annotations

import re

CLASSES = ("io", "cpu", "gpu")
FORM = re.compile(rf"(?:{'|'.join(CLASSES)})(?:\.[a-z][a-z0-9]{{0,19}})?(?:@[a-z][a-z0-9-]{{0,19}})?")
FALLBACK_S = (1, 86_400)
"""How long a step may be told to wait for its pool before another one will do (seconds)."""


def is_pool(name: str) -> bool:
    """Whether this can be the name of a pool."""
    return FORM.fullmatch(name) is not None
