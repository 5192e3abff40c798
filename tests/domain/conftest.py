"""A fresh, migrated database, an engine and workspaces for tests of the line."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from adapters.database import Engines, make_engines
from adapters.settings import Settings
from domain.catalog.model import Project
from domain.dispatch.model import SchedFlow, Step
from domain.dispatch.recount import recount
from domain.dispatch.states import OPEN
from domain.production.engine import Engine
from tenants.model import Tenant
from tenants.unit import Units
from tests.support.line import CALLS, Workspace, make_engine, open_workspace
from tests.support.watching import Witness

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
async def engines(database: Settings) -> AsyncIterator[Engines]:
    made = make_engines(database, "worker")
    yield made
    await made.dispose()


@pytest.fixture(scope="module")
async def units(engines: Engines) -> Units:
    return engines.units()


@pytest.fixture(scope="module")
def witness(database: Settings) -> Witness:
    seen = Witness(database)
    seen.install()
    return seen


@pytest.fixture
async def alone(units: Units, witness: Witness) -> AsyncIterator[None]:
    """End what other tests have left, so that nothing of it is claimed or reaped here.

    Afterwards no counter may be wrong, and no job or step may have taken a step that its table does not know.
    """
    async with units.system("farm") as unit:
        await unit.session.execute(update(Step).where(Step.state.in_(OPEN)).values(state="cancelled"))
        await unit.session.execute(update(SchedFlow).values(ready=0, running=0))
        await unit.session.execute(update(Tenant).values(running=0))
        await unit.session.execute(update(Project).values(running=0))
    witness.forget()
    yield
    assert witness.wrong_moves() == []
    assert await recount(units) == 0


@pytest.fixture
def engine(engines: Engines, tmp_path: Path, alone: None) -> Engine:
    CALLS.clear()
    return make_engine(engines, tmp_path)


@pytest.fixture
async def workspace(units: Units) -> Workspace:
    return await open_workspace(units, f"space-{next(NUMBERS)}")


@pytest.fixture
def make_workspace(units: Units) -> Callable[[], Awaitable[Workspace]]:
    async def make() -> Workspace:
        return await open_workspace(units, f"space-{next(NUMBERS)}")

    return make
