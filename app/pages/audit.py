"""The audit trail: who did what, when and from where; filters in the address, the same as a CSV file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get

from app.i18n import Tongue
from app.room import Room
from app.site import AnyRequest
from app.views.marks import maker_name, said
from app.views.members import ROLE_NAMES
from tenants.audit_reading import MOST_EXPORTED, AuditFilter, audit_actions, audit_page
from tenants.model import AuditEntry

PATH = "/w/{tenant:str}/audit"
COLUMNS = (
    "seq", "at", "actor_kind", "actor_name", "role", "action", "object_type", "object_id", "before", "after", "address",
    "digest",
)  # fmt: skip


@get(PATH)
async def show_audit(request: AnyRequest) -> Response[str]:
    """One page of the trail, newest first."""
    room = await Room.enter(request)
    given = _given(request)
    async with room.open() as unit:
        lines, more = await audit_page(unit, _filter(room, given))
        actions = await audit_actions(unit)
    older = {**given, "before": str(more)} if more is not None else None
    return await room.workspace_page(
        "workspace/audit.html",
        "audit",
        lines=[(line, room.tongue.full(line.at), _who(room.tongue, line), _told(line)) for line in lines],
        actions=actions,
        given=given,
        narrowed=any(given.values()),
        older=f"{room.base}/audit?{urlencode(older)}" if older else "",
        csv=f"{room.base}/audit.csv?{urlencode({k: v for k, v in given.items() if v and k != 'before'})}",
        base=room.base,
    )


@get(f"{PATH}.csv")
async def export_audit(request: AnyRequest) -> Response[str]:
    """What the filters leave, as a file; at most 50,000 lines, the newest."""
    room = await Room.enter(request)
    async with room.open() as unit:
        lines, _ = await audit_page(unit, _filter(room, _given(request)), MOST_EXPORTED)
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(COLUMNS)
    for line in lines:
        writer.writerow([_cell(getattr(line, name)) for name in COLUMNS])
    name = f"audit-{room.seat.slug}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(sheet.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: Any) -> str:
    """A value as text; a leading sign that a spreadsheet would take for a formula is made harmless."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _who(tongue: Tongue, line: AuditEntry) -> tuple[str, str]:
    """Who did it, and in which role."""
    roles: dict[str, str] = dict(ROLE_NAMES.items())
    return maker_name(tongue, line.actor_name or line.actor_kind), said(tongue, roles, line.role or "").lower()


def _told(line: AuditEntry) -> str:
    """What changed, in one line."""
    parts = [f"{name}: {_short(value)}" for name, value in (line.after or {}).items() if value is not None]
    return " · ".join(parts or [f"{name}: {_short(value)}" for name, value in (line.before or {}).items()])[:300]


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _given(request: AnyRequest) -> dict[str, str]:
    return {
        name: str(request.query_params.get(name, ""))[:120]
        for name in ("q", "action", "who", "since", "until", "before")
    }


def _filter(room: Room, given: Mapping[str, str]) -> AuditFilter:
    before = given["before"]
    return AuditFilter(
        text=given["q"].strip(),
        action=given["action"],
        actor=given["who"].strip(),
        since=_day(given["since"]),
        until=_day(given["until"]),
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None,
        zone=room.tongue.tz,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
