"""Rows of one kind, inside one tenant: the plain door for reading, adding and deleting.

There is no way to name another tenant here: the tenant comes from the unit of work, and a foreign id is
answered exactly like one that never existed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, inspect, select, tuple_
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import InstrumentedAttribute

from tenants.records import Base, TenantOwned
from tenants.unit import Unit

MOST = 200


class NotFound(Exception):
    """Raised when the tenant has no such row; missing and foreign are the same. `kind` names the table."""

    def __init__(self, kind: str) -> None:
        super().__init__("There is nothing here.")
        self.kind = kind


class BadCursor(ValueError):
    """Raised when a page's cursor is damaged or belongs to another list, filter, order or workspace."""

    def __init__(self) -> None:
        super().__init__("This page marker does not belong to this list: start again from the first page.")


Row = TypeVar("Row", bound=Base)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows in order, and the cursor of the next page (None on the last)."""

    rows: Sequence[Row]
    next: str | None


class Repository(Generic[Row]):
    """The rows of one mapped class that belong to the unit's tenant."""

    def __init__(self, unit: Unit, row: type[Row]) -> None:
        if TenantOwned not in row.__mro__:
            raise TypeError(f"{row.__name__} is not a tenant's row; it has no repository")
        mapper = inspect(row)
        self._unit: Unit = unit
        self._row: type[Row] = row
        self._key: tuple[str, ...] = tuple(mapper.get_property_by_column(c).key for c in mapper.primary_key)[1:]

    async def find(self, *key: object) -> Row | None:
        """Answer the row with this key (without the tenant), or None."""
        self._check(key)
        return await self._unit.session.get(self._row, (self._unit.tenant_id, *key))

    async def get(self, *key: object) -> Row:
        """Answer the row with this key (without the tenant). Raises NotFound."""
        row = await self.find(*key)
        if row is None:
            raise NotFound(self._row.__tablename__)
        return row

    def add(self, row: Row) -> Row:
        """Put a new row into the tenant; WrongTenant at flush if it names another."""
        self._unit.session.add(row)
        return row

    async def delete(self, *key: object) -> None:
        """Delete one row and what hangs on it. Raises NotFound."""
        self._check(key)
        matches = [getattr(self._row, name) == value for name, value in zip(self._key, key, strict=True)]
        gone = await self._unit.session.execute(
            delete(self._row).where(*self._own(), *matches).returning(self._column(self._key[-1]))
        )
        if gone.first() is None:
            raise NotFound(self._row.__tablename__)

    async def page(
        self,
        *where: ColumnElement[bool],
        order: Sequence[str] = (),
        newest_first: bool = False,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Row]:
        """Answer up to `limit` (1 to 200) rows after `cursor`, by the columns `order` and then the key.

        Columns of `order` must not be null. Raises BadCursor.
        """
        names = (*order, *(name for name in self._key if name not in order))
        columns = [self._column(name) for name in names]
        statement = select(self._row).where(*self._own(), *where)
        seal = self._seal(statement, names, newest_first)
        if cursor is not None:
            after = tuple_(*columns)
            place = tuple_(*_read_cursor(cursor, seal, columns))
            statement = statement.where(after < place if newest_first else after > place)
        limit = max(1, min(limit, MOST))
        ordered = statement.order_by(*(c.desc() if newest_first else c.asc() for c in columns)).limit(limit + 1)
        rows = list(await self._unit.session.scalars(ordered))
        if len(rows) <= limit:
            return Page(rows, None)
        return Page(rows[:limit], _write_cursor([getattr(rows[limit - 1], name) for name in names], seal))

    def _own(self) -> tuple[ColumnElement[bool], ...]:
        return (self._column("tenant_id") == self._unit.tenant_id,)

    def _column(self, name: str) -> InstrumentedAttribute[Any]:
        column: InstrumentedAttribute[Any] = getattr(self._row, name)
        return column

    def _check(self, key: tuple[object, ...]) -> None:
        if len(key) != len(self._key):
            raise TypeError(f"{self._row.__name__} is found by {', '.join(self._key)}")

    def _seal(self, statement: Select[Any], names: Sequence[str], newest_first: bool) -> str:
        """Bind a cursor to tenant, filter and order."""
        compiled = statement.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
        bound = sorted((name, str(value)) for name, value in compiled.params.items())
        return hashlib.sha256(repr((str(compiled), bound, tuple(names), newest_first)).encode()).hexdigest()[:16]


def _write_cursor(values: Sequence[Any], seal: str) -> str:
    shown = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps([seal, shown]).encode()).decode().rstrip("=")


def _read_whole(text: str) -> int:
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError("beyond 64 bits")
    return number


def _read_text(text: str) -> str:
    if "\0" in text:
        raise ValueError("PostgreSQL knows no NUL")
    return text


_READ: dict[type, Callable[[str], Any]] = {
    UUID: UUID,
    datetime: datetime.fromisoformat,
    int: _read_whole,
    float: float,
    str: _read_text,
}


def _read_cursor(cursor: str, seal: str, columns: Sequence[InstrumentedAttribute[Any]]) -> list[Any]:
    try:
        found, shown = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if found != seal or len(shown) != len(columns) or not all(isinstance(text, str) for text in shown):
            raise BadCursor
        return [_READ[column.type.python_type](text) for column, text in zip(columns, shown, strict=True)]
    except (ValueError, TypeError, KeyError) as fault:
        raise BadCursor from fault
