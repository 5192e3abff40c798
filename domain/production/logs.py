"""What a running step says: log lines, progress and events, gathered from any thread and written twice a second."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import insert, update

from domain.dispatch.claim import Claim
from domain.dispatch.model import Step
from domain.production.model import Job, LogChunk
from tenants.outage import is_away
from tenants.principal import worker_principal
from tenants.unit import Units

log = structlog.get_logger(__name__)

EVERY_S = 0.5
LINE_LIMIT = 4000
LEVELS = ("info", "warn", "error")


class Journal:
    """Gathers what a step says. `now` tells UTC time, for the stamps of lines."""

    def __init__(self, units: Units, claim: Claim, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._units, self._claim, self._now = units, claim, now
        self._lock = threading.Lock()
        self._lines: list[dict[str, Any]] = []
        self._events: list[tuple[str, dict[str, Any]]] = []
        self._progress: tuple[int, int, str] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._over = False

    def line(self, text: str, level: str, group: str) -> None:
        assert level in LEVELS
        entry = {"at": self._now().isoformat(timespec="milliseconds"), "level": level, "text": text[:LINE_LIMIT]}
        with self._lock:
            self._lines.append(entry | {"group": group})

    def event(self, event_type: str, data: dict[str, Any]) -> None:
        with self._lock:
            self._events.append((event_type, data))

    def progress(self, done: int, total: int, stage: str) -> None:
        with self._lock:
            self._progress = (done, total, stage)

    def begin(self) -> None:
        """Begin to write twice a second."""
        self._writing = asyncio.create_task(self._keep_writing())

    async def end(self) -> None:
        """Write no more; what is being written is cut off.

        A library may answer to being cut off with an error of its own, so the writing is also told that it is over.
        """
        self._over = True
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)

    async def _keep_writing(self) -> None:
        """Write what has gathered every half second; a failed write is tried again with the next."""
        while not self._over:
            await asyncio.sleep(EVERY_S)
            try:
                await self.flush()
            except Exception as error:
                if is_away(error):
                    log.warning("journal.no_database")
                    continue
                log.warning("journal.write_failed", step=str(self._claim.step_id), exc_info=True)

    async def flush(self) -> None:
        """Write everything gathered so far."""
        with self._lock:
            lines, self._lines = self._lines, []
            events, self._events = self._events, []
            progress, self._progress = self._progress, None
        try:
            await self._write(lines, events, progress)
        except BaseException:
            with self._lock:
                self._lines[:0], self._events[:0] = lines, events
                self._progress = self._progress or progress
            raise

    async def _write(
        self,
        lines: list[dict[str, Any]],
        events: list[tuple[str, dict[str, Any]]],
        progress: tuple[int, int, str] | None,
    ) -> None:
        if not (lines or events or progress):
            return
        claim = self._claim
        async with self._units.open(worker_principal(claim.tenant_id)) as unit:
            if lines:
                first = await self._write_lines(unit.session, lines)
                self._emit(unit, "log", {"first": first, "count": len(lines)})
            for event_type, data in events:
                self._emit(unit, event_type, data)
            if progress:
                await self._write_progress(unit.session, progress)
        if progress:
            # Progress has no event; the hint alone makes open pages read the step's row again.
            await self._units.signal.progress(claim.tenant_id, claim.job_id)

    def _emit(self, unit: Any, event_type: str, data: dict[str, Any]) -> None:
        claim = self._claim
        known = {"step": claim.kind, "shard": claim.shard, "step_id": str(claim.step_id), "attempt": claim.attempt}
        unit.emit(event_type, job_id=claim.job_id, project_id=claim.project_id, **(known | data))

    async def _write_lines(self, session: Any, lines: list[dict[str, Any]]) -> int:
        claim = self._claim
        last = await session.execute(
            update(Job)
            .where(Job.tenant_id == claim.tenant_id, Job.id == claim.job_id)
            .values(log_lines=Job.log_lines + len(lines))
            .returning(Job.log_lines)
        )
        first = int(last.scalar_one()) - len(lines) + 1
        chunk = {"tenant_id": claim.tenant_id, "job_id": claim.job_id, "first": first, "count": len(lines)}
        mine = {"step_id": claim.step_id, "attempt": claim.attempt, "lines": lines}
        await session.execute(insert(LogChunk).values(**chunk, **mine))
        return first

    async def _write_progress(self, session: Any, progress: tuple[int, int, str]) -> None:
        claim, (done, total, stage) = self._claim, progress
        await session.execute(
            update(Step)
            .where(Step.tenant_id == claim.tenant_id, Step.id == claim.step_id, Step.fence == claim.fence)
            .where(Step.state == "running")
            .values(done=done, total=total, stage=stage)
            .execution_options(synchronize_session=False)
        )
