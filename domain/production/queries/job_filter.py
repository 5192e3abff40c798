"""Which jobs of a project a list, a search or a bulk act is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select

from domain.production.model import Job
from domain.usage.model import Effect


@dataclass(frozen=True)
class CostBound:
    """A comparison with what a job has paid so far, in micro-dollars; unknown prices count as nothing."""

    sign: Literal[">", "<"]
    micro_dollars: int


@dataclass(frozen=True)
class JobFilter:
    """What a list is narrowed to; empty parts do not narrow.

    `before` is the number the page starts below, `newest` the highest number that is shown at all.
    """

    states: tuple[str, ...] = ()
    recipe: str = ""
    text: str = ""
    before: int | None = None
    newest: int | None = None
    by: str = ""
    priority: int | None = None
    cost: CostBound | None = None
    numbers: tuple[int, ...] = ()


def matching(project_id: UUID, wanted: JobFilter) -> Select[Job]:
    """The jobs of a filter, without the bounds of a page."""
    return select(Job).where(Job.project_id == project_id, *conditions(wanted))


def conditions(wanted: JobFilter) -> list[ColumnElement[bool]]:
    """A filter as conditions on jobs."""
    found: list[ColumnElement[bool]] = []
    if wanted.states:
        found.append(Job.state.in_(wanted.states))
    if wanted.recipe:
        found.append(Job.recipe_slug == wanted.recipe)
    if wanted.by:
        found.append(Job.made_by_name.ilike(f"%{_like(wanted.by)}%", escape="\\"))
    if wanted.priority is not None:
        found.append(Job.priority == wanted.priority)
    if wanted.numbers:
        found.append(Job.number.in_(wanted.numbers))
    if wanted.newest is not None:
        found.append(Job.number <= wanted.newest)
    if wanted.cost is not None:
        found.append(_cost(wanted.cost))
    if wanted.text:
        found.append(_text(wanted.text))
    return found


def _text(text: str) -> ColumnElement[bool]:
    """In the title, or the number itself."""
    found: ColumnElement[bool] = Job.title.ilike(f"%{_like(text)}%", escape="\\")
    number = text.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 10:
        return or_(found, Job.number == int(number))
    return found


def _cost(bound: CostBound) -> ColumnElement[bool]:
    paid = (
        select(func.coalesce(func.sum(Effect.micro_dollars), 0))
        .where(Effect.tenant_id == Job.tenant_id, Effect.job_id == Job.id)
        .scalar_subquery()
    )
    return paid > bound.micro_dollars if bound.sign == ">" else paid < bound.micro_dollars


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
