"""Turns what pydantic found into faults: the place in the document as written, and the nearest allowed names."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from timeline.document import ITEM_KINDS, Document
from timeline.faults import Fault, closest, pointer, renamed, replaced

MAX_FAULTS = 200
_CODES = {
    "extra_forbidden": "E_UNKNOWN_FIELD",
    "missing": "E_MISSING_FIELD",
    "literal_error": "E_UNKNOWN_WORD",
    "too_long": "E_TOO_MANY",
}
_HINT = re.compile(r"Did you mean '([^']+)'\?")
Step = str | int


def faults_of(error: ValidationError, data: Mapping[str, Any]) -> list[Fault]:
    """Answer one fault per thing that is wrong, at most 200."""
    details = error.errors(include_url=False, include_context=True)
    faults = [_fault(detail, data) for detail in details[:MAX_FAULTS]]
    if len(details) > MAX_FAULTS:
        faults.append(Fault(code="E_TOO_MANY", message=f"…and {len(details) - MAX_FAULTS} more faults."))
    return faults


def _fault(detail: Mapping[str, Any], data: Mapping[str, Any]) -> Fault:
    kind, loc = detail["type"], detail["loc"]
    path = pointer(*_named(written_path(loc, data), detail["msg"], data))
    details: dict[str, Any] = {"code": _CODES.get(kind, "E_VALUE"), "path": path, "item_id": _item_id(loc, data)}
    if kind == "extra_forbidden":
        allowed = field_names(loc[:-1])
        name = str(loc[-1])[:60]
        near = closest(name, allowed)
        fix = f"Did you mean {near!r}?" if near else f"Allowed here: {', '.join(allowed)}."
        # A rename is safe only where it hides no field that is there already.
        patch = renamed(path, near) if near and not _written(path.rpartition("/")[0] + pointer(near), data) else ()
        message = f"There is no field {name!r} here."
        return Fault(message=message, fix=fix, allowed=allowed, nearest=near, patch=patch, **details)
    if kind == "missing":
        return Fault(message=f"The field {str(loc[-1])!r} is missing.", fix=f"Add {str(loc[-1])!r}.", **details)
    if kind == "literal_error":
        return _unknown_word(detail, details)
    return _of_sentence(_sentence(detail["msg"]), detail["input"], details)


def _named(path: list[Step], message: str, data: Any) -> list[Step]:
    """Lengthen a path to a field that a sentence about a whole object begins with: "opacity lies from 0 to 1"."""
    word = message.removeprefix("Value error, ").split(" ", 1)[0]
    outer = [path[:-1]] if path[-1:] == ["layout"] else []
    for place in (path, *outer):
        here = data
        for step in place:
            here = _child(here, step)
        if isinstance(here, Mapping) and word in here:
            return [*place, word]
    return path


def _of_sentence(message: str, given: Any, details: dict[str, Any]) -> Fault:
    """Take the nearest word out of a reader's own sentence; a text may be replaced by it, a part of one may not."""
    found = _HINT.search(message)
    near = found[1] if found else ""
    patch = replaced(details["path"], near) if near and isinstance(given, str) and len(given) <= 60 else ()
    return Fault(message=message, nearest=near, patch=patch, **details)


def _written(path: str, data: Any) -> bool:
    """Whether a pointer leads to something."""
    here = data
    for step in path.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        here = _child(here, int(name) if isinstance(here, list | tuple) and name.isdigit() else name)
        if here is None:
            return False
    return True


def _unknown_word(detail: Mapping[str, Any], details: dict[str, Any]) -> Fault:
    expected = str(detail["ctx"]["expected"])
    allowed = tuple(word.strip("'") for word in expected.replace(" or ", ", ").split(", "))
    given = detail["input"]
    shown = given[:60] if isinstance(given, str) else type(given).__name__
    near = closest(given, allowed) if isinstance(given, str) else ""
    message = f"{shown!r} is not one of {', '.join(allowed)}."
    fix = f"Did you mean {near!r}?" if near else ""
    patch = replaced(details["path"], near) if near else ()
    return Fault(message=message, fix=fix, allowed=allowed, nearest=near, patch=patch, **details)


def _sentence(message: str) -> str:
    text = message.removeprefix("Value error, ").strip()
    return text if text.endswith((".", "?")) else text + "."


# ── Where ─────────────────────────────────────────────────────────────────────────────────────────────────
def written_path(loc: Sequence[Step], data: Any) -> list[Step]:
    """Answer the path in the document as written, which may use the short form."""
    path: list[Step] = []
    here: Any = data
    rest = list(loc)
    while rest and isinstance(here, Mapping | list | tuple):
        written, rest = _written_step(here, rest[0], rest[1:])
        if written is not None:
            path.append(written)
            here = _child(here, written)
    return path


def _written_step(here: Any, step: Step, rest: list[Step]) -> tuple[Step | None, list[Step]]:
    """A step as written, or None for one that is not: a union's tag or a group of the canonical form."""
    if not isinstance(here, Mapping) or step in here:
        # A tag is always followed by a field; the fields "gap" and "transition" are always last.
        return (None if step in ITEM_KINDS and rest else step), rest
    if step == "fades" and rest and f"fade_{rest[0]}" in here:
        return f"fade_{rest[0]}", rest[1:]
    if step in ITEM_KINDS or (step == "layout" and (not rest or rest[0] in here)):
        return None, rest
    return step, rest


def _child(here: Any, step: Step) -> Any:
    if isinstance(here, Mapping):
        return here.get(step)
    return here[step] if isinstance(step, int) and -len(here) <= step < len(here) else None


def _item_id(loc: Sequence[Step], data: Any) -> str:
    """Answer the written id of the item a fault lies in, if any."""
    here: Any = data
    for step, after in zip(loc, [*loc[1:], ""], strict=False):  # a fault of the whole has no place
        here = _child(here, step) if isinstance(here, Mapping | list | tuple) else None
        if isinstance(step, int) and after in ITEM_KINDS and isinstance(here, Mapping):
            return str(here.get("id", ""))[:120]
    return ""


# ── What is allowed ───────────────────────────────────────────────────────────────────────────────────────
def field_names(loc: Sequence[Step]) -> tuple[str, ...]:
    """Answer the names of the fields of the model that a location leads to."""
    here: Any = Document
    for step in loc:
        here = _type_below(here, step)
    if not (isinstance(here, type) and issubclass(here, BaseModel)):
        return ()
    names = [field.alias or name for name, field in here.model_fields.items()]
    return tuple(sorted(names))


def _type_below(here: Any, step: Step) -> Any:
    if isinstance(here, type) and issubclass(here, BaseModel):
        for name, field in here.model_fields.items():
            if step in (name, field.alias):
                return _plain(field.annotation)
        return None
    if isinstance(step, str) and step in ITEM_KINDS:
        return ITEM_KINDS[step]
    arguments = get_args(here)
    if get_origin(here) is dict:
        return _plain(arguments[1])
    return _plain(arguments[0]) if arguments and isinstance(step, int) else None


def _plain(annotation: Any) -> Any:
    """Strip Annotated and None from a type."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        options = [_plain(option) for option in get_args(annotation) if option is not type(None)]
        return options[0] if len(options) == 1 else annotation
    return annotation
