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
from domain.production.settling import Settling
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
            return asyncio.run_coroutine_threadsafe(self._turn(pool, turn_s), self.loop).result()
        except CancelledError:
            return False
        finally:
            gate.release()

    async def _turn(self, pool: str, turn_s: float) -> bool:
        """The whole turn on the loop: between two steps nobody waits for a thread to wake."""
        settling: Settling | None = None
        until = time.monotonic() + turn_s
        try:
            while not self.draining:
                settling = await self.engine.run_ahead(pool, settling)
                if settling is None:
                    return False
                settling.then(lambda task: self._settled(pool, task))
                if time.monotonic() > until:
                    return True
            return False
        except Exception as error:
            self._report(pool, error)
            return False
        finally:
            # The slot is free once its last result is written, not before.
            if settling is not None:
                await settling.ended()

    def _settled(self, pool: str, settling: asyncio.Task[None]) -> None:
        if not settling.cancelled() and (error := settling.exception()) is not None:
            self._report(pool, error)
        self.nudge()

    def _report(self, pool: str, error: BaseException) -> None:
        """Say that a slot's work was cut short: the lease, the poll and the pump bring everything back in order."""
        if is_away(error):
            log.warning("slot.no_database")
        else:
            log.error("slot.failed", pool=pool, exc_info=error)

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
