"""The slots of one worker unit: how many steps of each pool it runs at once, and who may take one."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError

import structlog

from domain.production.engine import Engine
from tenants.outage import is_away

log = structlog.get_logger(__name__)

TURN_S = 60.0
"""A slot that has worked this long gives its thread back and asks for a new ticket."""

POLL_S = 2.0
"""Without tickets (Redis away, pump away) the database is asked this often."""


class Slots:
    """Runs steps on the engine's loop from any thread, never more at once than the pool has slots."""

    def __init__(self, engine: Engine, loop: asyncio.AbstractEventLoop, slots: Mapping[str, int]) -> None:
        self.engine, self.loop, self.slots = engine, loop, dict(slots)
        self._free = {pool: threading.BoundedSemaphore(count) for pool, count in slots.items()}
        self._wake = {pool: threading.Condition() for pool in slots}
        self._draining = threading.Event()

    @property
    def draining(self) -> bool:
        return self._draining.is_set()

    def work(self, pool: str, turn_s: float = TURN_S) -> bool:
        """Run steps of a pool until none can be claimed; answer True when the turn ended before that."""
        gate = self._free.get(pool)
        if gate is None or not gate.acquire(blocking=False):
            return False
        try:
            begun = time.monotonic()
            while not self.draining:
                if not self._run_next(pool):
                    return False
                self.nudge()
                if time.monotonic() - begun > turn_s:
                    return True
            return False
        finally:
            gate.release()

    def _run_next(self, pool: str) -> bool:
        try:
            return asyncio.run_coroutine_threadsafe(self.engine.run_next(pool), self.loop).result()
        except CancelledError:
            return False
        except Exception as error:
            # The lease, the poll and the pump bring everything back in order.
            if is_away(error):
                log.warning("slot.no_database")
            else:
                log.exception("slot.failed", pool=pool)
            return False

    def nudge(self) -> None:
        """Make the pollers of all pools look at once: a settled step may have made others ready."""
        for condition in self._wake.values():
            with condition:
                condition.notify_all()

    def poll(self, pool: str) -> None:
        """Keep one thread asking for work when nudged, and every two seconds without."""
        condition = self._wake[pool]
        while not self.draining:
            self.work(pool)
            with condition:
                # All pollers of a pool together look about every POLL_S; the spread keeps them apart.
                condition.wait(POLL_S * self.slots[pool] * random.uniform(0.7, 1.3))  # noqa: S311

    def drain(self) -> None:
        """Claim nothing more."""
        self._draining.set()
        self.nudge()
