"""Members, invitations and rights as their pages show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.i18n import N_, Tongue
from app.views.settings import Option
from domain.production.queries.projects import ProjectLine
from tenants.member_rules import NARROWABLE, RANK, REASONS
from tenants.members import InvitationLine, MemberLine
from tenants.roles import GRANTS, PERMISSIONS, ROLES, Permission, Role

ROLE_NAMES: Mapping[Role, str] = {
    "owner": N_("Owner"),
    "admin": N_("Admin"),
    "operator": N_("Operator"),
    "viewer": N_("Viewer"),
}
ROLE_NOTES: Mapping[Role, str] = {
    "owner": N_("Everything, the end of the workspace included."),
    "admin": N_("Members, projects, credentials and budgets; not the end of the workspace."),
    "operator": N_("Runs and edits productions; never reads credentials."),
    "viewer": N_("Reads; changes nothing."),
}
PERMISSION_NAMES: Mapping[Permission, str] = {
    "workspace:read": N_("See the workspace"),
    "workspace:manage": N_("Rename, archive and restore the workspace"),
    "workspace:delete": N_("Delete the workspace, hand over ownership"),
    "members:read": N_("See the members"),
    "members:manage": N_("Invite, change and remove members"),
    "projects:manage": N_("Create, change and archive projects"),
    "catalog:read": N_("See recipes, prompts, presets and pictures"),
    "catalog:edit": N_("Change recipes, prompts, presets and pictures"),
    "credentials:manage": N_("Set and remove credentials of providers"),
    "jobs:read": N_("See jobs and their logs"),
    "jobs:run": N_("Start jobs and make changed versions"),
    "jobs:control": N_("Pause, resume, retry and cancel jobs"),
    "approvals:decide": N_("Approve steps or ask for changes"),
    "views:share": N_("Share views of the job list, and change shared ones"),
    "artifacts:read": N_("Watch and download films, scripts and files"),
    "usage:read": N_("See use and cost"),
    "budget:manage": N_("Set budgets"),
    "audit:read": N_("Read the audit trail"),
    "queue:operate": N_("Pause the queue and discard its entries"),
    "keys:manage": N_("Make, renew and revoke API keys; keep webhooks"),
}
REFUSALS: Mapping[str, str] = {
    "rank": N_("Only an owner can make, change or remove an owner."),
    "last-owner": N_("A workspace needs an owner: make somebody else an owner first."),
    "narrow": N_("Owners and admins always see every project."),
    "missing": N_("This person is not a member any more."),
    "no-project": N_("Choose at least one project, or all of them."),
    "already": N_("This person is already a member."),
}
assert REFUSALS == REASONS  # the same words, marked for translation


@dataclass(frozen=True)
class ProjectChoice:
    """A project that rights can be narrowed to."""

    field: str
    name: str
    chosen: bool


@dataclass(frozen=True)
class MemberRow:
    """A member; `choices` are the roles this viewer may give, none = no change possible."""

    id: UUID
    name: str
    email: str
    role: Role
    role_name: str
    where: str
    since: datetime
    since_said: str
    myself: bool
    disabled: bool
    choices: Sequence[Option]
    projects: Sequence[ProjectChoice]
    narrowed: bool
    removable: bool
    heir: bool


@dataclass(frozen=True)
class InvitationRow:
    """An open invitation."""

    id: UUID
    email: str
    role_name: str
    where: str
    invited_by: str
    expires_at: datetime
    expires_said: str


@dataclass(frozen=True)
class RightsRow:
    """One permission and who holds it, in the order of the roles."""

    name: str
    code: str
    held: Sequence[bool]


def role_options(tongue: Tongue, actor: Role) -> list[Option]:
    """The roles that this actor may give, the strongest first."""
    return [
        Option(role, tongue.gettext(ROLE_NAMES[role]), tongue.gettext(ROLE_NOTES[role]))
        for role in ROLES
        if RANK[role] <= RANK[actor]
    ]


def project_choices(lines: Iterable[ProjectLine], chosen: Iterable[UUID]) -> list[ProjectChoice]:
    """Check boxes for projects."""
    held = set(chosen)
    return [ProjectChoice(f"p-{line.id}", line.name, line.id in held) for line in lines]


def make_members(
    tongue: Tongue,
    members: Sequence[MemberLine],
    projects: Sequence[ProjectLine],
    me: UUID,
    actor: Role,
    manages: bool,
    now: datetime,
) -> list[MemberRow]:
    """Rows of the members page, with what this viewer may do to each."""
    return [
        MemberRow(
            id=line.id,
            name=line.name,
            email=line.email or "",
            role=line.role,
            role_name=tongue.gettext(ROLE_NAMES[line.role]),
            where=where_said(tongue, line.projects, projects),
            since=line.since,
            since_said=tongue.moment(line.since, now),
            myself=line.id == me,
            disabled=line.disabled,
            choices=role_options(tongue, actor) if manages and RANK[line.role] <= RANK[actor] else (),
            projects=project_choices(projects, line.projects or ()),
            narrowed=line.projects is not None,
            removable=manages and line.id != me and RANK[line.role] <= RANK[actor],
            heir=actor == "owner" and line.id != me and line.role != "owner" and not line.disabled,
        )
        for line in members
    ]


def make_invitations(
    tongue: Tongue, lines: Sequence[InvitationLine], projects: Sequence[ProjectLine]
) -> list[InvitationRow]:
    """Rows of open invitations."""
    return [
        InvitationRow(
            id=line.id,
            email=line.email,
            role_name=tongue.gettext(ROLE_NAMES[line.role]),
            where=where_said(tongue, line.projects, projects),
            invited_by=line.invited_by,
            expires_at=line.expires_at,
            expires_said=tongue.day(line.expires_at),
        )
        for line in lines
    ]


def where_said(tongue: Tongue, chosen: Sequence[UUID] | None, projects: Sequence[ProjectLine]) -> str:
    """The projects that rights are narrowed to, or that they are not."""
    if chosen is None:
        return tongue.gettext("All projects")
    names = [line.name for line in projects if line.id in chosen]
    return ", ".join(names) or tongue.gettext("No project")


def make_rights(tongue: Tongue) -> list[RightsRow]:
    """The table of permission × role."""
    return [
        RightsRow(tongue.gettext(PERMISSION_NAMES[permission]), permission, [permission in GRANTS[r] for r in ROLES])
        for permission in PERMISSIONS
    ]


def narrowable(tongue: Tongue) -> str:
    """Which roles can be narrowed, in words."""
    return ", ".join(tongue.gettext(ROLE_NAMES[role]) for role in ROLES if role in NARROWABLE)


def rights_markdown() -> str:
    """The same table for docs/security/roles.md."""
    head = ["| what | permission | " + " | ".join(ROLES) + " |", "| --- | --- |" + " :-: |" * len(ROLES)]
    rows = [
        f"| {PERMISSION_NAMES[permission]} | `{permission}` | "
        + " | ".join("✓" if permission in GRANTS[role] else "" for role in ROLES)
        + " |"
        for permission in PERMISSIONS
    ]
    return "\n".join(head + rows)
