"""The line: claim and settle as routines of the database; pauses, schedules, positions, promises and fallbacks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tenants.rls import Wall, close_table

revision = "0005_line"
down_revision = "0004_people"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

COLUMNS: dict[str, tuple[sa.Column[object], ...]] = {
    "sched_pool": (sa.Column("paused_at", MOMENT), sa.Column("paused_by", sa.Text())),
    "sched_flow": (sa.Column("boost_s", sa.Double(), server_default="0", nullable=False),),
    "projects": (sa.Column("paused_at", MOMENT), sa.Column("paused_reason", sa.Text())),
    "steps": (
        sa.Column("fallback", sa.Text()),
        sa.Column("fallback_after_s", sa.Double()),
        sa.Column("earlier", JSONB()),
    ),
    "jobs": (
        sa.Column("position", sa.BigInteger()),
        sa.Column("ahead", sa.BigInteger()),
        sa.Column("waiting", JSONB()),
        sa.Column("promised_p50", MOMENT),
        sa.Column("promised_p90", MOMENT),
        sa.Column("forked_from", JSONB()),
    ),
    "approvals": (sa.Column("decided_by_name", sa.Text(), server_default="", nullable=False),),
    "workers": (sa.Column("memory", sa.BigInteger()),),
    "step_stats": (sa.Column("spread", sa.Double(), server_default="0", nullable=False),),
}

ROUTINES = (
    # Pools are locked in one order by everybody; "C" sorts as Python does.
    """
