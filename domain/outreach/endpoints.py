"""Endpoints of a workspace: added, changed, paused, tried, given new secrets, removed; messages sent once more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, or_, select, update

from domain.outreach.kinds import TEST
from domain.outreach.messages import write
from domain.outreach.model import WebhookDelivery, WebhookEndpoint, WebhookSecret
from domain.outreach.signature import make_secret
from domain.outreach.wish import BACK_DAYS, MOST, EndpointWish, WebhookRefused, check_wish
from tenants.model import Counter, Event, Tenant
from tenants.records import uuid7
from tenants.roles import Permission
from tenants.secret import Secret
from tenants.unit import Unit
from tenants.vault import SecretMissing, Vault

NEEDS: Permission = "keys:manage"
"""Whoever lets programs in also says which programs are told."""


async def add_endpoint(unit: Unit, vault: Vault, wish: EndpointWish) -> tuple[WebhookEndpoint, Secret]:
    """Add an endpoint, told of all that happens from now on; its signing secret is answered this once.

    Raises Forbidden and WebhookRefused.
    """
    unit.principal.require(NEEDS)
    check_wish(wish)
    if (await unit.session.scalar(select(func.count()).select_from(WebhookEndpoint)) or 0) >= MOST:
        raise WebhookRefused("too-many")
    row = WebhookEndpoint(
        id=uuid7(),
        tenant_id=unit.tenant_id,
        url=wish.url,
        description=wish.description,
        kinds=list(wish.kinds),
        told_seq=await _newest(unit),
        made_by=unit.principal.actor_id,
        made_by_name=unit.principal.name,
    )
    unit.session.add(row)
    await unit.session.flush()
    unit.audit("webhook.added", "webhook", row.id, after=_told(row))
    return row, await _new_secret(unit, vault, row)


async def change_endpoint(unit: Unit, endpoint_id: UUID, wish: EndpointWish) -> None:
    """Give an endpoint another address, description or choice of messages. Raises Forbidden and WebhookRefused."""
    check_wish(wish)
    row = await hold(unit, endpoint_id)
    before = _told(row)
    row.url, row.description, row.kinds = wish.url, wish.description, list(wish.kinds)
    if _told(row) != before:
        unit.audit("webhook.changed", "webhook", row.id, before=before, after=_told(row))


async def pause_endpoint(unit: Unit, endpoint_id: UUID) -> None:
    """Keep messages for an endpoint until it is resumed. Raises Forbidden and WebhookRefused."""
    row = await hold(unit, endpoint_id)
    if row.state != "enabled":
        return
    _set_state(row, "paused")
    await unit.session.execute(_of(row, "waiting").values(state="held", next_at=None))
    unit.audit("webhook.paused", "webhook", row.id)


async def resume_endpoint(unit: Unit, endpoint_id: UUID) -> None:
    """Go on with a paused endpoint, or begin anew with one that was switched off. Raises Forbidden, WebhookRefused.

    What waited for a paused one is sent now; a switched-off one is told of what happens from now on.
    """
    row = await hold(unit, endpoint_id)
    if row.state == "enabled":
        return
    if row.state == "disabled":
        row.told_seq = await _newest(unit)
    _set_state(row, "enabled")
    row.failing_since = None
    await unit.session.execute(_of(row, "held").values(state="waiting", next_at=func.clock_timestamp()))
    unit.audit("webhook.resumed", "webhook", row.id)


async def remove_endpoint(unit: Unit, vault: Vault, endpoint_id: UUID) -> None:
    """Forget an endpoint with its secrets and messages. Raises Forbidden and WebhookRefused."""
    row = await hold(unit, endpoint_id)
    names = await unit.session.scalars(select(WebhookSecret.name).where(WebhookSecret.endpoint_id == row.id))
    for name in names.all():
        await _forget(unit, vault, name)
    await unit.session.delete(row)
    unit.audit("webhook.removed", "webhook", row.id, before=_told(row))


async def rotate_secret(unit: Unit, vault: Vault, endpoint_id: UUID, overlap: timedelta) -> Secret:
    """Give an endpoint a new secret, answered this once; the one before signs beside it for `overlap`.

    An older one that was still signing ends at once. Raises Forbidden and WebhookRefused.
    """
    row = await hold(unit, endpoint_id)
    secrets = await unit.session.scalars(select(WebhookSecret).where(WebhookSecret.endpoint_id == row.id))
    for old in secrets.all():
        if old.ends_at is None and overlap > timedelta(0):
            old.ends_at = func.now() + overlap
        else:
            await _forget(unit, vault, old.name)
            await unit.session.delete(old)
    unit.audit("webhook.rotated", "webhook", row.id, after={"overlap_minutes": int(overlap.total_seconds() // 60)})
    return await _new_secret(unit, vault, row)


async def send_test(unit: Unit, endpoint_id: UUID, now: datetime) -> UUID:
    """Send a message that is about nothing, once, in whatever state the endpoint is; answer the delivery's id.

    Raises Forbidden and WebhookRefused.
    """
    row = await hold(unit, endpoint_id)
    slug = await unit.session.scalar(select(Tenant.slug))
    data = {"workspace": {"slug": slug}, "endpoint": {"id": str(row.id)}, "by": unit.principal.name}
    delivery = WebhookDelivery(
        id=uuid7(),
        tenant_id=unit.tenant_id,
        endpoint_id=row.id,
        message_id=f"msg_{uuid4().hex}",
        kind=TEST,
        body=write(TEST, now, data),
        next_at=func.clock_timestamp(),
        happened_at=now,
    )
    unit.session.add(delivery)
    unit.audit("webhook.tested", "webhook", row.id)
    return delivery.id


async def replay(unit: Unit, endpoint_id: UUID, delivery_id: UUID) -> None:
    """Send a message once more, with its id as before. Raises Forbidden and WebhookRefused."""
    row = await hold(unit, endpoint_id)
    delivery = await unit.session.scalar(
        select(WebhookDelivery)
        .where(WebhookDelivery.id == delivery_id, WebhookDelivery.endpoint_id == row.id)
        .with_for_update()
    )
    if delivery is None:
        raise WebhookRefused("missing")
    if row.state == "disabled" and delivery.kind != TEST:
        raise WebhookRefused("disabled")
    held = row.state == "paused" and delivery.kind != TEST
    delivery.state, delivery.failures, delivery.ended_at = "held" if held else "waiting", 0, None
    delivery.next_at = None if held else func.clock_timestamp()
    unit.audit("webhook.replayed", "webhook", row.id, after={"message": delivery.message_id})


async def recover(unit: Unit, endpoint_id: UUID, since: datetime, now: datetime) -> None:
    """Send what an endpoint has missed since a moment: what was given up, and what it was never told of.

    What it has received is not sent again. Raises Forbidden and WebhookRefused.
    """
    row = await hold(unit, endpoint_id)
    if not now - timedelta(days=BACK_DAYS, minutes=1) <= since <= now:
        raise WebhookRefused("since")
    if row.state == "disabled":
        raise WebhookRefused("disabled")
    since = max(since, row.created_at)
    given_up = _of(row, "failed").where(WebhookDelivery.kind != TEST, WebhookDelivery.happened_at >= since)
    held = row.state == "paused"
    due: Any = None if held else func.clock_timestamp()
    state = "held" if held else "waiting"
    await unit.session.execute(given_up.values(state=state, next_at=due, failures=0, ended_at=None))
    before = await unit.session.scalar(select(Event.seq).where(Event.at < since).order_by(Event.seq.desc()).limit(1))
    row.told_seq = min(row.told_seq, before or 0)
    unit.audit("webhook.recovered", "webhook", row.id, after={"since": since.isoformat(timespec="seconds")})


# ── Parts ─────────────────────────────────────────────────────────────────────────────────────────────────
async def hold(unit: Unit, endpoint_id: UUID) -> WebhookEndpoint:
    """An endpoint, locked for whoever may change it. Raises Forbidden and WebhookRefused."""
    unit.principal.require(NEEDS)
    row = await unit.session.get(
        WebhookEndpoint, (unit.tenant_id, endpoint_id), with_for_update=True, populate_existing=True
    )
    if row is None:
        raise WebhookRefused("missing")
    return row


async def _new_secret(unit: Unit, vault: Vault, row: WebhookEndpoint) -> Secret:
    """Make a secret; it is kept in the vault, and our row only knows its name."""
    made, secret_id = make_secret(), uuid7()
    name = f"webhook:{row.id}:{secret_id}"
    await vault.put(unit, name, made)
    unit.session.add(WebhookSecret(id=secret_id, tenant_id=unit.tenant_id, endpoint_id=row.id, name=name))
    return made


async def _forget(unit: Unit, vault: Vault, name: str) -> None:
    try:
        await vault.remove(unit, name)
    except SecretMissing:
        return


async def _newest(unit: Unit) -> int:
    """The number of the workspace's newest event."""
    return await unit.session.scalar(select(Counter.value).where(Counter.name == "event")) or 0


def _set_state(row: WebhookEndpoint, state: str) -> None:
    row.state, row.reason, row.state_at = state, "", func.now()


def _of(row: WebhookEndpoint, state: str) -> Any:
    """An update of an endpoint's messages in a state."""
    return (
        update(WebhookDelivery)
        .where(WebhookDelivery.endpoint_id == row.id, WebhookDelivery.state == state)
        .execution_options(synchronize_session=False)
    )


def _told(row: WebhookEndpoint) -> dict[str, Any]:
    """What the audit trail says of an endpoint."""
    return {"url": row.url, "description": row.description, "kinds": list(row.kinds)}


async def signing_secrets(unit: Unit, endpoint_id: UUID) -> list[WebhookSecret]:
    """The secrets that sign at present, the newest first."""
    rows = await unit.session.scalars(
        select(WebhookSecret)
        .where(WebhookSecret.endpoint_id == endpoint_id)
        .where(or_(WebhookSecret.ends_at.is_(None), WebhookSecret.ends_at > func.now()))
        .order_by(WebhookSecret.id.desc())
    )
    return list(rows)
