"""Older forms of the document, brought to the present one step by step: plain data in, plain data out.

Adding a version = one function that turns the form before into the next, and one line in the table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CURRENT = "timeline/1"
_SEQUENCE_FIELDS = ("fps", "canvas", "background", "duration", "tracks", "markers")


def _from_draft(data: dict[str, Any]) -> dict[str, Any]:
    """`timeline/0`, the draft: tracks and canvas stood at the top, and a track's `type` was its role."""
    outer = {name: value for name, value in data.items() if name not in _SEQUENCE_FIELDS}
    sequence = {name: data[name] for name in _SEQUENCE_FIELDS if name in data}
    if isinstance(sequence.get("tracks"), list):
        sequence["tracks"] = [_track(track) for track in sequence["tracks"]]
    return {**outer, "schema": "timeline/1", "sequence": sequence}


def _track(track: Any) -> Any:
    if not isinstance(track, dict) or "type" not in track or "role" in track:
        return track
    return {("role" if name == "type" else name): value for name, value in track.items()}


UPGRADES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"timeline/0": _from_draft}


def upgraded(data: dict[str, Any]) -> dict[str, Any]:
    """Answer a document of the present form; unknown versions are left for validation to refuse."""
    version = data.get("schema")
    for _ in range(len(UPGRADES)):
        if not isinstance(version, str) or version not in UPGRADES:
            break
        data = UPGRADES[version](data)
        version = data.get("schema")
    return data
