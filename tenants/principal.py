"""Who acts, for which tenant, with which rights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from tenants.roles import Permission, Role, permissions_of


class Forbidden(Exception):
    """Raised when a principal lacks a permission inside its own tenant; `permission` names it."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"Your role does not allow this ({permission}). Ask an owner or admin of the workspace.")
        self.permission = permission


@dataclass(frozen=True)
class Principal:
    """A person, key or worker acting inside one tenant.

    `projects` narrows the rights to these projects; None means all of the tenant. `address` and `trace_id` say from
    where and in which request it acts, for the audit trail.
    """

    tenant_id: UUID
    kind: Literal["person", "key", "worker", "system"]
    role: Role
    actor_id: UUID | None = None
    name: str = ""
    projects: frozenset[UUID] | None = None
    trace_id: str = ""
    address: str = ""
    scopes: frozenset[Permission] | None = field(default=None)

    def can(self, permission: Permission, project_id: UUID | None = None) -> bool:
        if self.projects is not None and project_id is not None and project_id not in self.projects:
            return False
        if self.scopes is not None and permission not in self.scopes:
            return False
        return permission in permissions_of(self.role)

    def require(self, permission: Permission, project_id: UUID | None = None) -> None:
        """Raise Forbidden unless the permission is held."""
        if not self.can(permission, project_id):
            raise Forbidden(permission)


def worker_principal(tenant_id: UUID) -> Principal:
    """The principal of the factory itself while it works on a tenant's job."""
    return Principal(tenant_id=tenant_id, kind="worker", role="operator", name="factory")
