"""Rows of outreach: endpoints of programs that want to be told, what they are told, and every try at it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.records import Base, TenantOwned, Timed, belongs_to, of_tenant, uuid7

ENDPOINT_STATES = ("enabled", "paused", "disabled")
DELIVERY_STATES = ("waiting", "held", "delivered", "failed")


class WebhookEndpoint(TenantOwned, Timed, Base):
    """An address that is told what happens in the workspace; `kinds` are the words of domain/outreach/kinds.py.

    `told_seq` is the newest event of the workspace that has been considered for it. `reason` of a disabled one: `gone`
    (it answered 410) or `failing` (nothing got through for days). `failing_since`: no try has succeeded since then.
    """

    __tablename__ = "webhook_endpoints"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    url: Mapped[str]
    description: Mapped[str] = mapped_column(default="", server_default="")
    kinds: Mapped[list[str]]
    state: Mapped[str] = mapped_column(default="enabled", server_default="enabled")
    reason: Mapped[str] = mapped_column(default="", server_default="")
    state_at: Mapped[datetime | None]
    told_seq: Mapped[int] = mapped_column(default=0, server_default="0")
    failing_since: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    made_by: Mapped[UUID | None]
    made_by_name: Mapped[str] = mapped_column(default="", server_default="")
    __table_args__ = (of_tenant(), CheckConstraint(f"state IN {ENDPOINT_STATES!r}", name="state"))


class WebhookSecret(TenantOwned, Timed, Base):
    """A signing secret of an endpoint; its text is in the vault under `name`. `ends_at`: a newer one has taken over."""

    __tablename__ = "webhook_secrets"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    endpoint_id: Mapped[UUID]
    name: Mapped[str]
    ends_at: Mapped[datetime | None]
    __table_args__ = (
        belongs_to("webhook_endpoints", "endpoint_id"),
        Index("ix_webhook_secrets_endpoint", "tenant_id", "endpoint_id"),
    )


class WebhookDelivery(TenantOwned, Timed, Base):
    """One message to one endpoint. `body` is sent as it is, with each try; `message_id` names the event for ever.

    `tries` counts all tries, `failures` those since it was last put on its way. It is due at `next_at`; while a try is
    under way, that is when the try counts as lost.
    """

    __tablename__ = "webhook_deliveries"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    endpoint_id: Mapped[UUID]
    message_id: Mapped[str]
    kind: Mapped[str]
    body: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting", server_default="waiting")
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    next_at: Mapped[datetime | None]
    happened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    __table_args__ = (
        belongs_to("webhook_endpoints", "endpoint_id"),
        UniqueConstraint("tenant_id", "endpoint_id", "message_id"),
        CheckConstraint(f"state IN {DELIVERY_STATES!r}", name="state"),
        Index("ix_webhook_deliveries_newest", "tenant_id", "endpoint_id", "id"),
        Index(
            "ix_webhook_deliveries_due",
            "tenant_id",
            "endpoint_id",
            "next_at",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_webhook_deliveries_ended", "ended_at"),
    )


class WebhookAttempt(TenantOwned, Base):
    """One try at a delivery. `outcome` is a word of domain/outreach/policy.py; before it ends `sending`, or `lost`.

    `answer` is how what came back begins; `status` is None when nothing did, and `said` then says why.
    """

    __tablename__ = "webhook_attempts"
    delivery_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    begun_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(default="sending", server_default="sending")
    status: Mapped[int | None]
    millis: Mapped[int | None]
    answer: Mapped[str] = mapped_column(default="", server_default="")
    said: Mapped[str] = mapped_column(default="", server_default="")
    __table_args__ = (belongs_to("webhook_deliveries", "delivery_id"),)
