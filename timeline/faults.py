"""What can be wrong with a document, said so that a person or a program can put it right.

TimelineError carries every fault found in one pass, never only the first.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Severity = Literal["error", "warning"]


class Fault(BaseModel):
    """One thing that is wrong: where (`path`: JSON pointer), when (`at`; `frame` of the film), why, and how to mend it.

    `fix` is a sentence; `patch` a list of RFC 6902 operations where the mend is safe to apply by machine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    message: str
    severity: Severity = "error"
    path: str = ""
    item_id: str = ""
    at: str = ""
    frame: int | None = None
    nearest: str = ""
    why: str = ""
    fix: str = ""
    allowed: tuple[str, ...] = ()
    patch: tuple[dict[str, Any], ...] = ()

    def __str__(self) -> str:
        where = f" [{self.path}]" if self.path else ""
        return f"{self.code}{where}: {self.message}" + (f" {self.fix}" if self.fix else "")


class TimelineError(ValueError):
    """Raised when a document cannot be loaded, resolved or compiled; `faults` lists every reason."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


class Findings:
    """Collects faults of one pass; `path` strings are JSON pointers."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._told: set[tuple[str, str, str]] = set()

    def add(self, code: str, message: str, **details: Any) -> None:
        """Keep a fault; the same one about the same place is told once."""
        told = code, str(details.get("path", "")), message
        if told not in self._told:
            self._told.add(told)
            self.faults.append(Fault(code=code, message=message, **details))

    def warn(self, code: str, message: str, **details: Any) -> None:
        self.add(code, message, severity="warning", **details)

    @property
    def errors(self) -> list[Fault]:
        return [fault for fault in self.faults if fault.severity == "error"]

    @property
    def warnings(self) -> tuple[Fault, ...]:
        return tuple(fault for fault in self.faults if fault.severity == "warning")

    def raise_errors(self) -> None:
        """Raise TimelineError if anything is wrong; warnings go along."""
        if self.errors:
            raise TimelineError(self.faults)


def nearest(word: str, allowed: Iterable[str]) -> str:
    """Answer a hint at the name that was probably meant: "Did you mean …?", else an empty text."""
    close = closest(word, allowed)
    return f"Did you mean {close!r}?" if close else ""


def closest(word: str, allowed: Iterable[str]) -> str:
    """Answer the name that was probably meant, or an empty text."""
    found = difflib.get_close_matches(word[:80], sorted(allowed), n=1, cutoff=0.55)
    return found[0] if found else ""


def renamed(path: str, to: str) -> tuple[dict[str, Any], ...]:
    """Answer the patch that gives a field another name."""
    return ({"op": "move", "from": path, "path": path.rpartition("/")[0] + pointer(to)},)


def replaced(path: str, value: Any) -> tuple[dict[str, Any], ...]:
    """Answer the patch that writes another value."""
    return ({"op": "replace", "path": path, "value": value},)


def pointer(*parts: str | int) -> str:
    """Write a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
