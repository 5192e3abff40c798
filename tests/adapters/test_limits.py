"""Rate limits and breakers: the pure rule, this process alone, and shared through a real Redis."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from adapters.embedded.redis import Redis as RedisServer
from adapters.limits import KEPT, BreakerRule, Limits, OwnShelf, Rate, gcra

MINUTE = 60_000_000


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    home = Path(tempfile.mkdtemp(prefix="vfos-limits-"))
    server = RedisServer(home)
    server.start()
    yield server.url
    server.stop()
    shutil.rmtree(home)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


class TestGcra:
    @given(
        st.integers(1, 600),
        st.integers(1, 10),
        st.lists(st.integers(0, MINUTE // 10), min_size=1, max_size=60),
    )
    def test_no_window_holds_more_than_rate_and_burst_allow(self, rate: int, burst: int, gaps: list[int]) -> None:
        limit, due, granted = Rate(rate, burst), 0, []
        for now in itertools.accumulate(gaps, initial=1_000):
            wait, due = gcra(now, due, limit)
            if wait == 0:
                granted.append(now)
        for number, start in enumerate(granted):
            for later in range(number, len(granted)):
                span = granted[later] - start
                assert later - number + 1 <= burst + span / limit.interval + 1e-9

    @given(st.integers(1, 600), st.integers(1, 5), st.integers(0, 20))
    def test_a_refused_call_is_granted_after_exactly_the_wait_told(self, rate: int, burst: int, calls: int) -> None:
        limit, due, now = Rate(rate, burst), 0, 5
        for _ in range(calls):
            _, due = gcra(now, due, limit)
        wait, due = gcra(now, due, limit)
        if wait:
            assert gcra(now + wait - 1, due, limit)[0] == 1
            assert gcra(now + wait, due, limit)[0] == 0

    @pytest.mark.parametrize(("per_minute", "burst"), [(0, 1), (-1, 1), (1, 0)])
    def test_a_rate_that_is_none(self, per_minute: int, burst: int) -> None:
        with pytest.raises(ValueError, match="rate needs"):
            Rate(per_minute, burst)


class TestShared:
    async def test_two_workers_share_one_rate(self, redis: Redis) -> None:
        one, two, rate = Limits(redis), Limits(redis), Rate(per_minute=1, burst=3)
        granted = [await limits.take("p", rate) for limits in (one, two, one, two)]
        assert granted[:3] == [0, 0, 0]
        assert 50 < granted[3] <= 60

    async def test_of_many_at_once_only_the_burst_passes(self, redis: Redis) -> None:
        limits, rate = Limits(redis), Rate(per_minute=1, burst=5)
        waits = await asyncio.gather(*(limits.take("p", rate) for _ in range(40)))
        assert sum(wait == 0 for wait in waits) == 5

    async def test_what_the_provider_wishes_holds_for_all(self, redis: Redis) -> None:
        one, two, rate = Limits(redis), Limits(redis), Rate(per_minute=600, burst=4)
        await one.hold("p", rate, 30)
        assert 29 < await two.take("p", rate) <= 30
        await one.hold("p", rate, 1)
        assert await two.take("p", rate) > 28
        assert await two.take("q", rate) == 0

    async def test_waiting_ends_at_patience_without_taking(self, redis: Redis) -> None:
        limits, rate = Limits(redis), Rate(per_minute=1)
        assert await limits.wait("p", rate, 1) == 0
        assert await limits.wait("p", rate, 1) > 50

    async def test_waiting_waits(self, redis: Redis) -> None:
        limits, rate = Limits(redis), Rate(per_minute=1200)
        assert [await limits.wait("p", rate, 5) for _ in range(3)] == [0, 0, 0]

    async def test_a_breaker_opens_for_all_and_lets_one_probe(self, redis: Redis) -> None:
        rule = BreakerRule(faults=2, rest=20)
        one, two = Limits(redis, rule), Limits(redis, rule)
        await one.failed("p", "transient")
        assert await two.resting("p") == 0
        await two.failed("p", "unknown")
        assert 19 < await one.resting("p") <= 20
        await redis.delete("vfos:breaker:p:open")  # as its rest ends
        asked = await asyncio.gather(*(limits.resting("p") for limits in (one, two) for _ in range(5)))
        assert sum(rest == 0 for rest in asked) == 1
        await one.worked("p")
        assert [await one.resting("p"), await two.resting("p")] == [0, 0]

    async def test_a_failed_probe_opens_again(self, redis: Redis) -> None:
        limits = Limits(redis, BreakerRule(faults=2, rest=30))
        await redis.set("vfos:breaker:p:opened", "1", px=10_000)
        assert await limits.resting("p") == 0
        await limits.failed("p", "transient")
        assert await limits.resting("p") > 29

    @pytest.mark.parametrize(("kind", "rest"), [("auth", 600), ("quota", 3600), ("gone", 3600)])
    async def test_what_waiting_does_not_help_opens_at_once(self, redis: Redis, kind: str, rest: int) -> None:
        limits = Limits(redis)
        await limits.failed("p", kind)
        assert rest - 1 < await limits.resting("p") <= rest

    @pytest.mark.parametrize("kind", ["safety", "bad_request", "partial"])
    async def test_what_says_nothing_about_the_provider(self, redis: Redis, kind: str) -> None:
        limits = Limits(redis, BreakerRule(faults=1))
        await limits.failed("p", kind)
        assert await limits.resting("p") == 0


class TestAlone:
    async def test_without_redis_each_worker_keeps_the_rate(self) -> None:
        client = Redis.from_url("redis://127.0.0.1:9/0")
        limits, rate = Limits(client, own=OwnShelf(lambda: 5_000_000)), Rate(per_minute=2)
        assert await limits.take("p", rate) == 0
        assert await limits.take("p", rate) == 30
        await limits.failed("p", "auth")
        assert await limits.resting("p") == 600
        await limits.worked("p")
        assert await limits.resting("p") == 0
        await client.aclose()

    async def test_a_redis_that_comes_and_goes_gives_one_more_burst_and_no_second(self, redis: Redis) -> None:
        away = Redis.from_url("redis://127.0.0.1:9/0")
        rate, own = Rate(per_minute=0.01, burst=3), OwnShelf()
        shared, alone = Limits(redis, own=own, give_up=60), Limits(away, own=own)
        for limits, granted in ((shared, 3), (alone, 3), (shared, 0), (alone, 0)):
            waits = [await limits.take("p", rate) for _ in range(5)]
            assert sum(wait == 0 for wait in waits) == granted
        await away.aclose()

    async def test_keys_whose_time_is_over_are_forgotten(self) -> None:
        now = [MINUTE]
        own, rate = OwnShelf(lambda: now[0]), Rate(per_minute=1)
        for number in range(KEPT):
            await own.take(f"stranger {number}", rate)
        now[0] += 2 * MINUTE
        await own.take("late", rate)
        assert list(own._due) == ["late"]
