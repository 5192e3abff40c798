"""Projects and their counts, read once for all open pages of a workspace.

At most once a second, and only when something has happened there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from domain.production.queries.projects import ProjectLine, projects_of
from tenants.principal import worker_principal
from tenants.unit import Units

LEAST_S = 1.0
"""Between two readings for the same workspace."""
LONGEST_S = 15.0
"""A reading is this old at most, also when no hint arrives."""
MOST = 500
"""Workspaces whose reading is kept."""


@dataclass
class Reading:
    """What is known of a workspace: the newest event heard of, and the projects as they were after event `read`."""

    hinted: int = 0
    read: int = -1
    at: float = -LONGEST_S
    lines: Sequence[ProjectLine] = ()
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def is_old(self, now: float, since: float) -> bool:
        """Whether to read again; what was read before `since` tells nothing to who listens only from then on."""
        age = now - self.at
        return self.at < since or age >= LONGEST_S or (age >= LEAST_S and self.hinted > self.read)


class Readings:
    """The latest reading of each workspace, shared by all open pages of this process."""

    def __init__(self, units: Units) -> None:
        self._units, self._kept = units, dict[UUID, Reading]()

    def hear(self, tenant_id: UUID, hint: str | None) -> None:
        """Note that something has happened; hints of progress are none."""
        if hint is not None and hint.isascii() and hint.isdigit():
            kept = self._of(tenant_id)
            kept.hinted = max(kept.hinted, int(hint))

    async def read(self, tenant_id: UUID, since: float) -> Sequence[ProjectLine]:
        """Every project of a workspace with its counts, no older than `since` (monotonic seconds)."""
        kept = self._of(tenant_id)
        async with kept.lock:
            if kept.is_old(time.monotonic(), since):
                hinted, at = kept.hinted, time.monotonic()
                async with self._units.open(worker_principal(tenant_id)) as unit:
                    kept.lines = await projects_of(unit)
                kept.read, kept.at = hinted, at
            return kept.lines

    def _of(self, tenant_id: UUID) -> Reading:
        if tenant_id not in self._kept:
            while len(self._kept) >= MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[tenant_id] = Reading()
        return self._kept[tenant_id]
