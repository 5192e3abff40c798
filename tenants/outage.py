"""Telling an absent database from a faulty request: the one is waited out, the other is not."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

AWAY_STATES = ("08", "57P0", "53300")
"""Beginnings of SQLSTATE that mean: no connection, shutting down or starting up, no connection free."""


def is_away(error: BaseException | None) -> bool:
    """Whether an error, or one that it came from, says that the database cannot be reached now."""
    return any(_says_away(one) for one in _line(error))


def _line(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _says_away(error: BaseException) -> bool:
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    if state:
        return str(state).startswith(AWAY_STATES)
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
