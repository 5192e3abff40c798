"""The Dramatiq broker as we use it: wake-ups only, no retries, no time limits, no results.

Rows are the truth, so nothing here needs to survive; see the settings' reasons in docs/decisions.
"""

from __future__ import annotations

from typing import Any

from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AgeLimit, Middleware
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

HEARTBEAT_MS = 60_000
MAINTENANCE_CHANCE = 100_000
TICKET_LIFE_MS = 60_000
"""A ticket older than this wakes nobody: the pump has long made a new one."""


def make_broker(url: str, *middleware: Middleware) -> RedisBroker:
    """Make a broker on a Redis that may be away: short time-outs, and only the middleware named here."""
    client: Any = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=1, retry=Retry(NoBackoff(), 1))
    return RedisBroker(  # type: ignore[no-untyped-call]  # the library carries no types here
        client=client,
        middleware=[AgeLimit(max_age=TICKET_LIFE_MS), *middleware],
        heartbeat_timeout=HEARTBEAT_MS,
        maintenance_chance=MAINTENANCE_CHANCE,
    )
