"""Variables: check their values and fill `{{name}}` in texts."""

from __future__ import annotations

import copy
import fnmatch
import re
from collections.abc import Mapping
from typing import Any

from timeline.colours import parse_colour
from timeline.document import Document, Variable
from timeline.faults import Fault, Findings, nearest, pointer
from timeline.time import parse_moment
from timeline.values import read_number, read_text

_HOLE = re.compile(r"\{\{\s*([^{}]{0,80}?)\s*\}\}")


class Variables:
    """The values of a document's variables; remembers which were used."""

    def __init__(self, document: Document, given: Mapping[str, Any], findings: Findings) -> None:
        self._findings = findings
        self._assets = document.assets
        self._values: dict[str, str] = {}
        self._used: set[str] = set(document.bound)
        self._declared = set(document.variables)
        for name, variable in document.variables.items():
            self._take(name, variable, given.get(name, variable.default))
        for name in given:
            if name not in document.variables:
                hint = nearest(name, document.variables)
                findings.add(
                    "E_UNKNOWN_VARIABLE", f"A value is given for {name[:60]!r}, which is not declared.", fix=hint
                )

    def _take(self, name: str, variable: Variable, value: Any) -> None:
        path = pointer("variables", name)
        if value is None:
            if variable.required:
                self._findings.add("E_MISSING_VARIABLE", f"The variable {name!r} has no value.", path=path)
            return
        try:
            self._values[name] = _read(variable, value)
            if variable.type == "asset" and self._values[name] not in self._assets:
                hint = nearest(self._values[name], self._assets)
                raise ValueError(f"there is no asset {self._values[name][:60]!r}. {hint}".strip())
        except ValueError as error:
            self._findings.add("E_VARIABLE_VALUE", f"The variable {name!r}: {error}", path=path)
            self._values.setdefault(name, "")

    def fill(self, text: str, path: str, item_id: str) -> str:
        """Answer a text with its holes filled; what cannot be filled is reported and left."""

        def fill_one(hole: re.Match[str]) -> str:
            name = hole[1]
            self._used.add(name)
            if name in self._values:
                return self._values[name]
            what = "has no value" if name in self._declared else "is not declared"
            hint = "" if name in self._declared else nearest(name, self._declared)
            fix = hint or "Give it a default."
            self._findings.add(
                "E_MISSING_VARIABLE", f"The variable {name!r} {what}.", path=path, item_id=item_id, fix=fix
            )
            return hole[0]

        return _HOLE.sub(fill_one, text)

    def speaking_to(self, findings: Findings) -> Variables:
        """Answer the same values that report to others; what is used here counts there too."""
        other = copy.copy(self)
        other._findings = findings
        return other

    def found(self, findings: Findings) -> list[Fault]:
        """Answer warnings about what was never used, unless errors may be the reason."""
        if findings.errors:
            return []
        own = Findings()
        self._findings = own
        self._warn_unused()
        return own.faults

    def _warn_unused(self) -> None:
        for name in sorted(self._declared - self._used):
            path = pointer("variables", name)
            self._findings.warn("W_UNUSED_VARIABLE", f"The variable {name!r} is never used.", path=path)


def _read(variable: Variable, value: Any) -> str:
    """Answer a value as text, checked. Raises ValueError."""
    if variable.type == "list":
        if not isinstance(value, list | tuple):
            raise ValueError("a list is needed.")
        return ", ".join(read_text(each) for each in value)
    if isinstance(value, bool) and variable.type == "bool":
        return "true" if value else "false"
    text = read_text(value)
    _check(variable, text)
    return text


def _check(variable: Variable, value: str) -> None:
    if variable.enum and value not in variable.enum:
        raise ValueError(f"{value[:60]!r} is not one of {', '.join(variable.enum)}. {nearest(value, variable.enum)}")
    if variable.pattern is not None and not _matches(variable.pattern, value):
        raise ValueError(f"{value[:60]!r} does not look like {variable.pattern}.")
    if variable.type == "color":
        parse_colour(value)
    elif variable.type == "time":
        parse_moment(value)
    elif variable.type == "bool" and value not in ("true", "false"):
        raise ValueError(f"{value[:60]!r} is neither true nor false.")
    elif variable.type == "number":
        number = read_number(value)
        if variable.min is not None and number < variable.min:
            raise ValueError(f"{value} is below {variable.min}.")
        if variable.max is not None and number > variable.max:
            raise ValueError(f"{value} is above {variable.max}.")


def _matches(pattern: str, value: str) -> bool:
    """Match `*` and `?` patterns: shell-like, because regular expressions of strangers can take forever."""
    return fnmatch.fnmatchcase(value[:1000], pattern)
