"""The quote of a job: its demands, priced, with what earlier jobs of the project have taught."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from domain.dispatch.stats import ratios
from domain.production.estimate import demands_of, machine_seconds
from domain.production.foresight import NO_FORESIGHT, Foreseen
from domain.production.money import lessons_of
from domain.production.pipeline.base import StepKind
from domain.production.spec import JobSpec
from domain.usage.quote import Quote, Tariffs, make_quote
from tenants.unit import Unit


async def quote_job(
    unit: Unit,
    spec: JobSpec,
    tariffs: Tariffs,
    kinds: Mapping[str, StepKind],
    learned: Mapping[str, float] | None = None,
    foreseen: Foreseen = NO_FORESIGHT,
    only: Collection[str] | None = None,
) -> Quote:
    """Estimate a job before it starts. `learned`: factors of durations, if they are known already.

    `only`: the kinds of steps that will be made; all others are found made before.
    """
    lessons = await lessons_of(unit.session, unit.tenant_id, UUID(spec.project.id))
    factors = learned if learned is not None else await ratios(unit.session, spec.profile)
    body = {"seconds": spec.seconds}
    steps = [step.kind for step in spec.recipe.steps if step.kind in kinds and not kinds[step.kind].FAN_OUT]
    wanted = {step.kind for step in spec.recipe.steps} if only is None else set(only)
    costs = {kind: kinds[kind].cost(body, {}) for kind in steps if kind in wanted}
    seconds = machine_seconds(spec, factors, costs, film=any(kinds[one].FAN_OUT for one in wanted if one in kinds))
    demands = [one for one in demands_of(spec, tariffs, foreseen) if one.step in wanted]
    return make_quote(demands, tariffs, lessons, seconds)
