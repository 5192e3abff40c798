"""The embedded services a settings object asks for, and who holds them."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from adapters import settings as settings_module
from adapters.embedded.postgres import Postgres
from adapters.embedded.process import ServiceError
from adapters.embedded.redis import Redis
from adapters.settings import Settings

Tell = Callable[[str], None]


class Embedded:
    """PostgreSQL and Redis of one home, each only when no address of an outside one was given."""

    def __init__(self, settings: Settings, tell: Tell) -> None:
        self._given = settings
        self.postgres: Postgres | None = None
        self.redis: Redis | None = None
        if settings.embedded_database:
            self.postgres = Postgres(settings.home, service_user=settings.service_user, tell=tell)
        if settings.embedded_redis:
            self.redis = Redis(
                settings.home,
                memory_mb=settings.redis_memory_mb,
                service_user=settings.service_user,
                tell=tell,
            )

    def start(self) -> Settings:
        """Start what is ours; answer settings that carry all addresses. Raises ServiceError."""
        found = self._given
        for service in (self.postgres, self.redis):
            if service is not None:
                service.start()
        if self.postgres is not None:
            urls = self.postgres.urls()
            found = found.using(
                database_url=urls.app,
                database_owner_url=urls.owner,
                database_system_url=urls.system,
            )
        if self.redis is not None:
            found = found.using(redis_url=self.redis.url)
        return found

    def revive(self) -> list[str]:
        """Start again what has ended by itself; answer the names. Call from the thread that called `start`."""
        revived = []
        for name, service in (("PostgreSQL", self.postgres), ("Redis", self.redis)):
            if service is not None and service.pid() is None:
                service.start()
                revived.append(name)
        return revived

    def stop(self) -> None:
        """End what is ours."""
        for service in (self.redis, self.postgres):
            if service is not None:
                service.stop()


@dataclass(frozen=True)
class Running:
    """What the holder of a home says of itself: process, settings with all addresses, whether work gets done."""

    pid: int
    settings: Settings
    address: str
    working: bool
    units: tuple[tuple[int, float], ...] = ()
    """Process numbers and creation times of its units, so that a later start can end what was left behind."""


class Home:
    """The folder VFOS_HOME, held by at most one process; the lock vanishes with its holder."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._state = settings.run_folder / "stack.json"
        self._lock: IO[str] | None = None

    def hold(self) -> bool:
        """Try to become the holder."""
        self._state.parent.mkdir(parents=True, exist_ok=True)
        lock = (self._state.parent / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return False
        self._lock = lock
        return True

    def release(self) -> None:
        """Stop being the holder."""
        self._state.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def announce(self, running: Running) -> None:
        """Tell other commands what runs here; only our account can read it, for addresses may hold passwords."""
        data = {
            "pid": running.pid,
            "settings": running.settings.environment(),
            "address": running.address,
            "working": running.working,
            "units": running.units,
        }
        fresh = self._state.with_suffix(".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(data, file)
        fresh.replace(self._state)

    def announced(self) -> Running | None:
        """What the holder (or one that was killed) said last."""
        try:
            data: dict[str, Any] = json.loads(self._state.read_text())
            return Running(
                pid=int(data["pid"]),
                settings=settings_module.load(data["settings"]),
                address=str(data["address"]),
                working=bool(data["working"]),
                units=tuple((int(pid), float(made)) for pid, made in data["units"]),
            )
        except (OSError, ValueError, KeyError, TypeError, settings_module.SettingsError):
            return None


@contextmanager
def services(settings: Settings, tell: Tell) -> Iterator[Settings]:
    """Settings with all addresses: those given, those of the stack that runs here, else of one started for us.

    Raises ServiceError when the home is held by a command that has no addresses yet.
    """
    if not settings.embedded_database and not settings.embedded_redis:
        yield settings
        return
    home = Home(settings)
    if not home.hold():
        running = home.announced()
        if running is None:
            raise ServiceError(f"Another command is starting or stopping in {settings.home}: try again in a moment.")
        yield joined(settings, running)
        return
    embedded = Embedded(settings, tell)
    try:
        ready = embedded.start()
        home.announce(Running(os.getpid(), ready, "", working=False))
        yield ready
    finally:
        embedded.stop()
        home.release()


def joined(settings: Settings, running: Running) -> Settings:
    """Our own settings with the addresses of the stack that runs."""
    theirs = running.settings
    return settings.using(
        database_url=theirs.database_url,
        database_owner_url=theirs.database_owner_url,
        database_system_url=theirs.database_system_url,
        redis_url=theirs.redis_url,
        public_url=running.address or settings.public_url,
    )


def folder_is_writable(path: Path) -> bool:
    """True when files can be made in `path` (made itself if missing)."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".probe-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError:
        return False
    return True
