"""Second factors: authenticator apps, passkeys, recovery codes; workspaces that ask for one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tenants.rls import NOTHING, Wall, close_table

revision = "0007_factors"
down_revision = "0005_line"
branch_labels = None
depends_on = None

TABLES = ("app_factors", "passkeys", "recovery_codes")


def moment(name: str, *, now: bool = False) -> sa.Column:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()") if now else None, nullable=not now
    )


def of_person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=f"fk_{table}_user_id", ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "app_factors",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key_version", sa.BigInteger(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), server_default="0", nullable=False),
        moment("confirmed_at"),
        moment("created_at", now=True),
        of_person("app_factors"),
        sa.PrimaryKeyConstraint("user_id", name="pk_app_factors"),
    )
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("transports", JSONB(), server_default="[]", nullable=False),
        sa.Column("synced", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        moment("used_at"),
        moment("created_at", now=True),
        of_person("passkeys"),
        sa.PrimaryKeyConstraint("id", name="pk_passkeys"),
        sa.UniqueConstraint("credential", name="uq_passkeys_credential"),
    )
    op.create_index("ix_passkeys_user_id", "passkeys", ["user_id"])
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        moment("made_at", now=True),
        moment("used_at"),
        of_person("recovery_codes"),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name="pk_recovery_codes"),
    )
    op.add_column("tenants", sa.Column("second_factor", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    for table in TABLES:
        for statement in close_table(table, Wall(app=NOTHING)):
            op.execute(statement)


def downgrade() -> None:
    op.drop_column("tenants", "second_factor")
    for table in reversed(TABLES):
        op.drop_table(table)
