"""Hints on a real Redis: heard when it is there, harmless when it is not."""

import asyncio
import time
from uuid import uuid4

import pytest

from adapters.queue.feed import RedisFeed
from adapters.queue.names import events_channel, pool_queue
from adapters.queue.signal import RedisSignal
from tests.support.services import Services


class TestFeed:
    async def test_hears_what_is_said_after_it_began_to_listen(self, services: Services):
        signal, feed, tenant = RedisSignal(services.redis.url), RedisFeed(services.redis.url, poll_s=30), uuid4()
        hints = feed.listen(events_channel(tenant))
        assert await anext(hints) is None  # the first look, which covers what came before
        await signal.events(tenant, 41)
        async with asyncio.timeout(5):
            assert await anext(hints) == "41"
        await hints.aclose()
        await feed.close()
        await signal.close()

    async def test_polls_when_nothing_is_said(self, services: Services):
        feed = RedisFeed(services.redis.url, poll_s=0.05)
        hints = feed.listen(events_channel(uuid4()))
        async with asyncio.timeout(5):
            assert [await anext(hints) for _ in range(3)] == [None, None, None]
        await hints.aclose()
        await feed.close()

    async def test_goes_on_polling_without_redis(self):
        feed = RedisFeed("redis://127.0.0.1:1", poll_s=0.05)
        hints = feed.listen("anything")
        async with asyncio.timeout(10):
            assert await anext(hints) is None
        await hints.aclose()
        await feed.close()


class TestSignal:
    async def test_a_dead_redis_never_raises_and_costs_nothing_twice(self):
        signal = RedisSignal("redis://127.0.0.1:1")
        await signal.work("cpu")
        began = time.monotonic()
        for _ in range(100):
            await signal.work("cpu")
        assert time.monotonic() - began < 0.5
        await signal.close()


@pytest.mark.parametrize(("pool", "queue"), [("io", "pool.io"), ("gpu.nvenc@eu", "pool.gpu.nvenc_eu")])
def test_pool_names_become_legal_queue_names(pool, queue):
    assert pool_queue(pool) == queue
