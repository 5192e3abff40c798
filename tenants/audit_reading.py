"""Reading the audit trail: filtered, newest first, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from sqlalchemy import ColumnElement, Select, or_, select

from tenants.model import AuditEntry
from tenants.unit import Unit

PAGE = 50
MOST_EXPORTED = 50_000


@dataclass(frozen=True)
class AuditFilter:
    """What the trail is narrowed to; empty parts do not narrow. Days are whole days in `zone`."""

    text: str = ""
    action: str = ""
    actor: str = ""
    since: date | None = None
    until: date | None = None
    before: int | None = None
    zone: tzinfo = UTC


async def audit_page(unit: Unit, wanted: AuditFilter, limit: int = PAGE) -> tuple[Sequence[AuditEntry], int | None]:
    """Lines, newest first, and the number the next page starts below (None on the last). Raises Forbidden."""
    unit.principal.require("audit:read")
    rows = list(await unit.session.scalars(_matching(wanted).limit(limit + 1)))
    return rows[:limit], rows[limit - 1].seq if len(rows) > limit else None


async def audit_actions(unit: Unit) -> list[str]:
    """Every kind of act in the trail. Raises Forbidden."""
    unit.principal.require("audit:read")
    return list(await unit.session.scalars(select(AuditEntry.action).distinct().order_by(AuditEntry.action)))


def _matching(wanted: AuditFilter) -> Select[AuditEntry]:
    statement = select(AuditEntry).order_by(AuditEntry.seq.desc())
    for condition in _conditions(wanted):
        statement = statement.where(condition)
    return statement


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.action:
        found.append(AuditEntry.action == wanted.action)
    if wanted.actor:
        found.append(AuditEntry.actor_name.icontains(wanted.actor, autoescape=True))
    if wanted.text:
        fields = (AuditEntry.object_type, AuditEntry.object_id, AuditEntry.action, AuditEntry.address)
        found.append(or_(*(field.icontains(wanted.text, autoescape=True) for field in fields)))
    if wanted.since is not None:
        found.append(AuditEntry.at >= datetime.combine(wanted.since, time.min, wanted.zone))
    if wanted.until is not None:
        found.append(AuditEntry.at < datetime.combine(wanted.until, time.min, wanted.zone) + timedelta(days=1))
    if wanted.before is not None:
        found.append(AuditEntry.seq < wanted.before)
    return found
