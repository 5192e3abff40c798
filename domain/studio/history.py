"""Undo and redo over a list of edits: what comes next, and what a new edit leaves behind. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

State = Literal["done", "undone", "dropped"]


class Edited(Protocol):
    """An edit as the history sees it."""

    @property
    def number(self) -> int: ...

    @property
    def state(self) -> str: ...

    @property
    def version(self) -> int: ...


def next_undo(edits: Iterable[Edited]) -> int | None:
    """The number of the edit that undo takes back: the last one done."""
    return max((edit.number for edit in edits if edit.state == "done"), default=None)


def next_redo(edits: Iterable[Edited]) -> int | None:
    """The number of the edit that redo does again: the first one undone."""
    return min((edit.number for edit in edits if edit.state == "undone"), default=None)


def left_behind(edits: Iterable[Edited]) -> list[int]:
    """The numbers of the edits that can no longer be done again once something else is done."""
    return [edit.number for edit in edits if edit.state == "undone"]


def changed_since(edits: Sequence[Edited], seen: int) -> list[int]:
    """The numbers of the edits that were done, undone or redone after a version of the draft, newest change last."""
    found = [edit for edit in edits if edit.version > seen and edit.state != "dropped"]
    return [edit.number for edit in sorted(found, key=lambda edit: (edit.version, edit.number))]
