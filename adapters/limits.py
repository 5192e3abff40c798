"""How often a provider may be asked, by all workers together, and when it is left alone: rates, seats and breakers.

Rate: the generic cell rate algorithm (one time stamp per key; no windows, no bursts beyond `burst`). Breaker: opens
after repeated faults, at once where asking again is useless (a refused key, a used-up quota, a model that is gone), and
lets a single probe through when its rest is over. Both live in Redis; without it each worker keeps its own, so a farm
whose Redis is down still asks no faster than `rate` per worker. A process remembers what it counted alone, so that a
Redis that comes and goes gives one more burst and no second. Times: microseconds inside, seconds outside.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

GIVE_UP_S = 0.5
"""Longest time Redis may hold up a paid call or a knock at the door."""
REST_S = 5.0
"""After a failure Redis is left alone for this long."""
KEPT = 10_000
"""Keys of its own a process keeps before it forgets those whose time is over: at the door strangers choose them."""
SECOND = 1_000_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Rate:
    """Calls per minute, and how many may come at once after a pause."""

    per_minute: float
    burst: int = 1

    def __post_init__(self) -> None:
        if self.per_minute <= 0 or self.burst < 1:
            raise ValueError("A rate needs more than 0 calls per minute and a burst of at least 1.")

    @property
    def interval(self) -> int:
        """Microseconds between calls."""
        return max(1, round(60 * SECOND / self.per_minute))


@dataclass(frozen=True)
class BreakerRule:
    """Faults within `window` seconds that open a breaker, and its rest in seconds by kind of fault."""

    faults: int = 5
    window: float = 60.0
    rest: float = 30.0
    long_rests: tuple[tuple[str, float], ...] = (("auth", 600.0), ("quota", 3600.0), ("gone", 3600.0))

    def at_once(self, kind: str) -> float:
        """The rest of a kind that opens the breaker at its first fault; 0 for the others."""
        return dict(self.long_rests).get(kind, 0.0)


COUNTED = frozenset({"transient", "rate_limited", "unknown"})
"""Kinds of fault that open a breaker when they come often; safety and bad requests say nothing about a provider."""


def gcra(now: int, due: int, rate: Rate) -> tuple[int, int]:
    """Decide on one call: (microseconds to wait, new due time). `due`: when the next call would be exactly on time."""
    due = max(due, now)
    early = due - rate.interval * (rate.burst - 1) - now
    return (early, due) if early > 0 else (0, due + rate.interval)


_GCRA = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local interval, slack = tonumber(ARGV[1]), tonumber(ARGV[1]) * (tonumber(ARGV[2]) - 1)
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local early = due - slack - now
if early > 0 then return early end
redis.call('SET', KEYS[1], string.format('%.0f', due + interval), 'PX', math.ceil((due + interval - now) / 1000) + 1000)
return 0
"""
_AHEAD = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
return math.max(0, tonumber(redis.call('GET', KEYS[1]) or '0') - now)
"""
_HOLD = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local due = now + tonumber(ARGV[1]) + tonumber(ARGV[2]) * (tonumber(ARGV[3]) - 1)
if due > tonumber(redis.call('GET', KEYS[1]) or '0') then
  redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', math.ceil((due - now) / 1000) + 1000)
end
return 0
"""


