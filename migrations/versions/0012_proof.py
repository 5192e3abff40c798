"""The line, proven: a cheaper claim with fences that no power cut repeats, hosts that are shunned, counters audited."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tenants.rls import NOTHING, Wall, close_table

revision = "0012_proof"
down_revision = "0007_factors"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

CLAIM = """
CREATE OR REPLACE FUNCTION app.claim_steps(in_pool text, worker uuid, lease_s float8, credit_s float8, aging_s float8,
                                           most int)
RETURNS TABLE (tenant_id uuid, step_id uuid, job_id uuid, project_id uuid, pool text, kind text, shard text,
               attempt bigint, fence bigint, estimate float8, max_attempts bigint, gate boolean, spec jsonb,
               instruction text)
-- Rows are taken in the order of their indexes, one at a time: a plan made when tables were small would sort them all.
LANGUAGE plpgsql SET enable_sort = off SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  clock float8;
  shut timestamptz;
  shunned text[];
  line refcursor;
  flow record;
  best record;
  taken int := 0;
  got boolean;
  moment timestamptz;
BEGIN
  -- A claim that a power cut takes back leaves nothing behind: whatever its step did later was committed in full, and
  -- with it the claim. The fence follows the clock, so that no second claim can bear the number of a forgotten one.
  PERFORM set_config('synchronous_commit', 'off', true);
  PERFORM pg_advisory_xact_lock(hashtextextended('pool:' || in_pool, 0));
  SELECT p.vclock, p.paused_at INTO clock, shut FROM sched_pool p WHERE p.pool = in_pool;
  IF NOT FOUND THEN
    INSERT INTO sched_pool (pool) VALUES (in_pool) ON CONFLICT DO NOTHING;
    clock := 0;
  END IF;
  IF shut IS NOT NULL THEN
    RETURN;
  END IF;
  -- Kinds that keep failing on this host, as long as another host is there for them.
  IF worker IS NOT NULL AND EXISTS (SELECT 1 FROM host_faults) THEN
    SELECT array_agg(b.kind) INTO shunned
    FROM workers w JOIN host_faults b ON b.host = w.host AND b.blocked_until > clock_timestamp()
    WHERE w.id = worker AND EXISTS (
      SELECT 1 FROM workers o, jsonb_array_elements_text(o.pools) AS served (entry)
      WHERE o.host <> w.host AND o.state = 'active' AND o.seen_at > clock_timestamp() - interval '60 seconds'
        AND split_part(served.entry, ':', 1) = in_pool
        AND NOT EXISTS (SELECT 1 FROM host_faults c
                        WHERE c.host = o.host AND c.kind = b.kind AND c.blocked_until > clock_timestamp()));
  END IF;
  WHILE taken < most LOOP
    got := false;
    moment := clock_timestamp();
    -- First those whose credit is used up to the floor: they count as equal, and the longest wait is served. Then all
    -- others by their virtual time, which is the order of the index.
    FOR turn IN 1..2 LOOP
      IF turn = 1 THEN
        OPEN line FOR SELECT f.tenant_id, f.weight, clock - credit_s AS start
          FROM sched_flow f JOIN tenants t ON t.id = f.tenant_id
          WHERE f.pool = in_pool AND f.ready > 0 AND NOT f.paused AND f.vtime <= clock - credit_s
            AND f.running < f.max_running AND t.paused_at IS NULL AND t.running < t.max_running
          ORDER BY f.oldest_ready_at, f.tenant_id;
      ELSE
        OPEN line FOR SELECT f.tenant_id, f.weight, f.vtime AS start
          FROM sched_flow f JOIN tenants t ON t.id = f.tenant_id
          WHERE f.pool = in_pool AND f.ready > 0 AND NOT f.paused AND f.vtime > clock - credit_s
            AND f.running < f.max_running AND t.paused_at IS NULL AND t.running < t.max_running
          ORDER BY f.vtime, f.oldest_ready_at, f.tenant_id;
      END IF;
      LOOP
        FETCH line INTO flow;
        EXIT WHEN NOT FOUND;
        SELECT head.* INTO best FROM (VALUES (-1), (0), (1)) AS level (p) CROSS JOIN LATERAL (
          SELECT s.id, s.job_id, s.project_id, s.priority, s.job_seq, s.ordinal, s.ready_at, s.cost_est
          FROM steps s JOIN projects r ON r.tenant_id = s.tenant_id AND r.id = s.project_id
          WHERE s.tenant_id = flow.tenant_id AND s.pool = in_pool AND s.state = 'ready' AND s.priority = level.p
            AND r.paused_at IS NULL AND (r.max_running IS NULL OR r.running < r.max_running)
            AND (shunned IS NULL OR s.kind <> ALL (shunned))
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
        RETURN QUERY WITH moved AS (
          UPDATE steps s SET state = 'running', attempt = s.attempt + 1, worker_id = worker,
            fence = greatest(s.fence + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint),
            lease_expires = clock_timestamp() + make_interval(secs => lease_s),
            started_at = clock_timestamp(), finished_at = NULL, done = 0, total = 0, stage = '', error = NULL,
            error_class = NULL
          WHERE s.tenant_id = flow.tenant_id AND s.id = best.id
          RETURNING s.*
        ), tried AS (
          INSERT INTO attempts (tenant_id, step_id, number, fence, worker_id)
          SELECT m.tenant_id, m.id, m.attempt, m.fence, worker FROM moved m
        )
        SELECT m.tenant_id, m.id, m.job_id, m.project_id, m.pool, m.kind, m.shard, m.attempt, m.fence, m.cost_est,
          m.max_attempts, m.gate, m.spec, coalesce(m.instruction, '') FROM moved m;
        taken := taken + 1;
        got := true;
        EXIT;
      END LOOP;
      CLOSE line;
      EXIT WHEN got;
    END LOOP;
    EXIT WHEN NOT got;
  END LOOP;
END $$
"""

LEAVE = """
CREATE OR REPLACE FUNCTION app.leave_step(tid uuid, step uuid, held bigint, more text[])
RETURNS TABLE (seconds float8, state text, control text, number bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  s record;
  ran float8;
  capped boolean;
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
  UPDATE tenants t SET running = t.running - 1 WHERE t.id = tid RETURNING t.running + 1 >= t.max_running INTO capped;
  UPDATE projects r SET running = r.running - 1 WHERE r.tenant_id = tid AND r.id = s.project_id;
  -- A flow that stood at a limit (its own or its tenant's) reopens at the pool's clock: being capped earns no credit.
  UPDATE sched_flow f SET running = f.running - 1, vtime = CASE WHEN capped OR f.running >= f.max_running
      THEN greatest(f.vtime + (ran - s.cost_est) / f.weight,
                    coalesce((SELECT p.vclock FROM sched_pool p WHERE p.pool = s.pool), 0))
      ELSE f.vtime + (ran - s.cost_est) / f.weight END
    WHERE f.tenant_id = tid AND f.pool = s.pool;
  RETURN QUERY SELECT ran, j.state, j.control, j.number FROM jobs j
    WHERE j.tenant_id = tid AND j.id = s.job_id FOR UPDATE;
END $$
"""

# Everything a claimed step works with, in one look: its job, and the outputs of all it rests on.
LOAD = """
CREATE FUNCTION app.load_step(tid uuid, job uuid, step uuid)
RETURNS TABLE (number bigint, title text, project_id uuid, slug text, spec jsonb, quote jsonb, guess float8,
               below jsonb)
LANGUAGE sql STABLE AS $$
  SELECT j.number, j.title, j.project_id, p.slug, j.spec, j.quote,
    (SELECT x.guess FROM steps x WHERE x.tenant_id = tid AND x.id = step), coalesce((
    WITH RECURSIVE under AS (
      SELECT d.needs_id FROM step_deps d WHERE d.tenant_id = tid AND d.step_id = step
      UNION
      SELECT d.needs_id FROM step_deps d JOIN under u ON d.tenant_id = tid AND d.step_id = u.needs_id)
    SELECT jsonb_agg(jsonb_build_array(s.kind, s.shard, s.outputs)) FROM steps s
    WHERE s.tenant_id = tid AND s.state = 'succeeded' AND s.id IN (SELECT u.needs_id FROM under u)), '[]')
  FROM jobs j JOIN projects p ON p.tenant_id = j.tenant_id AND p.id = j.project_id
  WHERE j.tenant_id = tid AND j.id = job
$$
"""


def upgrade() -> None:
    op.create_table(
        "host_faults",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("steps", JSONB(), server_default="[]", nullable=False),
        sa.Column("blocked_until", MOMENT, nullable=True),
        sa.Column("updated_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("host", "kind", name="pk_host_faults"),
    )
    op.create_table(
        "counter_drift",
        sa.Column("counter", sa.Text(), nullable=False),
        sa.Column("found", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("counted_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("counter", name="pk_counter_drift"),
    )
    for table in ("host_faults", "counter_drift"):
        for statement in close_table(table, Wall(app=NOTHING)):
            op.execute(statement)
    op.add_column("steps", sa.Column("guess", sa.Double(), server_default="0", nullable=False))
    op.create_index(
        "ix_steps_fallback",
        "steps",
        ["ready_at"],
        postgresql_where=sa.text("state = 'ready' AND fallback IS NOT NULL"),
    )
    for routine in (CLAIM, LEAVE, LOAD):
        op.execute(routine)


def downgrade() -> None:
    op.execute("DROP FUNCTION app.load_step(uuid, uuid, uuid)")
    for name in ("leave_step", "claim_steps"):
        op.execute(earlier(name))
    op.drop_index("ix_steps_fallback", "steps")
    op.drop_column("steps", "guess")
    op.drop_table("counter_drift")
    op.drop_table("host_faults")


def earlier(name: str) -> str:
    """The statement that made a routine before this version, made to replace the present one."""
    place = importlib.util.spec_from_file_location("line", Path(__file__).with_name("0005_line.py"))
    assert place is not None
    assert place.loader is not None
    line = importlib.util.module_from_spec(place)
    place.loader.exec_module(line)
    found: str = next(one for one in line.ROUTINES if f"FUNCTION app.{name}(" in one)
    return found.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
