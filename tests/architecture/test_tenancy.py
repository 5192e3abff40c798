"""Tenants are kept apart: over every table there is, as the app role, with each layer holding alone.

Layers: the unit of work's ORM criteria and flush check, row-level security, composite keys, grants.
"""

from __future__ import annotations

import ast
import asyncio
import functools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import (
    Index,
    Table,
    UniqueConstraint,
    and_,
    create_engine,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session, aliased, configure_mappers
from sqlalchemy.pool import NullPool

from adapters.database import METADATA, Engines, make_engines
from adapters.settings import Settings
from tenants import rls
from tenants.directory import create_tenant
from tenants.principal import Principal
from tenants.records import Base, TenantOwned
from tenants.unit import TELL, TenantSession, Units, WrongTenant
from tests.support.rows import NAMES, TENANT_TABLES, RowSet, links
from tests.support.services import Services

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "tenants", "domain", "adapters", "workers", "migrations")
ROLES = text(
    "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole, "
    "(SELECT count(*) FROM pg_auth_members m WHERE m.member = r.oid) FROM pg_roles r WHERE rolname LIKE 'vfos%'"
)
MAPPED: dict[str, Any] = {}


def mapped(name: str) -> Any:
    """The mapped class of a tenant table."""
    if not MAPPED:
        configure_mappers()
        MAPPED.update({mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers})
    return MAPPED[name]


def principal(tenant_id: UUID) -> Principal:
    return Principal(tenant_id=tenant_id, kind="person", role="owner")


class Pair:
    """Tenants A and B with one row in every table each, and two doors: the unit of work, and the bare app role."""

    def __init__(self, engines: Engines, ours: RowSet, theirs: RowSet) -> None:
        self.engines, self.units = engines, engines.units()
        self.ours, self.theirs = ours, theirs
        self.us, self.them = principal(ours.tenant_id), principal(theirs.tenant_id)

    @property
    def info(self) -> dict[str, Any]:
        return {"tenant_id": self.ours.tenant_id}

    def bare(self) -> AsyncSession:
        """A session of the app role without any of the unit's care; the database alone guards."""
        return AsyncSession(self.engines.app)


async def as_us(pair: Pair, statement: Any) -> Any:
    """Execute a Core statement as tenant A with nothing but row-level security, then roll back."""
    async with pair.bare() as session:
        await session.execute(TELL, {"tenant": str(pair.ours.tenant_id)})
        result = await session.execute(statement)
        answer = result.all() if result.returns_rows else result.rowcount
        await session.rollback()
        return answer


async def make_pair(settings: Settings, rows_as_system: bool = False) -> Pair:
    engines = make_engines(settings, "web")
    units = engines.units()
    sets = []
    for slug in ("ours", "theirs"):
        rows = RowSet(await create_tenant(units, slug, slug.title()))
        if rows_as_system:
            async with units.system("directory") as unit:
                await rows.fill(unit.session)
        else:
            async with units.open(principal(rows.tenant_id)) as unit:
                await rows.fill(unit.session)
        sets.append(rows)
    return Pair(engines, *sets)


@pytest.fixture(scope="module")
async def pair(database: Settings) -> AsyncIterator[Pair]:
    made = await make_pair(database)
    yield made
    await made.engines.dispose()


@pytest.fixture(scope="module")
async def unguarded(services: Services) -> AsyncIterator[Pair]:
    """The same with row-level security switched off on every table: the other layers stand alone."""
    settings = services.fresh_database()
    with create_engine(settings.database_owner_url, poolclass=NullPool).begin() as connection:
        for name in NAMES:
            connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY")
            connection.exec_driver_sql(f"GRANT ALL ON {name} TO vfos_app")
    made = await make_pair(settings, rows_as_system=True)
    yield made
    await made.engines.dispose()


every_table = pytest.mark.parametrize("table", TENANT_TABLES, ids=NAMES)


def tables_that(fit: Callable[[Table], bool]) -> pytest.MarkDecorator:
    """The tenant tables for which a case has a meaning."""
    chosen = [table for table in TENANT_TABLES if fit(table)]
    return pytest.mark.parametrize("table", chosen, ids=[table.name for table in chosen])


def keyed_by_parents(table: Table) -> bool:
    """Whether the key is made of parents only: a second row of ours with the same one is refused by our own row."""
    linked = {ours for _, link in links(table) for ours in link}
    return all(column.name in {"tenant_id", *linked} for column in table.primary_key.columns)


