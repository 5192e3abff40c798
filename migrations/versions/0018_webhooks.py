"""Webhooks: endpoints, their signing secrets, deliveries and every try at one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tenants.rls import Wall, close_table

revision = "0018_webhooks"
down_revision = "0017_idempotency_keys"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
TABLES = ("webhook_endpoints", "webhook_secrets", "webhook_deliveries", "webhook_attempts")


def upgrade() -> None:
    _add_endpoints()
    _add_secrets()
    _add_deliveries()
    _add_attempts()
    told = sa.text(
        "type IN ('approval.decided', 'approval.expired', 'job.created', 'job.paused', 'job.state', 'step.dead', "
        "'step.waiting')"
    )
    op.create_index("ix_events_told", "events", ["tenant_id", "seq"], postgresql_where=told)
    for table in TABLES:
        for statement in close_table(table, Wall()):
            op.execute(statement)


def _add_endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        *ids(),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("kinds", JSONB(), nullable=False),
        sa.Column("state", sa.Text(), server_default="enabled", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("state_at", MOMENT, nullable=True),
        sa.Column("told_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failing_since", MOMENT, nullable=True),
        sa.Column("delivered_at", MOMENT, nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_by_name", sa.Text(), server_default="", nullable=False),
        born(),
        sa.CheckConstraint("state IN ('enabled', 'paused', 'disabled')", name=op.f("ck_webhook_endpoints_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_webhook_endpoints_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_webhook_endpoints")),
    )


def _add_secrets() -> None:
    op.create_table(
        "webhook_secrets",
        *ids(),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ends_at", MOMENT, nullable=True),
        born(),
        child("webhook_secrets", "endpoint_id", "webhook_endpoints"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_webhook_secrets")),
    )
    op.create_index("ix_webhook_secrets_endpoint", "webhook_secrets", ["tenant_id", "endpoint_id"])


def _add_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        *ids(),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_at", MOMENT, nullable=True),
        sa.Column("happened_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        born(),
        sa.CheckConstraint(
            "state IN ('waiting', 'held', 'delivered', 'failed')", name=op.f("ck_webhook_deliveries_state")
        ),
        child("webhook_deliveries", "endpoint_id", "webhook_endpoints"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint(
            "tenant_id",
            "endpoint_id",
            "message_id",
            name=op.f("uq_webhook_deliveries_tenant_id_endpoint_id_message_id"),
        ),
    )
    op.create_index("ix_webhook_deliveries_newest", "webhook_deliveries", ["tenant_id", "endpoint_id", "id"])
    waiting = sa.text("state = 'waiting'")
    due = ["tenant_id", "endpoint_id", "next_at"]
    op.create_index("ix_webhook_deliveries_due", "webhook_deliveries", due, postgresql_where=waiting)
    op.create_index("ix_webhook_deliveries_ended", "webhook_deliveries", ["ended_at"])


def _add_attempts() -> None:
    op.create_table(
        "webhook_attempts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("begun_at", MOMENT, nullable=False),
        sa.Column("outcome", sa.Text(), server_default="sending", nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("millis", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("said", sa.Text(), server_default="", nullable=False),
        child("webhook_attempts", "delivery_id", "webhook_deliveries"),
        sa.PrimaryKeyConstraint("tenant_id", "delivery_id", "number", name=op.f("pk_webhook_attempts")),
    )


def downgrade() -> None:
    op.drop_index("ix_events_told", "events")
    for table in reversed(TABLES):
        op.drop_table(table)


def ids() -> tuple[sa.Column, sa.Column]:
    return sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)


def born() -> sa.Column:
    return sa.Column("created_at", MOMENT, server_default=sa.text("now()"), nullable=False)


def child(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    """A composite key to a row of the same tenant, which takes this row with it."""
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{parent}.tenant_id", f"{parent}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete="CASCADE",
    )