_SIT = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.ceil(tonumber(ARGV[3]) / 1000) + 1000)
return 1
"""


class Shelf(Protocol):
    """What limits are kept on. Times in microseconds."""

    async def take(self, key: str, rate: Rate) -> int: ...

    async def ahead(self, key: str) -> int:
        """How far the calls that were granted reach into the future."""
        ...

    async def hold(self, key: str, rate: Rate, wait: int) -> None: ...

    async def left(self, key: str) -> int:
        """Life left of a mark; 0 = there is none."""
        ...

    async def mark(self, key: str, life: int, *, fresh: bool = False) -> bool:
        """Set a mark; `fresh`: only where there is none, answering whether it was set."""
        ...

    async def count(self, key: str, life: int) -> int:
        """Add one to a counter that starts its life with the first one."""
        ...

    async def drop(self, *keys: str) -> None: ...

    async def sit(self, key: str, token: str, most: int, life: int) -> bool:
        """Take one of `most` seats, or keep the one that is held; it is free again when its life is over."""
        ...

    async def stand(self, key: str, token: str) -> None: ...


class RedisShelf:
    """Limits shared by all workers."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._gcra, self._hold = redis.register_script(_GCRA), redis.register_script(_HOLD)
        self._sit, self._ahead = redis.register_script(_SIT), redis.register_script(_AHEAD)

    async def take(self, key: str, rate: Rate) -> int:
        return int(await self._gcra(keys=[key], args=[rate.interval, rate.burst]))

    async def ahead(self, key: str) -> int:
        return int(await self._ahead(keys=[key]))

    async def hold(self, key: str, rate: Rate, wait: int) -> None:
        await self._hold(keys=[key], args=[wait, rate.interval, rate.burst])

    async def left(self, key: str) -> int:
        return max(0, int(await self._redis.pttl(key))) * 1000

    async def mark(self, key: str, life: int, *, fresh: bool = False) -> bool:
        return bool(await self._redis.set(key, "1", px=max(1, life // 1000), nx=fresh))

    async def count(self, key: str, life: int) -> int:
        total = int(await self._redis.incr(key))
        if total == 1:
            await self._redis.pexpire(key, max(1, life // 1000))
        return total

    async def drop(self, *keys: str) -> None:
        await self._redis.delete(*keys)

    async def sit(self, key: str, token: str, most: int, life: int) -> bool:
        return bool(await self._sit(keys=[key], args=[token, most, life]))

    async def stand(self, key: str, token: str) -> None:
        await self._redis.zrem(key, token)


@dataclass
class OwnShelf:
    """Limits of this process alone. `now` answers microseconds that never run back."""

    now: Callable[[], int] = lambda: time.monotonic_ns() // 1000
    _due: dict[str, int] = field(default_factory=dict)
    _sweep_at: int = KEPT
    _ends: dict[str, int] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _seats: dict[str, dict[str, int]] = field(default_factory=dict)

    async def take(self, key: str, rate: Rate) -> int:
        if len(self._due) >= self._sweep_at:
            self._due = {kept: due for kept, due in self._due.items() if due > self.now()}
            self._sweep_at = max(KEPT, 2 * len(self._due))
        wait, self._due[key] = gcra(self.now(), self._due.get(key, 0), rate)
        return wait

    async def ahead(self, key: str) -> int:
        return max(0, self._due.get(key, 0) - self.now())

    async def hold(self, key: str, rate: Rate, wait: int) -> None:
        self._due[key] = max(self._due.get(key, 0), self.now() + wait + rate.interval * (rate.burst - 1))

    async def left(self, key: str) -> int:
        return max(0, self._ends.get(key, 0) - self.now())

    async def mark(self, key: str, life: int, *, fresh: bool = False) -> bool:
        if fresh and await self.left(key):
            return False
        self._ends[key] = self.now() + life
        return True

    async def count(self, key: str, life: int) -> int:
        if not await self.left(key):
            await self.mark(key, life)
            self._counts[key] = 0
        self._counts[key] += 1
        return self._counts[key]

    async def drop(self, *keys: str) -> None:
        for key in keys:
            self._ends.pop(key, None)
            self._counts.pop(key, None)

    async def sit(self, key: str, token: str, most: int, life: int) -> bool:
        now = self.now()
        seats = {held: end for held, end in self._seats.get(key, {}).items() if end > now}
        self._seats[key] = seats
        if token not in seats and len(seats) >= most:
            return False
        seats[token] = now + life
        return True

    async def stand(self, key: str, token: str) -> None:
        self._seats.get(key, {}).pop(token, None)


PROBE_S = 120.0
"""How long a single probe may take before another is let through."""
SEAT_S = 30.0
"""How long the place of a call is kept without word from its process."""
SEAT_PAUSE_S = 0.25
MEMORY_S = 3600.0
"""How long after its rest a breaker remembers that it was open."""


class Limits:
    """Rate limits and breakers by key (a provider and its credential). `give_up`: seconds Redis may take."""

    def __init__(
        self,
        redis: Redis | None = None,
        rule: BreakerRule | None = None,
        *,
        own: OwnShelf | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        give_up: float = GIVE_UP_S,
    ) -> None:
        self._shared = RedisShelf(redis) if redis is not None else None
        self._own, self._sleep, self._rule = own or OwnShelf(), sleep, rule or BreakerRule()
        self._give_up, self._silent_until = give_up, 0.0

    # ── Rate ──────────────────────────────────────────────────────────────────────────────────────────────
    async def take(self, key: str, rate: Rate) -> float:
        """Ask for one call: 0 = granted, else seconds until it would be."""
        wait: int = await self._on_shelf(lambda shelf: shelf.take(f"vfos:rate:{key}", rate))
        return wait / SECOND

    async def room(self, key: str, rate: Rate) -> tuple[int, float]:
        """Calls that would be granted at once, and seconds until all of the burst would be again."""
        ahead: int = await self._on_shelf(lambda shelf: shelf.ahead(f"vfos:rate:{key}"))
        return max(0, rate.burst - -(-ahead // rate.interval)), ahead / SECOND

    async def wait(self, key: str, rate: Rate, patience: float) -> float:
        """Wait for a call for at most `patience` seconds; 0 = granted, else the seconds it would have taken."""
        waited = 0.0
        while (more := await self.take(key, rate)) > 0:
            if waited + more > patience:
                return more
            await self._sleep(more)
            waited += more
        return 0.0

    async def hold(self, key: str, rate: Rate, seconds: float) -> None:
        """Grant nobody a call for some seconds, because the provider said so."""
        await self._on_shelf(lambda shelf: shelf.hold(f"vfos:rate:{key}", rate, round(seconds * SECOND)))

    @asynccontextmanager
    async def seat(self, key: str, most: int, patience: float) -> AsyncIterator[float]:
        """Hold one of `most` places for a call (0 = as many as come); yields 0, else the seconds waited in vain.

        A place of a process that dies is free again after SEAT_S seconds.
        """
        token, place, waited = secrets.token_hex(8), f"vfos:seats:{key}", 0.0
        while most and not await self._sit(place, token, most):
            if waited >= patience:
                yield max(waited, SEAT_PAUSE_S)
                return
            await self._sleep(SEAT_PAUSE_S)
            waited += SEAT_PAUSE_S
        keeping = asyncio.create_task(self._keep(place, token, most)) if most else None
        try:
            yield 0.0
        finally:
            if keeping:
                while not keeping.done():
                    # A library may answer to being cut off with an error that is taken for an outage.
                    keeping.cancel()
                    await asyncio.wait({keeping}, timeout=1.0)
                await self._on_shelf(lambda shelf: shelf.stand(place, token))

    async def _sit(self, place: str, token: str, most: int) -> bool:
        return bool(await self._on_shelf(lambda shelf: shelf.sit(place, token, most, round(SEAT_S * SECOND))))

    async def _keep(self, place: str, token: str, most: int) -> None:
        while True:
            await asyncio.sleep(SEAT_S / 3)
            await self._sit(place, token, most)

    # ── Breaker ───────────────────────────────────────────────────────────────────────────────────────────
    async def resting(self, key: str) -> float:
        """Seconds a provider is still left alone; 0 = ask it (after a rest only one caller gets 0: the probe)."""
        rest: int = await self._on_shelf(lambda shelf: _resting(shelf, key))
        return rest / SECOND

    async def worked(self, key: str) -> None:
        """Tell that a call succeeded: everything is forgiven."""
        await self._on_shelf(lambda shelf: shelf.drop(*(_mark(key, name) for name in MARKS)))

    async def failed(self, key: str, kind: str) -> None:
        """Tell that a call failed; `kind` is a word of provider_errors.KINDS."""
        await self._on_shelf(lambda shelf: _failed(shelf, key, kind, self._rule))

    async def _on_shelf(self, use: Callable[[Shelf], Awaitable[Any]]) -> Any:
        if self._shared is not None and time.monotonic() >= self._silent_until:
            try:
                async with asyncio.timeout(self._give_up):
                    return await use(self._shared)
            except (RedisError, OSError, TimeoutError) as error:
                self._silent_until = time.monotonic() + REST_S
                log.warning("limits.alone", error=type(error).__name__)
        return await use(self._own)


MARKS = ("open", "opened", "probe", "faults")


def _mark(key: str, name: str) -> str:
    return f"vfos:breaker:{key}:{name}"


async def _resting(shelf: Shelf, key: str) -> int:
    if rest := await shelf.left(_mark(key, "open")):
        return rest
    if not await shelf.left(_mark(key, "opened")):
        return 0
    if await shelf.mark(_mark(key, "probe"), round(PROBE_S * SECOND), fresh=True):
        return 0
    return await shelf.left(_mark(key, "probe"))


async def _failed(shelf: Shelf, key: str, kind: str, rule: BreakerRule) -> None:
    rest = rule.at_once(kind)
    if not rest and kind in COUNTED:
        probing = await shelf.left(_mark(key, "opened"))
        many = await shelf.count(_mark(key, "faults"), round(rule.window * SECOND)) >= rule.faults
        rest = rule.rest if many or probing else 0.0
    if rest:
        await shelf.mark(_mark(key, "open"), round(rest * SECOND))
        await shelf.mark(_mark(key, "opened"), round((rest + MEMORY_S) * SECOND))
    if rest or kind not in COUNTED:
        await shelf.drop(_mark(key, "probe"), _mark(key, "faults"))
