"""Tokens whose kind a voice must be told, where the language has no reader of ours that spells them out."""

from __future__ import annotations

import re

KINDS: tuple[tuple[str, str, str], ...] = (
    (r"\d{4}-\d{2}-\d{2}", "date", "ymd"),
    (r"\d{1,2}[./]\d{1,2}[./]\d{4}", "date", "dmy"),
    (r"\d{1,2}:\d{2}(?::\d{2})?", "time", "hms24"),
    (r"\+\d[\d -]{6,16}\d", "telephone", ""),
)
"""Form → what it is to be read as, and its format (W3C say-as)."""

_EDGES = re.compile(r"^([^\w+]*)(.*?)([^\w]*)$", re.DOTALL)


def kind_of_token(token: str) -> tuple[str, str, str, str, str] | None:
    """What stands before a token, itself, what stands after it, its kind and format; None for plain words."""
    match = _EDGES.match(token)
    if match is None:
        return None
    before, core, after = match.groups()
    found = next(((kind, form) for pattern, kind, form in KINDS if re.fullmatch(pattern, core, re.ASCII)), None)
    return (before, core, after, *found) if found else None
