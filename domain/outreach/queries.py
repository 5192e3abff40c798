"""What pages show of endpoints and their messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from domain.outreach.endpoints import NEEDS, signing_secrets
from domain.outreach.model import (
    DELIVERY_STATES,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)
from domain.outreach.wish import WebhookRefused
from tenants.unit import Unit

PAGE = 30


@dataclass(frozen=True)
class EndpointLine:
    """An endpoint and how many of its messages are in each state."""

    row: WebhookEndpoint
    counts: dict[str, int]


@dataclass(frozen=True)
class DeliveryLine:
    """A message and its last try, if there was one."""

    row: WebhookDelivery
    last: WebhookAttempt | None


@dataclass(frozen=True)
class EndpointDetail:
    """An endpoint with its signing secrets and a page of its messages, the newest first; `older` leads on."""

    line: EndpointLine
    secrets: Sequence[WebhookSecret]
    deliveries: Sequence[DeliveryLine]
    older: UUID | None


async def endpoints_of(unit: Unit) -> list[EndpointLine]:
    """All endpoints, the newest first. Raises Forbidden."""
    unit.principal.require(NEEDS)
    rows = (await unit.session.scalars(select(WebhookEndpoint).order_by(WebhookEndpoint.id.desc()))).all()
    counts = await _counts(unit, [row.id for row in rows])
    return [EndpointLine(row, counts.get(row.id, {})) for row in rows]


async def endpoint_detail(unit: Unit, endpoint_id: UUID, state: str = "", before: UUID | None = None) -> EndpointDetail:
    """One endpoint with its messages in a `state` (empty = all) older than `before`.

    Raises Forbidden and WebhookRefused.
    """
    unit.principal.require(NEEDS)
    row = await _find(unit, endpoint_id)
    wanted = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == row.id)
    if state in DELIVERY_STATES:
        wanted = wanted.where(WebhookDelivery.state == state)
    if before is not None:
        wanted = wanted.where(WebhookDelivery.id < before)
    found = (await unit.session.scalars(wanted.order_by(WebhookDelivery.id.desc()).limit(PAGE + 1))).all()
    shown = found[:PAGE]
    last = await _last_tries(unit, shown)
    counts = await _counts(unit, [row.id])
    return EndpointDetail(
        EndpointLine(row, counts.get(row.id, {})),
        await signing_secrets(unit, row.id),
        [DeliveryLine(one, last.get(one.id)) for one in shown],
        shown[-1].id if len(found) > PAGE else None,
    )


async def delivery_detail(
    unit: Unit, endpoint_id: UUID, delivery_id: UUID
) -> tuple[WebhookEndpoint, WebhookDelivery, list[WebhookAttempt]]:
    """A message with all tries at it, the newest first. Raises Forbidden and WebhookRefused."""
    unit.principal.require(NEEDS)
    endpoint = await _find(unit, endpoint_id)
    row = await unit.session.get(WebhookDelivery, (unit.tenant_id, delivery_id))
    if row is None or row.endpoint_id != endpoint.id:
        raise WebhookRefused("missing")
    tries = await unit.session.scalars(
        select(WebhookAttempt)
        .where(WebhookAttempt.delivery_id == row.id)
        .order_by(WebhookAttempt.number.desc())
        .limit(100)
    )
    return endpoint, row, list(tries)


async def _find(unit: Unit, endpoint_id: UUID) -> WebhookEndpoint:
    row = await unit.session.get(WebhookEndpoint, (unit.tenant_id, endpoint_id))
    if row is None:
        raise WebhookRefused("missing")
    return row


async def _counts(unit: Unit, ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    rows = await unit.session.execute(
        select(WebhookDelivery.endpoint_id, WebhookDelivery.state, func.count())
        .where(WebhookDelivery.endpoint_id.in_(ids))
        .group_by(WebhookDelivery.endpoint_id, WebhookDelivery.state)
    )
    counts: dict[UUID, dict[str, int]] = {}
    for endpoint_id, state, count in rows:
        counts.setdefault(endpoint_id, {})[state] = count
    return counts


async def _last_tries(unit: Unit, deliveries: Sequence[WebhookDelivery]) -> dict[UUID, WebhookAttempt]:
    rows = await unit.session.scalars(
        select(WebhookAttempt)
        .join(
            WebhookDelivery,
            (WebhookDelivery.tenant_id == WebhookAttempt.tenant_id)
            & (WebhookDelivery.id == WebhookAttempt.delivery_id),
        )
        .where(WebhookDelivery.id.in_([one.id for one in deliveries]))
        .where(WebhookAttempt.number == WebhookDelivery.tries)
    )
    return {row.delivery_id: row for row in rows}
