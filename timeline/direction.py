"""Which way texts run: Arabic, Hebrew and their kin from right to left, with words of other scripts among them.

Whole lines are ordered by the text renderer (Unicode Standard Annex 9); words that are drawn one by one are ordered
here, by the same rules for whole words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import groupby

LANGUAGES = frozenset(("ar", "arc", "azb", "ckb", "dv", "fa", "he", "iw", "ks", "pnb", "ps", "sd", "ug", "ur", "yi"))
"""Languages written from right to left."""
LEFT_MARK, RIGHT_MARK = "\u200e", "\u200f"


def strong(text: str) -> str:
    """Answer the direction of the first letter that has one: "L", "R", or "" when none has."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in ("L", "R", "AL"):
            return kind[-1] if kind == "L" else "R"
    return ""


def from_right(text: str, language: str) -> bool:
    """Answer whether a text as a whole runs from right to left."""
    if language.lower().split("-")[0] in LANGUAGES:
        return any(unicodedata.bidirectional(char) in ("R", "AL") for char in text)
    return strong(text) == "R"


def marked(text: str, shown: str, rtl: bool) -> str:
    """Answer `shown` with marks that let a text stand as in a line of the given direction, if it needs them."""
    if (strong(text) == "R") == rtl:
        return shown
    mark = RIGHT_MARK if rtl else LEFT_MARK
    return f"{mark}{shown}{mark}"


def visual_order(texts: Sequence[str], rtl: bool) -> list[int]:
    """Answer the words of a line, as indices, from left to right as they are seen."""
    if not rtl and not any(strong(text) == "R" for text in texts):
        return list(range(len(texts)))
    base = "R" if rtl else "L"
    kinds = _settled([_kind(text) for text in texts], base)
    order: list[int] = []
    for kind, group in groupby(range(len(texts)), key=lambda word: kinds[word]):
        run = list(group)
        order += run if kind == base else run[::-1]
    return order[::-1] if rtl else order


def _kind(text: str) -> str:
    """Answer L, R, N (a number) or "" (only marks)."""
    return strong(text) or ("N" if any(char.isdigit() for char in text) else "")


def _settled(kinds: list[str], base: str) -> list[str]:
    """Give numbers the direction of the word before them, and marks that of their neighbours when those agree."""
    before, found = base, []
    for kind in kinds:
        before = kind if kind in ("L", "R") else before
        found.append(before if kind == "N" else kind)
    for place, kind in enumerate(found):
        if not kind:
            after = next((each for each in found[place + 1 :] if each), base)
            found[place] = after if (found[place - 1] if place else base) == after else base
    return found
