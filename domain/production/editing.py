"""Reading a job's film for editing, and asking what a change would do."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from sqlalchemy import select

from domain.dispatch.model import Step
from domain.dispatch.stats import ratios
from domain.production.model import Made
from domain.production.ports import ObjectStore
from domain.production.preview import Film, Preview, preview, wanted_keys
from domain.production.queries.job import JobDetail
from domain.production.spec import JobSpec
from domain.studio.script import Script
from tenants.unit import Unit
from timeline.plan import RenderPlan

ENDED = ("succeeded", "waiting_approval")


async def read_script(store: ObjectStore, detail: JobDetail) -> Script | None:
    """A job's script, or None until its step has written it."""
    body = await _read(store, detail, "script", "script.json")
    return Script.model_validate_json(body) if body is not None else None


async def read_film(store: ObjectStore, detail: JobDetail, script: Script, narrator_build: str) -> Film:
    """A job's film as far as it has been made."""
    narration = await _read(store, detail, "narrate", "narration.json")
    plan = await _read(store, detail, "compose", "plan.json")
    return Film(
        spec=JobSpec.read(detail.job.spec),
        script=script,
        narrator_build=narrator_build,
        narration=json.loads(narration) if narration is not None else None,
        plan=RenderPlan.model_validate_json(plan) if plan is not None else None,
        salts={step.kind: str(step.spec["salt"]) for step in detail.steps if step.spec.get("salt")},
        wishes={step.kind: step.instruction for step in detail.steps if step.instruction},
    )


async def preview_edit(unit: Unit, film: Film, after: Script) -> Preview:
    """What making `after` instead of the film's script will do, by what the workspace has made before."""
    known = await _known(unit, wanted_keys(film, after))
    return preview(film, after, known, await ratios(unit.session, film.spec.profile))


async def _known(unit: Unit, keys: Collection[str]) -> frozenset[str]:
    rows = await unit.session.execute(select(Made.key).where(Made.key.in_(list(keys))))
    return frozenset(rows.scalars())


async def _read(store: ObjectStore, detail: JobDetail, kind: str, name: str) -> bytes | None:
    """The file of a step that has ended; what an unfinished step has left from before does not count."""
    if not _ended(detail.steps, kind):
        return None
    found = next((output for output in detail.outputs if output.name == name), None)
    return await store.get_bytes(detail.job.tenant_id, found.sha256) if found else None


def _ended(steps: Sequence[Step], kind: str) -> bool:
    return any(step.kind == kind and step.state in ENDED for step in steps)
