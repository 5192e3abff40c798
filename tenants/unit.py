"""Units of work: the only door to rows.

`async with units.open(principal) as unit` is one transaction as the app role, in which PostgreSQL itself shows
nothing but the principal's tenant. `units.system(purpose)` is a transaction as the system role for the few
cross-tenant routines; each of them lives in a file named in tenants/rls.py. Leaving the block
commits; an exception rolls all back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import event, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from tenants.model import AuditEntry, Counter, Event, OutboxMessage
from tenants.ports import NoSignal, Signal
from tenants.principal import Principal
from tenants.records import TenantOwned

AfterCommit = Callable[[], Awaitable[None]]


class WrongTenant(Exception):
    """Raised when a row of another tenant is about to be written; always a programming error."""


@dataclass(frozen=True)
class PendingEvent:
    """An event that will get its number at the end of the transaction."""

    type: str
    job_id: UUID | None
    project_id: UUID | None
    data: dict[str, Any]


@dataclass(frozen=True)
class PendingAudit:
    """An audit line that will join the chain at the end of the transaction."""

    action: str
    object_type: str
    object_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    address: str


@dataclass
class Unit:
    """One transaction of one principal; collects events, messages and audit lines, and writes them last.

    Events are written at the very end because their counter row stays locked until commit: that makes the order in
    which readers see events the order of their numbers.
    """

    session: AsyncSession
    principal: Principal
    _events: list[PendingEvent] = field(default_factory=list)
    _audits: list[PendingAudit] = field(default_factory=list)
    _after: list[AfterCommit] = field(default_factory=list)
    last_event: int | None = None

    @property
    def tenant_id(self) -> UUID:
        return self.principal.tenant_id

    def emit(
        self, event_type: str, /, *, job_id: UUID | None = None, project_id: UUID | None = None, **data: Any
    ) -> None:
        """Record that something happened; readers see it after commit."""
        self._events.append(PendingEvent(event_type, job_id, project_id, data))

    def send(self, topic: str, payload: dict[str, Any]) -> None:
        """Put a message into the outbox; the pump delivers it after commit."""
        self.session.add(OutboxMessage(tenant_id=self.tenant_id, topic=topic, payload=payload))

    def audit(
        self,
        action: str,
        object_type: str,
        object_id: object,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        address: str = "",
    ) -> None:
        """Add a line to the tenant's audit trail."""
        self._audits.append(PendingAudit(action, object_type, str(object_id), before, after, address))

    def after_commit(self, action: AfterCommit) -> None:
        """Run `action` once the transaction is safe; its failure changes nothing."""
        self._after.append(action)

    async def take_number(self, name: str, count: int = 1) -> int:
        """Take `count` numbers from the tenant's counter `name`; answer the first."""
        return await take_number(self.session, self.tenant_id, name, count)

    async def write_pending(self) -> None:
        """Write audit lines and events; called once, right before commit."""
        await self.session.flush()
        if self._audits:
            await _write_audits(self.session, self.principal, self._audits)
        if self._events:
            self.last_event = await write_events(self.session, self.tenant_id, self._events)


@dataclass
class SystemUnit:
    """One transaction of a cross-tenant routine; events name their tenant."""

    session: AsyncSession
    purpose: str
    _events: dict[UUID, list[PendingEvent]] = field(default_factory=dict)
    _after: list[AfterCommit] = field(default_factory=list)
    last_events: dict[UUID, int] = field(default_factory=dict)

    def emit(
        self,
        tenant_id: UUID,
        event_type: str,
        /,
        *,
        job_id: UUID | None = None,
        project_id: UUID | None = None,
        **data: Any,
    ) -> None:
        self._events.setdefault(tenant_id, []).append(PendingEvent(event_type, job_id, project_id, data))

    def after_commit(self, action: AfterCommit) -> None:
        self._after.append(action)

    async def write_pending(self) -> None:
        await self.session.flush()
        for tenant_id in sorted(self._events):
            self.last_events[tenant_id] = await write_events(self.session, tenant_id, self._events[tenant_id])


