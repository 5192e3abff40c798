"""What a saved view may be, and who may change it: pure decisions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from domain.production.errors import ProductionError
from tenants.names import is_name
from tenants.principal import Principal

WORDS = ("state", "recipe", "q")
"""The words of a list's address that a view keeps."""
WORD_LIMIT = 200
NAME_LIMIT = 60
MOST = 30
"""Views that one person can keep in a project."""

REASONS: Mapping[str, str] = {
    "name": "Give the view a name of 1 to 60 visible characters.",
    "taken": "There is a view with this name already. Choose another name.",
    "too-many": "You keep 30 views of this project, the most there can be. Delete one that you no longer use.",
    "empty": "Nothing is filtered. Choose a filter or search for something, then save the view.",
    "words": "This filter cannot be saved. Choose it on the list of jobs, then save the view.",
    "changed": "Somebody has changed this view meanwhile. Look at how it is now, then change it again.",
}
"""Why a view is refused, in one sentence with a way forward."""


class ViewRefused(ProductionError):
    """Raised when a view cannot be kept or changed; `reason` is a key of REASONS, and nothing was written."""

    def __init__(self, reason: str) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


@dataclass(frozen=True)
class ViewWish:
    """A view that somebody wants: its name, the words of the list's address, and whether others see it."""

    name: str
    wanted: Mapping[str, str]
    shared: bool = False


def read_wanted(words: Mapping[str, str]) -> dict[str, str]:
    """The words that a view keeps, without empty ones. Raises ViewRefused."""
    kept = {name: words[name] for name in WORDS if words.get(name)}
    if not kept:
        raise ViewRefused("empty")
    if not all(len(text) <= WORD_LIMIT and text.isprintable() for text in kept.values()):
        raise ViewRefused("words")
    return kept


def check_name(name: str, taken: Collection[str]) -> None:
    """Let through only a name that can be read and that no other view bears. Raises ViewRefused."""
    if not is_name(name, NAME_LIMIT):
        raise ViewRefused("name")
    if name.casefold() in {other.casefold() for other in taken}:
        raise ViewRefused("taken")


def may_change(principal: Principal, project_id: UUID, owner: UUID, shared: bool) -> bool:
    """One's own views are one's own; a shared one belongs to all who may share."""
    return principal.can("views:share", project_id) if shared else owner == principal.actor_id
