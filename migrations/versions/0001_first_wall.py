"""The first wall: every table of the product, closed row by row from its first moment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tenants.rls import APPEND, IS_MEMBER, NOTHING, PREPARE, READ, Wall, close_table

revision = "0001_first_wall"
down_revision = None
branch_labels = None
depends_on = None

WALLS = {
    "approvals": Wall(),
    "artifact_refs": Wall(),
    "artifacts": Wall(),
    "attempts": Wall(),
    "audit_entries": Wall(app=APPEND, system=APPEND),
    "auth_session": Wall(app=NOTHING),
    "bindings": Wall(),
    "budget_entries": Wall(app=APPEND, system=APPEND),
    "catalog_items": Wall(),
    "catalog_versions": Wall(app=APPEND),
    "counters": Wall(),
    "data_keys": Wall(),
    "effects": Wall(),
    "events": Wall(app=APPEND),
    "jobs": Wall(),
    "leader_lease": Wall(app=NOTHING),
    "library_pictures": Wall(),
    "log_chunks": Wall(),
    "made": Wall(),
    "memberships": Wall(app=READ),
    "outbox": Wall(),
    "owner_links": Wall(app=NOTHING),
    "projects": Wall(),
    "sched_flow": Wall(),
    "sched_pool": Wall(app=READ, rows="true"),
    "secrets": Wall(),
    "step_deps": Wall(),
    "step_stats": Wall(app=READ, rows="true"),
    "steps": Wall(),
    "tenants": Wall(app=("SELECT", "UPDATE (name, paused_at, paused_reason, running, slug)"), rows="(id = app.tid())"),
    "users": Wall(app=READ, rows="app.is_member(id)"),
    "workers": Wall(app=READ, rows="true"),
}


def upgrade() -> None:
    for statement in PREPARE:
        op.execute(statement)
    make_tables()
    op.execute(IS_MEMBER)
    for table, wall in WALLS.items():
        for statement in close_table(table, wall):
            op.execute(statement)


def downgrade() -> None:
    op.execute("DROP POLICY app_rows ON users")
    op.execute("DROP FUNCTION app.is_member(uuid)")
    drop_tables()
    op.execute("DROP SCHEMA app CASCADE")


def make_tables() -> None:
    op.create_table(
        "leader_lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leader_lease"),
    )
    op.create_table(
        "sched_pool",
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("vclock", sa.Double(), server_default="0", nullable=False),
        sa.Column("region", sa.Text(), server_default="", nullable=False),
        sa.Column("target_wait_s", sa.Double(), server_default="30", nullable=False),
        sa.Column("paused_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("pool", name="pk_sched_pool"),
    )
    op.create_table(
        "step_stats",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ewma_s", sa.Double(), server_default="0", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("kind", "profile", name="pk_step_stats"),
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), server_default="free", nullable=False),
        sa.Column("weight", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("max_running", sa.BigInteger(), server_default="4", nullable=False),
        sa.Column("running", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("running >= 0", name=op.f("ck_tenants_running")),
        sa.CheckConstraint("weight > 0", name=op.f("ck_tenants_weight")),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
        sa.UniqueConstraint("slug", name="uq_tenants_slug"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), server_default="en", nullable=False),
        sa.Column("theme", sa.Text(), server_default="system", nullable=False),
        sa.Column("density", sa.Text(), server_default="comfortable", nullable=False),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("pools", JSONB(), nullable=False),
        sa.Column("slots", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("version", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('active','draining','gone')", name=op.f("ck_workers_state")),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )
    op.create_table(
        "artifacts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("facts", JSONB(), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_artifacts_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "sha256", name="pk_artifacts"),
    )
    op.create_table(
        "audit_entries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("before", JSONB(), nullable=True),
        sa.Column("after", JSONB(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_audit_entries_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name="pk_audit_entries"),
    )
    op.create_table(
        "auth_session",
        sa.Column("id_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("idle_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("authenticated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("methods", JSONB(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_auth_session_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id_hash", name="pk_auth_session"),
    )
    op.create_index("ix_auth_session_user_id", "auth_session", ["user_id"], unique=False)
    op.create_table(
        "counters",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_counters_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "name", name="pk_counters"),
    )
    op.create_table(
        "data_keys",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kek_version", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_data_keys_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "version", name="pk_data_keys"),
    )
    op.create_table(
        "events",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("data", JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_events_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name="pk_events"),
    )
    op.create_index("ix_events_job", "events", ["tenant_id", "job_id", "seq"], unique=False)
    op.create_table(
        "made",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("outputs", JSONB(), nullable=False),
        sa.Column("facts", JSONB(), server_default="{}", nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("seconds", sa.Double(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_made_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "key", name="pk_made"),
    )
    op.create_table(
        "memberships",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("projects", JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role IN ('owner','admin','operator','viewer')", name=op.f("ck_memberships_role")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_memberships_tenant_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_memberships_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", name="pk_memberships"),
    )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_outbox_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_outbox"),
    )
    op.create_index("ix_outbox_unsent", "outbox", ["id"], unique=False, postgresql_where=sa.text("sent_at IS NULL"))
    op.create_table(
        "owner_links",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_owner_links_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_owner_links"),
    )
    op.create_index("ix_owner_links_tenant_id", "owner_links", ["tenant_id"], unique=False)
    op.create_table(
        "projects",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tagline", sa.Text(), server_default="", nullable=False),
        sa.Column("languages", JSONB(), nullable=False),
        sa.Column("palette", sa.Text(), server_default="", nullable=False),
        sa.Column("settings", JSONB(), server_default="{}", nullable=False),
        sa.Column("max_running", sa.BigInteger(), nullable=True),
        sa.Column("running", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("running >= 0", name=op.f("ck_projects_running")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_projects_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_projects"),
        sa.UniqueConstraint("tenant_id", "slug", name="uq_projects_tenant_id_slug"),
    )
    op.create_table(
        "sched_flow",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("weight", sa.Double(), server_default="1", nullable=False),
        sa.Column("max_running", sa.BigInteger(), server_default="4", nullable=False),
        sa.Column("ready", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("running", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("vtime", sa.Double(), server_default="0", nullable=False),
        sa.Column("paused", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("oldest_ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ready >= 0", name=op.f("ck_sched_flow_ready")),
        sa.CheckConstraint("running >= 0", name=op.f("ck_sched_flow_running")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_sched_flow_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "pool", name="pk_sched_flow"),
    )
    op.create_index(
        "ix_sched_flow_next",
        "sched_flow",
        ["pool", "vtime"],
        unique=False,
        postgresql_where=sa.text("ready > 0 AND NOT paused"),
    )
    op.create_table(
        "secrets",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_version", sa.BigInteger(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_secrets_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_secrets"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_secrets_tenant_id_name"),
    )
    op.create_table(
        "catalog_items",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("current", sa.BigInteger(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('recipe', 'prompt', 'preset', 'validator', 'knowledge', 'provider')",
            name=op.f("ck_catalog_items_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name="fk_catalog_items_tenant_id_project_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_catalog_items_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_catalog_items"),
        sa.UniqueConstraint("tenant_id", "kind", "slug", name="uq_catalog_items_tenant_id_kind_slug"),
    )
    op.create_index("ix_catalog_items_project", "catalog_items", ["tenant_id", "project_id"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("recipe_slug", sa.Text(), nullable=False),
        sa.Column("recipe_version", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.Text(), server_default="auto", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("control", sa.Text(), server_default="none", nullable=False),
        sa.Column("control_reason", sa.Text(), nullable=True),
        sa.Column("control_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("priority", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("idem_key", sa.Text(), nullable=True),
        sa.Column("spec", JSONB(), nullable=False),
        sa.Column("spec_hash", sa.Text(), nullable=False),
        sa.Column("error", JSONB(), nullable=True),
        sa.Column("quote", JSONB(), server_default="{}", nullable=False),
        sa.Column("cost_limit", sa.BigInteger(), nullable=True),
        sa.Column("eta_p50", sa.DateTime(timezone=True), nullable=True),
        sa.Column("eta_p90", sa.DateTime(timezone=True), nullable=True),
        sa.Column("log_lines", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_by_name", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("control IN ('none','pause','cancel')", name=op.f("ck_jobs_control")),
        sa.CheckConstraint("mode IN ('auto','wizard')", name=op.f("ck_jobs_mode")),
        sa.CheckConstraint(
            "state IN ('draft', 'queued', 'running', 'waiting_approval', 'paused', 'cancelling', 'cancelled', 'succeeded', 'failed')",
            name=op.f("ck_jobs_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name="fk_jobs_tenant_id_project_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_jobs_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_jobs"),
        sa.UniqueConstraint("tenant_id", "project_id", "number", name="uq_jobs_tenant_id_project_id_number"),
    )
    op.create_index("ix_jobs_state", "jobs", ["tenant_id", "state", "priority", "seq"], unique=False)
    op.create_index(
        "uq_jobs_idem_key",
        "jobs",
        ["tenant_id", "idem_key"],
        unique=True,
        postgresql_where=sa.text("idem_key IS NOT NULL"),
    )
    op.create_table(
        "library_pictures",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("captions", JSONB(), nullable=False),
        sa.Column("tags", JSONB(), nullable=False),
        sa.Column("focus", JSONB(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), server_default="picture", nullable=False),
        sa.Column("seconds", sa.Text(), server_default="", nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name="fk_library_pictures_tenant_id_project_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_library_pictures"),
    )
    op.create_index(
        "ix_library_pictures_project", "library_pictures", ["tenant_id", "project_id", "role"], unique=False
    )
    op.create_table(
        "bindings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("recipe_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "item_id"],
            ["catalog_items.tenant_id", "catalog_items.id"],
            name="fk_bindings_tenant_id_item_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name="fk_bindings_tenant_id_project_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "recipe_id"],
            ["catalog_items.tenant_id", "catalog_items.id"],
            name="fk_bindings_tenant_id_recipe_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "project_id", "recipe_id", "slot", name="pk_bindings"),
    )
    op.create_index("ix_bindings_item", "bindings", ["tenant_id", "item_id"], unique=False)
    op.create_index("ix_bindings_recipe", "bindings", ["tenant_id", "recipe_id"], unique=False)
    op.create_table(
        "budget_entries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("micro_dollars", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('reserve','settle','release')", name=op.f("ck_budget_entries_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job_id"],
            ["jobs.tenant_id", "jobs.id"],
            name="fk_budget_entries_tenant_id_job_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_budget_entries"),
    )
    op.create_index("ix_budget_entries_job", "budget_entries", ["tenant_id", "job_id"], unique=False)
    op.create_table(
        "catalog_versions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", JSONB(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "item_id"],
            ["catalog_items.tenant_id", "catalog_items.id"],
            name="fk_catalog_versions_tenant_id_item_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "item_id", "number", name="pk_catalog_versions"),
    )
    op.create_table(
        "effects",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("effect_key", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("step_kind", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), server_default="", nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("provider_ref", sa.Text(), server_default="", nullable=False),
        sa.Column("response_key", sa.Text(), nullable=True),
        sa.Column("units", JSONB(), server_default="{}", nullable=False),
        sa.Column("micro_dollars", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('intent', 'sent', 'done', 'in_doubt', 'failed')", name=op.f("ck_effects_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job_id"],
            ["jobs.tenant_id", "jobs.id"],
            name="fk_effects_tenant_id_job_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "effect_key", name="pk_effects"),
    )
    op.create_index("ix_effects_job", "effects", ["tenant_id", "job_id"], unique=False)
    op.create_table(
        "steps",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("shard", sa.Text(), server_default="", nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("gate", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("priority", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("job_seq", sa.BigInteger(), nullable=False),
        sa.Column("cost_est", sa.Double(), server_default="1", nullable=False),
        sa.Column("spec", JSONB(), server_default="{}", nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("max_attempts", sa.BigInteger(), server_default="4", nullable=False),
        sa.Column("crash_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("max_crashes", sa.BigInteger(), server_default="3", nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("deps_left", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("input_hash", sa.Text(), nullable=True),
        sa.Column("reused", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("outputs", JSONB(), nullable=True),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stage", sa.Text(), server_default="", nullable=False),
        sa.Column("error_class", sa.Text(), nullable=True),
        sa.Column("error", JSONB(), nullable=True),
        sa.Column("instruction", sa.Text(), nullable=True),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('blocked', 'ready', 'running', 'delayed', 'held', 'waiting_approval', 'succeeded', 'dead', 'cancelled')",
            name=op.f("ck_steps_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job_id"], ["jobs.tenant_id", "jobs.id"], name="fk_steps_tenant_id_job_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_steps"),
        sa.UniqueConstraint("tenant_id", "job_id", "kind", "shard", name="uq_steps_tenant_id_job_id_kind_shard"),
    )
    op.create_index(
        "ix_steps_delayed", "steps", ["not_before"], unique=False, postgresql_where=sa.text("state = 'delayed'")
    )
    op.create_index("ix_steps_job", "steps", ["tenant_id", "job_id", "ordinal"], unique=False)
    op.create_index(
        "ix_steps_ready",
        "steps",
        ["tenant_id", "pool", "priority", "job_seq", "ordinal", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.create_index(
        "ix_steps_running", "steps", ["lease_expires"], unique=False, postgresql_where=sa.text("state = 'running'")
    )
    op.create_table(
        "approvals",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("seen_version", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting','approved','changes','void','expired')", name=op.f("ck_approvals_state")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job_id"],
            ["jobs.tenant_id", "jobs.id"],
            name="fk_approvals_tenant_id_job_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "step_id"],
            ["steps.tenant_id", "steps.id"],
            name="fk_approvals_tenant_id_step_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_approvals"),
    )
    op.create_index("ix_approvals_job", "approvals", ["tenant_id", "job_id"], unique=False)
    op.create_index("ix_approvals_step", "approvals", ["tenant_id", "step_id"], unique=False)
    op.create_table(
        "artifact_refs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("facts", JSONB(), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job_id"],
            ["jobs.tenant_id", "jobs.id"],
            name="fk_artifact_refs_tenant_id_job_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sha256"],
            ["artifacts.tenant_id", "artifacts.sha256"],
            name="fk_artifact_refs_tenant_id_sha256",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "step_id"],
            ["steps.tenant_id", "steps.id"],
            name="fk_artifact_refs_tenant_id_step_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "job_id", "name", name="pk_artifact_refs"),
    )
    op.create_index("ix_artifact_refs_sha256", "artifact_refs", ["tenant_id", "sha256"], unique=False)
    op.create_index("ix_artifact_refs_step", "artifact_refs", ["tenant_id", "step_id"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column(
            "started_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("error", JSONB(), nullable=True),
        sa.Column("cpu_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "step_id"],
            ["steps.tenant_id", "steps.id"],
            name="fk_attempts_tenant_id_step_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "step_id", "number", name="pk_attempts"),
    )
    op.create_table(
        "log_chunks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("lines", JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job_id"],
            ["jobs.tenant_id", "jobs.id"],
            name="fk_log_chunks_tenant_id_job_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "step_id"],
            ["steps.tenant_id", "steps.id"],
            name="fk_log_chunks_tenant_id_step_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "job_id", "first", name="pk_log_chunks"),
    )
    op.create_index("ix_log_chunks_step", "log_chunks", ["tenant_id", "step_id", "attempt"], unique=False)
    op.create_table(
        "step_deps",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("needs_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "needs_id"],
            ["steps.tenant_id", "steps.id"],
            name="fk_step_deps_tenant_id_needs_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "step_id"],
            ["steps.tenant_id", "steps.id"],
            name="fk_step_deps_tenant_id_step_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "step_id", "needs_id", name="pk_step_deps"),
    )
    op.create_index("ix_step_deps_needs", "step_deps", ["tenant_id", "needs_id"], unique=False)


def drop_tables() -> None:
    op.drop_table("step_deps")
    op.drop_table("log_chunks")
    op.drop_table("attempts")
    op.drop_table("artifact_refs")
    op.drop_table("approvals")
    op.drop_table("steps")
    op.drop_table("effects")
    op.drop_table("catalog_versions")
    op.drop_table("budget_entries")
    op.drop_table("bindings")
    op.drop_table("library_pictures")
    op.drop_table("jobs")
    op.drop_table("catalog_items")
    op.drop_table("secrets")
    op.drop_table("sched_flow")
    op.drop_table("projects")
    op.drop_table("owner_links")
    op.drop_table("outbox")
    op.drop_table("memberships")
    op.drop_table("made")
    op.drop_table("events")
    op.drop_table("data_keys")
    op.drop_table("counters")
    op.drop_table("auth_session")
    op.drop_table("audit_entries")
    op.drop_table("artifacts")
    op.drop_table("workers")
    op.drop_table("users")
    op.drop_table("tenants")
    op.drop_table("step_stats")
    op.drop_table("sched_pool")
    op.drop_table("leader_lease")
