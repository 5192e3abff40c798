"""What people change about a job's timeline: the draft with its version, and the operations with undo and redo."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tenants.rls import Wall, close_table

revision = "0019_timeline_edits"
down_revision = "0016_saved_views"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "timeline_drafts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("base", sa.Text(), server_default="", nullable=False),
        sa.Column("document", JSONB(), server_default="{}", nullable=False),
        sa.Column("made_number", sa.BigInteger(), nullable=True),
        sa.Column("made_version", sa.BigInteger(), nullable=True),
        sa.Column("created_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        of_job("timeline_drafts"),
        sa.PrimaryKeyConstraint("tenant_id", "job_id", name=op.f("pk_timeline_drafts")),
    )
    op.create_table(
        "timeline_edits",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("operation", JSONB(), nullable=False),
        sa.Column("state", sa.Text(), server_default="done", nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_by_name", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_by_name", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('done', 'undone', 'dropped')", name=op.f("ck_timeline_edits_state")),
        of_job("timeline_edits"),
        sa.PrimaryKeyConstraint("tenant_id", "job_id", "number", name=op.f("pk_timeline_edits")),
    )
    for table in ("timeline_drafts", "timeline_edits"):
        for statement in close_table(table, Wall()):
            op.execute(statement)


def downgrade() -> None:
    op.drop_table("timeline_edits")
    op.drop_table("timeline_drafts")


def of_job(table: str) -> sa.ForeignKeyConstraint:
    """A composite key to a job of the same tenant, which takes this row with it."""
    return sa.ForeignKeyConstraint(
        ["tenant_id", "job_id"],
        ["jobs.tenant_id", "jobs.id"],
        name=op.f(f"fk_{table}_tenant_id_job_id"),
        ondelete="CASCADE",
    )
