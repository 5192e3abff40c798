"""How films of a recipe went: jobs, success, what they cost and how long they took; and what is scheduled with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import CTE, ColumnElement, Subquery, and_, case, extract, func, select
from sqlalchemy.orm import InstrumentedAttribute

from domain.catalog.model import Project
from domain.production.model import Job, Schedule
from domain.production.visible import only_visible
from domain.usage.model import Effect
from tenants.unit import Unit

DAYS = 90
"""How far back records look."""


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
    """The record of each recipe over the last `DAYS` days by short name, in one statement. Raises Forbidden."""
    return await _records(unit, Job.recipe_slug)


async def version_records(unit: Unit, slug: str) -> dict[int, Record]:
    """The record of each version of a recipe over the last `DAYS` days, in one statement. Raises Forbidden."""
    return await _records(unit, Job.recipe_version, Job.recipe_slug == slug)


async def _records(unit: Unit, by: InstrumentedAttribute[Any], *only: ColumnElement[bool]) -> dict[Any, Record]:
    unit.principal.require("jobs:read")
    visible = only_visible(unit.principal, Job.project_id)
    took = extract("epoch", Job.finished_at - Job.started_at)
    recent = Job.created_at > func.now() - timedelta(days=DAYS)
    jobs = (
        select(Job.tenant_id, Job.id, by.label("by"), Job.state, took.label("took"))
        .where(recent, *only, *visible)
        .cte("jobs")
    )
    paid = _paid(jobs)
    done = jobs.c.state == "succeeded"
    cost = case((paid.c.calls.is_(None), 0), else_=paid.c.paid)
    rows = await unit.session.execute(
        select(
            jobs.c.by,
            func.count(),
            func.count().filter(done),
            func.count().filter(jobs.c.state == "failed"),
            func.percentile_cont(0.5).within_group(cost).filter(done),
            func.percentile_cont(0.5).within_group(jobs.c.took).filter(done),
        )
        .select_from(jobs)
        .outerjoin(paid, paid.c.job_id == jobs.c.id)
        .group_by(jobs.c.by)
    )
    return {row[0]: _record(*row[1:]) for row in rows}


def _paid(jobs: CTE) -> Subquery:
    """What those jobs have cost; null where a price is not known."""
    known = case((func.sum(Effect.unpriced) == 0, func.sum(Effect.micro_dollars)))
    return (
        select(Effect.job_id, known.label("paid"), func.count().label("calls"))
        .join(jobs, and_(jobs.c.tenant_id == Effect.tenant_id, jobs.c.id == Effect.job_id))
        .group_by(Effect.job_id)
        .subquery("paid")
    )


def _record(jobs: int, succeeded: int, failed: int, cost: float | None, seconds: float | None) -> Record:
    known = None if cost is None else round(cost)
    return Record(jobs, succeeded, failed, known, None if seconds is None else float(seconds))


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
