"""The short form: what may be left out or written more simply, turned into the canonical form before validation.

These functions copy, never change, what they are given, and leave alone what they do not understand: the models
then say what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from timeline.captions.effects import EFFECTS
from timeline.colours import parse_colour
from timeline.easing import Curve, parse_ease
from timeline.faults import nearest
from timeline.profiles import PROFILES
from timeline.values import CanvasLength

Anchor9 = Literal["top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"]
LAYOUT_FIELDS = (
    "fit",
    "backdrop",
    "focus",
    "anchor",
    "position",
    "size",
    "opacity",
    "scale",
    "rotation",
    "crop",
    "radius",
    "shadow",
    "blend",
)
CONTENTS = ("asset", "text", "color", "gradient", "shape", "progress", "waveform", "qr", "tone", "sequence")
MODES = ("media", "fill")


_SHARE = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)\s*fr", re.ASCII)


def pixels(count: int) -> CanvasLength:
    return CanvasLength(Fraction(count), "px")


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
        given = [mode for mode in ("until", "fr") if mode in value]
        return {**value, "mode": given[0]} if len(given) == 1 and "mode" not in value else value
    if value in MODES:
        return {"mode": value}
    if isinstance(value, str) and (share := _SHARE.fullmatch(value.strip())):
        return {"mode": "fr", "fr": share[1]}
    return value if isinstance(value, list) or hasattr(value, "mode") else {"mode": "time", "value": value}


def lower_clip(value: Any) -> Any:
    """Layout fields, fades and an endless loop may be written directly on the item."""
    if not isinstance(value, dict):
        return value
    clip = dict(lower_layout(value))
    _move(clip, "fades", {"fade_in": "in", "fade_out": "out"})
    if "silence" in clip and "tone" not in clip and _is_true(clip["silence"]):
        del clip["silence"]
        clip["tone"] = {"hertz": "0"}
    if clip.get("sequence") is not None:
        clip.setdefault("kind", "nest")
    if "length" not in clip and _is_true(clip.get("loop")):
        clip["length"] = "fill"
    return clip


def lower_layout(value: Any) -> Any:
    """Layout fields may stand beside it."""
    if not isinstance(value, dict):
        return value
    result = dict(value)
    _move(result, "layout", {name: name for name in LAYOUT_FIELDS})
    return result


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
        kind = str(getattr(value, "kind", "clip"))
        return "clip" if kind == "nest" else kind
    written = value.get("kind")
    if isinstance(written, str) and written in ("clip", "gap", "transition"):
        return written
    return next((kind for kind in ("transition", "gap") if written is None and kind in value), "clip")


def give_ids(value: Any) -> Any:
    """Give tracks and items without an id one from their position, the same on every run."""
    return with_ids(value, "")


def with_ids(value: Any, prefix: str) -> Any:
    """Give ids inside one sequence; `prefix` keeps those of nested sequences apart."""
    if not isinstance(value, dict) or not isinstance(value.get("tracks"), list | tuple):
        return value
    tracks = [_with_ids(track, f"{prefix}track-{number}") for number, track in enumerate(value["tracks"], start=1)]
    return {**value, "tracks": tracks}


def give_nested_ids(value: Any) -> Any:
    """The same for named sequences, each under its name."""
    if not isinstance(value, dict):
        return value
    return {name: with_ids(each, f"{name}." if isinstance(name, str) else "") for name, each in value.items()}


def lower_root(value: Any) -> Any:
    """`root` names one of `sequences`; it becomes the document's own."""
    if not isinstance(value, dict) or "sequence" in value or not isinstance(value.get("sequences"), dict):
        return value
    rest, root = dict(value["sequences"]), value.get("root", "main")
    if not isinstance(root, str) or root not in rest:
        return value
    chosen = rest.pop(root)
    return {**{name: each for name, each in value.items() if name != "root"}, "sequence": chosen, "sequences": rest}


def _with_ids(track: Any, name: str) -> Any:
    if not isinstance(track, dict):
        return track
    track_id = track.get("id") or name
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


read_profile = known_word("profile", PROFILES)


def read_ease(value: Any) -> Curve | Any:
    """Read an easing by name or as control points."""
    if isinstance(value, list | tuple) and len(value) == 4:
        return parse_ease(f"cubic-bezier({','.join(str(part) for part in value)})")
    return parse_ease(value) if isinstance(value, str) else value


def read_ease_or_hold(value: Any) -> Any:
    """Read an easing, or `hold`: the value stays until the next key. Raises ValueError."""
    if value == "hold":
        return value
    read = read_ease(value)
    if not isinstance(read, tuple):
        raise ValueError("An easing is a word, cubic-bezier(x1,y1,x2,y2), or hold.")
    return read


def lower_words(what: str, known: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Make a reader that turns a known word into what it stands for."""

    def lower(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value not in known:
            raise ValueError(f"No {what} {value[:60]!r}; use {', '.join(known)}. {nearest(value, known)}".strip())
        return known[value]

    return lower


def lower_effect(value: Any) -> Any:
    """A bare word is an effect without parameters; parameters may stand beside it."""
    if isinstance(value, str):
        return {"effect": value}
    if isinstance(value, dict) and "params" not in value:
        own = {name: value[name] for name in ("effect", "enabled") if name in value}
        return {**own, "params": {name: each for name, each in value.items() if name not in own}}
    return value


def lower_crop(value: Any) -> Any:
    """Accept {l, t, r, b} where [left, top, right, bottom] is meant."""
    if isinstance(value, dict) and value and set(value) <= set("ltrb"):
        return [value.get(side, 0) for side in "ltrb"]
    return value


def lower_shadow(value: Any) -> Any:
    """`true` is the ordinary shadow, `false` none."""
    if _is_true(value):
        return {}
    return None if value is False or value == "false" else value


def read_whole(value: Any) -> Any:
    """Read a whole number also from text, as YAML writes it."""
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,9}", value.strip(), re.ASCII):
        return int(value)
    return int(value) if isinstance(value, Decimal) and value.is_finite() and value == int(value) else value


def lower_profile(value: Any) -> Any:
    """A bare name is a built-in profile as it stands."""
    return {"id": value, "base": value} if isinstance(value, str) else value


def read_backdrop(value: Any) -> Any:
    """`blur`, `none`, or a flat colour as #rrggbb."""
    if value in ("blur", "none"):
        return value
    try:
        return parse_colour(value)
    except ValueError as error:
        raise ValueError(f'A backdrop is "blur", "none" or a colour. {error}') from None
