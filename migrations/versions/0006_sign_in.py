"""Signing in through providers: providers of workspaces and of the installation, identities, attempts, keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tenants.rls import NOTHING, Wall, close_table

revision = "0006_sign_in"
down_revision = "0010_line_pages"
branch_labels = None
depends_on = None

WALLS = {
    "signin_providers": Wall(),
    "house_providers": Wall(app=NOTHING),
    "identities": Wall(app=NOTHING),
    "signin_attempts": Wall(app=NOTHING),
    "issuer_keys": Wall(app=NOTHING),
}


def moment(name: str, *, now: bool = False, nullable: bool = True) -> sa.Column:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def word(name: str, default: str | None = None, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default=default, nullable=nullable)


def way(table: str) -> list[sa.SchemaItem]:
    """Columns and checks of a provider."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        word("slug"),
        word("kind"),
        word("name"),
        word("issuer"),
        word("client_id"),
        word("newcomers", "invited"),
        sa.Column("domains", JSONB(), server_default="[]", nullable=False),
        word("role", "viewer"),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        moment("tested_at"),
        sa.Column("tested_ok", sa.Boolean(), nullable=True),
        word("tested_said", ""),
        moment("created_at", now=True, nullable=False),
        sa.CheckConstraint("kind IN ('google','github','microsoft','oidc')", name=op.f(f"ck_{table}_kind")),
        sa.CheckConstraint("newcomers IN ('invited','domains','everyone')", name=op.f(f"ck_{table}_newcomers")),
        sa.CheckConstraint("role IN ('viewer','operator')", name=op.f(f"ck_{table}_role")),
    ]


def upgrade() -> None:
    make_providers()
    make_people()
    make_passing()
    op.add_column("auth_session", sa.Column("tenant_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_auth_session_tenant_id", "auth_session", "tenants", ["tenant_id"], ["id"], ondelete="CASCADE"
    )
    op.create_index("ix_auth_session_tenant_id", "auth_session", ["tenant_id"])
    for table, wall in WALLS.items():
        for statement in close_table(table, wall):
            op.execute(statement)


def make_providers() -> None:
    op.create_table(
        "signin_providers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        *way("signin_providers"),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_signin_providers_tenant_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_signin_providers"),
        sa.UniqueConstraint("tenant_id", "slug", name="uq_signin_providers_tenant_id_slug"),
    )
    op.create_table(
        "house_providers",
        *way("house_providers"),
        sa.Column("joins", sa.Uuid(), nullable=True),
        word("kek_version"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        word("hint"),
        sa.ForeignKeyConstraint(["joins"], ["tenants.id"], name="fk_house_providers_joins", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_house_providers"),
        sa.UniqueConstraint("slug", name="uq_house_providers_slug"),
    )
    op.create_index("ix_house_providers_joins", "house_providers", ["joins"])


def make_people() -> None:
    op.create_table(
        "identities",
        word("issuer"),
        word("subject"),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        word("kind"),
        word("label", ""),
        moment("used_at", now=True, nullable=False),
        moment("created_at", now=True, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_identities_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_identities"),
    )
    op.create_index("ix_identities_user_id", "identities", ["user_id"])


def make_passing() -> None:
    """What lives for minutes (attempts) or can be fetched again (keys)."""
    op.create_table(
        "signin_attempts",
        word("key_hash"),
        word("browser_hash"),
        word("purpose"),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        word("session_hash", nullable=True),
        sa.Column("data", JSONB(), nullable=False),
        moment("expires_at", nullable=False),
        moment("created_at", now=True, nullable=False),
        sa.CheckConstraint(
            "purpose IN ('enter','join','link','linking','confirm')", name=op.f("ck_signin_attempts_purpose")
        ),
        sa.PrimaryKeyConstraint("key_hash", name="pk_signin_attempts"),
    )
    op.create_index("ix_signin_attempts_expires_at", "signin_attempts", ["expires_at"])
    op.create_table(
        "issuer_keys",
        word("uri"),
        sa.Column("keys", JSONB(), nullable=True),
        moment("tried_at", now=True, nullable=False),
        moment("fetched_at"),
        sa.PrimaryKeyConstraint("uri", name="pk_issuer_keys"),
    )


def downgrade() -> None:
    op.drop_index("ix_auth_session_tenant_id", "auth_session")
    op.drop_constraint("fk_auth_session_tenant_id", "auth_session", type_="foreignkey")
    op.drop_column("auth_session", "tenant_id")
    for table in reversed(WALLS):
        op.drop_table(table)
