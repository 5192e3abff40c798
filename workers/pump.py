"""The pump: the clockwork of the farm. Several may run; the one that holds the leader's lease does the work.

    python -m workers.pump

It relays the outbox, wakes delayed steps, takes steps from workers that are gone, keeps every pool supplied with
tickets, forecasts, recounts and sweeps. Everything it does may be done twice.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from dramatiq.brokers.redis import RedisBroker
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from adapters import lifeline, settings, wiring
from adapters.database import DatabaseError
from adapters.logs import configure_logs
from adapters.queue.broker import make_broker
from adapters.settings import Settings, SettingsError
from adapters.store.objects import sweep_staging
from domain.dispatch import farm
from domain.dispatch.policy import tickets_wanted
from domain.dispatch.recount import recount
from domain.dispatch.watch import wake_delayed
from domain.production.engine import reap_expired, reap_orphans
from domain.production.manifest import write_manifest
from domain.production.pipeline import STEP_KINDS
from domain.production.upkeep import missing_manifests, update_forecasts
from workers import host
from workers.actors import send_ticket, tickets_waiting
from workers.relay import relay

log = structlog.get_logger(__name__)

TICK_S = 0.25
LEASE_S = 10.0
STALE_STAGING_S = 6 * 3600.0


@dataclass
class Duty:
    """Something the leader does every so often; a failure is logged and the next time comes."""

    name: str
    every_s: float
    do: Callable[[], Awaitable[None]]
    due: float = 0.0


@dataclass
class Pump:
    """The clockwork. `drift` is what the last recount repaired; it must be 0."""

    settings: Settings
    runtime: wiring.Runtime
    broker: RedisBroker
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    holder: str = field(default_factory=lambda: f"{host.name()}:{os.getpid()}:{uuid.uuid4().hex[:8]}")
    drift: int = 0
    _led_until: float = 0.0
    _loads: dict[str, farm.PoolLoad] = field(default_factory=dict)

    async def run(self) -> None:
        """Tick until told to end, then let another lead at once."""
        duties = self.duties()
        while not self.ending.is_set():
            if await self._lead():
                for duty in duties:
                    await self._do(duty)
            try:
                await asyncio.wait_for(self.ending.wait(), TICK_S)
            except TimeoutError:
                continue
        await farm.resign(self.runtime.units, "pump", self.holder)

    def duties(self) -> list[Duty]:
        """All duties, in the order of one tick."""
        return [
            Duty("relay", TICK_S, self._relay),
            Duty("wake", 1.0, self._wake),
            Duty("orphans", 2.0, self._orphans),
            Duty("reap", 1.0, self._reap),
            Duty("tickets", TICK_S, self._tickets),
            Duty("forecasts", 2.0, self._forecasts),
            Duty("manifests", 10.0, self._manifests),
            Duty("recount", 60.0, self._recount),
            Duty("sweep", 600.0, self._sweep),
        ]

    async def _lead(self) -> bool:
        if time.monotonic() < self._led_until:
            return True
        try:
            led = await farm.lead(self.runtime.units, "pump", self.holder, LEASE_S)
        except (SQLAlchemyError, OSError) as error:
            log.warning("pump.no_database", error=type(error).__name__)
            return False
        self._led_until = time.monotonic() + LEASE_S / 3 if led is not None else 0.0
        return led is not None

    async def _do(self, duty: Duty) -> None:
        now = time.monotonic()
        if now < duty.due or now >= self._led_until + LEASE_S / 3:
            return
        duty.due = now + duty.every_s
        try:
            await duty.do()
        except (SQLAlchemyError, RedisError, OSError) as error:
            log.warning("pump.duty_failed", duty=duty.name, error=type(error).__name__)
        except Exception:
            log.exception("pump.duty_failed", duty=duty.name)

    async def _relay(self) -> None:
        await relay(self.runtime.units, self.runtime.signal)

    async def _wake(self) -> None:
        await wake_delayed(self.runtime.units)

    async def _orphans(self) -> None:
        freed = await reap_orphans(self.runtime.units, host.name(), host.boot_id(), host.alive)
        if freed:
            log.info("pump.recovered", steps=freed, reason="the worker is gone")

    async def _reap(self) -> None:
        freed = await reap_expired(self.runtime.units)
        if freed:
            log.info("pump.recovered", steps=freed, reason="the lease ran out")

    async def _tickets(self) -> None:
        self._loads = await farm.pool_loads(self.runtime.units)
        for pool, load in self._loads.items():
            if load.eligible:
                await asyncio.to_thread(self._top_up, pool, load)

    def _top_up(self, pool: str, load: farm.PoolLoad) -> None:
        free = max(0, load.slots - load.running)
        for _ in range(tickets_wanted(load.eligible, free, tickets_waiting(self.broker, pool))):
            send_ticket(self.broker, pool)

    async def _forecasts(self) -> None:
        slots = max((load.slots for load in self._loads.values()), default=1)
        fan_out = frozenset(kind for kind, module in STEP_KINDS.items() if module.FAN_OUT)
        await update_forecasts(self.runtime.units, max(1, slots), fan_out)

    async def _manifests(self) -> None:
        for tenant_id, job_id in await missing_manifests(self.runtime.units):
            await write_manifest(self.runtime.units, self.runtime.store, tenant_id, job_id)

    async def _recount(self) -> None:
        self.drift = await recount(self.runtime.units)
        if self.drift:
            log.error("pump.drift", counters=self.drift)

    async def _sweep(self) -> None:
        await asyncio.to_thread(sweep_staging, self.settings.staging, STALE_STAGING_S)


async def pump(chosen: Settings) -> None:
    """Run one pump until SIGTERM or SIGINT."""
    runtime = wiring.build_runtime(chosen, "pump")
    broker = make_broker(chosen.redis_url)
    running = Pump(chosen, runtime, broker)
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, running.ending.set)
    log.info("pump.ready", holder=running.holder)
    try:
        await running.run()
    finally:
        broker.close()
        await runtime.close()


def main() -> int:
    """Run a pump from the command line; answers the exit code."""
    try:
        chosen = settings.load()
        configure_logs(chosen)
        lifeline.watch()
        asyncio.run(pump(chosen))
    except (SettingsError, DatabaseError) as fault:
        sys.stderr.write(f"{fault}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
