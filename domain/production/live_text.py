"""From the pieces of a streamed JSON script to what people can read while it is written.

A tolerant reader: it looks at strings and brackets only, never raises, and tells each title and sentence once, as soon
as its closing quote has arrived.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

TOLD: Mapping[tuple[str, ...], str] = {
    ("title",): "title",
    ("scenes", "title"): "scene",
    ("scenes", "sentences", "text"): "sentence",
}
"""Where a text stands in the script's JSON → what it is."""
LONGEST = 20_000
"""Characters of one string that are kept; no part of a script is that long."""


@dataclass(frozen=True)
class LiveText:
    """One readable piece; kind: title | scene | sentence."""

    kind: str
    text: str


@dataclass
class _Container:
    is_object: bool
    key: str = ""
    wants_key: bool = True


@dataclass
class LiveScript:
    """Feed it the pieces in order."""

    _stack: list[_Container] = field(default_factory=list)
    _string: list[str] | None = None
    _escaped: bool = False

    def feed(self, piece: str) -> list[LiveText]:
        """Read a piece; answer what has become readable with it."""
        told: list[LiveText] = []
        for sign in piece:
            if self._string is not None:
                if (text := self._in_string(sign)) is not None and (found := self._value(text)):
                    told.append(found)
            elif sign == '"':
                self._string = []
            else:
                self._structure(sign)
        return told

    def _in_string(self, sign: str) -> str | None:
        """Take one sign of a string; answer the whole string when this sign ends it."""
        assert self._string is not None
        if sign == '"' and not self._escaped:
            raw, self._string = "".join(self._string), None
            return _unescaped(raw)
        self._escaped = sign == "\\" and not self._escaped
        if len(self._string) < LONGEST:
            self._string.append(sign)
        return None

    def _structure(self, sign: str) -> None:
        if sign in "{[":
            self._stack.append(_Container(sign == "{"))
        elif sign in "}]" and self._stack:
            self._stack.pop()
        elif sign in ":," and self._stack:
            self._stack[-1].wants_key = sign == ","

    def _value(self, text: str) -> LiveText | None:
        """Take a whole string as key or value; answer it if people want to read it."""
        if not self._stack or not self._stack[-1].is_object:
            return None
        if self._stack[-1].wants_key:
            self._stack[-1].key = text
            return None
        place = tuple(container.key for container in self._stack if container.is_object)
        kind = TOLD.get(place)
        return LiveText(kind, text) if kind and text.strip() else None


def _unescaped(raw: str) -> str:
    try:
        text = str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return ""
    # A lone surrogate can be neither stored nor shown.
    return text.encode("utf-8", "replace").decode("utf-8")
