"""What is looked for across tenants: workspaces with something to tell, messages whose time has come, old messages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete as remove
from sqlalchemy import exists, func, insert, select, true, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.outreach.model import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from domain.outreach.policy import LEASE_S, MOST_AT_ENDPOINT, Due, choose, is_full
from tenants.model import IS_TOLD, Event
from tenants.unit import Units

LOOKED_AT = 400
"""Due messages that are looked at in one round."""
KEPT = timedelta(days=30)
"""How long messages that have ended can be read and sent again."""
_PURPOSE = "webhooks"


@dataclass(frozen=True)
class Claimed:
    """A message whose next try is ours; `number` is that of the try, from 1."""

    due: Due
    number: int
    message_id: str
    kind: str
    body: str


async def look_around(units: Units, busy: Collection[Due]) -> tuple[list[UUID], list[Claimed]]:
    """Look once across all tenants: workspaces with something to tell, and messages taken (see claim_due)."""
    async with units.system(_PURPOSE) as unit:
        return await _with_news(unit.session), await _take(unit.session, busy)


async def claim_due(units: Units, busy: Collection[Due]) -> list[Claimed]:
    """Take messages whose time has come, in turn between workspaces; each try is written down before it is made.

    `busy`: tries under way here. Nobody else takes these messages until LEASE_S have passed.
    """
    async with units.system(_PURPOSE) as unit:
        return await _take(unit.session, busy)


async def _with_news(session: AsyncSession) -> list[UUID]:
    """Workspaces in which something has happened that an endpoint may want to be told."""
    newer = (Event.tenant_id == WebhookEndpoint.tenant_id, Event.seq > WebhookEndpoint.told_seq)
    rows = await session.scalars(
        select(WebhookEndpoint.tenant_id)
        .where(WebhookEndpoint.state != "disabled")
        .where(exists().where(*newer, IS_TOLD))
        .distinct()
    )
    return list(rows)


async def _take(session: AsyncSession, busy: Collection[Due]) -> list[Claimed]:
    chosen = choose(await _due(session, busy), busy)
    return await _claim(session, chosen) if chosen else []


async def _due(session: AsyncSession, busy: Collection[Due]) -> list[Due]:
    full = {one.endpoint_id for one in busy if is_full(one.endpoint_id, one.failing, busy)}
    next_ones = (
        select(WebhookDelivery.id, WebhookDelivery.next_at)
        .where(
            WebhookDelivery.tenant_id == WebhookEndpoint.tenant_id,
            WebhookDelivery.endpoint_id == WebhookEndpoint.id,
            WebhookDelivery.state == "waiting",
            WebhookDelivery.next_at <= func.clock_timestamp(),
        )
        .order_by(WebhookDelivery.next_at)
        .limit(MOST_AT_ENDPOINT)
        .lateral("next_ones")
    )
    rows = await session.execute(
        select(
            WebhookEndpoint.tenant_id,
            WebhookEndpoint.id,
            next_ones.c.id,
            WebhookEndpoint.failing_since.is_not(None),
        )
        .join(next_ones, true())
        .where(WebhookEndpoint.id.not_in(list(full)))
        .order_by(next_ones.c.next_at)
        .limit(LOOKED_AT)
    )
    return [Due(*row) for row in rows]


async def _claim(session: AsyncSession, chosen: Sequence[Due]) -> list[Claimed]:
    wanted = {one.delivery_id: one for one in chosen}
    key = tuple_(WebhookDelivery.tenant_id, WebhookDelivery.id)
    # Nothing is waited for while several rows are held; whoever else has taken one meanwhile has moved its time.
    free = (
        select(WebhookDelivery.tenant_id, WebhookDelivery.id)
        .where(
            key.in_([(one.tenant_id, one.delivery_id) for one in chosen]),
            WebhookDelivery.state == "waiting",
            WebhookDelivery.next_at <= func.clock_timestamp(),
        )
        .with_for_update(skip_locked=True)
    )
    ours = [tuple(row) for row in await session.execute(free)]
    rows = await session.execute(
        update(WebhookDelivery)
        .where(key.in_(ours))
        .values(tries=WebhookDelivery.tries + 1, next_at=func.clock_timestamp() + timedelta(seconds=LEASE_S))
        .returning(
            WebhookDelivery.id,
            WebhookDelivery.tries,
            WebhookDelivery.message_id,
            WebhookDelivery.kind,
            WebhookDelivery.body,
        )
        .execution_options(synchronize_session=False)
    )
    claimed = [Claimed(wanted[row[0]], *row[1:]) for row in rows]
    if claimed:
        await _write_tries(session, claimed)
    return claimed


async def _write_tries(session: AsyncSession, claimed: Sequence[Claimed]) -> None:
    keys = [(one.due.tenant_id, one.due.delivery_id) for one in claimed]
    await session.execute(
        update(WebhookAttempt)
        .where(
            tuple_(WebhookAttempt.tenant_id, WebhookAttempt.delivery_id).in_(keys), WebhookAttempt.outcome == "sending"
        )
        .values(outcome="lost")
        .execution_options(synchronize_session=False)
    )
    rows = [
        {"tenant_id": tenant_id, "delivery_id": delivery_id, "number": one.number, "begun_at": func.clock_timestamp()}
        for (tenant_id, delivery_id), one in zip(keys, claimed, strict=True)
    ]
    await session.execute(insert(WebhookAttempt).values(rows))


async def sweep_old(units: Units) -> int:
    """Forget messages that ended long ago; answer how many."""
    async with units.system(_PURPOSE) as unit:
        gone = await unit.session.execute(
            remove(WebhookDelivery)
            .where(WebhookDelivery.ended_at < func.clock_timestamp() - KEPT)
            .returning(WebhookDelivery.id)
            .execution_options(synchronize_session=False)
        )
        return len(gone.all())
