"""Reads of money: what a job has paid and holds, calls that wait for a decision, what a workspace has spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, cast, false, func, or_, select

from domain.catalog.model import Project
from domain.production.model import Job
from domain.usage.model import Budget, BudgetEntry, Effect
from tenants.unit import Unit


# ── One job ───────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class PaidLine:
    """What one step has asked of one provider and model. `failed` were billed or not; `unpriced` have no price."""

    step: str
    provider: str
    model: str
    done: int
    failed: int
    in_doubt: int
    doubts: int
    unpriced: int
    micro_dollars: int


@dataclass(frozen=True)
class JobMoney:
    """A job's money: lines by step and provider, what is set aside, its cap (None = none)."""

    lines: tuple[PaidLine, ...]
    reserved: int
    spent: int
    cap: int | None
    month: str

    @property
    def unknown(self) -> bool:
        return any(line.unpriced for line in self.lines)


@dataclass(frozen=True)
class OpenCall:
    """A call whose outcome is not known; `likely` None = what a repeat costs is unknown."""

    key: str
    step: str
    shard: str
    provider: str
    model: str
    sent_at: datetime | None
    said: str
    likely: int | None
    fallback: str


async def money_of(unit: Unit, job: Job) -> JobMoney:
    """Read a job's money in two statements."""
    unit.principal.require("jobs:read", job.project_id)
    rows = await unit.session.execute(
        select(
            Effect.step_kind,
            Effect.provider,
            Effect.model,
            func.count().filter(Effect.state == "done"),
            func.count().filter(Effect.state == "failed"),
            func.count().filter(Effect.state == "in_doubt"),
            func.coalesce(func.sum(Effect.doubts), 0),
            func.coalesce(func.sum(Effect.unpriced), 0),
            func.coalesce(func.sum(Effect.micro_dollars), 0),
        )
        .where(Effect.job_id == job.id)
        .group_by(Effect.step_kind, Effect.provider, Effect.model)
        .order_by(func.min(Effect.created_at), Effect.step_kind)
    )
    lines = tuple(
        PaidLine(kind, provider, model, done, failed, open_, int(doubts or 0), int(unpriced or 0), int(paid or 0))
        for kind, provider, model, done, failed, open_, doubts, unpriced, paid in rows
    )
    found = await unit.session.execute(
        select(Budget.reserved, Budget.spent, Budget.home).where(Budget.scope == "job", Budget.scope_id == job.id)
    )
    aside, spent, month = found.one_or_none() or (0, sum(line.micro_dollars for line in lines), "")
    return JobMoney(lines, int(aside), int(spent), job.cost_limit, str(month))


async def open_calls(unit: Unit, job_id: UUID) -> list[OpenCall]:
    """The calls of a job that wait for a person's decision."""
    rows = await unit.session.scalars(
        select(Effect)
        .where(Effect.job_id == job_id, Effect.state == "in_doubt")
        .order_by(Effect.sent_at, Effect.effect_key)
    )
    return [
        OpenCall(
            row.effect_key,
            row.step_kind,
            row.shard,
            row.provider,
            row.model,
            row.sent_at,
            row.error or "",
            row.likely,
            row.fallback,
        )
        for row in rows
    ]


# ── A workspace ───────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class UsageLine:
    """What was billed on a day (UTC) in a project at a provider; `unpriced` of the `calls` have no known price.

    `project` is empty for what belongs to no job: listening to voices.
    """

    day: date
    project: str
    provider: str
    model: str
    calls: int
    unpriced: int
    micro_dollars: int


@dataclass(frozen=True)
class ProjectName:
    id: UUID
    slug: str
    name: str


async def usage_of(unit: Unit, month: str) -> tuple[list[UsageLine], list[ProjectName]]:
    """What a month's calls were billed, by day, project, provider and model; and the projects a person may see."""
    unit.principal.require("usage:read")
    begin = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    end = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    rows = await unit.session.scalars(select(Project).order_by(Project.name, Project.id))
    projects = {row.id: row for row in rows if unit.principal.can("usage:read", row.id)}
    day = cast(func.timezone("UTC", BudgetEntry.at), Date)
    found = await unit.session.execute(
        select(
            day,
            BudgetEntry.project_id,
            BudgetEntry.provider,
            BudgetEntry.model,
            func.count(),
            func.sum(BudgetEntry.unpriced),
            func.sum(BudgetEntry.micro_dollars),
        )
        .where(BudgetEntry.kind == "settle", BudgetEntry.at >= begin, BudgetEntry.at < end)
        .where(or_(BudgetEntry.project_id.in_(list(projects)), _outside(unit)))
        .group_by(day, BudgetEntry.project_id, BudgetEntry.provider, BudgetEntry.model)
        .order_by(day, BudgetEntry.project_id, BudgetEntry.provider, BudgetEntry.model)
    )
    slugs: dict[UUID | None, str] = {None: "", **{row.id: row.slug for row in projects.values()}}
    lines = [
        UsageLine(moment, slugs[project], provider, model, calls, int(unpriced or 0), int(paid or 0))
        for moment, project, provider, model, calls, unpriced, paid in found
    ]
    return lines, [ProjectName(row.id, row.slug, row.name) for row in projects.values()]


def _outside(unit: Unit) -> ColumnElement[bool]:
    """What belongs to no project, for those who see the whole workspace."""
    return BudgetEntry.project_id.is_(None) if unit.principal.projects is None else false()


# ── Quote against actual ──────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Against:
    """A step's part of a quote beside what it came to; None = unknown (or, for the quote, not foreseen)."""

    step: str
    provider: str
    model: str
    low: int | None
    likely: int | None
    high: int | None
    quoted: bool
    actual: int | None
    calls: int

    @property
    def off(self) -> int | None:
        """Actual − likely, in micro-dollars."""
        return None if self.actual is None or self.likely is None else self.actual - self.likely


def quote_against(quote: Mapping[str, Any], lines: Sequence[PaidLine]) -> list[Against]:
    """Put every line of a quote beside what was paid; what nobody foresaw (a fallback) follows."""
    left: dict[tuple[str, str], list[PaidLine]] = {}
    for line in lines:
        left.setdefault((line.step, line.provider), []).append(line)
    found = []
    for quoted in quote.get("lines", ()):
        key = (str(quoted.get("step", "")), str(quoted.get("provider", "")))
        found.append(_against(key, quoted, left.pop(key, [])))
    return [*found, *(_against(key, None, paid) for key, paid in left.items())]


def _against(key: tuple[str, str], quoted: Mapping[str, Any] | None, paid: Sequence[PaidLine]) -> Against:
    said = quoted or {}
    unknown = any(line.unpriced for line in paid)
    return Against(
        step=key[0],
        provider=key[1],
        model=str(said.get("model") or next((line.model for line in paid if line.model), "")),
        low=said.get("low"),
        likely=said.get("micro_dollars"),
        high=said.get("high"),
        quoted=quoted is not None,
        actual=None if unknown else sum(line.micro_dollars for line in paid),
        calls=sum(line.done + line.failed for line in paid),
    )
