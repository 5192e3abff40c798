"""The short form: what may be left out or written more simply, turned into the canonical form before validation.

These functions copy, never change, what they are given, and leave alone what they do not understand: the models
then say what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from timeline.captions.effects import EFFECTS
from timeline.colours import parse_colour
from timeline.easing import Curve, parse_ease
from timeline.faults import nearest
from timeline.profiles import PROFILES

Anchor9 = Literal["top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"]
LAYOUT_FIELDS = ("fit", "backdrop", "focus", "anchor", "position", "size", "opacity")


def lower_place(value: Any) -> Any:
    """`"follow"`, `{"at": …}` and `{"anchor": …}` name their own mode."""
    if value == "follow":
        return {"mode": "follow"}
    if isinstance(value, dict) and "mode" not in value:
        given = [mode for mode in ("at", "anchor") if mode in value]
        return {**value, "mode": given[0]} if len(given) == 1 else value
    return value


def lower_length(value: Any) -> Any:
    """A bare word is a mode, any other bare value a time; `{"until": …}` names its own mode."""
    if isinstance(value, dict):
        return {**value, "mode": "until"} if "until" in value and "mode" not in value else value
    if value in ("media", "fill"):
        return {"mode": value}
    return value if isinstance(value, list) or hasattr(value, "mode") else {"mode": "time", "value": value}


def lower_clip(value: Any) -> Any:
    """Layout fields, fades and an endless loop may be written directly on the item."""
    if not isinstance(value, dict):
        return value
    clip = dict(value)
    _move(clip, "layout", {name: name for name in LAYOUT_FIELDS})
    _move(clip, "fades", {"fade_in": "in", "fade_out": "out"})
    if "length" not in clip and _is_true(clip.get("loop")):
        clip["length"] = "fill"
    return clip


def _move(clip: dict[str, Any], into: str, names: Mapping[str, str]) -> None:
    found = {new: clip.pop(old) for old, new in names.items() if old in clip}
    if found:
        below = clip.get(into, {})
        clip[into] = {**below, **found} if isinstance(below, dict) else below


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() in ("true", "yes", "on", "1"))


def lower_duck(value: Any) -> Any:
    """A bare role means the defaults."""
    return {"by": value} if isinstance(value, str) else value


def lower_auto(value: Any) -> Any:
    return None if value == "auto" else value


def not_empty(value: Any) -> Any:
    """Refuse an empty list. (A length limit of the model would count only the parts without faults.)"""
    if isinstance(value, list | tuple) and not value:
        raise ValueError("At least one is needed.")
    return value


def item_kind(value: Any) -> str:
    """Answer which model an item is meant for: its own word, else what it holds."""
    if not isinstance(value, dict):
        return str(getattr(value, "kind", "clip"))
    written = value.get("kind")
    if isinstance(written, str) and written in ("clip", "gap", "transition"):
        return written
    return "transition" if "transition" in value else "gap" if "gap" in value else "clip"


def give_ids(value: Any) -> Any:
    """Give tracks and items without an id one from their position, the same on every run."""
    if not isinstance(value, dict) or not isinstance(value.get("tracks"), list | tuple):
        return value
    return {**value, "tracks": [_with_ids(track, number) for number, track in enumerate(value["tracks"], start=1)]}


def _with_ids(track: Any, number: int) -> Any:
    if not isinstance(track, dict):
        return track
    track_id = track.get("id") or f"track-{number}"
    track = {**track, "id": track_id}
    if isinstance(track.get("items"), list | tuple) and isinstance(track_id, str):
        track["items"] = [
            {**item, "id": f"{track_id}.{place}"} if isinstance(item, dict) and not item.get("id") else item
            for place, item in enumerate(track["items"], start=1)
        ]
    return track


# ── Words of open sets ────────────────────────────────────────────────────────────────────────────────────
def known_word(what: str, known: Mapping[str, Any] | tuple[str, ...]) -> Callable[[Any], Any]:
    """Make a reader that refuses words outside a registry and names the nearest."""

    def read(value: Any) -> Any:
        if isinstance(value, str) and value not in known:
            raise ValueError(f"No {what} {value[:60]!r}; use {', '.join(known)}. {nearest(value, known)}".strip())
        return value

    return read


read_effect = known_word("caption effect", EFFECTS)


known_profile = known_word("profile", PROFILES)


def read_ease(value: Any) -> Curve | Any:
    """Read an easing by name or as control points."""
    if isinstance(value, list | tuple) and len(value) == 4:
        return parse_ease(f"cubic-bezier({','.join(str(part) for part in value)})")
    return parse_ease(value) if isinstance(value, str) else value


def read_backdrop(value: Any) -> Any:
    """`blur`, or a flat colour as #rrggbb."""
    if value == "blur":
        return value
    try:
        return parse_colour(value)
    except ValueError as error:
        raise ValueError(f'A backdrop is "blur" or a colour. {error}') from None
