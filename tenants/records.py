"""The base of all rows: keys, time stamps, and the mark that a row belongs to a tenant."""

from __future__ import annotations

import os
import time
import uuid
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, DateTime, ForeignKeyConstraint, MetaData, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def uuid7() -> uuid.UUID:
    """Make a UUID that sorts by its time of birth (RFC 9562, version 7)."""
    millis = time.time_ns() // 1_000_000
    value = (millis & ((1 << 48) - 1)) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    return uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


class Base(DeclarativeBase):
    """Base of every row of the product."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        uuid.UUID: Uuid(as_uuid=True),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: JSONB,
        str: Text,
        int: BigInteger,
    }


class TenantOwned:
    """Mark of a row that belongs to one tenant; `tenant_id` comes first in every key.

    Tables with this mark get row-level security (tenants/rls.py) and are filtered in every unit of work.
    """

    @declared_attr
    @classmethod
    def tenant_id(cls) -> Mapped[uuid.UUID]:
        return mapped_column(primary_key=True, sort_order=-10)


class Timed:
    """Adds the moment of birth, on the database's clock."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=90)


def belongs_to(
    table: str, *columns: str, ondelete: str = "CASCADE", target: tuple[str, ...] = ("id",)
) -> ForeignKeyConstraint:
    """Make a composite foreign key to another row of the same tenant."""
    return ForeignKeyConstraint(
        ["tenant_id", *columns],
        [f"{table}.tenant_id", *(f"{table}.{name}" for name in target)],
        ondelete=ondelete,
    )


def of_tenant() -> ForeignKeyConstraint:
    """Make the foreign key from a top-level tenant table to its tenant."""
    return ForeignKeyConstraint(["tenant_id"], ["tenants.id"], ondelete="CASCADE")
