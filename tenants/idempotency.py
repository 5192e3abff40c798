"""What programs ask twice is done once: a request's key, kept with its answer in the effect's own transaction.

Kept for a day, by API key: keys of different programs never meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Index, delete, func, select, text, tuple_
from sqlalchemy.orm import Mapped, mapped_column

from tenants.records import Base, TenantOwned, Timed, of_tenant
from tenants.unit import Unit

KEPT = timedelta(hours=24)
SWEPT = 100
"""Old rows of the workspace that a new one takes with it at most."""


class IdempotencyKey(TenantOwned, Timed, Base):
    """A request that has had its effect: `actor_id` asked, `request_hash` is what was asked, `body` what was answered.

    `body` is kept as text, so that it is answered again as it was, sign by sign.
    """

    __tablename__ = "idempotency_keys"
    actor_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    status: Mapped[int]
    location: Mapped[str]
    body: Mapped[str]
    __table_args__ = (of_tenant(), Index("ix_idempotency_keys_created", "tenant_id", "created_at"))


@dataclass(frozen=True)
class Answered:
    """An answer that was given: status, the address of what was made, and the body."""

    status: int
    location: str
    body: str


class InFlight(Exception):
    """Raised while another request with the same key is being answered."""


class KeyReused(Exception):
    """Raised when a key has been used for something else."""


_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended('once:' || :tenant || :actor || :key, 0))")


async def answered_before(unit: Unit, key: str, request_hash: str) -> Answered | None:
    """Hold a key until the transaction ends, and answer what was answered to it. Raises InFlight, KeyReused."""
    actor = unit.principal.actor_id
    names = {"tenant": str(unit.tenant_id), "actor": str(actor), "key": key}
    if not await unit.session.scalar(_LOCK, names):
        raise InFlight
    row = await unit.session.scalar(
        select(IdempotencyKey).where(
            IdempotencyKey.actor_id == actor,
            IdempotencyKey.key == key,
            IdempotencyKey.created_at > func.now() - KEPT,
        )
    )
    if row is None:
        return None
    if row.request_hash != request_hash:
        raise KeyReused
    return Answered(row.status, row.location, row.body)


async def keep_answer(unit: Unit, key: str, request_hash: str, answered: Answered) -> None:
    """Keep what is answered to a key that this transaction holds; rows that are over go."""
    actor = unit.principal.actor_id
    assert actor is not None
    await _sweep(unit)
    # Older than a day, but not swept yet.
    await unit.session.execute(
        delete(IdempotencyKey).where(IdempotencyKey.actor_id == actor, IdempotencyKey.key == key)
    )
    unit.session.add(
        IdempotencyKey(
            actor_id=actor,
            key=key,
            request_hash=request_hash,
            status=answered.status,
            location=answered.location,
            body=answered.body,
        )
    )
    await unit.session.flush()


async def _sweep(unit: Unit) -> None:
    """Forget what is over; rows that another request forgets at this moment are left to it."""
    old = (
        select(IdempotencyKey.actor_id, IdempotencyKey.key)
        .where(IdempotencyKey.tenant_id == unit.tenant_id, IdempotencyKey.created_at <= func.now() - KEPT)
        .order_by(IdempotencyKey.created_at)
        .limit(SWEPT)
        .with_for_update(skip_locked=True)
    )
    rows = [tuple(row) for row in await unit.session.execute(old)]
    if rows:
        await unit.session.execute(
            delete(IdempotencyKey)
            .where(tuple_(IdempotencyKey.actor_id, IdempotencyKey.key).in_(rows))
            .execution_options(synchronize_session=False)
        )
