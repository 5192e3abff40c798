"""Reading what a step has to work with: its job, and the outputs of all it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.model import Project
from domain.dispatch.claim import Claim
from domain.dispatch.model import Step, StepDep
from domain.production.model import Job
from domain.production.pipeline.base import JobInfo, StepInfo, StepKind, Work
from tenants.principal import worker_principal
from tenants.unit import Units


async def load_work(units: Units, claim: Claim, kinds: Mapping[str, StepKind]) -> tuple[Work, Job]:
    """Load a claimed step's work and its job's row."""
    async with units.open(worker_principal(claim.tenant_id)) as unit:
        job, slug = await _job(unit.session, claim)
        inputs, shards = await _inputs(unit.session, claim, kinds)
    work = Work(
        tenant_id=claim.tenant_id,
        job=JobInfo(job.id, job.number, job.title, job.project_id, slug, job.spec),
        step=StepInfo(
            id=claim.step_id,
            kind=claim.kind,
            shard=claim.shard,
            spec=claim.spec,
            attempt=claim.attempt,
            fence=claim.fence,
            instruction=claim.instruction,
            salt=_salt(job, claim),
        ),
        inputs=inputs,
        shards=shards,
    )
    return work, job


def _salt(job: Job, claim: Claim) -> str:
    return ":".join(filter(None, (str(job.spec.get("salt", "")), str(claim.spec.get("salt", "")))))


async def _job(session: AsyncSession, claim: Claim) -> tuple[Job, str]:
    row = await session.execute(
        select(Job, Project.slug)
        .join(Project, (Project.tenant_id == Job.tenant_id) & (Project.id == Job.project_id))
        .where(Job.tenant_id == claim.tenant_id, Job.id == claim.job_id)
    )
    job, slug = row.one()
    return job, slug


async def _inputs(
    session: AsyncSession, claim: Claim, kinds: Mapping[str, StepKind]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    here = StepDep.tenant_id == claim.tenant_id
    below = select(StepDep.needs_id).where(here, StepDep.step_id == claim.step_id).cte(recursive=True)
    below = below.union(select(StepDep.needs_id).join(below, StepDep.step_id == below.c.needs_id).where(here))
    rows = await session.execute(
        select(Step.kind, Step.shard, Step.outputs).where(
            Step.tenant_id == claim.tenant_id, Step.id.in_(select(below.c.needs_id)), Step.state == "succeeded"
        )
    )
    inputs: dict[str, Any] = {}
    shards: dict[str, dict[str, Any]] = {kind: {} for kind, module in kinds.items() if module.FAN_OUT}
    for kind, shard, outputs in rows:
        if kind in shards:
            shards[kind][shard] = outputs or {}
        else:
            inputs[kind] = outputs or {}
    return inputs, shards
