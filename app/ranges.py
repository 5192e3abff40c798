"""Byte ranges of files (RFC 9110 §14): which part of a file a request asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class Span:
    """A part of a file: `start` inclusive, `length` bytes."""

    start: int
    length: int

    @property
    def last(self) -> int:
        return self.start + self.length - 1


class Unsatisfiable(Exception):
    """Raised when the wanted part lies outside the file (416)."""


def read_range(header: str | None, if_range: str | None, etag: str, size: int) -> Span | None:
    """Answer the wanted part, or None for the whole file. Raises Unsatisfiable.

    Several ranges, other units and unreadable headers are answered with the whole file, as the standard allows;
    so is a range whose If-Range names another version of the file.
    """
    if header is None or (if_range is not None and if_range.strip() != etag):
        return None
    found = _RANGE.fullmatch(header.strip().replace(" ", ""))
    if found is None or found.group(1) == found.group(2) == "":
        return None
    first, last = found.groups()
    if first == "":
        length = min(int(last[:18]), size)
        if length == 0:
            raise Unsatisfiable
        return Span(size - length, length)
    start = int(first[:18])
    if last and int(last[:18]) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    end = min(int(last[:18]) if last else size - 1, size - 1)
    return Span(start, end - start + 1)
