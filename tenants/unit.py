"""Units of work: the only door to rows.

`async with units.open(principal) as unit` is one transaction as the app role, in which PostgreSQL itself shows
nothing but the principal's tenant. `units.system(purpose)` is a transaction as the system role for the few
cross-tenant routines; each of them lives in a file named in tenants/rls.py. Leaving the block
commits; an exception rolls all back.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import structlog
from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from tenants.audit import PendingAudit, write_audits
from tenants.counters import take_number
from tenants.model import OutboxMessage
from tenants.ports import NoSignal, Signal
from tenants.principal import Principal
from tenants.records import TenantOwned
from tenants.routines import Routines

log = structlog.get_logger(__name__)

TELL = text("SELECT set_config('app.tenant_id', :tenant, true)")
"""Shows PostgreSQL the tenant of this transaction; forgotten at its end."""

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
            await write_audits(self.session, self.principal, self._audits)
        if self._events:
            self.last_event = await write_events(self.session, self.tenant_id, self._events)


@dataclass
class SystemUnit:
    """One transaction of a cross-tenant routine; events name their tenant."""

    session: AsyncSession
    purpose: str
    _events: dict[UUID, list[PendingEvent]] = field(default_factory=dict)
    _audits: list[tuple[Principal, PendingAudit]] = field(default_factory=list)
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

    def audit(
        self, principal: Principal, action: str, object_type: str, object_id: object, *, address: str = "", **after: Any
    ) -> None:
        """Add a line to the audit trail of the principal's tenant."""
        line = PendingAudit(action, object_type, str(object_id), None, after or None, address)
        self._audits.append((principal, line))

    def after_commit(self, action: AfterCommit) -> None:
        self._after.append(action)

    async def write_pending(self) -> None:
        await self.session.flush()
        # Counters are locked in one order by everybody (audit before event, tenants by id), else they deadlock.
        for principal, line in sorted(self._audits, key=lambda pair: pair[0].tenant_id):
            await write_audits(self.session, principal, [line])
        for tenant_id in sorted(self._events):
            self.last_events[tenant_id] = await write_events(self.session, tenant_id, self._events[tenant_id])


class Units:
    """Opens units of work on two engines: the app role's and the system role's."""

    def __init__(
        self,
        app: AsyncEngine,
        system: AsyncEngine,
        signal: Signal | None = None,
        routines: Routines | None = None,
    ) -> None:
        self._app, self._system = app, system
        self.routines = routines or Routines(system, 1)
        self.signal: Signal = signal or NoSignal()

    @asynccontextmanager
    async def open(self, principal: Principal) -> AsyncIterator[Unit]:
        """Open a transaction in which only the principal's tenant exists."""
        tied = {"tenant_id": principal.tenant_id}
        async with AsyncSession(
            self._app, sync_session_class=TenantSession, info=tied, expire_on_commit=False
        ) as session:
            unit = Unit(session, principal)
            async with session.begin():
                yield unit
                await unit.write_pending()
        if unit.last_event is not None:
            await self.signal.events(unit.tenant_id, unit.last_event)
        await _run_all(unit._after)

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
        await _run_all(unit._after)


async def _run_all(actions: list[AfterCommit]) -> None:
    for action in actions:
        try:
            await action()
        except Exception:
            # The rows are safe; failing the caller now would make it believe they are not.
            log.exception("after_commit_failed")


class TenantSession(Session):
    """A session tied to `info["tenant_id"]`: in the database, in every ORM query, and in every flush."""


@event.listens_for(TenantSession, "after_begin")
def _tell_database(session: Session, _transaction: Any, connection: Connection) -> None:
    connection.execute(TELL, {"tenant": str(session.info["tenant_id"])})


@event.listens_for(TenantSession, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    tenant_id: UUID = state.session.info["tenant_id"]
    if state.is_insert or state.is_update:
        _check_parameters(state, tenant_id)
    if state.is_select or state.is_update or state.is_delete:
        state.statement = state.statement.options(_criteria_of(state.session, tenant_id))


def _criteria_of(session: Session, tenant_id: UUID) -> Any:
    """Answer the session's own filter, made once: making it walks every table that belongs to a tenant."""
    if "criteria" not in session.info:
        session.info["criteria"] = with_loader_criteria(
            TenantOwned, lambda row: row.tenant_id == tenant_id, include_aliases=True
        )
    return session.info["criteria"]


@event.listens_for(TenantSession, "before_attach")
def _admit(session: Session, row: object) -> None:
    # A refresh is not narrowed, so a row of another tenant must not even come near.
    if isinstance(row, TenantOwned):
        _check_row(row, session.info["tenant_id"])


@event.listens_for(TenantSession, "before_flush")
def _check(session: Session, _context: Any, _instances: Any) -> None:
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, TenantOwned):
            _check_row(row, session.info["tenant_id"])


def _check_row(row: TenantOwned, tenant_id: UUID) -> None:
    """Refuse a row of another tenant, also one whose tenant was changed after it was loaded."""
    stored, owner = inspect(row).identity, cast("UUID | None", row.tenant_id)
    if owner is None and stored is None:
        row.tenant_id = tenant_id
    elif owner != tenant_id or (stored is not None and stored[0] != tenant_id):
        raise WrongTenant(f"{type(row).__name__} belongs to another tenant")


def _check_parameters(state: ORMExecuteState, tenant_id: UUID) -> None:
    """Refuse bulk inserts and updates by key that name another tenant: no flush sees them."""
    given = state.parameters or ()
    for line in (given,) if isinstance(given, Mapping) else given:
        if line.get("tenant_id", tenant_id) != tenant_id:
            raise WrongTenant("A bulk statement names another tenant")


_WRITE = text("SELECT app.write_events(:tenant, CAST(:events AS jsonb))")


async def write_events(session: AsyncSession, tenant_id: UUID, events: list[PendingEvent]) -> int:
    """Number and insert events in one statement; answer the last number."""
    rows = [
        {
            "job_id": str(pending.job_id) if pending.job_id else None,
            "project_id": str(pending.project_id) if pending.project_id else None,
            "type": pending.type,
            "data": pending.data,
        }
        for pending in events
    ]
    written = await session.execute(_WRITE, {"tenant": tenant_id, "events": json.dumps(rows)})
    return int(written.scalar_one())
