"""The parts of a worker unit: pools, slots, the renewer's last resort, the outbox relay."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from adapters.database import make_engines
from adapters.queue.broker import make_broker
from adapters.settings import Settings
from domain.dispatch import farm
from domain.dispatch.claim import Claim
from domain.dispatch.watch import expired_leases
from domain.production.engine import Engine
from domain.production.settling import Settling
from domain.production.tether import Tethers
from tenants.model import OutboxMessage
from tenants.ports import NoSignal
from tests.support.line import open_workspace
from tests.support.services import Services
from workers import host
from workers.actors import declare_slot, send_ticket, tickets_waiting
from workers.main import PoolsError, read_pools
from workers.relay import relay
from workers.renewer import Renewer
from workers.slots import Slots

CLAIM = Claim(uuid4(), uuid4(), uuid4(), uuid4(), "cpu", "render", "", 1, 1, 1.0, 4, False)


class TestPools:
    @pytest.mark.parametrize(
        ("text", "pools"),
        [("io,cpu", {"io": 3, "cpu": 3}), ("io:1, cpu:4", {"io": 1, "cpu": 4}), ("gpu.nvenc:2", {"gpu.nvenc": 2})],
    )
    def test_read(self, text: str, pools: dict[str, int]) -> None:
        assert read_pools(text, 3) == pools

    @pytest.mark.parametrize("text", ["", ",", "io:0", "io:x", ":2", "cpu:999"])
    def test_refused_with_an_example(self, text: str) -> None:
        with pytest.raises(PoolsError, match="io:2,cpu:4"):
            read_pools(text, 2)


class CountingEngine:
    """Stands for the engine: has so many steps, and knows the most that ran at once."""

    def __init__(self, steps: int, together: int) -> None:
        self.left, self.running, self.most = steps, 0, 0
        self._all_in = asyncio.Barrier(together)

    async def run_ahead(self, pool: str, before: Settling | None = None) -> Settling | None:
        if not self.left:
            return None
        self.left -= 1
        self.running += 1
        self.most = max(self.most, self.running)
        await self._all_in.wait()
        self.running -= 1
        return Settling(lambda: asyncio.sleep(0))


class TestSlots:
    async def test_never_more_at_once_than_slots(self) -> None:
        engine = CountingEngine(steps=8, together=2)
        slots = Slots(cast(Engine, engine), asyncio.get_running_loop(), {"cpu": 2})
        await asyncio.gather(*(asyncio.to_thread(slots.work, "cpu") for _ in range(6)))
        assert (engine.left, engine.most) == (0, 2)

    async def test_other_pools_are_not_served(self) -> None:
        engine = CountingEngine(steps=1, together=1)
        slots = Slots(cast(Engine, engine), asyncio.get_running_loop(), {"cpu": 2})
        assert await asyncio.to_thread(slots.work, "io") is False
        assert engine.left == 1

    async def test_a_turn_ends(self) -> None:
        engine = CountingEngine(steps=5, together=1)
        slots = Slots(cast(Engine, engine), asyncio.get_running_loop(), {"cpu": 1})
        assert await asyncio.to_thread(slots.work, "cpu", -1.0) is True
        assert engine.left == 4

    async def test_draining_claims_nothing(self) -> None:
        engine = CountingEngine(steps=5, together=1)
        slots = Slots(cast(Engine, engine), asyncio.get_running_loop(), {"cpu": 1})
        slots.drain()
        assert await asyncio.to_thread(slots.work, "cpu") is False
        assert engine.left == 5


class TestRenewer:
    def test_ends_the_unit_when_no_renewal_succeeds_in_time(self) -> None:
        ended, tethers = threading.Event(), Tethers()
        tethers.tie(CLAIM)
        nowhere = "postgresql+psycopg://vfos_system@127.0.0.1:1/none"
        renewer = Renewer(nowhere, uuid4(), tethers, lease_s=5.2, end=ended.set)
        renewer.start()
        assert ended.wait(20)
        renewer.stop()

    def test_an_idle_unit_waits_for_the_database(self) -> None:
        ended = threading.Event()
        nowhere = "postgresql+psycopg://vfos_system@127.0.0.1:1/none"
        renewer = Renewer(nowhere, uuid4(), Tethers(), lease_s=5.2, end=ended.set)
        renewer.start()
        assert not ended.wait(3)
        renewer.stop()

    async def test_pulls_what_is_no_longer_ours(self, database: Settings) -> None:
        tethers = Tethers()
        tether = tethers.tie(CLAIM)
        renewer = Renewer(database.database_system_url, uuid4(), tethers, lease_s=6)
        renewer.start()
        await asyncio.to_thread(tether._pulled.wait, 30)
        renewer.stop()
        assert (tether.reason, tether.stop()) == ("lost", True)

    async def test_keeps_a_lease_beyond_its_first_length(self, database: Settings) -> None:
        engines = make_engines(database)
        units = engines.units()
        workspace = await open_workspace(units, "renewed")
        await workspace.order("long work")
        from domain.dispatch.claim import claim_next
        from domain.production.engine import HOOKS

        claim = await claim_next(units, "io", None, 0.0, HOOKS)
        assert claim is not None
        assert len(await expired_leases(units)) == 1
        tethers = Tethers()
        tethers.tie(claim)
        renewer = Renewer(database.database_system_url, uuid4(), tethers, lease_s=30)
        renewer.start()
        while await expired_leases(units):  # noqa: ASYNC110 a renewal makes no event
            await asyncio.sleep(0.05)
        renewer.stop()
        await engines.dispose()


class TestTether:
    def test_first_reason_stays_but_lost_beats_all(self) -> None:
        tether = Tethers().tie(CLAIM)
        tether.pull("cancel")
        tether.pull("drain")
        kept = str(tether.reason)
        tether.pull("lost")
        assert (kept, tether.reason) == ("cancel", "lost")


class TestTickets:
    def test_sent_counted_and_fetched(self, services: Services) -> None:
        broker = make_broker(services.redis.url)
        woken: list[str] = []

        class Woken:
            draining = False

            def work(self, pool: str) -> bool:
                woken.append(pool)
                return False

        pool = f"t{uuid4().hex[:8]}"
        actor = declare_slot(broker, pool, cast(Slots, Woken()))
        send_ticket(broker, pool)
        send_ticket(broker, pool)
        assert tickets_waiting(broker, pool) == 2
        actor.fn(pool, "nonce")
        assert woken == [pool]
        broker.flush_all()
        broker.close()


class TestHost:
    def test_knows_itself_and_the_dead(self) -> None:
        now = datetime.now(UTC)
        assert host.alive(os.getpid(), now)
        assert not host.alive(2**22 + 1, now)


class Listening(NoSignal):
    """Hears hints."""

    def __init__(self) -> None:
        self.heard: Counter[UUID] = Counter()

    async def events(self, tenant_id: UUID, last_seq: int) -> None:
        self.heard[tenant_id] = last_seq


class TestRelay:
    async def test_every_message_once(self, database: Settings) -> None:
        engines = make_engines(database)
        units, signal = engines.units(), Listening()
        workspace = await open_workspace(units, "outbox")
        await workspace.order("said")
        sent = [await relay(units, signal) for _ in range(3)]
        assert sent[0] >= 1
        assert sent[1:] == [0, 0]
        assert signal.heard[workspace.tenant_id] >= 1
        async with units.open(workspace.principal) as unit:
            times = (await unit.session.execute(select(OutboxMessage.sent_at))).scalars().all()
        assert all(times)
        await engines.dispose()


class TestLeader:
    async def test_one_leads_until_it_resigns(self, database: Settings) -> None:
        engines = make_engines(database)
        units = engines.units()
        first = await farm.lead(units, "clock", "a")
        assert first is not None
        assert await farm.lead(units, "clock", "b") is None
        assert await farm.lead(units, "clock", "a") == first
        await farm.resign(units, "clock", "a")
        assert await farm.lead(units, "clock", "b") == first + 1
        await engines.dispose()


def entries() -> Any:
    return farm.slots_of([farm.pool_entry("cpu@eu", 3), farm.pool_entry("io", 1)])


def test_pool_entries() -> None:
    assert entries() == {"cpu@eu": 3, "io": 1}