def its(table: Table, rows: RowSet) -> Any:
    """The condition that names a set's row."""
    return and_(*(table.columns[name] == value for name, value in rows.key(table).items()))


def writable(table: Table, verb: str) -> bool:
    return verb in rls.TENANT_TABLES.get(table.name, rls.Wall()).app


# ── The catalogue of the database itself ──────────────────────────────────────────────────────────────────
class TestCatalogue:
    def test_every_table_is_closed_exactly_as_reviewed(self, database: Settings) -> None:
        with create_engine(database.database_owner_url, poolclass=NullPool).connect() as connection:
            assert rls.faults(connection, METADATA) == []

    def test_every_table_is_a_tenants_or_reviewed(self) -> None:
        rows = {mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers}  # type: ignore[attr-defined]
        for name, row in rows.items():
            assert issubclass(row, TenantOwned) != (name in rls.GLOBAL_TABLES), name
        assert set(rls.GLOBAL_TABLES) <= rows.keys()
        assert all(wall.reason for wall in (*rls.GLOBAL_TABLES.values(), *rls.TENANT_TABLES.values()))

    async def test_roles(self, pair: Pair) -> None:
        async with pair.bare() as session:
            rows = await session.execute(ROLES)
            assert {tuple(row) for row in rows} == {(f"vfos_{name}", False, 0) for name in ("owner", "app", "system")}
            assert not await session.scalar(
                text("SELECT has_schema_privilege('public', 'CREATE') OR has_schema_privilege('app', 'CREATE')")
            )

    @every_table
    def test_keys_begin_with_the_tenant(self, table: Table) -> None:
        assert next(iter(table.primary_key.columns)).name == "tenant_id"
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint):
                assert next(iter(constraint.columns)).name == "tenant_id", constraint.name
        for index in table.indexes:
            if next(iter(index.columns)).name != "tenant_id":
                assert not index.unique, index.name
                assert index.name in rls.CROSS_TENANT_INDEXES, index.name

    @every_table
    def test_references_carry_the_tenant_and_have_an_index(self, table: Table) -> None:
        leading = [tuple(table.primary_key.columns.keys())]
        leading += [tuple(c.name for c in index.columns) for index in table.indexes]
        leading += [tuple(c.columns.keys()) for c in table.constraints if isinstance(c, UniqueConstraint)]
        for constraint in table.foreign_key_constraints:
            ours = tuple(element.parent.name for element in constraint.elements)
            theirs = tuple(element.column.name for element in constraint.elements)
            if constraint.referred_table.name == "tenants":
                assert (ours, theirs) == (("tenant_id",), ("id",))
                continue
            assert constraint.referred_table.name not in rls.GLOBAL_TABLES
            assert (ours[0], theirs[0]) == ("tenant_id", "tenant_id"), constraint.name
            assert (constraint.ondelete or "").upper() in {"CASCADE", "RESTRICT"}, "SET NULL would clear the tenant"
            assert any(columns[: len(ours)] == ours for columns in leading), f"{constraint.name} has no index"

    @every_table
    def test_a_table_hangs_on_its_tenant(self, table: Table) -> None:
        """By its own key or through its parents: deleting a tenant leaves nothing."""
        parents = {c.referred_table.name for c in table.foreign_key_constraints}
        assert parents, f"{table.name} would outlive its tenant"

    def test_lists_name_only_what_exists(self) -> None:
        indexes = {index.name for table in METADATA.sorted_tables for index in table.indexes}
        assert set(rls.CROSS_TENANT_INDEXES) <= indexes
        assert set(rls.TENANT_TABLES) <= set(NAMES)
        assert isinstance(next(iter(METADATA.tables["jobs"].indexes)), Index)


