"""A job's end in the call that settles its last step, where no money has to be given back and nothing is learnt."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015_at_once"
down_revision = "0014_previews"
branch_labels = None
depends_on = None

DECLARED = """  l record;
  s record;
BEGIN
  BEGIN
"""
DECLARES = DECLARED.replace("BEGIN\n  BEGIN", "  ends boolean := false;\n  said jsonb := '[]';\nBEGIN\n  BEGIN")
# The same as domain/production/states.py derives for steps that have all succeeded, and money.py does with an account
# in which nothing is set aside, no call is out, and whose quote has no price to learn from.
ENDS = """
CREATE FUNCTION app.ends_job(tid uuid, job uuid, step uuid) RETURNS boolean LANGUAGE sql AS $$
  SELECT NOT EXISTS (SELECT 1 FROM steps o WHERE o.tenant_id = tid AND o.job_id = job AND o.id <> step
                     AND o.state NOT IN ('succeeded', 'cancelled'))
    AND NOT EXISTS (SELECT 1 FROM budgets b WHERE b.tenant_id = tid AND b.scope = 'job' AND b.scope_id = job
                    AND b.reserved > 0)
    AND NOT EXISTS (SELECT 1 FROM effects e WHERE e.tenant_id = tid AND e.job_id = job
                    AND (e.held > 0 OR e.state = 'sent'))
    AND NOT EXISTS (SELECT 1 FROM jobs j, jsonb_array_elements(coalesce(j.quote -> 'lines', '[]')) AS line
                    WHERE j.tenant_id = tid AND j.id = job AND coalesce((line ->> 'plain')::numeric, 0) <> 0)
$$
"""
MOVING = "    IF l.state <> 'running' OR l.control <> 'none' OR NOT (\n      EXISTS"
FIRST = (
    "    IF l.state <> 'running' OR l.control <> 'none' THEN\n      RAISE EXCEPTION SQLSTATE 'VF001';\n    END IF;\n"
)
STAYS = FIRST + "    IF NOT (\n      EXISTS"
LONG = "AND n.state = 'blocked' AND n.deps_left = 1)) THEN\n      RAISE EXCEPTION SQLSTATE 'VF001';\n    END IF;"
ENDED = (
    "AND n.state = 'blocked' AND n.deps_left = 1)) THEN\n"
    "      IF NOT app.ends_job(tid, s.job_id, step) THEN\n        RAISE EXCEPTION SQLSTATE 'VF001';\n      END IF;\n"
    "      ends := true;\n    END IF;"
)
TOLD = "  RETURN QUERY SELECT 'done', app.write_events(tid, jsonb_build_array("
AFTER = """  IF ends THEN
    UPDATE jobs SET state = 'succeeded', version = version + 1, finished_at = clock_timestamp(), eta_p50 = NULL,
      eta_p90 = NULL WHERE tenant_id = tid AND id = s.job_id;
    said := jsonb_build_array(jsonb_build_object('type', 'job.state', 'job_id', s.job_id, 'project_id', s.project_id,
      'data', jsonb_build_object('state', 'succeeded', 'before', l.state, 'number', l.number, 'micro_dollars', (
        SELECT coalesce(sum(e.micro_dollars), 0) FROM effects e WHERE e.tenant_id = tid AND e.job_id = s.job_id))));
  END IF;
  RETURN QUERY SELECT CASE WHEN ends THEN 'ended' ELSE 'done' END, app.write_events(tid, jsonb_build_array("""
LAST = "round(l.seconds::numeric, 3)))));"
SAID = "round(l.seconds::numeric, 3)))) || said);"


def upgrade() -> None:
    # Never written: what fell back is told by an event.
    op.drop_column("steps", "earlier")
    op.execute(ENDS)
    routine = earlier("settle_step")
    for before, after in ((DECLARED, DECLARES), (MOVING, STAYS), (LONG, ENDED), (TOLD, AFTER), (LAST, SAID)):
        assert routine.count(before) == 1, before
        routine = routine.replace(before, after)
    op.execute(routine)


def downgrade() -> None:
    op.execute(earlier("settle_step"))
    op.execute("DROP FUNCTION app.ends_job(uuid, uuid, uuid)")
    op.add_column("steps", sa.Column("earlier", JSONB()))


def earlier(name: str) -> str:
    """The statement that made a routine, made to replace the present one."""
    place = importlib.util.spec_from_file_location("line", Path(__file__).with_name("0005_line.py"))
    assert place is not None
    assert place.loader is not None
    line = importlib.util.module_from_spec(place)
    place.loader.exec_module(line)
    found: str = next(one for one in line.ROUTINES if f"FUNCTION app.{name}(" in one)
    return found.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