class Units:
    """Opens units of work on two engines: the app role's and the system role's."""

    def __init__(self, app: AsyncEngine, system: AsyncEngine, signal: Signal | None = None) -> None:
        self._app, self._system = app, system
        self.signal: Signal = signal or NoSignal()

    @asynccontextmanager
    async def open(self, principal: Principal) -> AsyncIterator[Unit]:
        """Open a transaction in which only the principal's tenant exists."""
        async with AsyncSession(self._app, expire_on_commit=False) as session:
            _bind(session.sync_session, principal.tenant_id)
            unit = Unit(session, principal)
            async with session.begin():
                yield unit
                await unit.write_pending()
        if unit.last_event is not None:
            await self.signal.events(unit.tenant_id, unit.last_event)
        for action in unit._after:
            await action()

    @asynccontextmanager
    async def system(self, purpose: str) -> AsyncIterator[SystemUnit]:
        """Open a transaction of a named cross-tenant routine."""
        async with AsyncSession(self._system, expire_on_commit=False) as session:
            unit = SystemUnit(session, purpose)
            async with session.begin():
                yield unit
                await unit.write_pending()
        for tenant_id, seq in unit.last_events.items():
            await self.signal.events(tenant_id, seq)
        for action in unit._after:
            await action()


def _bind(session: Session, tenant_id: UUID) -> None:
    """Tie a session to a tenant: in the database, in every ORM query, and in every flush."""

    @event.listens_for(session, "after_begin")
    def tell_database(_session: Session, _transaction: Any, connection: Any) -> None:
        connection.execute(text("SELECT set_config('app.tenant_id', :tenant, true)"), {"tenant": str(tenant_id)})

    @event.listens_for(session, "do_orm_execute")
    def narrow(state: ORMExecuteState) -> None:
        if state.is_select or state.is_update or state.is_delete:
            state.statement = state.statement.options(
                with_loader_criteria(TenantOwned, lambda row: row.tenant_id == tenant_id, include_aliases=True)
            )

    @event.listens_for(session, "before_flush")
    def check(flushing: Session, _context: Any, _instances: Any) -> None:
        for row in (*flushing.new, *flushing.dirty, *flushing.deleted):
            if not isinstance(row, TenantOwned):
                continue
            owner: UUID | None = row.tenant_id
            if owner is None:
                row.tenant_id = tenant_id
            elif owner != tenant_id:
                raise WrongTenant(f"{type(row).__name__} belongs to another tenant")


async def take_number(session: AsyncSession, tenant_id: UUID, name: str, count: int = 1) -> int:
    """Take `count` numbers from a tenant's counter; its row stays locked until the transaction ends."""
    statement = (
        upsert(Counter)
        .values(tenant_id=tenant_id, name=name, value=count)
        .on_conflict_do_update(index_elements=["tenant_id", "name"], set_={"value": Counter.value + count})
        .returning(Counter.value)
    )
    last = (await session.execute(statement)).scalar_one()
    return int(last) - count + 1


async def write_events(session: AsyncSession, tenant_id: UUID, events: list[PendingEvent]) -> int:
    """Number and insert events; answer the last number."""
    first = await take_number(session, tenant_id, "event", len(events))
    rows = [
        {
            "tenant_id": tenant_id,
            "seq": first + offset,
            "job_id": pending.job_id,
            "project_id": pending.project_id,
            "type": pending.type,
            "data": pending.data,
        }
        for offset, pending in enumerate(events)
    ]
    await session.execute(insert(Event), rows)
    return first + len(events) - 1


def audit_digest(previous: str, line: dict[str, Any]) -> str:
    """Chain an audit line to the one before: SHA-256 over the previous digest and the canonical line."""
    canonical = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(f"{previous}\n{canonical}".encode()).hexdigest()


async def _write_audits(session: AsyncSession, principal: Principal, audits: list[PendingAudit]) -> None:
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
            "before": pending.before,
            "after": pending.after,
            "address": pending.address,
            "trace_id": principal.trace_id,
        }
        digest = audit_digest(digest, line)
        session.add(AuditEntry(**line, digest=digest))
    await session.flush()
