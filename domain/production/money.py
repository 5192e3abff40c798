"""The money of a job: whose it is, what a start sets aside, what its end gives back and teaches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.production.model import Job
from domain.usage.budget import JobAccount, Spent, close_account, month_of
from domain.usage.model import Effect, QuoteLesson
from domain.usage.quote import LOCAL, Lesson, LessonKey


def this_month() -> str:
    """The present month, as budgets name it."""
    return month_of(datetime.now(UTC))


def account_of(job: Job) -> JobAccount:
    """Whose money a job spends."""
    return JobAccount(job.tenant_id, job.project_id, job.id)


def reserved_at_start(quote: Mapping[str, Any], cap: int | None) -> int:
    """What a start sets aside: the likely price, and no more than the job may spend at all."""
    likely = int(quote.get("micro_dollars") or 0)
    return likely if cap is None else min(likely, cap)


async def end_account(session: AsyncSession, job: Job) -> Spent:
    """Settle a job that has come to its end; a success teaches the next quotes."""
    spent = await close_account(session, account_of(job))
    if job.state == "succeeded" and job.spec.get("edited_from") is None:
        await _learn(session, job)
    return spent


# ── Lessons ───────────────────────────────────────────────────────────────────────────────────────────────
async def lessons_of(session: AsyncSession, tenant_id: UUID, project_id: UUID) -> dict[LessonKey, Lesson]:
    """What a project's finished jobs have taught, by step, provider and model."""
    rows = await session.scalars(
        select(QuoteLesson).where(QuoteLesson.tenant_id == tenant_id, QuoteLesson.project_id == project_id)
    )
    return {(row.step_kind, row.provider, row.model): Lesson(row.n, row.ratio, row.spread) for row in rows}


async def _learn(session: AsyncSession, job: Job) -> None:
    quoted = [line for line in job.quote.get("lines", ()) if line.get("plain") and line.get("provider") not in LOCAL]
    if not quoted:
        return
    paid = await _paid(session, job)
    for line in quoted:
        actual, calls, unknown = paid.get((str(line["step"]), str(line["provider"])), (0, 0, 0))
        # Much that was found made before says nothing of what making it costs.
        if unknown or not actual or calls * 2 < int(line["calls"][0]):
            continue
        await _learn_line(session, job, line, actual / int(line["plain"]))


async def _paid(session: AsyncSession, job: Job) -> dict[tuple[str, str], tuple[int, int, int]]:
    rows = await session.execute(
        select(
            Effect.step_kind,
            Effect.provider,
            func.coalesce(func.sum(Effect.micro_dollars), 0),
            func.count().filter(Effect.state == "done"),
            func.count().filter(Effect.unpriced > 0),
        )
        .where(Effect.tenant_id == job.tenant_id, Effect.job_id == job.id)
        .group_by(Effect.step_kind, Effect.provider)
    )
    return {(kind, provider): (int(paid or 0), calls, unknown) for kind, provider, paid, calls, unknown in rows}


async def _learn_line(session: AsyncSession, job: Job, line: Mapping[str, Any], sample: float) -> None:
    key = {"step_kind": str(line["step"]), "provider": str(line["provider"]), "model": str(line["model"])}
    row = {"tenant_id": job.tenant_id, "project_id": job.project_id, **key}
    await session.execute(upsert(QuoteLesson).values(row).on_conflict_do_nothing())
    found = await session.execute(select(QuoteLesson).filter_by(**row).with_for_update())
    lesson = found.scalar_one()
    after = Lesson(lesson.n, lesson.ratio, lesson.spread).after(sample)
    lesson.n, lesson.ratio, lesson.spread = after.n, after.ratio, after.spread
    lesson.updated_at = datetime.now(UTC)
    await session.flush()