# ── The database alone: Core statements of the app role ───────────────────────────────────────────────────
class TestTheDatabaseAlone:
    """No ORM criteria, no flush check: PostgreSQL itself refuses."""

    @every_table
    async def test_sees_its_own_row_and_not_theirs(self, pair: Pair, table: Table) -> None:
        assert len(await as_us(pair, select(table).where(its(table, pair.ours)))) == 1
        assert await as_us(pair, select(table).where(its(table, pair.theirs))) == []
        assert {row[0] for row in await as_us(pair, select(table.c.tenant_id))} == {pair.ours.tenant_id}

    @every_table
    async def test_sees_nothing_without_a_tenant(self, pair: Pair, table: Table) -> None:
        async with pair.bare() as session:
            assert await session.scalar(select(func.count()).select_from(table)) == 0
            with pytest.raises(ProgrammingError, match="row-level security"):
                await session.execute(insert(table).values(pair.ours.new(table)))

    @every_table
    async def test_cannot_insert_for_them(self, pair: Pair, table: Table) -> None:
        with pytest.raises(ProgrammingError, match="row-level security"):
            await as_us(pair, insert(table).values(pair.theirs.new(table)))

    @every_table
    async def test_cannot_update_theirs(self, pair: Pair, table: Table) -> None:
        column = next(iter(table.primary_key.columns))
        statement = update(table).where(its(table, pair.theirs)).values({column: pair.theirs.tenant_id})
        if writable(table, "UPDATE"):
            assert await as_us(pair, statement) == 0
        else:
            with pytest.raises(ProgrammingError, match="permission denied"):
                await as_us(pair, statement)

    @tables_that(lambda table: writable(table, "UPDATE"))
    async def test_cannot_take_theirs_or_give_ours_away(self, pair: Pair, table: Table) -> None:
        take = update(table).where(its(table, pair.theirs)).values(tenant_id=pair.ours.tenant_id)
        assert await as_us(pair, take) == 0
        give = update(table).where(its(table, pair.ours)).values(tenant_id=pair.theirs.tenant_id)
        with pytest.raises(ProgrammingError, match="row-level security"):
            await as_us(pair, give)

    @every_table
    async def test_cannot_delete_theirs(self, pair: Pair, table: Table) -> None:
        if writable(table, "DELETE"):
            assert await as_us(pair, delete(table).where(its(table, pair.theirs))) == 0
        else:
            with pytest.raises(ProgrammingError, match="permission denied"):
                await as_us(pair, delete(table).where(its(table, pair.theirs)))

    @every_table
    async def test_cannot_refer_to_theirs(self, pair: Pair, table: Table) -> None:
        for parent, link in links(table):
            values = pair.ours.new(table)
            values |= {ours: pair.theirs.rows[parent][there] for ours, there in link.items() if ours != "tenant_id"}
            with pytest.raises(IntegrityError, match="foreign key"):
                await as_us(pair, insert(table).values(values))

    @tables_that(lambda table: not keyed_by_parents(table))
    async def test_a_taken_key_tells_nothing(self, pair: Pair, table: Table) -> None:
        """Using their ids or unique values is no conflict: it does not tell that they exist."""
        linked = {ours for _, link in links(table) for ours in link}
        values = pair.ours.new(table)
        values |= {name: value for name, value in pair.theirs.rows[table.name].items() if name not in linked}
        values["tenant_id"] = pair.ours.tenant_id
        made = await as_us(pair, insert(table).values(values).returning(table.c.tenant_id))
        assert [tuple(row) for row in made] == [(pair.ours.tenant_id,)]

    async def test_a_statement_that_forgets_everything_shows_our_rows_only(self, pair: Pair) -> None:
        for name in NAMES:
            rows = await as_us(pair, text(f"SELECT tenant_id FROM {name}"))
            assert {row[0] for row in rows} == {pair.ours.tenant_id}, name

    @every_table
    async def test_the_wall_is_an_index_condition(self, pair: Pair, table: Table) -> None:
        """The policy is inlined into the plan, so keeping tenants apart costs an index look-up and no scan."""
        async with pair.bare() as session:
            await session.execute(TELL, {"tenant": str(pair.ours.tenant_id)})
            await session.execute(text("SET LOCAL enable_seqscan = off"))
            statement = select(table).compile(dialect=postgresql.dialect())
            plan = "\n".join(await session.scalars(text("EXPLAIN " + str(statement))))
        assert "Index Cond: (tenant_id = (NULLIF(current_setting('app.tenant_id'" in plan, plan

    async def test_tenants_shows_only_itself(self, pair: Pair) -> None:
        rows = await as_us(pair, select(METADATA.tables["tenants"].c.id))
        assert [row[0] for row in rows] == [pair.ours.tenant_id]

    async def test_a_tenant_cannot_raise_its_own_limits(self, pair: Pair) -> None:
        table = METADATA.tables["tenants"]
        for column, value in (("weight", 99), ("max_running", 99), ("tier", "business"), ("id", uuid4())):
            with pytest.raises(ProgrammingError, match="permission denied"):
                await as_us(pair, update(table).values({column: value}))

    @pytest.mark.parametrize(
        "verb", ["UPDATE audit_entries SET action = 'x'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"]
    )
    async def test_the_audit_trail_is_append_only_for_both_roles(self, pair: Pair, verb: str) -> None:
        with pytest.raises(ProgrammingError, match="permission denied"):
            await as_us(pair, text(verb))
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with pair.units.system("directory") as unit:
                await unit.session.execute(text(verb))

    @pytest.mark.parametrize(
        "statement",
        [
            "SET ROLE vfos_system",
            "SET ROLE vfos_owner",
            "SET SESSION AUTHORIZATION postgres",
            "ALTER TABLE jobs DISABLE ROW LEVEL SECURITY",
            "DROP POLICY app_rows ON jobs",
            "CREATE FUNCTION app.tid() RETURNS uuid LANGUAGE sql RETURN null",
            "CREATE TABLE public.x (i int)",
            "CREATE TEMP TABLE x (i int)",
            "COPY jobs TO PROGRAM 'true'",
        ],
    )
    async def test_the_app_role_cannot_open_the_wall(self, pair: Pair, statement: str) -> None:
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner|must be superuser"):
            await as_us(pair, text(statement))


