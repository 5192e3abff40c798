"""What several commands do first: find the services, check that they answer."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from adapters.embedded.stack import Home, joined
from adapters.settings import Settings
from app.console import DONE, WRONG, CommandError, Console

Act = Callable[[Any, argparse.Namespace, Console], Awaitable[None]]
"""What steers the farm: gets its units of work."""


def with_addresses(settings: Settings) -> Settings:
    """Settings with all addresses: as given, else those of the running stack. Raises CommandError."""
    if not settings.embedded_database and not settings.embedded_redis:
        return settings
    home = Home(settings)
    if home.hold():
        home.release()
        raise CommandError(
            f"Nothing runs in {settings.home} and no addresses were given: start `vfos up`, "
            "or set DATABASE_URL, DATABASE_OWNER_URL, DATABASE_SYSTEM_URL and REDIS_URL.",
            code=WRONG,
        )
    running = home.announced()
    if running is None:
        raise CommandError(f"The stack in {settings.home} is just starting: try again in a moment.", code=WRONG)
    return joined(settings, running)


def steer(act: Act, settings: Settings, arguments: argparse.Namespace, console: Console) -> int:
    """Let an act steer the farm. Raises CommandError for an order that makes no sense."""
    from adapters.database import make_engines
    from domain.dispatch.capacity import BadOrder

    async def run() -> None:
        engines = make_engines(settings)
        try:
            await act(engines.units(), arguments, console)
        finally:
            await engines.dispose()

    try:
        asyncio.run(run())
    except BadOrder as error:
        raise CommandError(str(error), code=WRONG) from error
    return DONE


def migrate_and_check(settings: Settings) -> list[str]:
    """Bring the schema up to date and check that all roles and Redis can be used; answer the versions applied."""
    from adapters.database import DatabaseError, check_database, migrate

    try:
        applied = asyncio.run(migrate(settings))
        asyncio.run(check_database(settings))
    except DatabaseError as error:
        raise CommandError(str(error), code=WRONG) from error
    check_redis(settings)
    return applied


def check_redis(settings: Settings) -> None:
    """Raise CommandError unless Redis answers."""
    import redis

    try:
        with redis.Redis.from_url(settings.redis_url, socket_connect_timeout=5, socket_timeout=5) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        raise CommandError(
            f"Redis cannot be used ({error}): check REDIS_URL and that Redis is running.", code=WRONG
        ) from error


def become(module: str, arguments: Sequence[str], settings: Settings) -> NoReturn:
    """Replace this process by another program of ours; only the environment carries over."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.execve(sys.executable, [sys.executable, "-m", module, *arguments], child_environment(settings))  # noqa: S606


def child_environment(settings: Settings) -> dict[str, str]:
    """Our environment with the settings written into it, and the program's own folder importable."""
    root = str(Path(__file__).parents[2])
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != root]
    return {**os.environ, **settings.environment(), "PYTHONPATH": os.pathsep.join([root, *others])}
