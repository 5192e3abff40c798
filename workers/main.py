"""A worker unit: one process that runs steps of some pools in a few slots.

    python -m workers.main --pools io:2,cpu:2

Dramatiq brings tickets and threads, PostgreSQL says what to do. The unit has a session of its own, so that it can end
itself and everything it started without touching its supervisor.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar
from uuid import UUID

import structlog
from dramatiq.worker import Worker

from adapters import lifeline, settings, wiring
from adapters.database import DatabaseError
from adapters.logs import configure_logs
from adapters.queue.broker import make_broker
from adapters.settings import Settings, SettingsError
from domain.dispatch.farm import join_farm, set_worker_state
from domain.production.engine import Engine, reap_orphans
from domain.production.pipeline import STEP_KINDS
from domain.production.pipeline.base import StepKind, Tools
from tenants.keyring import KeyFault
from workers import host
from workers.actors import declare_slot
from workers.middleware import DrainGuard
from workers.renewer import Renewer
from workers.slots import Slots

log = structlog.get_logger(__name__)

T = TypeVar("T")

TICKET_POLL_MS = 100
VERSION = "0.1.0"


class PoolsError(Exception):
    """Raised when --pools cannot be understood; the message names the fault and the fix."""


def read_pools(text: str, slots: int) -> dict[str, int]:
    """Read `io:2,cpu:4` or `io,cpu` (with `slots` each). Raises PoolsError."""
    found: dict[str, int] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        pool, colon, count = part.partition(":")
        if not pool or (colon and not (count.isdigit() and 1 <= int(count) <= 256)):
            raise PoolsError(
                f"--pools: “{part[:60]}” is not understood; write for example io:2,cpu:4 (1 to 256 slots)."
            )
        found[pool] = int(count) if colon else slots
    if not found:
        raise PoolsError("--pools is empty; write for example io:2,cpu:4.")
    return found


class WorkerUnit:
    """The parts of one unit, started and stopped in order."""

    def __init__(self, chosen: Settings, pools: Mapping[str, int], kinds: Mapping[str, StepKind]) -> None:
        self._settings, self._pools, self._kinds = chosen, dict(pools), kinds
        self._loop = asyncio.new_event_loop()
        self._ending, self._hurry = threading.Event(), threading.Event()

    def end(self, *_: object) -> None:
        """Begin to end: running steps get the grace of the settings, then they are given back. Safe in a handler."""
        self._hurry.set()
        self._ending.set()

    def retire(self, *_: object) -> None:
        """Take nothing more and end once every running step has ended by itself. Safe in a signal handler."""
        self._ending.set()

    def run(self, tools: Tools | None = None) -> None:
        """Work until told to end; leaves no step behind."""
        self._start_thread("loop", self._loop.run_forever)
        runtime = wiring.build_runtime(self._settings, "worker")
        desk = runtime.open_desk()
        engine = Engine(
            units=runtime.units,
            tools=tools or wiring.build_tools(self._settings, runtime.store, desk),
            kinds=self._kinds,
            home=self._settings.home,
            lease_s=float(self._settings.lease_seconds),
        )
        engine.worker_id = worker_id = self._await(self._join(engine))
        url = self._settings.database_system_url
        renewer = Renewer(url, worker_id, engine.tethers, engine.lease_s, retire=self.retire)
        renewer.start()
        slots = Slots(engine, self._loop, self._pools)
        stop_tickets = self._start_tickets(slots)
        for pool, count in self._pools.items():
            for _ in range(count):
                self._start_thread(f"poll-{pool}", slots.poll, pool)
        log.info("worker.ready", worker=str(worker_id), pools=self._pools, pid=os.getpid())
        self._ending.wait()
        self._drain(engine, slots, worker_id)
        stop_tickets()
        renewer.stop()
        self._await(set_worker_state(engine.units, worker_id, "gone"))
        self._await(desk.close())
        self._await(runtime.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        log.info("worker.ended", worker=str(worker_id))

    async def _join(self, engine: Engine) -> UUID:
        """Take what vanished workers of this machine left, then enter the farm."""
        # A worker of our own number must be gone, however much it looks like us.
        freed = await reap_orphans(
            engine.units, host.name(), host.boot_id(), lambda pid, at: pid != os.getpid() and host.alive(pid, at)
        )
        if freed:
            log.info("worker.recovered", steps=freed)
        return await join_farm(engine.units, host.name(), host.boot_id(), os.getpid(), self._pools, VERSION)

    def _start_tickets(self, slots: Slots) -> Callable[[], None]:
        """Listen for tickets; answers how to stop."""
        broker = make_broker(self._settings.redis_url, DrainGuard(slots))
        for pool in self._pools:
            declare_slot(broker, pool, slots)
        worker = Worker(broker, worker_timeout=TICKET_POLL_MS, worker_threads=sum(self._pools.values()))
        worker.queue_prefetch = sum(self._pools.values())
        worker.start()

        def stop() -> None:
            worker.stop(timeout=2000)
            broker.close()

        return stop

    def _drain(self, engine: Engine, slots: Slots, worker_id: UUID) -> None:
        """Claim nothing more; what does not end by itself in time is given back without penalty."""
        slots.drain()
        with suppress(Exception):
            self._await(set_worker_state(engine.units, worker_id, "draining"))
        hurried = 0.0
        while engine.tethers.all():
            if self._hurry.wait(0.05):
                hurried = hurried or time.monotonic()
                if time.monotonic() - hurried > self._settings.grace_seconds:
                    for tether in engine.tethers.all():
                        tether.pull("drain")
                threading.Event().wait(0.05)

    def _start_thread(self, name: str, body: Callable[..., object], *arguments: object) -> None:
        threading.Thread(target=body, args=arguments, name=name, daemon=True).start()

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def lead_own_session() -> None:
    """Leave the supervisor's session and group, unless this process leads its own already."""
    if os.getpgrp() != os.getpid():
        os.setsid()


def main(arguments: Sequence[str] | None = None, kinds: Mapping[str, StepKind] = STEP_KINDS) -> int:
    """Run a unit from the command line; answers the exit code."""
    parser = argparse.ArgumentParser(prog="vfos worker", description="Run one worker unit.")
    parser.add_argument("--pools", default="io,cpu", help="pools to serve, such as io:2,cpu:4")
    parser.add_argument("--slots", type=int, default=2, help="slots of pools that name no number")
    given = parser.parse_args(arguments)
    try:
        chosen = settings.load()
        configure_logs(chosen)
        unit = WorkerUnit(chosen, read_pools(given.pools, given.slots), kinds)
        lead_own_session()
        lifeline.watch()
        signal.signal(signal.SIGTERM, unit.end)
        signal.signal(signal.SIGINT, unit.end)
        signal.signal(signal.SIGUSR1, unit.retire)
        unit.run()
    except (SettingsError, DatabaseError, PoolsError, KeyFault) as fault:
        sys.stderr.write(f"{fault}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