# ── The unit of work alone: row-level security is off ─────────────────────────────────────────────────────
class TestTheUnitOfWorkAlone:
    """Row-level security is off on every table and all verbs are granted: ORM criteria, flush check and keys hold."""

    async def test_the_wall_is_really_gone(self, unguarded: Pair) -> None:
        rows = await as_us(unguarded, select(METADATA.tables["jobs"].c.tenant_id))
        assert {row[0] for row in rows} == {unguarded.ours.tenant_id, unguarded.theirs.tenant_id}

    @every_table
    async def test_reads_find_our_rows_only(self, unguarded: Pair, table: Table) -> None:
        row = mapped(table.name)
        async with unguarded.units.open(unguarded.us) as unit:
            found = (await unit.session.scalars(select(row))).all()
            assert {one.tenant_id for one in found} == {unguarded.ours.tenant_id}
            assert await unit.session.get(row, tuple(unguarded.theirs.key(table).values())) is None
            assert await unit.session.get(row, tuple(unguarded.ours.key(table).values())) is not None
            assert await unit.session.scalar(select(func.count()).select_from(row)) == 1

    @every_table
    async def test_updates_and_deletes_do_not_reach_theirs(self, unguarded: Pair, table: Table) -> None:
        row = mapped(table.name)
        async with unguarded.units.open(unguarded.us) as unit:
            changed = await unit.session.execute(
                update(row).where(its(table, unguarded.theirs)).values(tenant_id=unguarded.theirs.tenant_id)
            )
            gone = await unit.session.execute(delete(row).where(its(table, unguarded.theirs)))
            assert (changed.rowcount, gone.rowcount) == (0, 0)

    @every_table
    async def test_flushes_refuse_theirs(self, unguarded: Pair, table: Table) -> None:
        row = mapped(table.name)
        with pytest.raises(WrongTenant):
            async with unguarded.units.open(unguarded.us) as unit:
                unit.session.add(row(**unguarded.theirs.new(table)))

    @every_table
    async def test_bulk_statements_refuse_theirs(self, unguarded: Pair, table: Table) -> None:
        row = mapped(table.name)
        for statement in (insert(row), update(row)):
            with pytest.raises(WrongTenant):
                async with unguarded.units.open(unguarded.us) as unit:
                    await unit.session.execute(statement, [unguarded.theirs.new(table)])

    @every_table
    async def test_keys_refuse_a_reference_to_theirs(self, unguarded: Pair, table: Table) -> None:
        for parent, link in links(table):
            values = unguarded.ours.new(table)
            values |= {a: unguarded.theirs.rows[parent][b] for a, b in link.items() if a != "tenant_id"}
            with pytest.raises(IntegrityError, match="foreign key"):
                async with unguarded.units.open(unguarded.us) as unit:
                    unit.session.add(mapped(table.name)(**values))

    async def test_joins_subqueries_and_aliases_are_narrowed_too(self, unguarded: Pair) -> None:
        job, step = mapped("jobs"), mapped("steps")
        other = aliased(job)
        ours = unguarded.ours.tenant_id
        async with unguarded.units.open(unguarded.us) as unit:
            everything = [
                select(step.tenant_id).join(job, job.id == step.job_id),
                select(other.tenant_id),
                select(job.tenant_id).where(job.id.in_(select(step.job_id))),
                select(step.tenant_id, other.tenant_id).join(other, other.id != step.id),
                select(job.tenant_id).union_all(select(step.tenant_id)),
                select(select(job.tenant_id).subquery()),
            ]
            for statement in everything:
                rows = (await unit.session.execute(statement)).all()
                assert {value for row in rows for value in row} == {ours}, str(statement)

    async def test_two_units_side_by_side_keep_their_own_tenant(self, unguarded: Pair) -> None:
        """The criteria's closure is cached by its code: each unit must still get its own tenant."""
        job = mapped("jobs")
        async with unguarded.units.open(unguarded.us) as first, unguarded.units.open(unguarded.them) as second:
            for _ in range(3):
                for unit in (first, second):
                    seen = set(await unit.session.scalars(select(job.tenant_id).where(job.number >= 0)))
                    assert seen == {unit.tenant_id}
                    rows = (await unit.session.scalars(select(job).execution_options(populate_existing=True))).all()
                    assert {row.tenant_id for row in rows} == {unit.tenant_id}
                    await unit.session.refresh(rows[0])

    async def test_a_foreign_row_cannot_be_attached(self, unguarded: Pair) -> None:
        """A refresh is not narrowed by criteria, and a delete of a loaded row names its key: so neither may begin."""
        job = mapped("jobs")
        async with unguarded.units.open(unguarded.them) as unit:
            foreign = (await unit.session.scalars(select(job))).one()
            unit.session.expunge(foreign)
        async with unguarded.units.open(unguarded.us) as unit:
            with pytest.raises(WrongTenant):
                unit.session.add(foreign)
            with pytest.raises(WrongTenant):
                await unit.session.delete(foreign)
            copy = await unit.session.merge(foreign)
            with pytest.raises(WrongTenant):
                await unit.session.flush()
            unit.session.expunge(copy)

    async def test_a_row_moved_between_tenants_is_refused(self, unguarded: Pair) -> None:
        job = mapped("jobs")
        async with unguarded.units.open(unguarded.them) as unit:
            foreign = (await unit.session.scalars(select(job))).one()
            unit.session.expunge(foreign)
        foreign.tenant_id = unguarded.ours.tenant_id
        with pytest.raises(WrongTenant):
            async with unguarded.units.open(unguarded.us) as unit:
                unit.session.add(foreign)
        async with unguarded.units.open(unguarded.us) as unit:
            own = (await unit.session.scalars(select(job))).one()
            own.tenant_id = unguarded.theirs.tenant_id
            with pytest.raises(WrongTenant):
                await unit.session.flush()
            unit.session.expunge(own)


