"""The database as the program uses it: engines for the two roles, migrations, and a check with one clear answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, Dialect, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from adapters.settings import Settings
from domain.catalog import model as catalog
from domain.catalog import provider_rows
from domain.dispatch import model as dispatch
from domain.outreach import model as outreach
from domain.production import model as production
from domain.studio import model as studio
from domain.usage import model as usage
from tenants import factor_model as factors
from tenants import idempotency
from tenants import key_model as keys
from tenants import model as tenancy
from tenants import people_model as people
from tenants import signin_model as signin
from tenants.ports import Signal
from tenants.records import Base
from tenants.rls import APP, OWNER, SYSTEM, faults
from tenants.routines import Routines
from tenants.unit import Units

MODELS = (
    tenancy,
    people,
    factors,
    keys,
    idempotency,
    signin,
    catalog,
    provider_rows,
    usage,
    dispatch,
    production,
    studio,
    outreach,
)
"""Every module of rows; a new one is added here so that migrations and tests see its tables."""

METADATA = Base.metadata
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
IDLE_LIMIT = "SET idle_in_transaction_session_timeout = '60s'"
MIGRATION_LOCK = 0x76666F73
OLDEST = 15
PREPARE_AFTER = 3
"""A statement is prepared on the server once a connection has run it this often."""
RESTED, RESTED_S = "rested_since", 0.25
"""A connection that was idle for longer is asked whether it is still there before it is used."""


class DatabaseError(Exception):
    """Raised when the database cannot be used as it is; the message is one sentence with the fix."""


@dataclass(frozen=True)
class PoolSizes:
    """Connections one process holds at most, per role (`app` + `system`)."""

    app: int
    system: int

    @property
    def lines(self) -> int:
        """How many of the system role's connections may be kept for the routines."""
        return max(1, self.system - 2)

    @property
    def total(self) -> int:
        return self.app + self.system


POOLS: dict[str, PoolSizes] = {
    "web": PoolSizes(app=12, system=6),
    "pump": PoolSizes(app=4, system=4),
    "worker": PoolSizes(app=10, system=6),
    "command": PoolSizes(app=2, system=2),
}
"""Kind of process → sizes. One web, one pump, two workers and four commands stay within 80 connections."""


@dataclass(frozen=True)
class Engines:
    """The engines of the app role and of the system role."""

    app: AsyncEngine
    system: AsyncEngine
    routines: Routines

    def units(self, signal: Signal | None = None) -> Units:
        """Make the door to rows; all doors share the lines of the routines."""
        return Units(self.app, self.system, signal, self.routines)

    async def dispose(self) -> None:
        """Close all connections."""
        await self.routines.close()
        await self.app.dispose()
        await self.system.dispose()


def make_engines(settings: Settings, process: str = "command") -> Engines:
    """Make the engines of one process; nothing connects before the first unit of work."""
    sizes = POOLS[process]
    system = _make_engine(settings.database_system_url, sizes.system, process)
    return Engines(_make_engine(settings.database_url, sizes.app, process), system, Routines(system, sizes.lines))


def _make_engine(url: str, size: int, process: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=15,
        pool_recycle=1800,
        connect_args={
            "prepare_threshold": PREPARE_AFTER if _is_direct(url) else None,
            "connect_timeout": 5,
            "application_name": f"vfos {process}",
        },
    )
    event.listen(engine.sync_engine, "connect", _bound_idling)
    event.listen(engine.sync_engine, "checkin", _note_return)
    event.listen(engine.sync_engine, "checkout", _ping_rested(engine.sync_engine.dialect))
    return engine


def _is_direct(url: str) -> bool:
    """Whether nothing can stand between us and PostgreSQL: prepared statements do not survive a pooling proxy."""
    parsed = make_url(url)
    host = parsed.host or parsed.query.get("host", "")
    return isinstance(host, str) and host.startswith("/")


