"""Budgets with counters and caps, decisions on calls in doubt, what quotes have taught."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tenants.rls import Wall, close_table

revision = "0002_money"
down_revision = "0001_first_wall"
branch_labels = None
depends_on = None

EFFECT_COLUMNS = (
    ("shard", sa.Text(), ""),
    ("policy", sa.Text(), "once"),
    ("fallback", sa.Text(), ""),
    ("likely", sa.BigInteger(), None),
    ("unpriced", sa.BigInteger(), "0"),
    ("tries", sa.BigInteger(), "0"),
    ("doubts", sa.BigInteger(), "0"),
    ("held", sa.BigInteger(), "0"),
    ("drawn", sa.BigInteger(), "0"),
    ("decision", sa.Text(), None),
    ("decided_by", sa.Uuid(), None),
    ("decided_by_name", sa.Text(), ""),
    ("decided_at", sa.DateTime(timezone=True), None),
)
"""Name, type and default; None = may be null."""
EFFECT_CHECKS = (
    ("policy", "policy IN ('once', 'repeat')"),
    ("decision", "decision IN ('repeat', 'skip')"),
    ("held", "held >= drawn AND drawn >= 0"),
)
ENTRY_COLUMNS = (
    ("month", sa.Text(), ""),
    ("unpriced", sa.BigInteger(), "0"),
    ("effect_key", sa.Text(), None),
    ("step_kind", sa.Text(), ""),
    ("provider", sa.Text(), ""),
    ("model", sa.Text(), ""),
    ("units", JSONB(), "{}"),
)


def upgrade() -> None:
    for name, kind, default in EFFECT_COLUMNS:
        op.add_column("effects", sa.Column(name, kind, server_default=default, nullable=default is None))
    for name, rule in EFFECT_CHECKS:
        op.create_check_constraint(op.f(f"ck_effects_{name}"), "effects", rule)
    # Under FORCE the owner sees no rows: it may fill the new column only while the wall is down.
    op.execute("ALTER TABLE effects NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE effects SET tries = 1, unpriced = 1 WHERE state = 'done' AND micro_dollars IS NULL")
    op.execute("ALTER TABLE effects FORCE ROW LEVEL SECURITY")
    change_entries()
    make_tables()
    for table in ("budgets", "quote_lessons"):
        for statement in close_table(table, Wall()):
            op.execute(statement)


def change_entries() -> None:
    """Entries of before are those of drafts, which cost nothing; a job that goes on opens its account anew."""
    op.execute("ALTER TABLE budget_entries NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM budget_entries")
    op.execute("ALTER TABLE budget_entries FORCE ROW LEVEL SECURITY")
    op.add_column("budget_entries", sa.Column("project_id", sa.Uuid(), nullable=False))
    for name, kind, default in ENTRY_COLUMNS:
        op.add_column("budget_entries", sa.Column(name, kind, server_default=default, nullable=default is None))
    op.alter_column("budget_entries", "at", server_default=sa.text("clock_timestamp()"))
    op.create_check_constraint(op.f("ck_budget_entries_amount"), "budget_entries", "micro_dollars >= 0")
    op.create_index(
        "ix_budget_entries_at", "budget_entries", ["tenant_id", "at"], postgresql_where=sa.text("kind = 'settle'")
    )


def make_tables() -> None:
    op.create_table(
        "budgets",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("home", sa.Text(), server_default="", nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=True),
        sa.Column("reserved", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("spent", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("overrun", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("scope IN ('workspace', 'project', 'job')", name=op.f("ck_budgets_scope")),
        sa.CheckConstraint(
            "reserved >= 0 AND spent >= 0 AND overrun >= 0 AND cap >= 0", name=op.f("ck_budgets_positive")
        ),
        sa.CheckConstraint("reserved + spent <= cap + overrun", name=op.f("ck_budgets_cap")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_budgets_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "scope", "scope_id", "month", name=op.f("pk_budgets")),
    )
    op.create_table(
        "quote_lessons",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("step_kind", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ratio", sa.Double(), server_default="1", nullable=False),
        sa.Column("spread", sa.Double(), server_default="0", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name=op.f("fk_quote_lessons_tenant_id_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "project_id", "step_kind", "provider", "model", name=op.f("pk_quote_lessons")
        ),
    )


def downgrade() -> None:
    op.drop_table("quote_lessons")
    op.drop_table("budgets")
    op.drop_index("ix_budget_entries_at", table_name="budget_entries")
    op.drop_constraint(op.f("ck_budget_entries_amount"), "budget_entries")
    op.alter_column("budget_entries", "at", server_default=sa.text("now()"))
    for name, _, _ in (*ENTRY_COLUMNS, ("project_id", None, None)):
        op.drop_column("budget_entries", name)
    for name, _ in EFFECT_CHECKS:
        op.drop_constraint(op.f(f"ck_effects_{name}"), "effects")
    for name, _, _ in EFFECT_COLUMNS:
        op.drop_column("effects", name)