class TestWhatNoFlushSees:
    """Old bulk calls pass by the ORM's events; the database refuses them."""

    @every_table
    @pytest.mark.parametrize("call", ["bulk_insert_mappings", "bulk_save_objects"])
    async def test_bulk_insert(self, pair: Pair, table: Table, call: str) -> None:
        row, values = mapped(table.name), pair.theirs.new(table)
        async with AsyncSession(pair.engines.app, sync_session_class=TenantSession, info=pair.info) as session:

            def save(inner: Session) -> None:
                if call == "bulk_save_objects":
                    inner.bulk_save_objects([row(**values)])
                else:
                    inner.bulk_insert_mappings(row, [values])

            with pytest.raises(ProgrammingError, match="row-level security"):
                await session.run_sync(save)


# ── Connections are shared, tenants are not ───────────────────────────────────────────────────────────────
class TestSharedConnections:
    @pytest.fixture
    async def three(self, database: Settings) -> AsyncIterator[AsyncEngine]:
        engine = create_async_engine(
            database.database_url,
            pool_size=3,
            max_overflow=0,
            pool_timeout=300,
            connect_args={"prepare_threshold": None},
        )
        yield engine
        await engine.dispose()

    async def test_640_interleaved_units_on_3_connections(self, pair: Pair, three: AsyncEngine) -> None:
        units, job = Units(three, three), mapped("jobs")

        async def visit(number: int) -> set[UUID]:
            """Read in a different way each time; every seventh unit ends in an error."""
            who = pair.us if number % 2 else pair.them
            ways = (
                select(job.tenant_id),
                select(METADATA.tables["jobs"].c.tenant_id),
                text("SELECT tenant_id FROM jobs"),
            )
            try:
                async with units.open(who) as unit:
                    seen = set((await unit.session.scalars(ways[number % 3])).all())
                    await asyncio.sleep(0)
                    seen |= set((await unit.session.scalars(ways[(number + 1) % 3])).all())
                    if number % 7 == 0:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                pass
            return seen ^ {who.tenant_id}

        leaks = await asyncio.gather(*(visit(number) for number in range(640)))
        assert [leak for leak in leaks if leak] == []
        async with AsyncSession(three) as session:
            for _ in range(3):
                assert await session.scalar(text("SELECT count(*) FROM jobs")) == 0
                await session.rollback()

    async def test_the_tenant_is_told_again_after_an_early_commit(self, pair: Pair) -> None:
        async with AsyncSession(pair.engines.app) as session:
            await session.execute(TELL, {"tenant": str(pair.ours.tenant_id)})
            await session.commit()
            assert await session.scalar(text("SELECT count(*) FROM jobs")) == 0
        async with pair.units.open(pair.us) as unit:
            nested = await unit.session.begin_nested()
            await nested.rollback()
            assert await unit.session.scalar(text("SELECT count(*) FROM jobs")) == 1


