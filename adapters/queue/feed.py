"""Listening to hints: an endless stream of "something may have changed", with a poll as safety net."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

POLL_S = 2.0
"""Without any hint, listeners are told to look this often."""

log = structlog.get_logger(__name__)


class RedisFeed:
    """Hears hints on channels. A lost connection is made again; meanwhile the poll goes on."""

    def __init__(self, url: str, poll_s: float = POLL_S) -> None:
        self._redis, self._poll_s = Redis.from_url(url, socket_connect_timeout=1), poll_s

    async def listen(self, *channels: str) -> AsyncIterator[str | None]:
        """Yield each hint's text, or None when the poll time has passed without one; a channel may end in `*`."""
        patterns = [channel for channel in channels if channel.endswith("*")]
        names = [channel for channel in channels if not channel.endswith("*")]
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                    if names:
                        await subscription.subscribe(*names)
                    if patterns:
                        await subscription.psubscribe(*patterns)
                    async with aclosing(self._hints(subscription)) as hints:
                        async for hint in hints:
                            yield hint
            except (RedisError, OSError) as error:
                log.warning("feed.lost", error=type(error).__name__)
                await asyncio.sleep(min(self._poll_s, POLL_S))
                yield None

    async def _hints(self, subscription: PubSub) -> AsyncGenerator[str | None, None]:
        # Whatever changed before the subscription stood was not heard: let the listener look once.
        yield None
        looked = time.monotonic()
        while True:
            left = self._poll_s - (time.monotonic() - looked)
            message = await subscription.get_message(timeout=max(0.0, left))
            if message is not None:
                yield message["data"].decode()
            elif time.monotonic() - looked >= self._poll_s:
                yield None
            else:
                continue  # the confirmation of a subscription
            looked = time.monotonic()

    async def close(self) -> None:
        with suppress(RedisError, OSError):
            await self._redis.aclose()
