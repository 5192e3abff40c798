"""Pages of the line: who paused, who operates the farm, workers told to drain, schedules on days and by month."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010_line_pages"
down_revision = "0012_proof"
branch_labels = None
depends_on = None

COLUMNS: tuple[tuple[str, sa.Column[object]], ...] = (
    ("tenants", sa.Column("paused_by", sa.Text())),
    ("projects", sa.Column("paused_by", sa.Text())),
    ("users", sa.Column("operates_farm", sa.Boolean(), server_default="false", nullable=False)),
    ("owner_links", sa.Column("operates_farm", sa.Boolean(), server_default="false", nullable=False)),
    ("workers", sa.Column("drain_by", sa.Text())),
    ("schedules", sa.Column("days", JSONB(), server_default="[]", nullable=False)),
)
BEFORE = "repeat IN ('once','hourly','daily','weekly')"
AFTER = "repeat IN ('once','hourly','daily','weekly','monthly')"


def upgrade() -> None:
    for table, column in COLUMNS:
        op.add_column(table, column)
    op.execute("GRANT UPDATE (paused_by) ON tenants TO vfos_app")
    # By the time of the start, which never changes: settling a step then still need not touch an index.
    op.create_index("ix_attempts_started", "attempts", ["started_at"])
    _allow(AFTER)


def downgrade() -> None:
    op.drop_index("ix_attempts_started", "attempts")
    # FORCE would hide the rows from their owner.
    op.execute("ALTER TABLE schedules NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE schedules SET repeat = 'once', paused = true WHERE repeat = 'monthly'")
    op.execute("ALTER TABLE schedules FORCE ROW LEVEL SECURITY")
    _allow(BEFORE)
    for table, column in reversed(COLUMNS):
        op.drop_column(table, column.name)


def _allow(repeats: str) -> None:
    op.drop_constraint(op.f("ck_schedules_repeat"), "schedules", type_="check")
    op.create_check_constraint(op.f("ck_schedules_repeat"), "schedules", repeats)
