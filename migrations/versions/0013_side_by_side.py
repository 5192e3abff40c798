"""Settlements beside each other and beside claims: they share a pool's lock, and only claims wait for each other."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from alembic import op

revision = "0013_side_by_side"
down_revision = "0008_api_keys"
branch_labels = None
depends_on = None

# A settlement is flushed to disk before its locks go. Taking the pool's lock for itself, it would hold up every other
# settlement of the pool meanwhile; sharing it, those of different tenants reach the disk in one flush. What a tenant's
# claims and settlements write is still one after the other: each begins with the tenant's own row.
SHARE = """
CREATE FUNCTION app.share_pools(wanted text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE one text;
BEGIN
  FOR one IN SELECT DISTINCT w COLLATE "C" AS w FROM unnest(wanted) AS w ORDER BY 1 LOOP
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('pool:' || one, 0));
  END LOOP;
END $$
"""

ALONE = """
  PERFORM pg_advisory_xact_lock(hashtextextended('pool:' || in_pool, 0));
"""
BESIDE = """
  PERFORM app.share_pools(ARRAY[in_pool]);
  PERFORM pg_advisory_xact_lock(hashtextextended('claim:' || in_pool, 0));
"""
# A settlement may have corrected the flow's time since it was read.
READ = "vtime = flow.start + greatest(best.cost_est, 0) / flow.weight"
FRESH = "vtime = greatest(f.vtime, clock - credit_s) + greatest(best.cost_est, 0) / flow.weight"
MINE, SHARED = "PERFORM app.lock_pools(more", "PERFORM app.share_pools(more"
# Whoever settles, takes back or claims a step of this tenant waits here, and only then looks whether it is still ours.
LOOKED = "  SELECT extract(epoch FROM clock_timestamp() - x.started_at) INTO ran"
WAITED = "  PERFORM 1 FROM tenants t WHERE t.id = tid FOR NO KEY UPDATE;\n" + LOOKED


def upgrade() -> None:
    proof = _proof()
    op.execute(SHARE)
    # It is asked in the statement that claims, and must see what that statement had to wait for.
    op.execute("ALTER FUNCTION app.load_step(uuid, uuid, uuid) VOLATILE")
    op.execute(_changed(_changed(proof.CLAIM, ALONE, BESIDE), READ, FRESH))
    op.execute(_changed(_changed(proof.LEAVE, MINE, SHARED), LOOKED, WAITED))


def downgrade() -> None:
    proof = _proof()
    op.execute("ALTER FUNCTION app.load_step(uuid, uuid, uuid) STABLE")
    op.execute(proof.CLAIM)
    op.execute(proof.LEAVE)
    op.execute("DROP FUNCTION app.share_pools(text[])")


def _changed(routine: str, before: str, after: str) -> str:
    assert routine.count(before) == 1
    return routine.replace(before, after)


def _proof() -> ModuleType:
    """The version in which the routines stand as a whole."""
    place = importlib.util.spec_from_file_location("proof", Path(__file__).with_name("0012_proof.py"))
    assert place is not None
    assert place.loader is not None
    proof = importlib.util.module_from_spec(place)
    place.loader.exec_module(proof)
    return proof
