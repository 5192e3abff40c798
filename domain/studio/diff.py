"""What has changed between two texts, in words: lines are matched first, then the words of those that differ. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

MOST_WORDS = 4000
"""Lines that differ by more words than this are shown as replaced whole."""
NEAR = 4
"""Lines that are shown before and after what differs, with the rest of its own."""
_TOKEN = re.compile(r"\s+|\w+|[^\w\s]", re.UNICODE)


@dataclass(frozen=True)
class Piece:
    """A stretch of text that both have (`same`), or only the old (`gone`) or the new (`new`) one."""

    kind: Literal["same", "gone", "new"]
    text: str


def diff_words(old: str, new: str) -> list[Piece]:
    """Answer the pieces that lead from one text to the other, in order; equal neighbours are joined."""
    pieces: list[Piece] = []
    for piece in _pieces(old.splitlines(keepends=True), new.splitlines(keepends=True)):
        if pieces and pieces[-1].kind == piece.kind:
            pieces[-1] = Piece(piece.kind, pieces[-1].text + piece.text)
        elif piece.text:
            pieces.append(piece)
    return pieces


def only_near(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces without lines that are far from what differs; “⋯” stands for those."""
    last = len(pieces) - 1
    return [
        Piece("same", _near(piece.text, after=place > 0, before=place < last)) if piece.kind == "same" else piece
        for place, piece in enumerate(pieces)
    ]


def _near(text: str, *, after: bool, before: bool) -> str:
    """A text that both have: its beginning where a difference stands before it, its end where one comes after it."""
    lines = text.splitlines(keepends=True)
    head, tail = NEAR * after, NEAR * before
    if len(lines) <= head + tail + 1:
        return text
    return "".join([*lines[:head], "⋯\n", *lines[len(lines) - tail :]])


def _pieces(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        before, after = "".join(old[a:b]), "".join(new[c:d])
        if tag == "equal":
            yield Piece("same", before)
            continue
        words, others = _TOKEN.findall(before), _TOKEN.findall(after)
        if max(len(words), len(others)) > MOST_WORDS:
            words, others = [before], [after]
        yield from _words(words, others)


def _words(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Piece("same", "".join(old[a:b]))
            continue
        if b > a:
            yield Piece("gone", "".join(old[a:b]))
        if d > c:
            yield Piece("new", "".join(new[c:d]))
