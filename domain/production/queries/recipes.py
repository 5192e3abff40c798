"""How films of a recipe went: jobs, success, what they cost and how long they took; and what is scheduled with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, case, extract, func, select
from sqlalchemy.sql.selectable import Subquery

from domain.catalog.model import Project
from domain.production.model import Job, Schedule
from domain.production.visible import only_visible
from domain.usage.model import Effect
from tenants.unit import Unit


@dataclass(frozen=True)
class Record:
    """Jobs of a recipe, or of one version of it. Costs and seconds are medians of finished ones; None = none yet.

    A cost that nobody knows leaves its job out of the median.
    """

    jobs: int
    succeeded: int
    failed: int
    micro_dollars: int | None
    seconds: float | None


async def recipe_records(unit: Unit) -> dict[str, Record]:
    """Every recipe's record by short name, in one statement. Raises Forbidden."""
    unit.principal.require("jobs:read")
    paid = _paid()
    statement = _records(paid).add_columns(Job.recipe_slug).group_by(Job.recipe_slug)
    rows = await unit.session.execute(statement.where(*only_visible(unit.principal, Job.project_id)))
    return {row[-1]: _record(row) for row in rows}


async def version_records(unit: Unit, slug: str) -> dict[int, Record]:
    """The record of each version of a recipe, in one statement. Raises Forbidden."""
    unit.principal.require("jobs:read")
    paid = _paid()
    statement = _records(paid).add_columns(Job.recipe_version).group_by(Job.recipe_version)
    visible = only_visible(unit.principal, Job.project_id)
    rows = await unit.session.execute(statement.where(Job.recipe_slug == slug, *visible))
    return {row[-1]: _record(row) for row in rows}


def _paid() -> Subquery:
    known = case((func.sum(Effect.unpriced) == 0, func.sum(Effect.micro_dollars)))
    return select(Effect.tenant_id, Effect.job_id, known.label("paid"), func.count().label("calls")).group_by(
        Effect.tenant_id, Effect.job_id
    ).subquery("paid")  # fmt: skip


def _records(paid: Subquery) -> Select[Any]:
    done = Job.state == "succeeded"
    took = extract("epoch", Job.finished_at - Job.started_at)
    cost = case((paid.c.calls.is_(None), 0), else_=paid.c.paid)
    return (
        select(
            func.count(),
            func.count().filter(done),
            func.count().filter(Job.state == "failed"),
            func.percentile_cont(0.5).within_group(cost).filter(done),
            func.percentile_cont(0.5).within_group(took).filter(done),
        )
        .select_from(Job)
        .outerjoin(paid, and_(paid.c.tenant_id == Job.tenant_id, paid.c.job_id == Job.id))
    )


def _record(row: Any) -> Record:
    jobs, succeeded, failed, cost, seconds, _ = row
    return Record(
        int(jobs),
        int(succeeded),
        int(failed),
        None if cost is None else round(cost),
        None if seconds is None else float(seconds),
    )


@dataclass(frozen=True)
class Timed:
    """A project with schedules of a recipe that will start jobs."""

    project: str
    project_name: str
    count: int


async def schedules_by_recipe(unit: Unit, *, all_of_them: bool = False) -> Mapping[str, list[Timed]]:
    """The schedules that will still start jobs, by the short name of their recipe, in one statement."""
    recipe = Schedule.request["recipe"].astext
    seen = [] if all_of_them else only_visible(unit.principal, Schedule.project_id)
    rows = await unit.session.execute(
        select(recipe, Project.slug, Project.name, func.count())
        .join(Project, and_(Project.tenant_id == Schedule.tenant_id, Project.id == Schedule.project_id))
        .where(Schedule.next_at.is_not(None), *seen)
        .group_by(recipe, Project.slug, Project.name)
        .order_by(Project.name)
    )
    found: defaultdict[str, list[Timed]] = defaultdict(list)
    for slug, project, name, count in rows:
        found[str(slug)].append(Timed(project, name, int(count)))
    return found
