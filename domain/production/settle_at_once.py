"""The usual end of a step in one call: a success after which its job goes on moving."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal, LiteralString, cast

from domain.dispatch.claim import Claim
from domain.dispatch.enqueue import Placed
from domain.dispatch.settle import Ending, Replaced
from domain.production.artifacts import Kept
from domain.production.cache import FoundStep, write_result
from domain.production.pipeline.base import StepResult
from tenants.unit import Units


@dataclass(frozen=True)
class Spawned:
    """A step to be added to the job; `found` when its result is known already."""

    placed: Placed
    found: FoundStep | None = None


@dataclass(frozen=True)
class Success:
    """Everything a successful attempt leaves behind. `counts`: parts made and reused, calls made and found.

    `ask`: a person must look at the result first, although the step has no gate of its own.
    """

    result: StepResult
    files: Sequence[Kept]
    key: str | None
    reused: bool
    spawned: Sequence[Spawned] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    profile: str = ""
    ask: bool = False
    cpu_s: float | None = None


def is_kept(success: Success) -> bool:
    """Whether a result may be found again: it has a key, is new, and is no stand-in for something better."""
    return bool(success.key) and not success.reused and not success.result.lesser


def ending_of(claim: Claim, success: Success) -> Ending:
    return Ending(
        state="waiting_approval" if claim.gate else "succeeded",
        outcome="succeeded",
        outputs=dict(success.result.outputs),
        input_hash=success.key,
        reused=success.reused,
        cpu_s=success.cpu_s,
    )


_SETTLE: LiteralString = (
    "SELECT * FROM app.settle_step(%(tenant)s, %(step)s, %(fence)s, %(attempt)s, %(ending)s::jsonb, %(files)s::jsonb, "
    "%(made)s::jsonb, %(told)s::jsonb)"
)


Settled = Literal["done", "ended", "long"]


async def settle_at_once(units: Units, claim: Claim, success: Success) -> Settled:
    """Settle in one call when the job goes on moving, or ends without money to give back or lessons to learn.

    Answers `done`, `ended` (and the job has succeeded), or `long`: it takes more, and nothing is written.
    Raises Replaced.
    """
    ending = ending_of(claim, success)
    made = None
    if is_kept(success):
        outputs = {file.name: file.as_json() for file in success.files}
        made = json.dumps({"key": success.key, "outputs": outputs, "facts": write_result(success.result)})
    data = {"step": claim.kind, "shard": claim.shard, "step_id": str(claim.step_id), "attempt": claim.attempt}
    data |= {"reused": success.reused, "units": success.result.units, "lesser": success.result.lesser, **success.counts}
    values = {
        "tenant": claim.tenant_id,
        "step": claim.step_id,
        "fence": claim.fence,
        "attempt": claim.attempt,
        "ending": json.dumps({**asdict(ending), "paused": False}),
        "files": json.dumps([{"name": file.name, **file.as_json()} for file in success.files]),
        "made": made,
        "told": json.dumps(data),
    }
    ((answer, newest),) = await units.routines.call(_SETTLE, values)
    if answer == "lost":
        raise Replaced(f"step {claim.step_id} is no longer ours at fence {claim.fence}")
    if answer != "long":
        await units.signal.events(claim.tenant_id, newest)
    return cast(Settled, answer)
