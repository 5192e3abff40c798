"""Real PostgreSQL and Redis for tests: one pair per test run, a fresh migrated database whenever one is asked for."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters import settings
from adapters.embedded.postgres import DatabaseUrls, Postgres
from adapters.embedded.redis import Redis
from adapters.settings import Settings

TEMPLATE = "vfos_migrated"


def run_apart(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine on a loop of its own thread, so that the tests' loop is left alone."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@dataclass
class Services:
    """The running pair. `settings` points at the main database (not migrated) under a temporary VFOS_HOME."""

    postgres: Postgres
    redis: Redis
    settings: Settings
    _migrated: bool = False
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @classmethod
    def start(cls, home: Path) -> Services:
        """Start both under `home`; data is not synced to disk."""
        postgres = Postgres(home, durable=False)
        redis = Redis(home)
        postgres.start()
        try:
            redis.start()
        except BaseException:
            postgres.stop()
            raise
        base = settings.load({"VFOS_HOME": str(home), "VFOS_LEASE_SECONDS": "15"})
        return cls(postgres, redis, _pointed(base, postgres.urls(), redis.url))

    def stop(self) -> None:
        """End both."""
        self.redis.stop()
        self.postgres.stop()

    def empty_database(self) -> Settings:
        """Settings of a new database without any table."""
        return self._settings_for(self.postgres.create_database(self._name()))

    def fresh_database(self) -> Settings:
        """Settings of a new database with all migrations applied (copied from a template, about 0.1 s)."""
        if not self._migrated:
            from adapters.database import migrate

            run_apart(migrate(self._settings_for(self.postgres.create_database(TEMPLATE))))
            self._migrated = True
        return self._settings_for(self.postgres.create_database(self._name(), TEMPLATE))

    def _name(self) -> str:
        return f"test_{next(self._numbers)}"

    def _settings_for(self, urls: DatabaseUrls) -> Settings:
        return _pointed(self.settings, urls, self.redis.url)


def _pointed(base: Settings, urls: DatabaseUrls, redis_url: str) -> Settings:
    return base.using(
        database_url=urls.app,
        database_owner_url=urls.owner,
        database_system_url=urls.system,
        redis_url=redis_url,
    )
