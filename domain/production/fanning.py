"""Steps that a result spawns, as rows-to-be: where they run, what they may take, and what is known already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domain.dispatch.enqueue import Placed
from domain.dispatch.stats import ratios
from domain.production.cache import FoundStep, find_steps, step_key
from domain.production.graph import ORDINALS, route_of
from domain.production.pipeline.base import Json, NewStep, StepInfo, StepKind, StepResult, Work
from domain.production.ports import ObjectStore
from domain.production.settle_at_once import Spawned
from tenants.principal import worker_principal
from tenants.unit import Units

Kinds = Mapping[str, StepKind]


async def prepare_spawn(
    units: Units, store: ObjectStore, kinds: Kinds, work: Work, result: StepResult
) -> list[Spawned]:
    """Turn spawned steps into rows-to-be; those made before are born finished."""
    if not result.spawn:
        return []
    inputs = {**work.inputs, work.step.kind: result.outputs}
    keys = {new.shard: _key(kinds, work, inputs, new) for new in result.spawn}
    found = await find_steps(units, store, work.tenant_id, [key for key in keys.values() if key])
    async with units.open(worker_principal(work.tenant_id)) as unit:
        learned = await ratios(unit.session, str(work.job.spec.get("profile", "")))
    return [
        _spawned(kinds, work, new, place, found.get(keys[new.shard] or ""), learned.get(new.kind, 1.0))
        for place, new in enumerate(result.spawn)
    ]


def _key(kinds: Kinds, work: Work, inputs: Mapping[str, Any], new: NewStep) -> str | None:
    step = StepInfo(id=work.step.id, kind=new.kind, shard=new.shard, spec=new.spec, salt=work.job.spec.get("salt", ""))
    shards: dict[str, Json] = {kind: {} for kind, module in kinds.items() if module.FAN_OUT}
    return step_key(kinds[new.kind], replace(work, step=step, inputs=inputs, shards=shards, found={}))


def _spawned(kinds: Kinds, work: Work, new: NewStep, place: int, found: FoundStep | None, ratio: float) -> Spawned:
    order = list(kinds).index(new.kind) * ORDINALS + min(place, ORDINALS - 1)
    route = route_of(work.job.spec, kinds[new.kind])
    placed = Placed(
        kind=new.kind,
        pool=route.pool,
        fallback=route.fallback,
        fallback_after_s=route.after_s,
        ordinal=order,
        shard=new.shard,
        cost=new.cost * ratio,
        guess=new.cost,
        spec=dict(new.spec),
        finished=(dict(found.result.outputs), found.key) if found else None,
    )
    return Spawned(placed, found)
