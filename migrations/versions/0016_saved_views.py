"""Saved views of the job list, and the one with which the list opens for a person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tenants.rls import Wall, close_table

revision = "0016_saved_views"
down_revision = "0015_at_once"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "saved_views",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("made_by_name", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("wanted", JSONB(), nullable=False),
        sa.Column("shared", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_saved_views_tenant_id"), ondelete="CASCADE"
        ),
        key("saved_views", "project_id", "projects"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_saved_views")),
    )
    op.create_index("ix_saved_views_project", "saved_views", ["tenant_id", "project_id", "user_id"])
    op.create_table(
        "opening_views",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("view_id", sa.Uuid(), nullable=False),
        key("opening_views", "project_id", "projects"),
        key("opening_views", "view_id", "saved_views"),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", "project_id", name=op.f("pk_opening_views")),
    )
    op.create_index("ix_opening_views_project", "opening_views", ["tenant_id", "project_id"])
    op.create_index("ix_opening_views_view", "opening_views", ["tenant_id", "view_id"])
    for table in ("saved_views", "opening_views"):
        for statement in close_table(table, Wall()):
            op.execute(statement)


def downgrade() -> None:
    op.drop_table("opening_views")
    op.drop_table("saved_views")


def key(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    """A composite key to a row of the same tenant, which takes this row with it."""
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{parent}.tenant_id", f"{parent}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete="CASCADE",
    )
