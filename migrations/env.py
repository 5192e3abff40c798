"""Runs versions on the connection that adapters/database.py hands over, or on DATABASE_OWNER_URL for developers."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from adapters.database import METADATA


def run(connection: Connection) -> None:
    """Run the asked versions in the connection's transaction."""
    context.configure(connection=connection, target_metadata=METADATA, compare_type=True, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with create_engine(os.environ["DATABASE_OWNER_URL"], poolclass=NullPool).begin() as made:
        run(made)
