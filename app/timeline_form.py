"""Forms of the timeline editor: flat fields become one operation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from timeline.editing.draft import Bench, Draft
from timeline.editing.operations import AnyOperation, read_operation
from timeline.faults import Fault, TimelineError
from timeline.time import BadTime, parse_moment, snap_frame

FRAME = ("version", "selected", "zoom", "frame")
"""Fields about the page, not about the operation."""


def _text(value: str) -> Any:
    return value


def _whole(value: str) -> Any:
    """A whole number; what is none stays as it is and is refused by the operation."""
    plain = value.strip().replace("−", "-").removeprefix("+")
    return int(plain) if re.fullmatch(r"-?\d{1,9}", plain, re.ASCII) else value


def _number(value: str) -> Any:
    return value.strip().replace("−", "-").replace(",", ".")


def _flag(value: str) -> Any:
    return value == "yes"


FIELDS: Mapping[str, Mapping[str, Callable[[str], Any]]] = {
    "trim": {"item": _text, "edge": _text, "frames": _whole, "how": _text},
    "length": {"item": _text, "frames": _whole, "how": _text},
    "move": {"item": _text, "frames": _whole},
    "reorder": {"item": _text, "after": _text},
    "split": {"item": _text, "at": _whole},
    "delete": {"item": _text, "how": _text},
    "transition": {"item": _text, "edge": _text, "kind": _text, "frames": _whole},
    "motion": {"item": _text, "motion": _text},
    "effect": {"item": _text, "effect": _text, "on": _flag},
    "text": {"item": _text, "text": _text},
    "place": {"item": _text, "anchor": _text, "width": _whole},
    "gain": {"item": _text, "gain_db": _number},
    "fades": {"item": _text, "fade_in": _whole, "fade_out": _whole},
    "captions": {"effect": _text, "on": _flag, "accent": _text},
}
"""Operation → its fields and how each is read; the picture of `asset` is looked up by the page."""
OPTIONAL = frozenset({"width", "accent"})
"""Fields that may be left empty."""


def read_wish(values: Mapping[str, str], draft: Draft, picture: Mapping[str, Any] | None = None) -> AnyOperation:
    """Read a posted form. `picture`: what is known of the picture chosen. Raises TimelineError with every fault."""
    op = values.get("op", "")
    given = {name: value for name, value in values.items() if name not in (*FRAME, "op", "picture")}
    if op == "asset":
        return read_operation({"op": op, "item": given.get("item", ""), **(picture or {})})
    fields = FIELDS.get(op, {})
    data: dict[str, Any] = {"op": op}
    for name, value in given.items():
        if name in fields and not (name in OPTIONAL and not value.strip()):
            data[name] = fields[name](value)
        elif name not in fields and not _is_extra(op, name):
            data[name] = value
    if op == "effect":
        data["params"] = {
            name[6:]: _number(value) for name, value in given.items() if name.startswith("param.") and value.strip()
        }
    if "seconds" in given and op in ("length", "move"):
        data["frames"] = _frames(op, str(data.get("item", "")), given["seconds"], draft)
    return read_operation(data)


def _is_extra(op: str, name: str) -> bool:
    """Fields that are turned into others."""
    return (op == "effect" and name.startswith("param.")) or (op in ("length", "move") and name == "seconds")


def _frames(op: str, item: str, seconds: str, draft: Draft) -> int:
    """Frames of a length, or from where an item starts to where it is to start."""
    try:
        moment = parse_moment(seconds.strip().replace(",", "."))
    except BadTime as error:
        raise TimelineError([Fault(code="E_OPERATION", message=str(error), path="/seconds")]) from None
    frames = snap_frame(moment.at(draft.fps), draft.fps)
    if op == "length":
        return frames
    bench = Bench(draft)
    return frames - bench.frame(bench.find(item).resolved.start)


def read_frame(text: str, frames: int) -> int:
    """The playhead of an address: a frame of the film."""
    number = int(text) if re.fullmatch(r"\d{1,8}", text, re.ASCII) else 0
    return min(number, max(frames - 1, 0))


def seconds_of(frames: int, fps: Fraction) -> str:
    """Seconds of frames as a form field shows them: enough digits to come back to the same frame."""
    return f"{float(frames / fps):.3f}".rstrip("0").rstrip(".")