CREATE FUNCTION app.lock_pools(wanted text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE one text;
BEGIN
  FOR one IN SELECT DISTINCT w COLLATE "C" AS w FROM unnest(wanted) AS w ORDER BY 1 LOOP
    PERFORM pg_advisory_xact_lock(hashtextextended('pool:' || one, 0));
  END LOOP;
END $$
""",
    # Numbers and inserts a tenant's events; its counter row stays locked until commit.
    """
CREATE FUNCTION app.write_events(tid uuid, given jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  many bigint := jsonb_array_length(given);
  newest bigint;
BEGIN
  INSERT INTO counters AS c (tenant_id, name, value) VALUES (tid, 'event', many)
    ON CONFLICT (tenant_id, name) DO UPDATE SET value = c.value + many RETURNING c.value INTO newest;
  INSERT INTO events (tenant_id, seq, job_id, project_id, type, data)
    SELECT tid, newest - many + place, (e ->> 'job_id')::uuid, (e ->> 'project_id')::uuid, e ->> 'type', e -> 'data'
    FROM jsonb_array_elements(given) WITH ORDINALITY AS one (e, place);
  RETURN newest;
END $$
""",
    # domain/dispatch/policy.py says what is decided here and why.
    """
CREATE FUNCTION app.claim_steps(in_pool text, worker uuid, lease_s float8, credit_s float8, aging_s float8, most int)
RETURNS TABLE (tenant_id uuid, step_id uuid, job_id uuid, project_id uuid, pool text, kind text, shard text,
               attempt bigint, fence bigint, estimate float8, max_attempts bigint, gate boolean, spec jsonb,
               instruction text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  clock float8;
  shut timestamptz;
  flow record;
  best record;
  taken int := 0;
  got boolean;
  moment timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('pool:' || in_pool, 0));
  INSERT INTO sched_pool (pool) VALUES (in_pool) ON CONFLICT DO NOTHING;
  SELECT p.vclock, p.paused_at INTO clock, shut FROM sched_pool p WHERE p.pool = in_pool;
  IF shut IS NOT NULL THEN
    RETURN;
  END IF;
  WHILE taken < most LOOP
    got := false;
    moment := clock_timestamp();
    FOR flow IN
      SELECT f.tenant_id, f.weight, greatest(f.vtime, clock - credit_s) AS start
      FROM sched_flow f JOIN tenants t ON t.id = f.tenant_id
      WHERE f.pool = in_pool AND f.ready > 0 AND f.running < f.max_running AND NOT f.paused
        AND t.paused_at IS NULL AND t.running < t.max_running
      ORDER BY 3, f.oldest_ready_at, f.tenant_id
    LOOP
      SELECT head.* INTO best FROM (VALUES (-1), (0), (1)) AS level (p) CROSS JOIN LATERAL (
        SELECT s.id, s.job_id, s.project_id, s.priority, s.job_seq, s.ordinal, s.ready_at, s.cost_est
        FROM steps s JOIN projects r ON r.tenant_id = s.tenant_id AND r.id = s.project_id
        WHERE s.tenant_id = flow.tenant_id AND s.pool = in_pool AND s.state = 'ready' AND s.priority = level.p
          AND r.paused_at IS NULL AND (r.max_running IS NULL OR r.running < r.max_running)
        ORDER BY s.job_seq, s.ordinal, s.id LIMIT 1) AS head
      ORDER BY head.priority - floor(greatest(extract(epoch FROM moment - head.ready_at), 0) / aging_s),
        head.job_seq, head.ordinal, head.id LIMIT 1;
      CONTINUE WHEN NOT FOUND;
      -- Limits that span pools are held by their own rows: this pool's lock cannot.
      UPDATE tenants t SET running = t.running + 1
        WHERE t.id = flow.tenant_id AND t.running < t.max_running AND t.paused_at IS NULL;
      CONTINUE WHEN NOT FOUND;
      UPDATE projects r SET running = r.running + 1
        WHERE r.tenant_id = flow.tenant_id AND r.id = best.project_id AND r.paused_at IS NULL
          AND (r.max_running IS NULL OR r.running < r.max_running);
      IF NOT FOUND THEN
        UPDATE tenants t SET running = t.running - 1 WHERE t.id = flow.tenant_id;
        CONTINUE;
      END IF;
      UPDATE sched_flow f SET ready = f.ready - 1, running = f.running + 1,
          vtime = flow.start + greatest(best.cost_est, 0) / flow.weight
        WHERE f.tenant_id = flow.tenant_id AND f.pool = in_pool;
      IF flow.start > clock THEN
        clock := flow.start;
        UPDATE sched_pool p SET vclock = clock WHERE p.pool = in_pool;
      END IF;
      RETURN QUERY UPDATE steps s SET state = 'running', fence = s.fence + 1, attempt = s.attempt + 1,
          worker_id = worker, lease_expires = clock_timestamp() + make_interval(secs => lease_s),
          started_at = clock_timestamp(), finished_at = NULL, done = 0, total = 0, stage = '', error = NULL,
          error_class = NULL
        WHERE s.tenant_id = flow.tenant_id AND s.id = best.id
        RETURNING s.tenant_id, s.id, s.job_id, s.project_id, s.pool, s.kind, s.shard, s.attempt, s.fence, s.cost_est,
          s.max_attempts, s.gate, s.spec, coalesce(s.instruction, '');
      INSERT INTO attempts (tenant_id, step_id, number, fence, worker_id)
        SELECT s.tenant_id, s.id, s.attempt, s.fence, worker FROM steps s
        WHERE s.tenant_id = flow.tenant_id AND s.id = best.id;
      taken := taken + 1;
      got := true;
      EXIT;
    END LOOP;
    EXIT WHEN NOT got;
  END LOOP;
END $$
""",
    # A claimed step makes its job run; both are told. Answers the number of the newest event.
    """
CREATE FUNCTION app.begin_job(tid uuid, job uuid, told jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  j record;
  said jsonb := jsonb_build_array(told);
BEGIN
  SELECT state, control, number, project_id INTO j FROM jobs WHERE tenant_id = tid AND id = job FOR UPDATE;
  IF j.control = 'none' AND j.state <> 'running' THEN
    UPDATE jobs SET state = 'running', version = version + 1, started_at = coalesce(started_at, clock_timestamp()),
      finished_at = NULL, position = NULL, ahead = NULL, waiting = NULL WHERE tenant_id = tid AND id = job;
    said := said || jsonb_build_object('job_id', job, 'project_id', j.project_id, 'type', 'job.state', 'data',
      jsonb_build_object('state', 'running', 'before', j.state, 'number', j.number));
  END IF;
  RETURN app.write_events(tid, said);
END $$
""",
    # Steps that became ready; an idle flow wakes at the pool's clock, less its tier's head start.
    """
CREATE FUNCTION app.add_ready(tid uuid, in_pool text, many bigint) RETURNS void LANGUAGE sql AS $$
  UPDATE sched_flow f SET ready = f.ready + many,
    vtime = CASE WHEN f.ready = 0
      THEN greatest(f.vtime, coalesce((SELECT p.vclock FROM sched_pool p WHERE p.pool = in_pool), 0) - f.boost_s)
      ELSE f.vtime END,
    oldest_ready_at = CASE WHEN f.ready = 0 THEN clock_timestamp() ELSE f.oldest_ready_at END
  WHERE f.tenant_id = tid AND f.pool = in_pool
$$
""",
    # Takes all locks of a settlement and gives the slot back; no row when the step is no longer ours.
    """
CREATE FUNCTION app.leave_step(tid uuid, step uuid, held bigint, more text[])
RETURNS TABLE (seconds float8, state text, control text, number bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  s record;
  ran float8;
BEGIN
  SELECT x.pool, x.project_id, x.job_id, x.cost_est INTO s FROM steps x WHERE x.tenant_id = tid AND x.id = step;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  PERFORM app.lock_pools(more || s.pool || ARRAY(
    SELECT n.pool FROM step_deps d JOIN steps n ON n.tenant_id = d.tenant_id AND n.id = d.step_id
    WHERE d.tenant_id = tid AND d.needs_id = step));
  SELECT extract(epoch FROM clock_timestamp() - x.started_at) INTO ran FROM steps x
    WHERE x.tenant_id = tid AND x.id = step AND x.fence = held AND x.state = 'running';
  IF NOT FOUND THEN
    RETURN;
  END IF;
  UPDATE tenants t SET running = t.running - 1 WHERE t.id = tid;
  UPDATE projects r SET running = r.running - 1 WHERE r.tenant_id = tid AND r.id = s.project_id;
  -- A flow that stood at its limit reopens at the pool's clock: being capped earns no credit.
  UPDATE sched_flow f SET running = f.running - 1, vtime = CASE WHEN f.running >= f.max_running
      THEN greatest(f.vtime + (ran - s.cost_est) / f.weight,
                    coalesce((SELECT p.vclock FROM sched_pool p WHERE p.pool = s.pool), 0))
      ELSE f.vtime + (ran - s.cost_est) / f.weight END
    WHERE f.tenant_id = tid AND f.pool = s.pool;
  RETURN QUERY SELECT ran, j.state, j.control, j.number FROM jobs j
    WHERE j.tenant_id = tid AND j.id = s.job_id FOR UPDATE;
END $$
""",
    # The end of an attempt, fenced; false when the fence has moved on. close_step answers the job's steps by state.
    """
CREATE FUNCTION app.end_step(tid uuid, step uuid, held bigint, try bigint, ending jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  s record;
  next_state text := ending ->> 'state';
  ended boolean := ending ->> 'state' IN ('succeeded', 'waiting_approval');
BEGIN
  UPDATE steps x SET
    state = next_state, worker_id = NULL, lease_expires = NULL,
    error = nullif(ending -> 'error', 'null'), error_class = ending ->> 'error_class',
    max_attempts = x.max_attempts + (ending ->> 'forgive')::boolean::int,
    crash_count = x.crash_count + (ending ->> 'crashed')::boolean::int,
    fence = x.fence + (next_state = 'ready')::int,
    ready_at = CASE WHEN next_state = 'ready' THEN clock_timestamp() ELSE x.ready_at END,
    not_before = CASE WHEN next_state = 'delayed'
      THEN clock_timestamp() + make_interval(secs => (ending ->> 'delay_s')::float8) END,
    finished_at = CASE WHEN ended OR next_state IN ('dead', 'cancelled') THEN clock_timestamp() END,
    outputs = CASE WHEN ended THEN nullif(ending -> 'outputs', 'null') ELSE x.outputs END,
    input_hash = CASE WHEN ended THEN ending ->> 'input_hash' ELSE x.input_hash END,
    reused = CASE WHEN ended THEN (ending ->> 'reused')::boolean ELSE x.reused END,
    done = CASE WHEN ended AND x.total > 0 THEN x.total ELSE x.done END
  WHERE x.tenant_id = tid AND x.id = step AND x.fence = held AND x.state = 'running'
  RETURNING x.job_id, x.pool INTO s;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE attempts a SET ended_at = clock_timestamp(), outcome = ending ->> 'outcome',
      error = nullif(ending -> 'error', 'null'), cpu_s = (ending ->> 'cpu_s')::float8
    WHERE a.tenant_id = tid AND a.step_id = step AND a.number = try;
  IF next_state = 'ready' THEN
    PERFORM app.add_ready(tid, s.pool, 1);
  END IF;
  IF next_state = 'succeeded' THEN
    PERFORM app.release_dependants(tid, step, (ending ->> 'paused')::boolean);
  END IF;
  RETURN true;
END $$
""",
    """
CREATE FUNCTION app.close_step(tid uuid, step uuid, held bigint, try bigint, ending jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
  IF NOT app.end_step(tid, step, held, try, ending) THEN
    RETURN NULL;
  END IF;
  RETURN (SELECT jsonb_object_agg(c.state, c.many) FROM (
    SELECT y.state, count(*) AS many FROM steps y WHERE y.tenant_id = tid AND y.job_id = (
      SELECT z.job_id FROM steps z WHERE z.tenant_id = tid AND z.id = step) GROUP BY 1) c);
END $$
""",
    # The usual end in one call: a success after which the job still moves. Answers `done`, `lost` (not ours any more) or
    # `long` (nothing written: the job's state may change, which takes more than this).
    """
CREATE FUNCTION app.settle_step(tid uuid, step uuid, held bigint, try bigint, ending jsonb, files jsonb, made jsonb,
                                told jsonb)
RETURNS TABLE (answer text, newest bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  l record;
  s record;
BEGIN
  BEGIN
    SELECT * INTO l FROM app.leave_step(tid, step, held, '{}');
    IF NOT FOUND THEN
      RETURN QUERY SELECT 'lost', 0::bigint;
      RETURN;
    END IF;
    SELECT x.job_id, x.project_id, x.kind INTO s FROM steps x WHERE x.tenant_id = tid AND x.id = step;
    IF l.state <> 'running' OR l.control <> 'none' OR NOT (
      EXISTS (SELECT 1 FROM steps o WHERE o.tenant_id = tid AND o.job_id = s.job_id AND o.id <> step
              AND o.state IN ('running', 'ready', 'delayed'))
      OR EXISTS (SELECT 1 FROM step_deps d JOIN steps n ON n.tenant_id = d.tenant_id AND n.id = d.step_id
                 WHERE d.tenant_id = tid AND d.needs_id = step AND n.state = 'blocked' AND n.deps_left = 1)) THEN
      RAISE EXCEPTION SQLSTATE 'VF001';
    END IF;
  EXCEPTION WHEN SQLSTATE 'VF001' THEN
    RETURN QUERY SELECT 'long', 0::bigint;
    RETURN;
  END;
  IF jsonb_array_length(files) > 0 THEN
    INSERT INTO artifacts (tenant_id, sha256, size, media_type, facts)
      SELECT DISTINCT ON (f.sha256) tid, f.sha256, f.size, f.media_type, f.facts
      FROM jsonb_to_recordset(files) AS f (sha256 text, size bigint, media_type text, facts jsonb) ORDER BY f.sha256
      ON CONFLICT DO NOTHING;
    INSERT INTO artifact_refs AS r (tenant_id, job_id, name, step_id, sha256, role, position, facts)
      SELECT tid, s.job_id, f.name, step, f.sha256, f.role, f.position, f.facts
      FROM jsonb_to_recordset(files) AS f (name text, sha256 text, role text, position bigint, facts jsonb)
      ON CONFLICT (tenant_id, job_id, name) DO UPDATE SET step_id = excluded.step_id, sha256 = excluded.sha256,
        role = excluded.role, position = excluded.position, facts = excluded.facts;
  END IF;
  IF made IS NOT NULL THEN
    INSERT INTO made AS m (tenant_id, key, kind, outputs, facts, job_id, seconds)
      VALUES (tid, made ->> 'key', s.kind, made -> 'outputs', made -> 'facts', s.job_id, l.seconds)
      ON CONFLICT (tenant_id, key) DO UPDATE SET outputs = excluded.outputs, facts = excluded.facts,
        job_id = excluded.job_id, seconds = excluded.seconds;
  END IF;
  PERFORM app.end_step(tid, step, held, try, ending);
  RETURN QUERY SELECT 'done', app.write_events(tid, jsonb_build_array(jsonb_build_object('type', 'step.succeeded',
    'job_id', s.job_id, 'project_id', s.project_id,
    'data', told || jsonb_build_object('seconds', round(l.seconds::numeric, 3)))));
END $$
""",
    """
CREATE FUNCTION app.release_dependants(tid uuid, step uuid, paused boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  freed record;
BEGIN
  FOR freed IN
    WITH told AS (
      UPDATE steps x SET deps_left = x.deps_left - 1,
        state = CASE WHEN x.deps_left = 1 AND x.state = 'blocked'
          THEN CASE WHEN paused THEN 'held' ELSE 'ready' END ELSE x.state END,
        ready_at = CASE WHEN x.deps_left = 1 AND x.state = 'blocked' THEN clock_timestamp() ELSE x.ready_at END
      WHERE x.tenant_id = tid AND x.deps_left > 0 AND x.id IN (
        SELECT d.step_id FROM step_deps d WHERE d.tenant_id = tid AND d.needs_id = step)
      RETURNING x.pool, x.deps_left, x.state)
    SELECT t.pool, count(*) AS many FROM told t WHERE t.deps_left = 0 AND t.state = 'ready' GROUP BY t.pool ORDER BY 1
  LOOP
    PERFORM app.add_ready(tid, freed.pool, freed.many);
  END LOOP;
END $$
""",
)
NAMES = (
    "release_dependants(uuid, uuid, boolean)",
    "settle_step(uuid, uuid, bigint, bigint, jsonb, jsonb, jsonb, jsonb)",
    "close_step(uuid, uuid, bigint, bigint, jsonb)",
    "end_step(uuid, uuid, bigint, bigint, jsonb)",
    "leave_step(uuid, uuid, bigint, text[])",
    "add_ready(uuid, text, bigint)",
    "begin_job(uuid, uuid, jsonb)",
    "claim_steps(text, uuid, float8, float8, float8, int)",
    "write_events(uuid, jsonb)",
    "lock_pools(text[])",
)


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for column in columns:
            op.add_column(table, column)
    op.create_check_constraint("priority", "steps", "priority BETWEEN -1 AND 1")
    op.create_table(
        "schedules",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("request", JSONB(), nullable=False),
        sa.Column("repeat", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("next_at", MOMENT, nullable=True),
        sa.Column("paused", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_by_name", sa.Text(), server_default="", nullable=False),
        sa.Column("last_at", MOMENT, nullable=True),
        sa.Column("last_number", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("repeat IN ('once','hourly','daily','weekly')", name=op.f("ck_schedules_repeat")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_schedules_tenant_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name="fk_schedules_tenant_id_project_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_schedules"),
    )
    op.create_index(
        "ix_schedules_due",
        "schedules",
        ["next_at"],
        postgresql_where=sa.text("next_at IS NOT NULL AND NOT paused"),
    )
    op.create_index("ix_schedules_project", "schedules", ["tenant_id", "project_id"])
    op.create_index("ix_approvals_waiting", "approvals", ["expires_at"], postgresql_where=sa.text("state = 'waiting'"))
    for statement in close_table("schedules", Wall()):
        op.execute(statement)
    for routine in ROUTINES:
        op.execute(routine)


def downgrade() -> None:
    for name in NAMES:
        op.execute(f"DROP FUNCTION app.{name}")
    op.drop_index("ix_approvals_waiting", "approvals")
    op.drop_table("schedules")
    op.drop_constraint("priority", "steps", type_="check")
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column.name)
