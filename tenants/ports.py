"""The outside world as tenancy sees it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """Tells the time (UTC, aware)."""

    def now(self) -> datetime: ...


class Signal(Protocol):
    """Hints that rows have changed. A hint may be lost or doubled; nobody may rely on it. Never raises."""

    async def events(self, tenant_id: UUID, last_seq: int) -> None:
        """Say that the tenant has events up to `last_seq`."""
        ...

    async def progress(self, tenant_id: UUID, job_id: UUID) -> None:
        """Say that a running step of the job has moved on; there is no event for it."""
        ...

    async def work(self, pool: str) -> None:
        """Say that a pool may have work."""
        ...

    async def control(self, tenant_id: UUID, job_id: UUID) -> None:
        """Say that a job's control flag has changed."""
        ...


class NoSignal:
    """The signal that says nothing; readers fall back to polling."""

    async def events(self, tenant_id: UUID, last_seq: int) -> None:
        return None

    async def progress(self, tenant_id: UUID, job_id: UUID) -> None:
        return None

    async def work(self, pool: str) -> None:
        return None

    async def control(self, tenant_id: UUID, job_id: UUID) -> None:
        return None
