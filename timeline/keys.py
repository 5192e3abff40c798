"""Keys of plan nodes: equal keys mean equal bytes, so a finished node is found and never made again."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> str:
    """Write plain data with sorted names and no spaces; floats are refused, since their text is no promise."""
    _refuse_floats(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def node_key(operation: str, params: Any, *, build: str, fonts: str = "") -> str:
    """Hash everything that shapes a node's bytes: operation, parameters with input hashes, tools, fonts."""
    content = {"operation": operation, "params": params, "build": build, "fonts": fonts}
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def _refuse_floats(value: Any) -> None:
    stack = [value]
    while stack:
        here = stack.pop()
        if isinstance(here, float):
            raise TypeError(f"A binary float has no place in a key: {here!r}")
        if isinstance(here, dict):
            stack.extend(here.values())
        elif isinstance(here, list | tuple):
            stack.extend(here)
