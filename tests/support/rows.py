"""Makes one row of any tenant table, by walking the models: new tables are covered without writing anything."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Table, insert
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.database import METADATA
from tenants.records import uuid7
from tenants.rls import GLOBAL_TABLES

TENANT_TABLES: tuple[Table, ...] = tuple(t for t in METADATA.sorted_tables if t.name not in GLOBAL_TABLES)
NAMES = [table.name for table in TENANT_TABLES]
NUMBERS = itertools.count(1)
WORDS = re.compile(r"(\w+) IN \((.*)\)", re.DOTALL)


@dataclass
class RowSet:
    """One row in every tenant table, all of one tenant and properly linked."""

    tenant_id: UUID
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def new(self, table: Table) -> dict[str, Any]:
        """Values for one more row, whose parents are the rows made before."""
        values = {c.name: _value(table, c.name) for c in table.columns if c.name == "tenant_id" or not _optional(c)}
        values["tenant_id"] = self.tenant_id
        for parent, link in links(table):
            values.update({ours: self.rows[parent][theirs] for ours, theirs in link.items() if ours != "tenant_id"})
        return values

    async def fill(self, session: AsyncSession) -> RowSet:
        """Insert one row into each table; the session must be allowed to."""
        for table in TENANT_TABLES:
            self.rows[table.name] = self.new(table)
            await session.execute(insert(table).values(self.rows[table.name]))
        return self

    def key(self, table: Table) -> dict[str, Any]:
        """The primary key of this set's row."""
        return {column.name: self.rows[table.name][column.name] for column in table.primary_key.columns}


def links(table: Table) -> Iterator[tuple[str, dict[str, str]]]:
    """Composite foreign keys of a table: (parent, {our column: theirs}); those to `tenants` are left out."""
    for constraint in table.foreign_key_constraints:
        assert isinstance(constraint, ForeignKeyConstraint)
        parent = constraint.referred_table.name
        if parent not in GLOBAL_TABLES:
            yield parent, {element.parent.name: element.column.name for element in constraint.elements}


def _optional(column: Any) -> bool:
    linked = any(key.column.table.name not in GLOBAL_TABLES for key in column.foreign_keys)
    return not linked and (column.nullable or column.server_default is not None)


def _value(table: Table, name: str) -> Any:
    allowed = _allowed(table).get(name)
    if allowed:
        return allowed[0]
    kind = table.columns[name].type
    if isinstance(kind, JSONB):
        return {}
    made: dict[type, Any] = {
        UUID: uuid7(),
        datetime: datetime.now(UTC),
        int: next(NUMBERS),
        float: 1.0,
        bool: False,
        bytes: b"x",
    }
    return made.get(kind.python_type, f"{table.name} {name} {uuid7()}")


def _allowed(table: Table) -> dict[str, list[str]]:
    """Words that check constraints of the form `column IN (…)` allow."""
    found = {}
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint) and (match := WORDS.fullmatch(str(constraint.sqltext))):
            found[match[1]] = re.findall(r"'([^']*)'", match[2])
    return found
