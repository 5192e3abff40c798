"""Hints on Redis: published best-effort, bounded in time, never raising; a farm without Redis goes on by polling."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from adapters.queue.names import control_channel, events_channel, progress_channel, work_channel

GIVE_UP_S = 0.5
"""Longest time a hint may hold up its sender."""
REST_S = 2.0
"""After a failure hints are dropped for this long, so that a dead Redis costs nothing."""

log = structlog.get_logger(__name__)


class RedisSignal:
    """Says on Redis that rows have changed (implements tenants.ports.Signal)."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=GIVE_UP_S, socket_connect_timeout=GIVE_UP_S)
        self._silent_until = 0.0

    async def events(self, tenant_id: UUID, last_seq: int) -> None:
        await self._say(events_channel(tenant_id), str(last_seq))

    async def progress(self, tenant_id: UUID, job_id: UUID) -> None:
        """Say that a step of the job has moved on; the row holds how far."""
        await self._say(progress_channel(tenant_id), str(job_id))

    async def work(self, pool: str) -> None:
        await self._say(work_channel(), pool)

    async def control(self, tenant_id: UUID, job_id: UUID) -> None:
        await self._say(control_channel(), f"{tenant_id} {job_id}")

    async def close(self) -> None:
        await self._redis.aclose()

    async def _say(self, channel: str, message: str) -> None:
        if time.monotonic() < self._silent_until:
            return
        try:
            async with asyncio.timeout(GIVE_UP_S):
                await self._redis.publish(channel, message)
        except (RedisError, OSError, TimeoutError) as error:
            self._silent_until = time.monotonic() + REST_S
            log.warning("hint.lost", channel=channel.split(":")[1], error=type(error).__name__)
