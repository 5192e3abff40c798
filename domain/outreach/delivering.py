"""One try at one message: prepare it, send it, write down how it ended. No transaction is open while it is sent."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update

from domain.outreach.kinds import TEST
from domain.outreach.model import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookSecret
from domain.outreach.policy import Verdict, after_failure, failing_for
from domain.outreach.ports import Answer, Poster
from domain.outreach.rounds import Claimed
from domain.outreach.signature import headers_of
from tenants.keyring import KeyFault
from tenants.principal import worker_principal
from tenants.secret import Secret
from tenants.unit import Unit, Units
from tenants.vault import Vault, VaultError

AGENT = "video-factory-os/1 (webhook)"


@dataclass(frozen=True)
class _Target:
    """Where a message goes, and with which secrets it is signed; the newest comes first."""

    url: str
    keys: Sequence[Secret]


async def deliver(units: Units, vault: Callable[[], Vault], poster: Poster, claimed: Claimed) -> Answer | None:
    """Make the try; answer how it ended, or None when the endpoint is gone. `vault` opens the vault at first use."""
    try:
        target = await _target(units, vault(), claimed)
    except (VaultError, KeyFault) as fault:
        answer = Answer("sealed", said=type(fault).__name__)
    else:
        if target is None:
            return None
        body, at = claimed.body.encode(), int(time.time())
        proof = headers_of(target.keys, claimed.message_id, at, body)
        headers = {"content-type": "application/json", "user-agent": AGENT, **proof}
        answer = await poster.post(target.url, headers, body)
    async with units.open(worker_principal(claimed.due.tenant_id)) as unit:
        await settle(unit, claimed, answer, random.random())  # noqa: S311 spreads pauses
    return answer


async def _target(units: Units, vault: Vault, claimed: Claimed) -> _Target | None:
    """Raises VaultError and KeyFault."""
    async with units.open(worker_principal(claimed.due.tenant_id)) as unit:
        endpoint = await unit.session.get(WebhookEndpoint, (unit.tenant_id, claimed.due.endpoint_id))
        if endpoint is None:
            return None
        names = await unit.session.scalars(
            select(WebhookSecret.name)
            .where(WebhookSecret.endpoint_id == endpoint.id)
            .where(or_(WebhookSecret.ends_at.is_(None), WebhookSecret.ends_at > func.now()))
            .order_by(WebhookSecret.id.desc())
        )
        return _Target(endpoint.url, [await vault.reveal(unit, name) for name in names])


async def settle(unit: Unit, claimed: Claimed, answer: Answer, chance: float = 0.0) -> None:
    """Write down how a try ended and what follows for message and endpoint."""
    endpoint = await _lock_endpoint(unit, claimed)
    delivery = await unit.session.get(
        WebhookDelivery, (unit.tenant_id, claimed.due.delivery_id), with_for_update=True, populate_existing=True
    )
    if endpoint is None or delivery is None:
        return
    await _note_try(unit, claimed, answer)
    now: datetime = (await unit.session.execute(select(func.clock_timestamp()))).scalar_one()
    if answer.outcome == "delivered":
        delivery.state, delivery.next_at, delivery.ended_at = "delivered", None, now
        if claimed.kind != TEST:
            endpoint.failing_since, endpoint.delivered_at = None, now
    elif delivery.tries == claimed.number and delivery.state != "delivered":
        # A try that counted as lost, and was followed by another, decides nothing when it fails.
        _fail(delivery, await _judge(unit, endpoint, delivery, answer, now, chance), now)


async def _lock_endpoint(unit: Unit, claimed: Claimed) -> WebhookEndpoint | None:
    key = (unit.tenant_id, claimed.due.endpoint_id)
    return await unit.session.get(WebhookEndpoint, key, with_for_update=True, populate_existing=True)


async def _note_try(unit: Unit, claimed: Claimed, answer: Answer) -> None:
    await unit.session.execute(
        update(WebhookAttempt)
        .where(WebhookAttempt.delivery_id == claimed.due.delivery_id, WebhookAttempt.number == claimed.number)
        .values(
            outcome=answer.outcome,
            status=answer.status,
            millis=answer.millis,
            answer=answer.head,
            said=answer.said[:300],
        )
        .execution_options(synchronize_session=False)
    )


async def _judge(
    unit: Unit, endpoint: WebhookEndpoint, delivery: WebhookDelivery, answer: Answer, now: datetime, chance: float
) -> Verdict:
    """Decide what follows from a failed try; a message that was only to try the endpoint changes nothing of it."""
    delivery.failures += 1
    if delivery.kind == TEST:
        return Verdict("failed")
    endpoint.failing_since = endpoint.failing_since or now
    verdict = after_failure(
        answer.outcome,
        delivery.failures,
        failing_for(endpoint.failing_since, now),
        endpoint.state,
        answer.wish_s,
        chance,
    )
    if verdict.off and endpoint.state != "disabled":
        await switch_off(unit, endpoint, verdict.off)
    return verdict


def _fail(delivery: WebhookDelivery, verdict: Verdict, now: datetime) -> None:
    delivery.state = verdict.state
    delivery.next_at = now + timedelta(seconds=verdict.pause_s) if verdict.state == "waiting" else None
    delivery.ended_at = now if verdict.state == "failed" else None


async def switch_off(unit: Unit, endpoint: WebhookEndpoint, reason: str) -> None:
    """Tell an endpoint nothing more; what waits for it is given up, and those who care for it get a letter."""
    endpoint.state, endpoint.reason, endpoint.state_at = "disabled", reason, func.now()
    await unit.session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.state.in_(("waiting", "held")))
        .where(WebhookDelivery.kind != TEST)
        .values(state="failed", next_at=None, ended_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )
    unit.audit("webhook.disabled", "webhook", endpoint.id, after={"url": endpoint.url, "reason": reason})
    unit.send("webhook.disabled", {"endpoint_id": str(endpoint.id), "reason": reason})