# ── The source ────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Source:
    """One file of the program: what stands at its top, and every call in it."""

    name: str
    body: list[ast.stmt]
    calls: list[ast.Call]

    @classmethod
    def of(cls, name: str, code: str) -> Source:
        tree = ast.parse(code)
        return cls(name, tree.body, [node for node in ast.walk(tree) if isinstance(node, ast.Call)])


@functools.cache
def sources() -> list[Source]:
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [Source.of(str(path.relative_to(ROOT)), path.read_text()) for path in files]


def composed_sql(source: Source) -> list[int]:
    """Lines where `text(…)` gets anything but a literal."""
    return [
        node.lineno
        for node in source.calls
        if (getattr(node.func, "id", None) == "text" or getattr(node.func, "attr", None) == "text")
        and _is_sqlalchemy_text(node)
        and not (node.args and isinstance(node.args[0], ast.Constant))
    ]


def _is_sqlalchemy_text(node: ast.Call) -> bool:
    """A method `x.text(…)` of something else than the library is not meant."""
    return isinstance(node.func, ast.Name) or getattr(node.func.value, "id", None) in {"sa", "sqlalchemy"}


class TestSource:
    def test_sql_is_never_composed_from_strings(self) -> None:
        assert {source.name: lines for source in sources() if (lines := composed_sql(source))} == {}

    @pytest.mark.parametrize(
        "line", ['text(f"SELECT {x}")', 'text("a" + x)', 'text("a %s" % x)', "text(x)", 'sa.text("{}".format(x))']
    )
    def test_the_check_sees(self, line: str) -> None:
        assert composed_sql(Source.of("planted", line)) == [1]

    def test_system_units_are_opened_where_reviewed(self) -> None:
        found: dict[str, set[str]] = {}
        for source in sources():
            constants = {
                node.targets[0].id: node.value.value
                for node in source.body
                if isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)
                and isinstance(node.value, ast.Constant)
            }
            for node in source.calls:
                if getattr(node.func, "attr", "") == "system" and len(node.args) == 1:
                    given = node.args[0]
                    purpose = (
                        given.value if isinstance(given, ast.Constant) else constants.get(getattr(given, "id", ""))
                    )
                    found.setdefault(str(purpose), set()).add(source.name)
        assert found == {purpose: {file} for purpose, file in rls.SYSTEM_ROUTINES.items()}

    def test_only_the_unit_of_work_names_the_tenant_setting(self) -> None:
        files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
        naming = {str(path.relative_to(ROOT)) for path in files if "app.tenant_id" in path.read_text()}
        assert naming == {"tenants/unit.py", "tenants/rls.py"}


def test_bare_routines_are_called_where_reviewed() -> None:
    """Calls around the unit of work are few, and each of their files is on the reviewed list."""
    calling = {source.name for source in sources() if any(map(_calls_routine, source.calls))}
    assert calling == rls.BARE_ROUTINES


def _calls_routine(node: ast.Call) -> bool:
    """Whether it is `….routines.call(…)`."""
    called = node.func
    return (
        isinstance(called, ast.Attribute) and called.attr == "call" and getattr(called.value, "attr", "") == "routines"
    )
