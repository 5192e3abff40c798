"""Earlier results of steps: kept when a step is made again, so that old and new can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select

from domain.dispatch.model import Step
from domain.production.model import Artifact, ArtifactRef, StepRun
from tenants.unit import Unit

ENDED = ("succeeded", "waiting_approval")
"""Steps in these states have a result worth keeping."""


async def keep_runs(unit: Unit, steps: Sequence[Step], asked: UUID, instruction: str) -> None:
    """Put the present results of steps by, and take their files from the job's outputs.

    `asked` is the step that a person wants made again, with `instruction`; the others only rest on it.
    """
    kept = [step for step in steps if step.state in ENDED]
    files = await _files(unit, [step.id for step in kept])
    numbers = await _numbers(unit, [step.id for step in kept])
    for step in kept:
        unit.session.add(
            StepRun(
                job_id=step.job_id,
                step_id=step.id,
                kind=step.kind,
                shard=step.shard,
                number=numbers.get(step.id, 0) + 1,
                instruction=step.instruction or "",
                input_hash=step.input_hash or "",
                outputs=step.outputs or {},
                files=files.get(step.id, {}),
                replaced_by=unit.principal.name,
                replaced_for=instruction if step.id == asked else "",
                created_at=func.clock_timestamp(),
            )
        )
    await unit.session.flush()
    gone = [step.id for step in steps]
    await unit.session.execute(
        delete(ArtifactRef).where(ArtifactRef.step_id.in_(gone)).execution_options(synchronize_session=False)
    )


async def _files(unit: Unit, steps: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = await unit.session.execute(
        select(ArtifactRef, Artifact)
        .join(Artifact, (Artifact.tenant_id == ArtifactRef.tenant_id) & (Artifact.sha256 == ArtifactRef.sha256))
        .where(ArtifactRef.step_id.in_(list(steps)), ArtifactRef.role != "manifest")
    )
    files: dict[UUID, dict[str, Any]] = {}
    for ref, artifact in rows:
        files.setdefault(ref.step_id, {})[ref.name] = {
            "sha256": ref.sha256,
            "role": ref.role,
            "size": artifact.size,
            "media_type": artifact.media_type,
            "position": ref.position,
            "facts": {**artifact.facts, **ref.facts},
        }
    return files


async def _numbers(unit: Unit, steps: Sequence[UUID]) -> dict[UUID, int]:
    rows = await unit.session.execute(
        select(StepRun.step_id, func.max(StepRun.number))
        .where(StepRun.step_id.in_(list(steps)))
        .group_by(StepRun.step_id)
    )
    return {step_id: int(number) for step_id, number in rows}
