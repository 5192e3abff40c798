"""People: passwords, one-time tickets, invitations, letters, visits; archived and doomed workspaces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tenants.rls import NOTHING, Wall, close_table

revision = "0004_people"
down_revision = "0003_providers"
branch_labels = None
depends_on = None

WALLS = {
    "passwords": Wall(app=NOTHING),
    "tickets": Wall(app=NOTHING),
    "letters": Wall(app=NOTHING),
    "invitations": Wall(),
    "project_visits": Wall(),
}
COLUMNS = (
    ("tenants", "archived_at", sa.DateTime(timezone=True), None),
    ("tenants", "delete_after", sa.DateTime(timezone=True), None),
    ("users", "shortcuts", sa.Boolean(), sa.true()),
    ("users", "email_verified_at", sa.DateTime(timezone=True), None),
    ("memberships", "visited_at", sa.DateTime(timezone=True), None),
)


def moment(name: str, *, now: bool = False, nullable: bool = True) -> sa.Column:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE")


def upgrade() -> None:
    for table, name, kind, default in COLUMNS:
        op.add_column(
            table,
            sa.Column(name, kind, server_default=default, nullable=default is None),
        )
    make_global_tables()
    make_tenant_tables()
    for table, wall in WALLS.items():
        for statement in close_table(table, wall):
            op.execute(statement)


def make_global_tables() -> None:
    op.create_table(
        "passwords",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        moment("changed_at", now=True, nullable=False),
        key("passwords", "user_id", "users"),
        sa.PrimaryKeyConstraint("user_id", name="pk_passwords"),
    )
    op.create_table(
        "tickets",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("invitation_id", sa.Uuid(), nullable=True),
        sa.Column("by_mail", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("data", JSONB(), server_default="{}", nullable=False),
        moment("expires_at", nullable=False),
        moment("used_at"),
        moment("created_at", now=True, nullable=False),
        sa.CheckConstraint("purpose IN ('invite','reset','second','passkey')", name=op.f("ck_tickets_purpose")),
        key("tickets", "tenant_id", "tenants"),
        key("tickets", "user_id", "users"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_tickets"),
    )
    op.create_index("ix_tickets_tenant_id", "tickets", ["tenant_id"])
    op.create_index("ix_tickets_user_id", "tickets", ["user_id"])
    op.create_table(
        "letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("invitation_id", sa.Uuid(), nullable=True),
        sa.Column("data", JSONB(), server_default="{}", nullable=False),
        moment("next_at", now=True, nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        moment("sent_at"),
        moment("failed_at"),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        moment("created_at", now=True, nullable=False),
        key("letters", "user_id", "users"),
        key("letters", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("id", name="pk_letters"),
    )
    op.create_index("ix_letters_user_id", "letters", ["user_id"])
    op.create_index("ix_letters_tenant_id", "letters", ["tenant_id"])
    waiting = sa.text("sent_at IS NULL AND failed_at IS NULL")
    op.create_index("ix_letters_unsent", "letters", ["next_at"], postgresql_where=waiting)


def make_tenant_tables() -> None:
    op.create_table(
        "invitations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("projects", JSONB(), nullable=True),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("invited_by_name", sa.Text(), nullable=False),
        moment("expires_at", nullable=False),
        moment("accepted_at"),
        sa.Column("accepted_by", sa.Uuid(), nullable=True),
        moment("revoked_at"),
        moment("created_at", now=True, nullable=False),
        sa.CheckConstraint("role IN ('owner','admin','operator','viewer')", name=op.f("ck_invitations_role")),
        key("invitations", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_invitations"),
    )
    op.create_table(
        "project_visits",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        moment("at", now=True, nullable=False),
        key("project_visits", "tenant_id", "tenants"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name="fk_project_visits_tenant_id_project_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", "project_id", name="pk_project_visits"),
    )
    op.create_index("ix_project_visits_project", "project_visits", ["tenant_id", "project_id"])


def downgrade() -> None:
    for table in ("project_visits", "invitations", "letters", "tickets", "passwords"):
        op.drop_table(table)
    for table, name, _, _ in reversed(COLUMNS):
        op.drop_column(table, name)
