"""Reads of a job's log: its end, all of it, or what came after a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from domain.production.model import LogChunk
from tenants.unit import Unit

LOG_WINDOW = 2000
"""Lines a page holds at most."""


@dataclass(frozen=True)
class LogLine:
    """One line of a job's log; `number` is job-wide and is its permalink."""

    number: int
    step_id: UUID
    attempt: int
    at: str
    level: str
    group: str
    text: str


async def log_after(unit: Unit, job_id: UUID, after: int, limit: int = LOG_WINDOW) -> list[LogLine]:
    """The lines after number `after`, oldest first, at most `limit`."""
    statement = (
        select(LogChunk.first, LogChunk.step_id, LogChunk.attempt, LogChunk.lines)
        .where(LogChunk.job_id == job_id, LogChunk.first + LogChunk.count > after + 1)
        .order_by(LogChunk.first)
        .limit(limit)
    )
    lines = [line for chunk in await unit.session.execute(statement) for line in _lines(chunk)]
    return [line for line in lines if line.number > after][:limit]


_CHUNKS = (
    select(LogChunk.first, LogChunk.step_id, LogChunk.attempt, LogChunk.lines)
    .where(LogChunk.job_id == bindparam("job"))
    .order_by(LogChunk.first.desc())
)


def _lines(chunk: Any) -> list[LogLine]:
    return [
        LogLine(
            number=chunk.first + offset,
            step_id=chunk.step_id,
            attempt=chunk.attempt,
            at=str(line.get("at", "")),
            level=str(line.get("level", "info")),
            group=str(line.get("group", "") or ""),
            text=str(line.get("text", "")),
        )
        for offset, line in enumerate(chunk.lines)
    ]


async def log_lines(
    unit: Unit, job_id: UUID, steps: Sequence[UUID] | None = None, last: int | None = None
) -> list[LogLine]:
    """All lines of a job (or of some of its steps), oldest first; `last` keeps only the end of it."""
    statement = _CHUNKS if steps is None else _CHUNKS.where(LogChunk.step_id.in_(steps))
    # A chunk holds at least one line, so `last` chunks hold at least `last` lines.
    chunks = (await unit.session.execute(statement.limit(last), {"job": job_id})).all()[::-1]
    lines = [line for chunk in chunks for line in _lines(chunk)]
    return lines if last is None else lines[-last:]
