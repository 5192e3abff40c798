"""Made once: keys of steps and of their parts, and what they have made before in the tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.production.artifacts import Kept, all_stored
from domain.production.model import Made
from domain.production.pipeline.base import NewStep, StepKind, StepResult, Work
from domain.production.ports import ObjectStore
from domain.usage.effects import hash_json
from tenants.principal import worker_principal
from tenants.unit import Units


def step_key(module: StepKind, work: Work) -> str | None:
    """The key of a whole step, or None when its outputs must not be reused."""
    inputs = module.key(work)
    if inputs is None:
        return None
    return hash_json(["step", module.KIND, module.VERSION, inputs, work.step.salt, work.step.instruction])


def part_key(kind: str, parts: Mapping[str, Any], salt: str) -> str:
    """The key of a part of a step."""
    return hash_json(["part", kind, parts, salt])


@dataclass(frozen=True)
class FoundStep:
    """What a step of the same key has made before."""

    key: str
    result: StepResult
    files: Sequence[Kept]


def write_result(result: StepResult) -> dict[str, Any]:
    """The JSON form of a result, kept in `Made.facts`."""
    return {
        "outputs": dict(result.outputs),
        "spawn": [
            {"kind": step.kind, "shard": step.shard, "spec": dict(step.spec), "cost": step.cost}
            for step in result.spawn
        ],
        "before": list(result.before),
        "units": result.units,
    }


def read_result(facts: Mapping[str, Any]) -> StepResult:
    """The result that `write_result` wrote."""
    return StepResult(
        outputs=facts["outputs"],
        spawn=tuple(NewStep(**step) for step in facts["spawn"]),
        before=tuple(facts["before"]),
        units=facts["units"],
    )


async def find_steps(units: Units, store: ObjectStore, tenant_id: UUID, keys: Sequence[str]) -> dict[str, FoundStep]:
    """What steps of these keys have made; one whose files are no longer all stored counts as not made."""
    if not keys:
        return {}
    async with units.open(worker_principal(tenant_id)) as unit:
        rows = (await unit.session.execute(select(Made).where(Made.key.in_(list(keys))))).scalars().all()
    found: dict[str, FoundStep] = {}
    for row in rows:
        files = [Kept.from_json(name, values) for name, values in sorted(row.outputs.items())]
        if await all_stored(store, tenant_id, [file.sha256 for file in files]):
            found[row.key] = FoundStep(row.key, read_result(row.facts), files)
    return found


async def record_step(
    session: AsyncSession, tenant_id: UUID, job_id: UUID, kind: str, key: str, found: FoundStep, seconds: float
) -> None:
    """Remember what a step has made; a newer making of the same key replaces the older."""
    outputs = {file.name: file.as_json() for file in found.files}
    await _record(session, tenant_id, job_id, key, kind, outputs, write_result(found.result), seconds)


async def record_part(
    session: AsyncSession,
    tenant_id: UUID,
    job_id: UUID,
    kind: str,
    key: str,
    outputs: dict[str, Any],
    facts: Mapping[str, Any],
    seconds: float,
) -> None:
    """Remember what a part of a step has made."""
    await _record(session, tenant_id, job_id, key, kind, outputs, dict(facts), seconds)


async def _record(
    session: AsyncSession,
    tenant_id: UUID,
    job_id: UUID,
    key: str,
    kind: str,
    outputs: dict[str, Any],
    facts: dict[str, Any],
    seconds: float,
) -> None:
    values = {"outputs": outputs, "facts": facts, "job_id": job_id, "seconds": seconds}
    await session.execute(
        upsert(Made)
        .values(tenant_id=tenant_id, key=key, kind=kind, **values)
        .on_conflict_do_update(index_elements=["tenant_id", "key"], set_=values)
    )
