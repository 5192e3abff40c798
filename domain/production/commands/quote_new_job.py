"""Quote a job before it is asked for: the same checks and choices as creating it, and nothing written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from domain.production.commands.create_job import draft_spec, find_project
from domain.production.commands.new_job import NewJob
from domain.production.foresight import NO_FORESIGHT, Foreseen
from domain.production.money import this_month
from domain.production.pipeline import STEP_KINDS
from domain.production.pipeline.base import StepKind
from domain.production.quoting import quote_job
from domain.production.spec import JobSpec
from domain.usage.caps import NOTHING, MonthState, month_states
from domain.usage.quote import Quote, Tariffs
from tenants.names import is_blank
from tenants.unit import Unit

STAND_IN = "film"
"""The topic of a quote while none is written: its few characters cost next to nothing."""


@dataclass(frozen=True)
class Offer:
    """A quote with the budgets it must fit into."""

    quote: Quote
    workspace: MonthState
    project: MonthState

    @property
    def left(self) -> int | None:
        """What the narrower of both budgets has left; None without caps."""
        known = [state.left for state in (self.workspace, self.project) if state.left is not None]
        return min(known) if known else None


async def draft_new_job(unit: Unit, new: NewJob, kinds: Mapping[str, StepKind] = STEP_KINDS) -> JobSpec:
    """The specification a job would have. Raises Forbidden, NotFound (project), InvalidInput."""
    unit.principal.require("jobs:run")
    project = await find_project(unit, new.project)
    unit.principal.require("jobs:run", project.id)
    asked = replace(new, topic=STAND_IN) if is_blank(new.topic) else new
    return await draft_spec(unit, project, asked, kinds)


async def quote_new_job(
    unit: Unit,
    new: NewJob,
    tariffs: Tariffs,
    kinds: Mapping[str, StepKind] = STEP_KINDS,
    foreseen: Foreseen = NO_FORESIGHT,
) -> Offer:
    """Estimate what a job would cost. `foreseen`: what was found out about it before.

    Raises Forbidden, NotFound (project), InvalidInput.
    """
    spec = await draft_new_job(unit, new, kinds)
    project_id = UUID(spec.project.id)
    quoted = await quote_job(unit, spec, tariffs, kinds, foreseen=foreseen)
    if not unit.principal.can("usage:read", project_id):
        return Offer(quoted, NOTHING, NOTHING)
    states = await month_states(unit, this_month())
    return Offer(
        quoted, states.get(("workspace", unit.tenant_id), NOTHING), states.get(("project", project_id), NOTHING)
    )
