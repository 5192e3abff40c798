"""Money that belongs to no job: what listening to voices costs stands in the ledger too."""

from __future__ import annotations

from alembic import op

revision = "0014_previews"
down_revision = "0013_side_by_side"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("budget_entries", "job_id", nullable=True)
    op.alter_column("budget_entries", "project_id", nullable=True)
    op.create_check_constraint(
        op.f("ck_budget_entries_whose"),
        "budget_entries",
        "kind = 'settle' OR job_id IS NOT NULL",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_budget_entries_whose"), "budget_entries")
    # Under FORCE the owner sees no rows. Counters must stay the sums of their entries.
    for table in ("budgets", "budget_entries"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE budgets b SET spent = b.spent - e.paid FROM (SELECT tenant_id, month, sum(micro_dollars) AS paid "
        "FROM budget_entries WHERE job_id IS NULL GROUP BY tenant_id, month) e "
        "WHERE b.tenant_id = e.tenant_id AND b.scope = 'workspace' AND b.month = e.month"
    )
    op.execute("DELETE FROM budget_entries WHERE job_id IS NULL")
    for table in ("budgets", "budget_entries"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.alter_column("budget_entries", "job_id", nullable=False)
    op.alter_column("budget_entries", "project_id", nullable=False)