def _ping_rested(dialect: Dialect) -> Callable[[Any, Any, Any], None]:
    """Make the hook that asks a connection which has rested whether it is still there.

    A pool that pings at every checkout pays a round trip for each unit of work.
    """

    def ask(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.setdefault(RESTED, time.monotonic()) < RESTED_S:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError("The connection ended while it rested.") from error

    return ask


def _note_return(_connection: Any, record: Any) -> None:
    record.info[RESTED] = time.monotonic()


def _bound_idling(connection: Any, _record: Any) -> None:
    """A process that is stopped in the middle of a transaction must not hold the others' locks for ever."""
    cursor = connection.cursor()
    cursor.execute(IDLE_LIMIT)
    cursor.close()
    connection.commit()


# ── Migrations ────────────────────────────────────────────────────────────────────────────────────────────
async def migrate(settings: Settings, target: str = "head") -> list[str]:
    """Bring the schema to `target`; answer the versions applied. Raises DatabaseError. Safe to run twice at once."""
    return await asyncio.to_thread(_migrate, settings.database_owner_url, target)


async def unmigrate(settings: Settings, target: str = "base") -> None:
    """Take the schema back to `target`. Raises DatabaseError."""
    await asyncio.to_thread(_run, settings.database_owner_url, command.downgrade, target)


def config_for(connection: Connection | None = None) -> Config:
    """Make Alembic's configuration without a file; `connection` is handed to migrations/env.py."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The newest version of the schema."""
    return str(ScriptDirectory.from_config(config_for()).get_current_head())


def versions(target: str = "head") -> list[str]:
    """Every version of the schema up to `target`, oldest first."""
    scripts = ScriptDirectory.from_config(config_for())
    return [script.revision for script in reversed(list(scripts.walk_revisions("base", target)))]


def _migrate(url: str, target: str) -> list[str]:
    before = _run(url, command.upgrade, target)
    known = versions(target)
    return known[known.index(before) + 1 :] if before in known else known


def _run(url: str, action: Any, target: str) -> str | None:
    """Run an Alembic command in one transaction; answer the version found before it."""
    engine = _sync_engine(url)
    try:
        with engine.begin() as connection:
            _check_server(connection, OWNER, url)
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            before = _version(connection)
            action(config_for(connection), target)
            return before
    except SQLAlchemyError as error:
        raise _explained(error, url, "DATABASE_OWNER_URL") from error
    finally:
        engine.dispose()


def differences(url: str) -> list[str]:
    """What models, walls and the database at `url` do not agree on; empty when they do."""
    engine = _sync_engine(url)
    try:
        with engine.connect() as connection:
            return differences_on(connection)
    finally:
        engine.dispose()


def differences_on(connection: Connection) -> list[str]:
    """Compare tables, columns, defaults, indexes, keys, check constraints, policies and grants."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    found = [str(difference) for difference in compare_metadata(context, METADATA)]
    rows = connection.execute(text("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0"))
    # Alembic leaves check constraints out, so their names are compared here.
    modelled = {str(c.name) for t in METADATA.sorted_tables for c in t.constraints if isinstance(c, CheckConstraint)}
    found += [f"check constraint {name}" for name in sorted(set(rows.scalars()) ^ modelled)]
    return found + faults(connection, METADATA)


# ── The check ─────────────────────────────────────────────────────────────────────────────────────────────
async def check_database(settings: Settings) -> None:
    """Raise DatabaseError unless both roles can work: reachable, right roles, newest schema, every table closed."""
    await asyncio.to_thread(_check, settings.database_url, APP, "DATABASE_URL")
    await asyncio.to_thread(_check, settings.database_system_url, SYSTEM, "DATABASE_SYSTEM_URL")


def _check(url: str, role: str, variable: str) -> None:
    engine = _sync_engine(url)
    try:
        with engine.connect() as connection:
            _check_server(connection, role, url)
            found = _version(connection)
            if found != head():
                raise DatabaseError(
                    f"The database is at schema version {found or 'none'}, the program needs {head()}: "
                    "run `vfos migrate`."
                )
            open_walls = faults(connection, METADATA)
            if open_walls:
                raise DatabaseError(f"The database does not keep tenants apart: {'; '.join(open_walls[:5])}.")
    except SQLAlchemyError as error:
        raise _explained(error, url, variable) from error
    finally:
        engine.dispose()


def _sync_engine(url: str) -> Engine:
    return create_engine(url, poolclass=NullPool, connect_args={"prepare_threshold": None, "connect_timeout": 5})


def _check_server(connection: Connection, role: str, url: str) -> None:
    version = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10000
    if version < OLDEST:
        raise DatabaseError(f"PostgreSQL at {_place(url)} is version {version}: {OLDEST} or newer is needed.")
    name, above = connection.execute(
        text("SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    ).one()
    if name != role or above:
        raise DatabaseError(
            f"The database at {_place(url)} is entered as {name}, which "
            f"{'ignores row-level security' if above else 'has other rights'}: enter it as {role}."
        )


def _version(connection: Connection) -> str | None:
    if connection.execute(text("SELECT to_regclass('public.alembic_version')")).scalar_one() is None:
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return None if found is None else str(found)


def _place(url: str) -> str:
    """Where a database is, without the password."""
    parsed = make_url(url)
    host = parsed.host or parsed.query.get("host", "this machine")
    return f"{host}{f':{parsed.port}' if parsed.port else ''}/{parsed.database}"


def _explained(error: SQLAlchemyError, url: str, variable: str) -> DatabaseError:
    cause = str(getattr(error, "orig", None) or error).strip().splitlines()
    why = cause[-1].strip() if cause else type(error).__name__
    return DatabaseError(
        f"The database at {_place(url)} cannot be used as {make_url(url).username} ({why}): "
        f"check {variable} and that PostgreSQL is running."
    )
