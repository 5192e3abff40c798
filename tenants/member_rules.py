"""Who may change whom: pure decisions about membership."""

from __future__ import annotations

from tenants.roles import ROLES, Role

RANK: dict[Role, int] = {role: place for place, role in enumerate(reversed(ROLES))}
"""viewer 0 … owner 3."""
NARROWABLE: frozenset[Role] = frozenset({"operator", "viewer"})
"""Roles that can be narrowed to some projects; owners and admins care for the whole workspace."""

REASONS: dict[str, str] = {
    "rank": "Only an owner can make, change or remove an owner.",
    "last-owner": "A workspace needs an owner: make somebody else an owner first.",
    "narrow": "Owners and admins always see every project.",
    "missing": "This person is not a member any more.",
    "no-project": "Choose at least one project, or all of them.",
    "already": "This person is already a member.",
}
"""Why a change is refused, in one sentence with a way forward."""


class MemberRefused(Exception):
    """Raised when a membership cannot be changed this way; `reason` is a key of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


def check_offer(actor: Role, offered: Role, narrowed: bool) -> None:
    """May this actor give this role? Raises MemberRefused."""
    if RANK[offered] > RANK[actor]:
        raise MemberRefused("rank")
    if narrowed and offered not in NARROWABLE:
        raise MemberRefused("narrow")


def check_change(actor: Role, present: Role, wanted: Role | None, owners: int) -> None:
    """May this actor give a member of role `present` the role `wanted` (None = remove)? Raises MemberRefused.

    `owners` counts the workspace's owners now, `present` included.
    """
    if RANK[present] > RANK[actor] or (wanted is not None and RANK[wanted] > RANK[actor]):
        raise MemberRefused("rank")
    check_leave(present, wanted, owners)


def check_leave(present: Role, wanted: Role | None, owners: int) -> None:
    """The last owner neither leaves nor steps down. Raises MemberRefused."""
    if present == "owner" and wanted != "owner" and owners <= 1:
        raise MemberRefused("last-owner")
