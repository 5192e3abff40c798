"""API keys of workspaces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tenants.rls import Wall, close_table

revision = "0008_api_keys"
down_revision = "0011_wizard"
branch_labels = None
depends_on = None


def moment(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", JSONB(), nullable=False),
        sa.Column("projects", JSONB(), nullable=True),
        sa.Column("networks", JSONB(), server_default="[]", nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_by_name", sa.Text(), nullable=False),
        moment("expires_at"),
        moment("used_at"),
        sa.Column("used_from", sa.Text(), server_default="", nullable=False),
        sa.Column("replaced_by", sa.Uuid(), nullable=True),
        moment("revoked_at"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_api_keys_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_api_keys"),
        sa.UniqueConstraint("tenant_id", "public_id", name="uq_api_keys_tenant_id_public_id"),
    )
    op.create_index("ix_api_keys_public_id", "api_keys", ["public_id"])
    for statement in close_table("api_keys", Wall()):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("api_keys")
