"""Reading what a step has to work with: its job, and the outputs of all it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.dispatch.claim import Claim
from domain.production.errors import NotFound
from domain.production.pipeline.base import JobInfo, Json, StepInfo, StepKind, Work


@dataclass(frozen=True)
class Loaded:
    """A step's work, what its job was expected to cost, and the seconds its kind has guessed for it (0 = unknown)."""

    work: Work
    quote: Json
    guess_s: float


def read_work(claim: Claim, kinds: Mapping[str, StepKind]) -> Loaded:
    """Read the work of a step from what came with its claim (`app.load_step`). Raises NotFound without a job."""
    found: Json | None = claim.along
    if found is None:
        raise NotFound("job")
    spec = found["spec"]
    inputs, shards = _inputs(found["below"], kinds)
    step = StepInfo(
        id=claim.step_id,
        kind=claim.kind,
        shard=claim.shard,
        spec=claim.spec,
        attempt=claim.attempt,
        fence=claim.fence,
        instruction=claim.instruction,
        salt=_salt(spec, claim),
    )
    job = JobInfo(claim.job_id, found["number"], found["title"], claim.project_id, found["slug"], spec)
    work = Work(tenant_id=claim.tenant_id, job=job, step=step, inputs=inputs, shards=shards)
    return Loaded(work, found["quote"], float(found["guess"]))


def _salt(spec: Json, claim: Claim) -> str:
    return ":".join(filter(None, (str(spec.get("salt", "")), str(claim.spec.get("salt", "")))))


def _inputs(
    below: Iterable[tuple[str, str, Any]], kinds: Mapping[str, StepKind]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Sort outputs by kind; those of a fan-out kind by shard too."""
    inputs: dict[str, Any] = {}
    shards: dict[str, dict[str, Any]] = {kind: {} for kind, module in kinds.items() if module.FAN_OUT}
    for kind, shard, outputs in below:
        if kind in shards:
            shards[kind][shard] = outputs or {}
        else:
            inputs[kind] = outputs or {}
    return inputs, shards
