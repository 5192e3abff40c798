"""The wizard: earlier results of steps made again, signed decisions that a newer version voids, letters about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tenants.rls import Wall, close_table

revision = "0011_wizard"
down_revision = "0006_sign_in"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
STATES = "state IN ('waiting','approved','changes','again','edited','void','expired')"
EARLIER_STATES = "state IN ('waiting','approved','changes','void','expired')"


def upgrade() -> None:
    op.create_table(
        "step_runs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("shard", sa.Text(), server_default="", nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("instruction", sa.Text(), server_default="", nullable=False),
        sa.Column("input_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("outputs", JSONB(), server_default="{}", nullable=False),
        sa.Column("files", JSONB(), server_default="{}", nullable=False),
        sa.Column("replaced_by", sa.Text(), server_default="", nullable=False),
        sa.Column("replaced_for", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job_id"],
            ["jobs.tenant_id", "jobs.id"],
            name=op.f("fk_step_runs_tenant_id_job_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "step_id"],
            ["steps.tenant_id", "steps.id"],
            name=op.f("fk_step_runs_tenant_id_step_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_step_runs")),
        sa.UniqueConstraint("tenant_id", "step_id", "number", name=op.f("uq_step_runs_tenant_id_step_id_number")),
    )
    op.create_index("ix_step_runs_job", "step_runs", ["tenant_id", "job_id"])
    for statement in close_table("step_runs", Wall()):
        op.execute(statement)
    op.add_column("approvals", sa.Column("decided_version", sa.Text(), server_default="", nullable=False))
    op.add_column("approvals", sa.Column("voided_at", MOMENT))
    op.drop_constraint("ck_approvals_state", "approvals")
    op.create_check_constraint(op.f("ck_approvals_state"), "approvals", STATES)
    forked = sa.text("forked_from IS NOT NULL")
    op.create_index("ix_jobs_forked", "jobs", ["tenant_id", "project_id"], postgresql_where=forked)
    op.add_column("users", sa.Column("mail_approvals", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("users", "mail_approvals")
    op.drop_index("ix_jobs_forked", "jobs")
    op.execute("UPDATE approvals SET state = 'changes' WHERE state = 'again'")
    op.execute("UPDATE approvals SET state = 'approved' WHERE state = 'edited'")
    op.drop_constraint("ck_approvals_state", "approvals")
    op.create_check_constraint(op.f("ck_approvals_state"), "approvals", EARLIER_STATES)
    op.drop_column("approvals", "voided_at")
    op.drop_column("approvals", "decided_version")
    op.drop_table("step_runs")
