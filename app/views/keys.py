"""API keys as their page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.i18n import N_, Tongue
from app.views.members import PERMISSION_NAMES, where_said
from app.views.settings import Option
from domain.production.queries.projects import ProjectLine
from tenants.api_keys import KeyLine
from tenants.key_format import PREFIX
from tenants.key_rules import OFFERED, REASONS
from tenants.principal import Principal
from tenants.roles import Permission

LASTS: Mapping[str, timedelta | None] = {
    "30": timedelta(days=30),
    "90": timedelta(days=90),
    "365": timedelta(days=365),
    "never": None,
}
OVERLAPS: Mapping[str, timedelta] = {
    "0": timedelta(0),
    "1": timedelta(hours=1),
    "24": timedelta(hours=24),
    "168": timedelta(days=7),
}
STATES: Mapping[str, tuple[str, str, str]] = {
    "live": ("ok", "circle-check", N_("in force")),
    "replaced": ("wait", "refresh-cw", N_("renewed, ends soon")),
    "expired": ("idle", "clock", N_("expired")),
    "revoked": ("bad", "ban", N_("revoked")),
}
REFUSALS: Mapping[str, str] = {
    "name": N_("Give a name of 1 to 60 visible characters."),
    "scopes": N_("Choose at least one right that you have yourself."),
    "projects": N_("Choose at least one project, or all of them."),
    "networks": N_("Write networks like 203.0.113.0/24 or 2001:db8::/32, at most 20, separated by commas."),
    "lasts": N_("Choose one of the entries of the list."),
    "too-many": N_("The workspace has 50 keys. Revoke one that nobody uses first."),
    "missing": N_("This key has ended already."),
    "replaced": N_("This key was renewed already: use the newer one."),
}
assert all(REASONS[reason] == text for reason, text in REFUSALS.items())  # the same words, marked for translation


@dataclass(frozen=True)
class ScopeChoice:
    """A right that the key can be given."""

    field: str
    code: str
    name: str
    chosen: bool


@dataclass(frozen=True)
class KeyRow:
    """One key; `may_renew` and `living` say which buttons there are."""

    id: UUID
    prefix: str
    name: str
    st: str
    icon: str
    state: str
    rights: Sequence[str]
    where: str
    networks: str
    made_by: str
    created_at: datetime
    created_said: str
    expires_at: datetime | None
    expires_said: str
    used_at: datetime | None
    used_said: str
    used_from: str
    living: bool
    may_renew: bool


def make_keys(tongue: Tongue, lines: Sequence[KeyLine], projects: Sequence[ProjectLine], now: datetime) -> list[KeyRow]:
    """Rows of the page, the newest first."""
    return [_row(tongue, line, projects, now) for line in lines]


def _row(tongue: Tongue, line: KeyLine, projects: Sequence[ProjectLine], now: datetime) -> KeyRow:
    st, icon, word = STATES[line.state]
    return KeyRow(
        id=line.id,
        prefix=f"{PREFIX}{line.public_id}…",
        name=line.name,
        st=st,
        icon=icon,
        state=tongue.gettext(word),
        rights=[tongue.gettext(PERMISSION_NAMES[scope]) for scope in OFFERED if scope in line.scopes],
        where=where_said(tongue, line.projects, projects),
        networks=", ".join(line.networks),
        made_by=line.made_by,
        created_at=line.created_at,
        created_said=tongue.moment(line.created_at, now),
        expires_at=line.expires_at,
        expires_said=_until(tongue, line.expires_at, now) if line.expires_at else "",
        used_at=line.used_at,
        used_said=tongue.moment(line.used_at, now) if line.used_at else "",
        used_from=line.used_from,
        living=line.state in ("live", "replaced"),
        may_renew=line.state == "live",
    )


def _until(tongue: Tongue, moment: datetime, now: datetime) -> str:
    """A day, or with less than two days left the hour too."""
    return tongue.full(moment) if timedelta(0) < moment - now < timedelta(days=2) else tongue.day(moment)


def scope_choices(tongue: Tongue, principal: Principal, values: Mapping[str, str]) -> list[ScopeChoice]:
    """The rights that this person can give away."""
    return [
        ScopeChoice(scope_field(scope), scope, tongue.gettext(PERMISSION_NAMES[scope]), scope_field(scope) in values)
        for scope in OFFERED
        if principal.can(scope)
    ]


def scope_field(scope: Permission) -> str:
    """The name of a right's check box."""
    return f"s-{scope.replace(':', '-')}"


def last_options(tongue: Tongue) -> list[Option]:
    """How long a key can last."""
    return [
        Option("30", tongue.gettext("30 days")),
        Option("90", tongue.gettext("90 days")),
        Option("365", tongue.gettext("1 year")),
        Option("never", tongue.gettext("Until it is revoked")),
    ]


def overlap_options(tongue: Tongue) -> list[Option]:
    """How long an old key or secret goes on beside the new one."""
    return [
        Option("0", tongue.gettext("It ends at once")),
        Option("1", tongue.gettext("1 hour")),
        Option("24", tongue.gettext("1 day")),
        Option("168", tongue.gettext("7 days")),
    ]
