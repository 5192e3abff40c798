"""The schema: up, down, up again; models, database and walls are the same thing."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from adapters.database import (
    POOLS,
    DatabaseError,
    check_database,
    differences,
    differences_on,
    head,
    make_engines,
    migrate,
    unmigrate,
)
from adapters.settings import Settings
from tests.support.services import Services

LEFT = text(
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname IN ('public', 'app') AND c.relname NOT LIKE 'alembic_version%'"
)


@pytest.fixture
def empty(services: Services) -> Settings:
    return services.empty_database()


class TestVersions:
    async def test_up_down_up_leaves_the_models_exactly(self, empty: Settings) -> None:
        whole = await migrate(empty)
        assert whole[-1] == head()
        assert await asyncio.to_thread(differences, empty.database_owner_url) == []
        await unmigrate(empty)
        with create_engine(empty.database_owner_url, poolclass=NullPool).connect() as connection:
            assert connection.execute(LEFT).scalar_one() == 0
        assert await migrate(empty) == whole
        assert await asyncio.to_thread(differences, empty.database_owner_url) == []

    async def test_two_at_once_and_a_second_run_do_nothing_twice(self, empty: Settings) -> None:
        applied = await asyncio.gather(migrate(empty), migrate(empty))
        first, second = sorted(applied, key=len)
        assert (first, second[-1]) == ([], head())
        assert await migrate(empty) == []


class TestComparison:
    """The comparison itself must be able to fail."""

    @pytest.mark.parametrize(
        ("damage", "names"),
        [
            ("ALTER TABLE jobs DISABLE ROW LEVEL SECURITY", "jobs"),
            ("ALTER TABLE jobs NO FORCE ROW LEVEL SECURITY", "jobs"),
            ("DROP POLICY app_rows ON steps", "steps"),
            ("CREATE POLICY extra ON steps TO vfos_app USING (true)", "extra"),
            ("ALTER POLICY app_rows ON steps USING (true)", "steps"),
            ("GRANT UPDATE ON events TO vfos_app", "events"),
            ("GRANT SELECT ON auth_session TO PUBLIC", "PUBLIC"),
            ("GRANT UPDATE (digest) ON audit_entries TO vfos_app", "digest"),
            ("CREATE TABLE stray (id int)", "stray"),
            ("CREATE VIEW peek AS SELECT * FROM jobs", "peek"),
            ("ALTER TABLE jobs DROP CONSTRAINT ck_jobs_state", "ck_jobs_state"),
            ("ALTER TABLE jobs ALTER priority SET DEFAULT 3", "priority"),
            ("DROP INDEX ix_jobs_state", "ix_jobs_state"),
        ],
    )
    def test_sees(self, database: Settings, damage: str, names: str) -> None:
        engine = create_engine(database.database_owner_url, poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(damage))
            found = differences_on(connection)
            assert names in str(found)
            connection.rollback()


class TestCheck:
    async def test_a_good_database_passes(self, database: Settings) -> None:
        await check_database(database)

    async def test_no_tables_yet(self, empty: Settings) -> None:
        with pytest.raises(DatabaseError, match=r"at schema version none.*run `vfos migrate`"):
            await check_database(empty)

    async def test_nobody_there(self, database: Settings) -> None:
        gone = database.using(database_url="postgresql+psycopg://vfos_app:hidden@127.0.0.1:1/vfos")
        with pytest.raises(
            DatabaseError, match=r"127\.0\.0\.1:1/vfos cannot be used as vfos_app .*DATABASE_URL"
        ) as raised:
            await check_database(gone)
        assert "hidden" not in str(raised.value)

    async def test_wrong_role(self, database: Settings) -> None:
        with pytest.raises(DatabaseError, match="entered as vfos_owner, which has other rights: enter it as vfos_app"):
            await check_database(database.using(database_url=database.database_owner_url))

    async def test_superuser(self, database: Settings) -> None:
        url = database.database_url.replace("vfos_app", "postgres")
        with pytest.raises(DatabaseError, match="ignores row-level security"):
            await check_database(database.using(database_url=url))

    async def test_no_such_database(self, database: Settings) -> None:
        url = database.database_owner_url.replace("/test_", "/missing_")
        with pytest.raises(DatabaseError, match="DATABASE_OWNER_URL"):
            await migrate(database.using(database_owner_url=url))


def test_all_processes_together_fit_the_embedded_server() -> None:
    total = POOLS["web"].total + POOLS["pump"].total + 2 * POOLS["worker"].total + 4 * POOLS["command"].total
    assert total <= 80


async def test_nobody_holds_a_transaction_open_for_long(database: Settings) -> None:
    engines = make_engines(database)
    for engine in (engines.app, engines.system):
        async with engine.connect() as connection:
            found = await connection.scalar(text("SHOW idle_in_transaction_session_timeout"))
            assert found == "1min"
    await engines.dispose()
