"""Routines of the database called bare: one statement, one round trip, one transaction of its own.

The line turns on two of them (claim and settle) for every step of every tenant, and what a unit of work costs around a
statement would be most of their time. Only routines that name their tenant in every statement may be called so.
"""

from __future__ import annotations

import asyncio
from typing import Any, LiteralString

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

MOST = 3
"""Lines kept at once per process."""


class Routines:
    """A few connections of the system role, kept open and in autocommit; a broken one is thrown away."""

    def __init__(self, engine: AsyncEngine, most: int = MOST) -> None:
        self._engine, self._turns = engine, asyncio.Semaphore(most)
        self._idle: list[AsyncConnection] = []

    async def call(self, statement: LiteralString, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Run one statement (parameters `%(name)s`); it is committed when this returns. Raises DBAPIError."""
        async with self._turns:
            line = self._idle.pop() if self._idle else await self._open()
            try:
                cursor = await _driver(line).execute(statement, values)
                rows: list[tuple[Any, ...]] = await cursor.fetchall()
            except BaseException as error:
                # Also when cancelled in between: what a line still has to say must not answer the next question.
                await asyncio.shield(_throw_away(line))
                raise self._named(statement, error) from error
            self._idle.append(line)
            return rows

    def _named(self, statement: str, error: BaseException) -> BaseException:
        """A driver's error as SQLAlchemy names it, so that everybody who knows those knows this one."""
        dialect = self._engine.dialect
        if not isinstance(error, Exception) or dialect.loaded_dbapi is None:
            return error
        return DBAPIError.instance(statement, None, error, dialect.loaded_dbapi.Error, dialect=dialect)

    async def close(self) -> None:
        """Close the idle lines."""
        lines, self._idle = self._idle, []
        for line in lines:
            await _throw_away(line)

    async def _open(self) -> AsyncConnection:
        line = await self._engine.connect()
        try:
            await line.get_raw_connection()
            await _driver(line).set_autocommit(True)
        except BaseException:
            await asyncio.shield(_throw_away(line))
            raise
        return line


def _driver(line: AsyncConnection) -> Any:
    """The driver's own asynchronous connection, kept by SQLAlchemy's."""
    raw = line.sync_connection.connection  # type: ignore[union-attr]
    return raw.driver_connection


async def _throw_away(line: AsyncConnection) -> None:
    await line.invalidate()
    await line.close()
