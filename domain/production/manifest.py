"""The manifest: the receipt of a finished job, as one artifact of its own."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.dispatch.model import Step
from domain.production.artifacts import Kept, record_refs
from domain.production.commands.redo_step import wishes_of
from domain.production.jobs import find_job
from domain.production.model import Approval, Artifact, ArtifactRef, Job, StepRun
from domain.production.ports import ObjectStore
from domain.production.queries.cost import money_of, quote_against
from domain.usage.budget import spent_by
from domain.usage.model import Effect
from tenants.model import Event
from tenants.principal import worker_principal
from tenants.unit import Unit, Units

NAME = "manifest.json"
FORM = "manifest/1"


async def write_manifest(units: Units, store: ObjectStore, tenant_id: UUID, job_id: UUID) -> str | None:
    """Write the manifest of a job that has succeeded; answer its hash. Doing it twice changes nothing."""
    async with units.open(worker_principal(tenant_id)) as unit:
        job = await find_job(unit.session, tenant_id, job_id)
        if job.state != "succeeded":
            return None
        body = await _gather(unit, job)
        last = await _last_step(unit.session, job)
    data = json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False).encode()
    stored = await store.put_bytes(tenant_id, data)
    kept = Kept(NAME, "manifest", stored.sha256, stored.size, "application/json")
    async with units.open(worker_principal(tenant_id)) as unit:
        present = await unit.session.get(ArtifactRef, (tenant_id, job_id, NAME))
        if present is None or present.sha256 != stored.sha256:
            await record_refs(unit.session, tenant_id, job_id, last, [kept])
            unit.emit("job.manifest", job_id=job_id, project_id=job.project_id, sha256=stored.sha256)
    return stored.sha256


async def _last_step(session: AsyncSession, job: Job) -> UUID:
    statement = select(Step.id).where(Step.job_id == job.id, Step.state == "succeeded").order_by(Step.ordinal.desc())
    return (await session.execute(statement.limit(1))).scalar_one()


async def _gather(unit: Unit, job: Job) -> dict[str, Any]:
    session = unit.session
    spent = await spent_by(session, job.tenant_id, job.id)
    return {
        "form": FORM,
        "job": {
            "id": str(job.id),
            "number": job.number,
            "title": job.title,
            "recipe": {"slug": job.recipe_slug, "version": job.recipe_version},
            "created_at": job.created_at.isoformat(),
            "started_at": job.started_at.isoformat() if job.started_at else None,
            "finished_at": job.finished_at.isoformat() if job.finished_at else None,
            "made_by": job.made_by_name,
            "forked_from": job.forked_from,
        },
        "spec": job.spec,
        "spec_hash": job.spec_hash,
        "quote": job.quote,
        "cost": {"micro_dollars": spent.micro_dollars, "calls": spent.calls, "unknown_prices": spent.unknown},
        "quote_against_actual": [asdict(line) for line in quote_against(job.quote, (await money_of(unit, job)).lines)],
        "steps": await _steps(session, job),
        "earlier_runs": await _earlier(session, job),
        "decisions": await _decisions(session, job),
        "calls": await _calls(session, job),
        "artifacts": await _artifacts(session, job),
    }


async def _steps(session: AsyncSession, job: Job) -> list[dict[str, Any]]:
    told = await session.execute(
        select(Event.data).where(Event.job_id == job.id, Event.type == "step.succeeded").order_by(Event.seq)
    )
    counts = {(data["step"], data["shard"]): data for (data,) in told}
    rows = await session.execute(
        select(Step)
        .where(Step.job_id == job.id, Step.state == "succeeded")
        .order_by(Step.ordinal, Step.kind, Step.shard)
    )
    fields = ("seconds", "made", "found", "calls", "answers")
    return [
        {
            "kind": step.kind,
            "shard": step.shard,
            "input_hash": step.input_hash,
            "reused": step.reused,
            "attempts": step.attempt,
            "instruction": step.instruction or "",
            **({"wishes": wishes} if (wishes := wishes_of(step)) else {}),
            "outputs": step.outputs,
            **{name: value for name in fields if (value := counts.get((step.kind, step.shard), {}).get(name))},
        }
        for step in rows.scalars()
    ]


async def _earlier(session: AsyncSession, job: Job) -> list[dict[str, Any]]:
    """What was made again since, with the instruction each run was made with and the one that replaced it."""
    rows = await session.execute(
        select(StepRun).where(StepRun.job_id == job.id).order_by(StepRun.created_at, StepRun.kind, StepRun.number)
    )
    return [
        {
            "kind": run.kind,
            "shard": run.shard,
            "run": run.number,
            "instruction": run.instruction,
            "input_hash": run.input_hash,
            "outputs": run.outputs,
            "files": {name: file["sha256"] for name, file in sorted(run.files.items())},
            "replaced_at": run.created_at.isoformat(),
            "replaced_by": run.replaced_by,
            "replaced_for": run.replaced_for,
        }
        for run in rows.scalars()
    ]


async def _decisions(session: AsyncSession, job: Job) -> list[dict[str, Any]]:
    """Who decided what at which gate, and on which version; a newer version has voided some."""
    rows = await session.execute(
        select(Approval, Step.kind)
        .join(Step, (Step.tenant_id == Approval.tenant_id) & (Step.id == Approval.step_id))
        .where(Approval.job_id == job.id)
        .order_by(Approval.created_at, Approval.id)
    )
    return [
        {
            "step": kind,
            "decision": row.state,
            "by": row.decided_by_name,
            "at": row.decided_at.isoformat() if row.decided_at else None,
            "seen_version": row.seen_version,
            "decided_version": row.decided_version,
            "voided_at": row.voided_at.isoformat() if row.voided_at else None,
            "note": row.note,
        }
        for row, kind in rows
    ]


async def _calls(session: AsyncSession, job: Job) -> list[dict[str, Any]]:
    rows = await session.execute(
        select(Effect).where(Effect.job_id == job.id).order_by(Effect.sent_at, Effect.effect_key)
    )
    return [
        {
            "step": row.step_kind,
            "provider": row.provider,
            "model": row.model,
            "state": row.state,
            "request_hash": row.request_hash,
            "provider_ref": row.provider_ref,
            "answer_sha256": row.response_key,
            "units": row.units,
            "micro_dollars": row.micro_dollars,
            "unpriced": row.unpriced,
            "tries": row.tries,
            "doubts": row.doubts,
            "decision": row.decision if row.decided_by_name else None,
        }
        for row in rows.scalars()
    ]


async def _artifacts(session: AsyncSession, job: Job) -> list[dict[str, Any]]:
    rows = await session.execute(
        select(ArtifactRef, Artifact)
        .join(Artifact, (Artifact.tenant_id == ArtifactRef.tenant_id) & (Artifact.sha256 == ArtifactRef.sha256))
        .where(ArtifactRef.job_id == job.id, ArtifactRef.name != NAME)
        .order_by(ArtifactRef.name)
    )
    return [
        {
            "name": ref.name,
            "role": ref.role,
            "sha256": ref.sha256,
            "size": artifact.size,
            "media_type": artifact.media_type,
            "facts": ref.facts,
        }
        for ref, artifact in rows
    ]
