"""A script while it is written: what can be read of the newest draft, and why the one before was sent back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.i18n import Tongue
from domain.production.log_queries import LogLine
from domain.production.pipeline.script import LIVE, ROUNDS

MOST_FAULTS = 12


@dataclass(frozen=True)
class Piece:
    """A title of a scene, or a sentence."""

    heading: bool
    text: str


@dataclass(frozen=True)
class Writing:
    """A draft in the making. `note` names the round where there was one before; `faults` sent that one back."""

    title: str
    note: str
    pieces: tuple[Piece, ...]
    faults: tuple[str, ...]


def make_writing(tongue: Tongue, lines: Sequence[LogLine]) -> Writing | None:
    """Build the draft from the script step's log; None while nothing of its newest attempt can be read."""
    newest = max((line.attempt for line in lines), default=0)
    mine = [line for line in lines if line.attempt == newest]
    group = next((line.group for line in reversed(mine) if line.group.startswith(f"{LIVE} ")), "")
    if not group:
        return None
    number = int(group.removeprefix(f"{LIVE} "))
    begun = next(line.number for line in mine if line.group == group)
    pieces = [_piece(line.text) for line in mine if line.group == group]
    title = pieces.pop(0).text if pieces[0].heading else ""
    return Writing(
        title=title,
        note=tongue.gettext("Draft %(number)s", number=number) if number > 1 else "",
        pieces=tuple(pieces),
        faults=tuple(_faults(mine, begun)[:MOST_FAULTS]),
    )


def _piece(text: str) -> Piece:
    return Piece(True, text.removeprefix("# ")) if text.startswith("# ") else Piece(False, text)


def _faults(lines: Sequence[LogLine], before: int) -> list[str]:
    """The findings of the round that ended last before line `before`."""
    found: list[str] = []
    for line in lines:
        if line.group == ROUNDS and line.number < before:
            found = [*found, line.text] if line.level == "warn" else []
    return found
