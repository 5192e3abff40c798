"""Values of variables put in the place of references: `{"var": "name"}` may stand wherever a value may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from timeline.faults import Findings, nearest, pointer

MAX_DEPTH = 60


class Binder:
    """Copies plain data with references replaced; remembers which variables were used."""

    def __init__(self, variables: Any, given: Mapping[str, Any], findings: Findings) -> None:
        self._variables = variables if isinstance(variables, dict) else {}
        self._given, self._findings = given, findings
        self.used: dict[str, None] = {}
        self.paths: list[str] = []

    def bind(self, value: Any, path: tuple[str | int, ...] = ()) -> Any:
        """Answer a copy; what cannot be replaced is reported and becomes None."""
        if len(path) > MAX_DEPTH:
            return value
        if isinstance(value, dict):
            if set(value) == {"var"} and isinstance(value["var"], str):
                return self._value(value["var"], path)
            return {name: self.bind(each, (*path, name)) for name, each in value.items()}
        if isinstance(value, list):
            return [self.bind(each, (*path, place)) for place, each in enumerate(value)]
        return value

    def _value(self, name: str, path: tuple[str | int, ...]) -> Any:
        self.used[name] = None
        where = pointer(*path)
        declared = self._variables.get(name)
        if not isinstance(declared, dict):
            fix = nearest(name, [each for each in self._variables if isinstance(each, str)])
            return self._missing(f"The variable {name[:60]!r} is not declared.", where, fix)
        value = self._given.get(name, declared.get("default"))
        if value is None:
            return self._missing(f"The variable {name!r} has no value.", where, "Give it a default.")
        return value

    def _missing(self, message: str, where: str, fix: str) -> None:
        self.paths.append(where)
        self._findings.add("E_MISSING_VARIABLE", message, path=where, fix=fix)


def has_references(value: Any) -> bool:
    """Whether any reference stands in plain data, without a copy of it."""
    stack = [value]
    while stack:
        here = stack.pop()
        if isinstance(here, dict):
            if len(here) == 1 and isinstance(here.get("var"), str):
                return True
            stack.extend(here.values())
        elif isinstance(here, list):
            stack.extend(here)
    return False
