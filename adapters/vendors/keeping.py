"""What providers tell of themselves, kept in Redis for all processes: lists of voices and the like, no secrets.

Nothing here must be there: what is missing, or cannot be had because Redis is away, is asked for again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

GIVE_UP_S = 0.5
"""Longest time Redis may hold up a question."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Kept:
    """A value as JSON gives it back, and its age in seconds."""

    value: Any
    age: float


class Keeping:
    """The kept answers of one account; `account` says whose they are and changes with its settings."""

    def __init__(self, redis: Redis | None, account: str, now: Callable[[], float] = time.time) -> None:
        self._redis, self._account, self._now = redis, account, now

    async def find(self, what: str) -> Kept | None:
        """What was kept, by any process; None when there is nothing."""
        if self._redis is None:
            return None
        try:
            async with asyncio.timeout(GIVE_UP_S):
                found = await self._redis.get(self._place(what))
            at, value = json.loads(found) if found else (0.0, None)
        except (RedisError, OSError, TimeoutError, ValueError) as error:
            log.warning("keeping.away", error=type(error).__name__)
            return None
        return Kept(value, max(0.0, self._now() - float(at))) if found else None

    async def keep(self, what: str, value: Any, seconds: float) -> None:
        """Keep a value for so long."""
        if self._redis is None:
            return
        text = json.dumps([self._now(), value], ensure_ascii=False)
        try:
            async with asyncio.timeout(GIVE_UP_S):
                await self._redis.set(self._place(what), text, ex=max(1, round(seconds)))
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("keeping.away", error=type(error).__name__)

    def _place(self, what: str) -> str:
        digest = hashlib.sha256(f"{self._account}\n{what}".encode()).hexdigest()
        return f"vfos:kept:{digest[:40]}"
