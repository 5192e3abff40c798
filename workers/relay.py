"""The outbox relay: says once more, after commit and at least once, what happened inside a transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from tenants.model import Counter, OutboxMessage
from tenants.ports import Signal
from tenants.unit import Units

BATCH = 100

Handler = Callable[[Signal, UUID, int, Mapping[str, Any]], Awaitable[None]]
"""Called with (signal, tenant, the tenant's newest event, payload); may be called twice for one message."""


async def hint_events(signal: Signal, tenant_id: UUID, last_seq: int, payload: Mapping[str, Any]) -> None:
    """Repeat the hint that a crash right after commit may have swallowed."""
    await signal.events(tenant_id, last_seq)


TOPICS: Mapping[str, tuple[Handler, ...]] = {
    "job.created": (hint_events,),
    "job.cancel_requested": (hint_events,),
    "approval.waiting": (hint_events,),
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
            last = await unit.session.execute(
                select(Counter.value).where(Counter.tenant_id == message.tenant_id, Counter.name == "event")
            )
            for handle in TOPICS.get(message.topic, ()):
                await handle(signal, message.tenant_id, last.scalar_one_or_none() or 0, message.payload)
        done = [message.id for message in messages]
        if done:
            await unit.session.execute(
                update(OutboxMessage)
                .where(OutboxMessage.id.in_(done))
                .values(sent_at=func.clock_timestamp())
                .execution_options(synchronize_session=False)
            )
    return len(messages)
