"""A fresh, migrated database, an engine and workspaces for tests of the line."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from adapters.database import Engines, make_engines
from adapters.settings import Settings
from domain.production.engine import Engine
from tenants.unit import Units
from tests.support.line import CALLS, Workspace, make_engine, open_workspace

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
async def engines(database: Settings) -> AsyncIterator[Engines]:
    made = make_engines(database, "worker")
    yield made
    await made.dispose()


@pytest.fixture(scope="module")
async def units(engines: Engines) -> Units:
    return engines.units()


@pytest.fixture
def engine(engines: Engines, tmp_path: Path) -> Engine:
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
