"""The pump: the clockwork of the farm. Several may run; the one that holds the leader's lease does the work.

    python -m workers.pump

On every tick and hint it looks once (`glance`) and does only what there is to do: it relays the outbox, wakes delayed
steps, takes steps from workers that are gone, keeps every pool supplied with tickets. By the clock it forecasts,
recounts and sweeps. Everything it does may be done twice.
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
from adapters.egress_rules import Allowance
from adapters.logs import configure_logs
from adapters.notify.webhook import WebhookPost
from adapters.prices.tariffs import PriceFiles
from adapters.queue.broker import make_broker
from adapters.queue.feed import RedisFeed
from adapters.queue.names import all_events_channels, work_channel
from adapters.settings import Settings, SettingsError
from adapters.store.objects import sweep_staging
from domain.dispatch import farm
from domain.dispatch.policy import tickets_wanted
from domain.dispatch.recount import recount
from domain.dispatch.reroute import reroute
from domain.dispatch.watch import glance, running_steps, wake_delayed
from domain.insight.farm import read_numbers
from domain.outreach.rounds import sweep_old
from domain.production.clockwork import expire_approvals, run_schedules
from domain.production.engine import reap_expired, reap_orphans
from domain.production.manifest import write_manifest
from domain.production.position import update_positions
from domain.production.upkeep import missing_manifests, update_forecasts
from tenants.outage import is_away
from workers import host
from workers.actors import send_ticket, tickets_waiting
from workers.clock import ClockWatch
from workers.courier import Courier
from workers.farewell import bid_farewell
from workers.metrics import Teller
from workers.relay import relay

log = structlog.get_logger(__name__)

TICK_S = 1.0
"""The pump looks this often by itself…"""
HURRY_S = 0.1
"""…and at once after a hint, but never more often than this."""
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
    courier: Courier
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    hinted: asyncio.Event = field(default_factory=asyncio.Event)
    holder: str = field(default_factory=lambda: f"{host.name()}:{os.getpid()}:{uuid.uuid4().hex[:8]}")
    drift: int = 0
    clock: ClockWatch = field(default_factory=ClockWatch)
    _led_until: float = 0.0
    _patient_until: float = 0.0

    async def run(self) -> None:
        """Tick until told to end, then let another lead at once."""
        listening, keeping = asyncio.create_task(self._listen()), asyncio.create_task(self._keep_house())
        bringing = asyncio.create_task(self.courier.run(self._leads))
        urgent = [Duty("glance", 0.0, self._glance), Duty("orphans", 2.0, self._orphans)]
        try:
            while not self.ending.is_set():
                if await self._lead():
                    for duty in urgent:
                        await self._do(duty)
                await self._rest()
            await asyncio.wait({keeping})
        finally:
            for task in (listening, keeping, bringing):
                task.cancel()
            await asyncio.gather(listening, keeping, bringing, return_exceptions=True)
        await farm.resign(self.runtime.units, "pump", self.holder)

    async def _keep_house(self) -> None:
        """Do by the clock what may take long, beside the ticks: no step must wait for a forecast to be taken over."""
        duties = self.duties()
        while not self.ending.is_set():
            for duty in duties:
                await self._do(duty)
            await _first_of(TICK_S, self.ending)

    async def _rest(self) -> None:
        """Wait for a hint or the next tick; hints that come in swarms are answered together."""
        looked = time.monotonic()
        await _first_of(TICK_S, self.hinted, self.ending)
        if self.hinted.is_set():
            await _first_of(looked + HURRY_S - time.monotonic(), self.ending)
            self.hinted.clear()

    async def _listen(self) -> None:
        """Any event of any tenant may mean that a step has become ready."""
        feed = RedisFeed(self.settings.redis_url, poll_s=60.0)
        async for hint in feed.listen(all_events_channels(), work_channel()):
            if hint is not None:
                self.hinted.set()
                self.courier.wake.set()

    def duties(self) -> list[Duty]:
        """What is done by the clock, whether or not a look shows that there is something to do."""
        return [
            Duty("forecasts", 2.0, self._forecasts),
            Duty("schedules", 5.0, self._schedules),
            Duty("approvals", 60.0, self._approvals),
            Duty("manifests", 15.0, self._manifests),
            Duty("recount", 60.0, self._recount),
            Duty("sweep", 600.0, self._sweep),
            Duty("farewell", 60.0, self._farewell),
            Duty("old messages", 3600.0, self._old_messages),
        ]

    async def _glance(self) -> None:
        seen = await glance(self.runtime.units)
        if seen.unsent:
            await relay(self.runtime.units, self.runtime.signal)
        if seen.expired:
            await self._reap()
        woken = await wake_delayed(self.runtime.units) if seen.due else {}
        moved = await reroute(self.runtime.units) if seen.stuck else 0
        if seen.ready or woken or moved:
            await self._tickets()

    async def _lead(self) -> bool:
        if time.monotonic() < self._led_until:
            return True
        try:
            led = await farm.lead(self.runtime.units, "pump", self.holder, LEASE_S)
        except (SQLAlchemyError, OSError):
            log.warning("pump.no_database")
            return False
        self._led_until = time.monotonic() + LEASE_S / 3 if led is not None else 0.0
        return led is not None

    def _leads(self) -> bool:
        return time.monotonic() < self._led_until + LEASE_S / 3

    async def _do(self, duty: Duty) -> None:
        now = time.monotonic()
        if now < duty.due or not self._leads():
            return
        duty.due = now + duty.every_s
        try:
            await duty.do()
        except RedisError:
            log.warning("pump.no_redis")
        except Exception as error:
            if is_away(error):
                log.warning("pump.no_database")
                return
            log.exception("pump.duty_failed", duty=duty.name)

    async def _farewell(self) -> None:
        await bid_farewell(self.runtime)

    async def _orphans(self) -> None:
        freed = await reap_orphans(self.runtime.units, host.name(), host.boot_id(), host.alive)
        if freed:
            log.info("pump.recovered", steps=freed, reason="the worker is gone")

    async def _reap(self) -> None:
        if self.clock.jumped():
            # Leases look over that are not: their holders get the time to renew them.
            self._patient_until = time.monotonic() + self.settings.lease_seconds / 3 + TICK_S
        if time.monotonic() < self._patient_until:
            return
        freed = await reap_expired(self.runtime.units)
        if freed:
            log.info("pump.recovered", steps=freed, reason="the lease ran out")

    async def _tickets(self) -> None:
        loads = await farm.pool_loads(self.runtime.units)
        for pool, load in loads.items():
            if load.eligible:
                await asyncio.to_thread(self._top_up, pool, load)

    def _top_up(self, pool: str, load: farm.PoolLoad) -> None:
        free = max(0, load.slots - load.running)
        for _ in range(tickets_wanted(load.eligible, free, tickets_waiting(self.broker, pool))):
            send_ticket(self.broker, pool)

    async def _forecasts(self) -> None:
        loads = await farm.pool_loads(self.runtime.units)
        slots = max((load.slots for load in loads.values()), default=1)
        if any(load.running or load.eligible for load in loads.values()):
            await update_forecasts(self.runtime.units, max(1, slots))
        await update_positions(self.runtime.units, {pool: load.slots for pool, load in loads.items()})

    async def _schedules(self) -> None:
        started = await run_schedules(self.runtime.units, PriceFiles())
        if started:
            log.info("pump.scheduled", jobs=started)

    async def _approvals(self) -> None:
        expired = await expire_approvals(self.runtime.units)
        if expired:
            log.info("pump.expired", approvals=expired)

    async def _manifests(self) -> None:
        for tenant_id, job_id in await missing_manifests(self.runtime.units):
            await write_manifest(self.runtime.units, self.runtime.store, tenant_id, job_id)

    async def _recount(self) -> None:
        self.drift = await recount(self.runtime.units)
        if self.drift:
            log.error("pump.drift", counters=self.drift)

    async def _old_messages(self) -> None:
        await sweep_old(self.runtime.units)

    async def _sweep(self) -> None:
        keep = await running_steps(self.runtime.units)
        await asyncio.to_thread(sweep_staging, self.settings.staging, STALE_STAGING_S, keep)


async def _first_of(seconds: float, *events: asyncio.Event) -> None:
    """Wait until one of the events is set, at most for some seconds (none when below 0)."""
    if seconds <= 0:
        return
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


async def pump(chosen: Settings) -> None:
    """Run one pump until SIGTERM or SIGINT."""
    runtime = wiring.build_runtime(chosen, "pump")
    broker = make_broker(chosen.redis_url)
    poster = WebhookPost(Allowance.parse(chosen.egress_allow))
    courier = Courier(runtime.units, lambda: runtime.vault, poster, chosen.address)
    running = Pump(chosen, runtime, broker, courier)
    teller = Teller(lambda: read_numbers(runtime.units))
    listener = await teller.serve(chosen.metrics_bind) if chosen.metrics_bind else None
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, running.ending.set)
    log.info("pump.ready", holder=running.holder)
    try:
        await running.run()
    finally:
        if listener is not None:
            listener.close()
        broker.close()
        await poster.close()
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
