"""Variables: check their values and fill `{{name}}` in texts."""

from __future__ import annotations

import re
from collections.abc import Mapping

from timeline.colours import parse_colour
from timeline.document import Document, Variable
from timeline.faults import Findings, nearest, pointer
from timeline.time import parse_moment
from timeline.values import read_number

_HOLE = re.compile(r"\{\{\s*([^{}]{0,80}?)\s*\}\}")


class Variables:
    """The values of a document's variables; remembers which were used."""

    def __init__(self, document: Document, given: Mapping[str, str], findings: Findings) -> None:
        self._findings = findings
        self._values: dict[str, str] = {}
        self._used: set[str] = set()
        self._declared = set(document.variables)
        for name, variable in document.variables.items():
            self._take(name, variable, given.get(name, variable.default))
        for name in given:
            if name not in document.variables:
                hint = nearest(name, document.variables)
                findings.add(
                    "E_UNKNOWN_VARIABLE", f"A value is given for {name[:60]!r}, which is not declared.", fix=hint
                )

    def _take(self, name: str, variable: Variable, value: str | None) -> None:
        path = pointer("variables", name)
        if value is None:
            if variable.required:
                self._findings.add("E_MISSING_VARIABLE", f"The variable {name!r} has no value.", path=path)
            return
        try:
            _check(variable, value)
        except ValueError as error:
            self._findings.add("E_VARIABLE_VALUE", f"The variable {name!r}: {error}", path=path)
        self._values[name] = value

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

    def warn_unused(self) -> None:
        for name in self._declared - self._used:
            path = pointer("variables", name)
            self._findings.warn("W_UNUSED_VARIABLE", f"The variable {name!r} is never used.", path=path)


def _check(variable: Variable, value: str) -> None:
    if variable.enum and value not in variable.enum:
        raise ValueError(f"{value[:60]!r} is not one of {', '.join(variable.enum)}.")
    if variable.type == "color":
        parse_colour(value)
    elif variable.type == "time":
        parse_moment(value)
    elif variable.type == "number":
        number = read_number(value)
        if variable.min is not None and number < variable.min:
            raise ValueError(f"{value} is below {variable.min}.")
        if variable.max is not None and number > variable.max:
            raise ValueError(f"{value} is above {variable.max}.")
