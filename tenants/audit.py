"""The audit trail: one chain of lines per tenant, each sealed by the digest of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.counters import take_number
from tenants.model import AuditEntry, Counter
from tenants.principal import Principal
from tenants.redact import redact

_LINE = (
    "tenant_id", "seq", "at", "actor_kind", "actor_id", "actor_name", "role", "action", "object_type", "object_id",
    "before", "after", "address", "trace_id",
)  # fmt: skip
"""What the digest covers: every column but the digest itself."""


@dataclass(frozen=True)
class PendingAudit:
    """An audit line that will join the chain at the end of the transaction."""

    action: str
    object_type: str
    object_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    address: str


@dataclass(frozen=True)
class ChainReport:
    """The outcome of a check: how many lines hold, and the first that does not (`broken_seq`, `reason`)."""

    lines: int
    broken_seq: int | None = None
    reason: str = ""

    @property
    def intact(self) -> bool:
        return self.broken_seq is None


def audit_digest(previous: str, line: dict[str, Any]) -> str:
    """Chain an audit line to the one before: SHA-256 over the previous digest and the canonical line."""
    canonical = json.dumps(_canonical(line), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{previous}\n{canonical}".encode()).hexdigest()


def _canonical(value: Any) -> Any:
    """Bring a value to the one form that survives a trip through the database."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, dict):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def _storable(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """Redact a snapshot and make it JSON; PostgreSQL stores no NUL character."""
    if value is None:
        return None
    text = json.dumps(redact(value), default=str, allow_nan=False).replace("\\u0000", "\\ufffd")
    made: dict[str, Any] = json.loads(text)
    return made


async def write_audits(session: AsyncSession, principal: Principal, audits: Sequence[PendingAudit]) -> None:
    """Number, chain and insert lines; the counter's row lock makes the chain one line after another."""
    tenant_id = principal.tenant_id
    first = await take_number(session, tenant_id, "audit", len(audits))
    before_first = select(AuditEntry.digest).where(AuditEntry.tenant_id == tenant_id, AuditEntry.seq == first - 1)
    digest = (await session.execute(before_first)).scalar_one_or_none() or ""
    for offset, pending in enumerate(audits):
        line = {
            "tenant_id": tenant_id,
            "seq": first + offset,
            "at": datetime.now(UTC),
            "actor_kind": principal.kind,
            "actor_id": principal.actor_id,
            "actor_name": principal.name,
            "role": principal.role,
            "action": pending.action,
            "object_type": pending.object_type,
            "object_id": pending.object_id,
            "before": _storable(pending.before),
            "after": _storable(pending.after),
            "address": pending.address or principal.address,
            "trace_id": principal.trace_id,
        }
        digest = audit_digest(digest, line)
        session.add(AuditEntry(**line, digest=digest))
    await session.flush()


async def verify_chain(session: AsyncSession, tenant_id: UUID) -> ChainReport:
    """Read a tenant's whole trail and name the first line that was changed, removed or put in."""
    previous, expected = "", 1
    rows = await session.stream_scalars(
        select(AuditEntry)
        .where(AuditEntry.tenant_id == tenant_id)
        .order_by(AuditEntry.seq)
        .execution_options(yield_per=500, populate_existing=True)
    )
    async for entry in rows:
        if entry.seq != expected:
            return ChainReport(expected - 1, expected, f"line {expected} is missing")
        if audit_digest(previous, {name: getattr(entry, name) for name in _LINE}) != entry.digest:
            return ChainReport(expected - 1, expected, f"line {expected} does not match its digest")
        previous, expected = entry.digest, expected + 1
    counted = await session.scalar(select(Counter.value).where(Counter.tenant_id == tenant_id, Counter.name == "audit"))
    if (counted or 0) >= expected:
        return ChainReport(expected - 1, expected, f"line {expected} is missing: {counted} were written")
    return ChainReport(expected - 1)
