"""The outbox relay: says once more, after commit and at least once, what happened inside a transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from domain.outreach.notices import tell_switched_off
from domain.production.notices import tell_question
from tenants.model import Counter, OutboxMessage
from tenants.ports import Signal
from tenants.unit import Units

BATCH = 100


@dataclass(frozen=True)
class Outside:
    """What handlers reach: the signal, and units of work of their own."""

    units: Units
    signal: Signal


Handler = Callable[[Outside, UUID, int, Mapping[str, Any]], Awaitable[None]]
"""Called with (outside, tenant, the tenant's newest event, payload); may be called twice for one message."""


async def hint_events(outside: Outside, tenant_id: UUID, last_seq: int, payload: Mapping[str, Any]) -> None:
    """Repeat the hint that a crash right after commit may have swallowed."""
    await outside.signal.events(tenant_id, last_seq)


async def write_to_deciders(outside: Outside, tenant_id: UUID, last_seq: int, payload: Mapping[str, Any]) -> None:
    """Queue letters to those who may decide and want to be told; the same question is told once."""
    await tell_question(outside.units, tenant_id, UUID(str(payload["approval_id"])))


async def write_to_keepers(outside: Outside, tenant_id: UUID, last_seq: int, payload: Mapping[str, Any]) -> None:
    """Queue letters about an endpoint that was switched off to those who care for it."""
    await tell_switched_off(outside.units, tenant_id, UUID(str(payload["endpoint_id"])))


TOPICS: Mapping[str, tuple[Handler, ...]] = {
    "job.created": (hint_events,),
    "job.cancel_requested": (hint_events,),
    "approval.waiting": (hint_events, write_to_deciders),
    "webhook.disabled": (write_to_keepers,),
}
"""Topic → what is done with its messages."""


async def relay(units: Units, signal: Signal) -> int:
    """Hand on the oldest messages that have not been; answer how many."""
    async with units.system("relay") as unit:
        rows = await unit.session.execute(
            select(OutboxMessage)
            .where(OutboxMessage.sent_at.is_(None))
            .order_by(OutboxMessage.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        messages = rows.scalars().all()
        for message in messages:
            newest = select(Counter.value).where(Counter.tenant_id == message.tenant_id, Counter.name == "event")
            last = await unit.session.scalar(newest) or 0
            for handle in TOPICS.get(message.topic, ()):
                await handle(Outside(units, signal), message.tenant_id, last, message.payload)
        done = [message.id for message in messages]
        if done:
            await unit.session.execute(
                update(OutboxMessage)
                .where(OutboxMessage.id.in_(done))
                .values(sent_at=func.clock_timestamp())
                .execution_options(synchronize_session=False)
            )
    return len(messages)
