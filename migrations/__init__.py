"""Versions of the schema, run by Alembic as the role that owns the tables."""
