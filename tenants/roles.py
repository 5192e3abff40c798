"""The table of permission × role: the only place where rights are granted."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["owner", "admin", "operator", "viewer"]
Permission = Literal[
    "workspace:read",
    "workspace:manage",
    "workspace:delete",
    "members:read",
    "members:manage",
    "projects:manage",
    "catalog:read",
    "catalog:edit",
    "credentials:manage",
    "jobs:read",
    "jobs:run",
    "jobs:control",
    "approvals:decide",
    "views:share",
    "artifacts:read",
    "usage:read",
    "budget:manage",
    "audit:read",
    "queue:operate",
    "keys:manage",
]

ROLES: tuple[Role, ...] = get_args(Role)
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

_VIEWER: frozenset[Permission] = frozenset(
    {"workspace:read", "members:read", "catalog:read", "jobs:read", "artifacts:read", "usage:read"}
)
_OPERATOR: frozenset[Permission] = _VIEWER | {
    "jobs:run",
    "jobs:control",
    "approvals:decide",
    "views:share",
    "catalog:edit",
}
_ADMIN: frozenset[Permission] = _OPERATOR | {
    "workspace:manage",
    "members:manage",
    "projects:manage",
    "credentials:manage",
    "budget:manage",
    "audit:read",
    "queue:operate",
    "keys:manage",
}
_OWNER: frozenset[Permission] = _ADMIN | {"workspace:delete"}

GRANTS: dict[Role, frozenset[Permission]] = {
    "owner": _OWNER,
    "admin": _ADMIN,
    "operator": _OPERATOR,
    "viewer": _VIEWER,
}


def permissions_of(role: Role) -> frozenset[Permission]:
    """Answer everything a role may do."""
    return GRANTS[role]
