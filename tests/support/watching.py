"""A witness in the database of a test: it sees every change of a state, whoever makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from adapters.settings import Settings
from domain.dispatch import states as steps
from domain.production import states as jobs

TABLES: Mapping[str, Mapping[str, frozenset[str]]] = {"steps": steps.NEXT, "jobs": jobs.NEXT}  # type: ignore[dict-item]

_INSTALL = """
CREATE TABLE app.moves (kind text, before text, after text, PRIMARY KEY (kind, before, after));
GRANT ALL ON app.moves TO PUBLIC;
CREATE FUNCTION app.note_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO app.moves VALUES (TG_TABLE_NAME, OLD.state, NEW.state) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER note_move AFTER UPDATE OF state ON steps FOR EACH ROW WHEN (OLD.state <> NEW.state)
  EXECUTE FUNCTION app.note_move();
CREATE TRIGGER note_move AFTER UPDATE OF state ON jobs FOR EACH ROW WHEN (OLD.state <> NEW.state)
  EXECUTE FUNCTION app.note_move();
"""


@dataclass(frozen=True)
class Witness:
    """Looks at one database."""

    settings: Settings

    def install(self) -> None:
        with create_engine(self.settings.database_owner_url, poolclass=NullPool).begin() as connection:
            connection.exec_driver_sql(_INSTALL)

    def forget(self) -> None:
        """Leave out of account what has happened so far."""
        with create_engine(self.settings.database_owner_url, poolclass=NullPool).begin() as connection:
            connection.exec_driver_sql("TRUNCATE app.moves")

    def wrong_moves(self) -> list[str]:
        """Changes of a state that no table allows."""
        with create_engine(self.settings.database_owner_url, poolclass=NullPool).begin() as connection:
            rows = connection.execute(text("SELECT kind, before, after FROM app.moves ORDER BY 1, 2, 3"))
            seen = [(kind, before, after) for kind, before, after in rows]
        return [f"{kind}: {old} → {new}" for kind, old, new in seen if new not in TABLES[kind].get(old, ())]
