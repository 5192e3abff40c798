"""Providers of a workspace, and which of them a project works with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tenants.rls import Wall, close_table

revision = "0003_providers"
down_revision = "0002_money"
branch_labels = None
depends_on = None

TABLES = ("providers", "provider_choices")


def upgrade() -> None:
    op.create_table(
        "providers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), server_default="", nullable=False),
        sa.Column("base_url", sa.Text(), server_default="", nullable=False),
        sa.Column("options", JSONB(), server_default="{}", nullable=False),
        sa.Column("prices", JSONB(), nullable=True),
        sa.Column("per_minute", sa.BigInteger(), nullable=True),
        sa.Column("concurrent", sa.BigInteger(), nullable=True),
        sa.Column("enabled", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("tested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tested_ok", sa.Boolean(), nullable=True),
        sa.Column("tested_said", sa.Text(), server_default="", nullable=False),
        sa.Column("tested_ref", sa.Text(), server_default="", nullable=False),
        sa.Column("error_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_kind", sa.Text(), server_default="", nullable=False),
        sa.Column("error_said", sa.Text(), server_default="", nullable=False),
        sa.Column("error_ref", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('anthropic', 'azure', 'gemini', 'openai')", name=op.f("ck_providers_kind")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_providers_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_providers")),
        sa.UniqueConstraint("tenant_id", "slug", name=op.f("uq_providers_tenant_id_slug")),
    )
    op.create_table(
        "provider_choices",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("port IN ('writer', 'narrator', 'images')", name=op.f("ck_provider_choices_port")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name=op.f("fk_provider_choices_tenant_id_project_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "provider_id"],
            ["providers.tenant_id", "providers.id"],
            name=op.f("fk_provider_choices_tenant_id_provider_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "project_id", "port", "position", name=op.f("pk_provider_choices")),
    )
    op.create_index("ix_provider_choices_provider", "provider_choices", ["tenant_id", "provider_id"])
    for table in TABLES:
        for statement in close_table(table, Wall()):
            op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
